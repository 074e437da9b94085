"""The answer of Tecton: files that its command line wrote, and what its feature server says of services.

The feature server's metadata (`POST /api/v1/feature-service/metadata`, https://docs.tecton.ai/http-api) names
the features that a service has now, with their types, and not what they are made from. It is read where an
API key is given.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.plain_json import mapping, mappings, text
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.tecton.feature_views import SYSTEM, TITLE, tecton_answer

if TYPE_CHECKING:
    from airflow_lineage_provider.systems.connection import Connection
    from airflow_lineage_provider.systems.http import JsonApi
    from airflow_lineage_provider.systems.saved import SavedAnswer

LARGEST_FILE = 128 << 20
DEFAULT_PORT = 443


def fetch_answer(connection: Connection) -> SavedAnswer:
    """Return the answer of the files that a connection names, and of the cluster that it is of.

    Its host is the cluster, and its password, where there is one, an API key; in extra: `dump` and `plan`,
    paths of the files, and `workspace`. Raises InputError where a file cannot be read, and SystemReadError.
    """
    dump, plan, workspace = (str(connection.extra.get(key) or "") for key in ("dump", "plan", "workspace"))
    return files_answer(dump, plan, cluster=connection.host, workspace=workspace, connection=connection)


def files_answer(
    dump: str, plan: str, *, cluster: str, workspace: str, connection: Connection | None = None
) -> SavedAnswer:
    """Return the answer of the files that `tecton dump` and, where there is one, `tecton plan` wrote.

    `connection` is that of the cluster; with an API key as its password the feature server is asked too.
    Raises InputError where a file cannot be read, and where the cluster or the workspace is not named.
    """
    from airflow_lineage_provider.systems.saved import SavedAnswer

    if not dump or not cluster or not workspace:
        raise InputError("Tecton needs the file that `tecton dump` printed, the cluster and the workspace")
    answer = tecton_answer(_json(dump), _json(plan) if plan else None, workspace=workspace)
    if connection and connection.password:
        answer |= _served(_api(connection), answer)
    host = cluster if "://" in cluster else f"https://{cluster}"
    return SavedAnswer(SYSTEM, datetime.now(UTC), host, answer)


def _api(connection: Connection) -> JsonApi:
    from airflow_lineage_provider.systems.connection import connection_url
    from airflow_lineage_provider.systems.http import JsonApi

    url = connection_url(connection, DEFAULT_PORT)
    if "://" not in connection.host and not connection.schema:
        url = url.replace("http://", "https://", 1)
    return JsonApi(
        url,
        f"{TITLE} ({connection})",
        headers={"Authorization": f"Tecton-key {connection.password}"},
        verify=connection.extra.get("verify", True),
    )


def _served(api: JsonApi, answer: dict[str, Any]) -> dict[str, Any]:
    """Return what the feature server has of each feature service of the definitions."""
    served: dict[str, Any] = {}
    incomplete = []
    for definition in mappings(answer["definitions"]):
        name = text(definition, "featureService", "info", "name")
        if not name:
            continue
        asked = {"params": {"featureServiceName": name, "workspaceName": answer["workspace"]}}
        try:
            found = mapping(api.post("api/v1/feature-service/metadata", asked))
        except SystemReadError as error:
            if error.unreachable:
                raise
            incomplete.append(f"feature service {name} may not be read ({error})")
            continue
        if isinstance(found.get("featureValues"), list):
            served[name] = {key: found.get(key) or [] for key in ("featureValues", "inputJoinKeys")}
        else:
            incomplete.append(f"feature service {name} is not in workspace {answer['workspace']}")
    return {"served": served, "incomplete": incomplete}


def _json(path: str) -> Any:
    """Return the JSON of a file; `tecton dump` prints lines for people before it."""
    try:
        with Path(path).open("rb") as stream:
            raw = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > LARGEST_FILE:
        raise InputError(f"{path} has more than {LARGEST_FILE >> 20} MiB")
    try:
        content = raw.decode("utf-8-sig")
        return json.loads(content[max(content.find("{"), 0) :])
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from None

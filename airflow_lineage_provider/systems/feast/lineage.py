"""Feast's feature views, by its registry.

https://docs.feast.dev/getting-started/components/registry. The registry is read by Feast's library, in this
process or by the Python of an environment that has Feast, and kept in protobuf's JSON form without functions.

A feature view is `<project>.<view>` in the namespace `feast://<registry>`: its server, or its absolute path.
A registry does not say which warehouse its tables are in: the settings of the offline store do.
"""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.plain_json import mapping, mappings, text
from airflow_lineage_provider.systems.errors import SystemReadError, one_line
from airflow_lineage_provider.systems.feast.sources import OfflineStore
from airflow_lineage_provider.systems.feast.views import Registry
from airflow_lineage_provider.systems.features import view_observation
from airflow_lineage_provider.systems.listing import listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.systems.answers import Observed
    from airflow_lineage_provider.systems.connection import Connection
    from airflow_lineage_provider.systems.observation import Observation
    from airflow_lineage_provider.systems.saved import SavedAnswer

SYSTEM, TITLE = "feast", "Feast"
WHOLE_SECONDS = 300
LARGEST_ANSWER = 128 << 20
KINDS = ("entities", "featureViews", "streamFeatureViews", "onDemandFeatureViews", "featureServices")
_LEFT_OUT = frozenset({"body", "bodyText", "meta", "featureViewProto", "materializationIntervals"})
"""Keys of an object that lineage is not made of: the text of functions, and what happened to it."""


def feast_lineage(answer: Any, host: str, now: datetime) -> list[Observation]:
    """Return the observation of each feature view of a project, and of their listing.

    `host` is the URL of the registry. Raises SystemReadError for an answer of another form.
    """
    answer = mapping(answer)
    if not isinstance(answer.get("registry"), dict):
        raise SystemReadError("the answer of Feast has no registry: fetch it again")
    project = text(answer, "project")
    url = urlsplit(host)
    namespace = f"feast://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"
    offline = OfflineStore.of(mapping(answer.get("offline_store")), namespace, project)
    registry = Registry(mapping(answer["registry"]), namespace, project, offline)
    made = [view_observation(registry.view(name), "FEAST", TITLE, now) for name in registry.views]
    return [*made, listing(namespace, "FEAST", TITLE, now)]


def observe_answer(saved: SavedAnswer, now: datetime) -> Observed:
    """Return what an answer of Feast shows: all feature views of a project."""
    from airflow_lineage_provider.systems.answers import Observed

    return Observed(feast_lineage(saved.answer, saved.host, now))


def fetch_answer(connection: Connection) -> SavedAnswer:
    """Return the answer of the repository that a connection names.

    In its extra: `repository`, the folder with `feature_store.yaml`; `python`, the interpreter of the
    environment that has Feast, where it is another one. Raises InputError and SystemReadError.
    """
    repository, python = (str(connection.extra.get(key) or "") for key in ("repository", "python"))
    if not repository:
        raise InputError(f"{connection} needs `repository` in its extra: the folder of feature_store.yaml")
    return repository_answer(repository, python or None)


def repository_answer(repository: str, python: str | None = None) -> SavedAnswer:
    """Return the answer of a Feast repository, read here or by another Python interpreter.

    Raises InputError where there is no repository or no Feast, SystemReadError where it cannot be read.
    """
    from airflow_lineage_provider.systems.saved import SavedAnswer

    folder = Path(repository)
    if not (folder / "feature_store.yaml").is_file():
        raise InputError(f"{repository} is no Feast repository: it has no feature_store.yaml")
    found = _read_by(python, folder) if python else _read_here(folder)
    path = text(found, "registry_path")
    host = path if "://" in path else f"file://{(folder / path).resolve()}"
    return SavedAnswer(SYSTEM, datetime.now(UTC), host, _kept(found))


def _read_here(folder: Path) -> Any:
    from airflow_lineage_provider.systems.feast.registry import read_registry

    try:
        return read_registry(str(folder))
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is missing: install Feast, or name the Python that has it") from None
    except Exception as error:  # noqa: BLE001 - Feast raises what its stores raise
        raise SystemReadError(
            f"the registry of {folder} cannot be read ({one_line(error)})", unreachable=True
        ) from None


def _read_by(python: str, folder: Path) -> Any:
    from airflow_lineage_provider.systems.feast import registry

    # By its text: the folder of a script is on the path, and modules of common names lie in this one.
    command = [python, "-c", Path(registry.__file__).read_text(), str(folder.resolve())]
    try:
        run = subprocess.run(command, capture_output=True, timeout=WHOLE_SECONDS, check=False)  # noqa: S603
    except OSError as error:
        raise InputError(f"{python} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise SystemReadError(
            f"the registry of {folder} was not read within {WHOLE_SECONDS} s", unreachable=True
        ) from None
    if run.returncode:
        lines = run.stderr.decode(errors="replace").strip().splitlines()
        reason = one_line(lines[-1] if lines else f"exit code {run.returncode}")
        raise SystemReadError(
            f"the registry of {folder} cannot be read by {python} ({reason})",
            unreachable="ModuleNotFoundError" not in reason,
        )
    if len(run.stdout) > LARGEST_ANSWER:
        raise SystemReadError(f"the registry of {folder} has more than {LARGEST_ANSWER >> 20} MiB")
    try:
        return json.loads(run.stdout)
    except ValueError:
        raise SystemReadError(f"the registry of {folder} is not JSON: check {python}") from None


def _kept(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer with the project's objects only, and without the text of functions."""
    project = text(found, "project")
    registry = mapping(found.get("registry"))
    kept = {
        kind: [
            _without(one)
            for one in mappings(registry.get(kind))
            if text(one, "spec", "project") in {project, ""}
        ]
        for kind in KINDS
    }
    return {"project": project, "offline_store": found.get("offline_store") or {}, "registry": kept}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(one) for key, one in value.items() if key not in _LEFT_OUT}
    return [_without(one) for one in value] if isinstance(value, list) else value

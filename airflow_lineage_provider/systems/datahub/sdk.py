"""DataHub's SDK: aspects checked by its models, and sent to a server. The only module that imports it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.masking import mask_text
from airflow_lineage_provider.events.secret_patterns import MASK
from airflow_lineage_provider.systems.errors import SystemReadError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_lineage_provider.systems.datahub.proposals import Proposal
    from airflow_lineage_provider.systems.http import JsonApi

_BATCH = 200
_TIMEOUT_SECONDS = 30


def change_proposals(proposals: Sequence[Proposal]) -> list[Any]:
    """Return the proposals as objects of the SDK.

    Raises InputError where the SDK is not installed, and SystemReadError for a value that its models reject.
    """
    _load()
    from datahub.emitter.mcp import MetadataChangeProposalWrapper
    from datahub.emitter.serialization_helper import post_json_transform
    from datahub.metadata.schema_classes import ASPECT_NAME_MAP

    found = []
    for one in proposals:
        aspect = ASPECT_NAME_MAP[one.aspect].from_obj(post_json_transform(dict(one.value)))
        made = MetadataChangeProposalWrapper(entityUrn=one.urn, aspect=aspect)
        if not made.validate():
            raise SystemReadError(f"DataHub's models reject the {one.aspect} of {one.urn}")
        found.append(made)
    return found


def file_records(proposals: Sequence[Proposal]) -> Iterator[dict[str, Any]]:
    """Yield the proposals as the records of DataHub's metadata files. Raises as `change_proposals`."""
    for made in change_proposals(proposals):
        yield made.to_obj(simplified_structure=True)


def send(api: JsonApi, proposals: Sequence[Proposal]) -> None:
    """Write proposals to a DataHub server, in batches. Raises SystemReadError."""
    made = change_proposals(proposals)
    from datahub.configuration.common import OperationalError
    from datahub.emitter.rest_emitter import DataHubRestEmitter

    emitter = DataHubRestEmitter(
        api.url,
        token=api.token or None,
        timeout_sec=_TIMEOUT_SECONDS,
        retry_max_times=1,
        ca_certificate_path=api.verify if isinstance(api.verify, str) else None,
        disable_ssl_verification=api.verify is False,
    )
    try:
        for start in range(0, len(made), _BATCH):
            emitter.emit_mcps(made[start : start + _BATCH])
    except (OSError, OperationalError, ValueError) as error:
        said = one_line(mask_text(str(error)))
        why = said.replace(api.token, MASK) if api.token else said
        raise SystemReadError(
            f"{api} did not take all aspects ({why}): see its log, and try again", unreachable=True
        ) from None
    finally:
        emitter.close()


def _load() -> None:
    # Read when the SDK is imported: nothing about its use goes to its makers.
    os.environ["DATAHUB_TELEMETRY_ENABLED"] = "false"
    try:
        import datahub.metadata  # noqa: F401
    except ModuleNotFoundError:
        raise InputError(
            "DataHub's SDK is missing: pip install 'airflow-lineage-provider[datahub]'"
        ) from None

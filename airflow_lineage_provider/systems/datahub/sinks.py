"""Where metadata is published to: a DataHub server, or a file that DataHub's file source reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.readers.datahub_aspects import aspects_of, load_records
from airflow_lineage_provider.readers.datahub_entities import Catalog
from airflow_lineage_provider.systems.datahub.plan import registered_by
from airflow_lineage_provider.systems.datahub.sdk import file_records, send

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from airflow_lineage_provider.systems.datahub.client import DataHubClient
    from airflow_lineage_provider.systems.datahub.proposals import Proposal
    from airflow_lineage_provider.systems.http import JsonApi


class FileSink:
    """A file of metadata; records of others that are in it stay. Raises CatalogFileError."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._records = [dict(one) for one in load_records(path)] if self._path.exists() else []
        self._aspects: dict[str, dict[str, Mapping[str, Any]]] = {}
        for urn, aspect, value, _ in aspects_of(self._records, Catalog(str(path))):
            self._aspects.setdefault(urn, {})[aspect] = value

    def __str__(self) -> str:
        """Name the file."""
        return str(self._path)

    def aspects(self, urn: str, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the values of aspects of an entity that the file has."""
        return {name: value for name, value in self._aspects.get(urn, {}).items() if name in names}

    def registered(self, map_name: str) -> Iterator[str]:
        """Yield the URNs of the entities with this map's mark that are not soft-deleted."""
        for urn, aspects in self._aspects.items():
            if registered_by(aspects, map_name) and not aspects.get("status", {}).get("removed"):
                yield urn

    def write(self, proposals: Sequence[Proposal]) -> None:
        """Replace the file with one that has these aspects; without aspects it is left as it is."""
        if not proposals:
            return
        replaced = {(one.urn, one.aspect) for one in proposals if not one.sent_with}
        kept = [r for r in self._records if (r.get("entityUrn"), r.get("aspectName")) not in replaced]
        from json import dumps

        partial = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        partial.write_text(dumps([*kept, *file_records(proposals)], indent=2), encoding="utf-8")
        partial.replace(self._path)


class ServerSink:
    """A DataHub server. Raises SystemReadError."""

    def __init__(self, api: JsonApi) -> None:
        from airflow_lineage_provider.systems.datahub.client import DataHubClient

        self._api = api
        self._client: DataHubClient = DataHubClient(api)

    def __str__(self) -> str:
        """Name the server, its connection and its URL."""
        return str(self._api)

    def aspects(self, urn: str, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the current values of aspects of an entity."""
        return self._client.aspects(urn, names)

    def registered(self, map_name: str) -> Iterator[str]:
        """Yield the URNs of the entities with this map's mark that are not soft-deleted."""
        return self._client.registered(map_name)

    def write(self, proposals: Sequence[Proposal]) -> None:
        """Send aspects."""
        if proposals:
            send(self._api, proposals)

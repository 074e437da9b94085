"""DataHub's metadata service: entities and lineage by GraphQL, single aspects by REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_lineage_provider.errors import LineageError
from airflow_lineage_provider.readers.datahub_aspects import MALFORMED, add_incomplete
from airflow_lineage_provider.readers.datahub_entities import Catalog, CatalogEdge
from airflow_lineage_provider.readers.datahub_urns import UrnError, parse_urn
from airflow_lineage_provider.systems.datahub.answers import entity_of, people_of
from airflow_lineage_provider.systems.datahub.queries import (
    EDGES,
    ENTITIES,
    PAGE,
    REGISTERED,
    UPSTREAMS,
)
from airflow_lineage_provider.systems.errors import SystemReadError, one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from airflow_lineage_provider.readers.datahub_entities import CatalogEntity
    from airflow_lineage_provider.systems.http import JsonApi

_TYPES = ("DATASET", "DASHBOARD", "CHART", "MLFEATURE_TABLE", "MLFEATURE", "MLMODEL")
_MOST_PAGES = 10_000
_REGISTERED_TYPES = (*_TYPES, "DATA_FLOW", "DATA_JOB", "ASSERTION")


class PageError(LineageError):
    """Pages of an answer that are not all there."""


class DataHubClient:
    """Reads one DataHub. Every method raises SystemReadError."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    def __str__(self) -> str:
        """Name the server, its connection and its URL."""
        return str(self._api)

    def version(self) -> str:
        """Return the version of the server."""
        answer = self._api.get("config")
        if not isinstance(answer, dict) or "versions" not in answer:
            raise SystemReadError(f"{self} is not DataHub's metadata service: check host, port and path")
        found = (answer["versions"] or {}).get("acryldata/datahub") or {}
        return str(found.get("version") or "")

    def catalog(self, *, platforms: Sequence[str] = (), env: str = "") -> Catalog:
        """Return the entities of these platforms, of all by default, with their lineage.

        Soft-deleted ones are among them, marked so. `env` leaves out the datasets of other environments.
        What cannot be read makes the catalog incomplete, with the reason; nothing is raised for it.
        """
        catalog = Catalog(str(self))
        filters = [{"field": "platform", "values": [f"urn:li:dataPlatform:{p}" for p in platforms]}]
        wanted = {"types": list(_TYPES), "query": "*", "count": PAGE}
        wanted["searchFlags"] = {"skipCache": True, "includeSoftDeleted": True, "skipAggregates": True}
        if platforms:
            wanted["orFilters"] = [{"and": filters}]
        try:
            for answer in self._scroll("scrollAcrossEntities", ENTITIES, wanted):
                self._add(catalog, answer.get("entity"), env)
        except (SystemReadError, PageError) as error:
            add_incomplete(catalog, str(error))
        return catalog

    def aspects(self, urn: str, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the current values of aspects of an entity; those that it does not have are left out."""
        listed = ",".join(sorted(names))
        answer = self._api.get(f"entitiesV2/{quote(urn, safe='')}?aspects=List({listed})")
        found = answer.get("aspects") if isinstance(answer, dict) else None
        if answer is not None and not isinstance(found, dict):
            raise SystemReadError(
                f"{self} does not answer as DataHub does at {urn}: check host, port and path"
            )
        return {
            name: one["value"]
            for name, one in (found or {}).items()
            if isinstance(one, dict) and isinstance(one.get("value"), dict)
        }

    def registered(self, map_name: str) -> Iterator[str]:
        """Yield the URNs of the entities with this map's mark that are not soft-deleted."""
        mark = {"field": "customProperties", "values": [f"airflow_lineage.map={map_name}"]}
        wanted = {
            "types": list(_REGISTERED_TYPES),
            "query": "*",
            "count": PAGE,
            "orFilters": [{"and": [mark]}],
            "searchFlags": {"skipCache": True, "skipAggregates": True},
        }
        try:
            for answer in self._scroll("scrollAcrossEntities", REGISTERED, wanted):
                yield str(answer["entity"]["urn"])
        except PageError as error:
            raise SystemReadError(str(error)) from None

    def _add(self, catalog: Catalog, answer: Any, env: str) -> None:
        urn = answer.get("urn") if isinstance(answer, dict) else answer
        try:
            entity = entity_of(answer)
            if env and entity.urn.kind == "dataset" and entity.urn.parts[-1] != env:
                return
            catalog.entities[entity.urn.text] = entity
            catalog.people |= people_of(answer)
            self._more_upstreams(entity, answer.get("lineage") or {})
        except UrnError as error:
            add_incomplete(catalog, f"{self}: {error}")
        except MALFORMED as error:
            add_incomplete(catalog, f"{self}: {urn!r:.200} cannot be read: {error!r:.200}")

    def _more_upstreams(self, entity: CatalogEntity, lineage: Mapping[str, Any]) -> None:
        """Read the upstreams of an entity that has more than come with it. Raises PageError."""
        total, hidden = int(lineage.get("total") or 0), int(lineage.get("filtered") or 0)
        given = len(lineage.get("relationships") or ())
        if given + hidden >= total:
            return
        if total <= EDGES:
            raise PageError(f"{self}: {given} of {total} upstreams of {entity.urn.text} came")
        wanted = {
            "urn": entity.urn.text,
            "direction": "UPSTREAM",
            "query": "*",
            "count": PAGE,
            "orFilters": [{"and": [{"field": "degree", "values": ["1"]}]}],
            "searchFlags": {"skipCache": True, "skipAggregates": True},
        }
        known = {edge.source for edge in entity.upstreams}
        for answer in self._scroll("scrollAcrossLineage", UPSTREAMS, wanted):
            urn = parse_urn(answer["entity"]["urn"]).text
            if urn not in known and answer.get("degree", 1) == 1:
                entity.upstreams.append(CatalogEdge(urn))

    def _scroll(self, name: str, query: str, wanted: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the results of all pages. Raises PageError where fewer come than the server counts."""
        scroll_id, seen, total = None, 0, 0
        for _ in range(_MOST_PAGES):
            page = self._query(name, query, {**wanted, **({"scrollId": scroll_id} if scroll_id else {})})
            results = page.get("searchResults")
            if not isinstance(results, list):
                raise SystemReadError(f"{self} answers {name} without results: its schema is another one")
            yield from (one for one in results if isinstance(one, dict))
            seen, total = seen + len(results), max(total, int(page.get("total") or 0))
            previous, scroll_id = scroll_id, page.get("nextScrollId")
            if not scroll_id or not results or scroll_id == previous:
                break
        if seen < total:
            raise PageError(f"{self}: a page is missing: {seen} of {total} results of {name} came")

    def _query(self, name: str, query: str, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self._api.post("api/graphql", {"query": query, "variables": {"input": wanted}})
        if isinstance(answer, dict) and answer.get("errors"):
            first = answer["errors"][0] if isinstance(answer["errors"], list) else answer["errors"]
            text = one_line(first.get("message", first) if isinstance(first, dict) else first)
            hint = "its version is older than 1.0" if "ndefined" in text else "see its log"
            raise SystemReadError(f"{self} rejects the query {name} ({text}): {hint}")
        found = (answer.get("data") or {}).get(name) if isinstance(answer, dict) else None
        if not isinstance(found, dict):
            raise SystemReadError(
                f"{self} does not answer as DataHub's GraphQL does: check host, port and path"
            )
        return found

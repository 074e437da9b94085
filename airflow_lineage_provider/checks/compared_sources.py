"""Read the kinds of evidence of a reconciliation, each from its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.checks.reconcile import MAP, ComparedSource
from airflow_lineage_provider.checks.validation import failure_reasons
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import Graph
from airflow_lineage_provider.readers import READERS, Evidence, read_evidence
from airflow_lineage_provider.readers.datahub_names import BUCKETS, platform_of
from airflow_lineage_provider.readers.documented import read_map
from airflow_lineage_provider.systems.errors import SystemReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_lineage_provider.graph import ColumnRef
    from airflow_lineage_provider.lineage_map import LineageMap

EVENTS, CATALOG = "event", "datahub"
_OPTIONS: Mapping[str, Mapping[str, Any]] = {EVENTS: {"every_run": True}}


def chosen_kinds(kinds: Sequence[str], places: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the kinds to compare: `kinds`, else the map, the events, and each kind that has a location.

    Raises InputError for an unknown kind, and for one without a location.
    """
    known = (MAP, *READERS)
    chosen = tuple(dict.fromkeys(kinds)) or (MAP, EVENTS, *places)
    for kind in chosen:
        if kind not in known:
            raise InputError(f"{kind!r} is no kind of evidence; known are {', '.join(known)}")
        if kind not in {MAP, EVENTS, *places}:
            raise InputError(f"no location is given for {kind!r}: name its server, connection or file")
    return tuple(dict.fromkeys(chosen))


def compared_sources(
    opened: Mapping[str, Callable[[], Any]], lineage_map: LineageMap, environment: str | None = None
) -> list[ComparedSource]:
    """Read each kind of evidence; `opened` opens what its reader takes, and nothing for the map.

    A system that does not answer gives evidence that is incomplete, with the reason. Raises MapError for an
    unknown environment, and LineageError for a file or an event source that cannot be read.
    """
    found = []
    for kind, open_source in opened.items():
        if kind == MAP:
            evidence = read_map(lineage_map)
        else:
            try:
                source = open_source()
                options = _OPTIONS.get(kind, {})
                evidence = read_evidence(kind, source, lineage_map, environment, **options)
            except SystemReadError as error:
                evidence = Evidence(Graph(), incomplete=(str(error),))
        found.append(ComparedSource(kind, _with_reasons(kind, evidence)))
    return _one_name_each(found)


def _with_reasons(kind: str, evidence: Evidence) -> Evidence:
    """Add the reasons why jobs made nothing; events without any job are incomplete evidence."""
    if kind != EVENTS:
        return evidence
    if not evidence.jobs:
        return replace(evidence, incomplete=(*evidence.incomplete, "no job ran in this time"))
    return replace(evidence, absent={**failure_reasons(evidence.jobs), **evidence.absent})


def _one_name_each(sources: list[ComparedSource]) -> list[ComparedSource]:
    """Use one name in all sources for a dataset that no binding names.

    The names of a catalog have neither a server nor the case of the database.

    A table that an event calls `snowflake://org-account/DB.S.T` is `snowflake://db.s.t` in DataHub.
    """
    known = {
        key: name
        for source in sources
        if source.kind not in {MAP, CATALOG}
        for name in source.evidence.graph.datasets
        if (key := _key(name))
    }

    def renamed(name: str) -> str:
        key = _key(name)
        return known.get(key, name) if key else name

    return [
        replace(source, evidence=replace(source.evidence, graph=_renamed(source.evidence.graph, renamed)))
        if source.kind == CATALOG
        else source
        for source in sources
    ]


def _key(name: str) -> tuple[str, str] | None:
    """Return the platform and the name of a dataset that no binding names; None for a logical name."""
    scheme, found, rest = name.partition("://")
    if not found:
        return None
    platform = platform_of(scheme)
    if platform in BUCKETS:
        return platform, rest.strip("/")
    return platform, rest.rpartition("/")[2].casefold()


def _renamed(graph: Graph, name: Callable[[str], str]) -> Graph:
    def ref(column: ColumnRef) -> ColumnRef:
        return column._replace(dataset=name(column.dataset))

    return Graph(
        [replace(dataset, name=name(dataset.name)) for dataset in graph.datasets.values()],
        [replace(edge, source=name(edge.source), target=name(edge.target)) for edge in graph.edges.values()],
        [replace(edge, source=ref(edge.source), target=ref(edge.target)) for edge in graph.column_edges],
    )

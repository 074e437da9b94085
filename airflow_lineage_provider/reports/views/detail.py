"""Everything about a dataset: its columns, SQL, checks, and its history over the last runs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map.sla import parse_duration
from airflow_lineage_provider.reports.views.columns import column_views, require_dataset
from airflow_lineage_provider.reports.views.findings import finding_views
from airflow_lineage_provider.reports.views.graph import dataset_view, edge_view, lane_of
from airflow_lineage_provider.reports.views.models import (
    Check,
    CheckOutcome,
    DatasetDetail,
    DatasetRun,
    Freshness,
    PageLink,
    Sql,
    TypeChange,
    TypeHistory,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_lineage_provider.readers.event_runs import Pair
    from airflow_lineage_provider.reports.views.lineage import RunLineage
    from airflow_lineage_provider.reports.views.run_events import RunEvents, Written


@dataclass(frozen=True, slots=True)
class PastRun:
    """What the events of an earlier run say."""

    run_id: str
    events: RunEvents


def dataset_detail(
    lineage: RunLineage,
    dataset: str,
    history: Sequence[PastRun],
    now: dt.datetime,
    links: Mapping[str, str] | None = None,
) -> DatasetDetail:
    """Return everything about a dataset. Raises NotInRunError.

    `history` are the last runs, the newest first and this one among them; `links` are labels and URLs of
    pages about the dataset elsewhere.
    """
    graph = lineage.graph
    node = graph.datasets[require_dataset(lineage, dataset)]
    pair = lineage.names.get(dataset, ("", ""))
    written = lineage.events.written.get(pair)
    url = dict(node.properties).get("url", "")
    pages = ({node.kind.capitalize(): url} if url.startswith(("http://", "https://")) else {}) | (
        dict(links) if links else {}
    )
    edges = [(source, dataset) for source in graph.upstream.get(dataset, ())]
    edges += [(dataset, target) for target in graph.downstream.get(dataset, ())]
    return DatasetDetail(
        dataset=dataset_view(lineage, node, lane_of(lineage, node)),
        namespace=pair[0],
        name=pair[1],
        columns=column_views(lineage, dataset),
        type_history=list(_types(pair, history)),
        sql=Sql(text=written.sql, dialect=written.dialect) if written and written.sql else None,
        checks=_checks(pair, history),
        runs=list(_runs(pair, history)),
        freshness=_freshness(lineage, dataset, [*_written(pair, history)], now),
        documentation=node.description or None,
        owners=list(node.owners),
        findings=finding_views(lineage, now.date(), dataset),
        edges=[edge_view(lineage, *ends) for ends in edges],
        links=[PageLink(label=label, url=address) for label, address in pages.items()],
    )


def _written(pair: Pair, history: Sequence[PastRun]) -> Iterator[tuple[str, Written]]:
    for run in history:
        if pair in run.events.written:
            yield run.run_id, run.events.written[pair]


def _runs(pair: Pair, history: Sequence[PastRun]) -> Iterator[DatasetRun]:
    for run_id, one in _written(pair, history):
        yield DatasetRun(run_id=run_id, at=one.at, rows=one.rows, seconds=one.seconds, state=one.state)


def _types(pair: Pair, history: Sequence[PastRun]) -> Iterator[TypeHistory]:
    """Yield the columns whose type changed, with the type from each change on, the oldest first."""
    seen = [(one.at, dict(one.types)) for _, one in reversed([*_written(pair, history)]) if one.types]
    for column in dict.fromkeys(name for _, types in seen for name in types):
        changes = [TypeChange(at=at, type=types.get(column)) for at, types in seen[:1]]
        changes += [
            TypeChange(at=at, type=types.get(column))
            for (_, before), (at, types) in pairwise(seen)
            if types.get(column) != before.get(column)
        ]
        if len(changes) > 1:
            yield TypeHistory(column=column, changes=changes)


def _checks(pair: Pair, history: Sequence[PastRun]) -> list[Check]:
    found: dict[tuple[str, str], list[CheckOutcome]] = {}
    for run in history:
        for check in run.events.checks.get(pair, ()):
            found.setdefault((check.column, check.name), []).append(
                CheckOutcome(
                    at=check.at, run_id=run.run_id, passed=check.passed, message=check.message or None
                )
            )
    return [
        Check(column=column or None, name=name, results=results)
        for (column, name), results in sorted(found.items())
    ]


def _freshness(
    lineage: RunLineage, dataset: str, written: Sequence[tuple[str, Written]], now: dt.datetime
) -> Freshness:
    sla = dict(lineage.facts.service_levels).get(dataset) if lineage.facts else None
    last = next((one.at for _, one in written if one.state == "ok"), None)
    late = None
    if sla and last:
        try:
            late = now - dt.datetime.fromisoformat(last) > parse_duration(sla)
        except (InputError, ValueError, TypeError):
            late = None
    return Freshness(sla=sla, last=last, late=late)

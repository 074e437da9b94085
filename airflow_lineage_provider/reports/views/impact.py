"""What a change of a column reaches, or a migration."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.impact import planned_change
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import CONSUMERS, EVERY_COLUMN, ColumnRef, impact
from airflow_lineage_provider.reports.impact import impact_markdown
from airflow_lineage_provider.reports.views.columns import require_dataset
from airflow_lineage_provider.reports.views.models import ImpactAnswer, ImpactItem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from airflow_lineage_provider.graph import Impact
    from airflow_lineage_provider.reports.views.lineage import RunLineage

    ChangeName = Literal["removed", "renamed", "retyped"]

_CHANGES = {"removed": "drop", "renamed": "rename", "retyped": "type"}


def impact_view(lineage: RunLineage, dataset: str, column: str, change: ChangeName) -> ImpactAnswer:
    """Return what a change of a column reaches; an empty column stands for the whole dataset.

    Raises NotInRunError and InputError for names that the run does not have.
    """
    require_dataset(lineage, dataset)
    name = f"{dataset}.{column}" if column else dataset
    found, effects = planned_change(lineage.graph, name, _CHANGES[change])
    return ImpactAnswer(
        change=f"{name} is {change}",
        items=list(_items(lineage, found)),
        counts=_counts(lineage, found),
        markdown=impact_markdown(lineage.graph, found, effects),
    )


def _items(lineage: RunLineage, found: Impact) -> Iterator[ImpactItem]:
    for ref, (depth, via) in found.nodes.items():
        if depth:
            dataset = lineage.graph.datasets[ref.dataset]
            yield ImpactItem(
                dataset=ref.dataset,
                column=None if ref.column == EVERY_COLUMN else ref.column,
                depth=depth,
                kind=dataset.kind,
                via=via.dataset if via.column == EVERY_COLUMN else str(via),
                owners=list(dataset.owners),
                consumer=dataset.kind in CONSUMERS,
            )


def _counts(lineage: RunLineage, found: Impact) -> dict[str, int]:
    kinds = Counter(lineage.graph.datasets[name].kind for name in found.datasets())
    return dict(sorted(kinds.items()))


def migration_view(lineage: RunLineage, sql: str) -> ImpactAnswer:
    """Return what the statements of a migration reach.

    Raises InputError where no run was compared with a map.
    """
    from airflow_lineage_provider.checks.dialects import warehouse_dialect
    from airflow_lineage_provider.checks.migration import migration_impact
    from airflow_lineage_provider.lineage_map import MapSource, parse_source
    from airflow_lineage_provider.reports.migration import migration_markdown

    if lineage.facts is None:
        raise InputError("No run of this DAG was compared with a map yet: run the validation first")
    facts = lineage.facts
    lineage_map = parse_source(MapSource(facts.file, facts.text, facts.included))
    found = migration_impact(
        sql,
        lineage_map,
        dialect=lineage.facts.dialect or warehouse_dialect(lineage_map, lineage.facts.environment),
        environment=lineage.facts.environment,
    )
    starts = [ref for change in found.changes for ref in _starts(lineage, change.subject)]
    reached = impact(lineage.graph, dict.fromkeys(starts))
    return ImpactAnswer(
        change="; ".join(change.text for change in found.changes) or "no documented table or column changes",
        items=list(_items(lineage, reached)),
        counts=_counts(lineage, reached),
        markdown=migration_markdown(found),
    )


def _starts(lineage: RunLineage, subject: str) -> Iterator[ColumnRef]:
    if subject in lineage.graph.datasets:
        yield ColumnRef(subject, EVERY_COLUMN)
        return
    dataset, _, column = subject.rpartition(".")
    if dataset in lineage.graph.datasets:
        yield ColumnRef(dataset, column)

"""Feature views of a feature store, as Tecton and Feast describe them, and what their lineage is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.events.movement import (
    EVERY_COLUMN,
    ColumnSource,
    MovedDataset,
    MovedField,
    Movement,
)
from airflow_lineage_provider.lineage_map.features import (
    NONE,
    aggregation_text,
    entity_text,
    window_text,
)
from airflow_lineage_provider.systems.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow_lineage_provider.events.naming import DatasetName

FEATURE_VIEW = "FEATURE VIEW"
COUNTS = frozenset({"count", "approx count distinct"})
"""Aggregations whose result has none of the values that go in."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature; `sources` is None where it is not known what it is made from, and `gap` says why.

    `aggregation` and `window` are `none` for a feature that is not aggregated, and empty where the store does
    not say.
    """

    name: str
    type: str = ""
    description: str = ""
    sources: tuple[ColumnSource, ...] | None = None
    aggregation: str = ""
    window: str = ""
    gap: str = ""


@dataclass(frozen=True, slots=True)
class ObservedFeatureView:
    """A feature view, the datasets that it reads, and the columns that identify what it describes.

    `every` are columns that shape all features: filters and groups of a transformation.
    """

    name: DatasetName
    inputs: tuple[MovedDataset, ...]
    features: tuple[Feature, ...]
    entity: tuple[str, ...] = ()
    description: str = ""
    owners: tuple[str, ...] = ()
    every: tuple[ColumnSource, ...] = ()
    streaming: bool = False
    state: RunState = RunState.COMPLETE
    error: str = ""
    problems: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = field(default=())


def aggregated(
    sources: tuple[ColumnSource, ...] | None, function: str, column: str
) -> tuple[ColumnSource, ...] | None:
    """Return what a feature is made from that aggregates a column which is made from `sources`."""
    if sources is None:
        return None
    name = aggregation_text(function)
    return tuple(
        ColumnSource(
            one.dataset,
            one.column,
            "AGGREGATION",
            masking=one.masking or name in COUNTS,
            expression=f"{name.replace(' ', '_').upper()}({one.expression or column})",
        )
        if one.subtype in {"IDENTITY", "TRANSFORMATION", "AGGREGATION"}
        else one
        for one in sources
    )


def view_observation(view: ObservedFeatureView, integration: str, engine: str, now: datetime) -> Observation:
    """Return the observation of a feature view: the job that makes it, with the lineage of each feature."""
    namespace = view.name.namespace
    gaps = tuple(
        f"feature {one.name} of {view.name.name}: {one.gap or 'what it is made from is not known'}"
        for one in view.features
        if one.sources is None
    )
    columns = {one.name: one.sources for one in view.features if one.sources is not None}
    if view.every:
        columns[EVERY_COLUMN] = view.every
    output = MovedDataset(
        view.name,
        FEATURE_VIEW,
        tuple(_field(one) for one in view.features),
        description=view.description,
        owners=view.owners,
        properties=(("entity", entity_text(view.entity) or NONE), *view.properties),
    )
    movement = Movement(
        job_namespace=namespace,
        job_name=view.name.name,
        started_at=now,
        integration=integration,
        job_type="FEATURE_VIEW",
        processing="STREAMING" if view.streaming else "BATCH",
        engine=engine,
        inputs=view.inputs,
        outputs=(output,),
        columns=columns or None,
        problems=(*view.problems, *gaps),
    )
    return Observation(movement, view.state, view.error)


def _field(feature: Feature) -> MovedField:
    spelled: tuple[tuple[str, str, Callable[[str], str]], ...] = (
        ("aggregation", feature.aggregation, aggregation_text),
        ("window", feature.window, window_text),
    )
    properties = tuple((name, spell(value)) for name, value, spell in spelled if value)
    return MovedField(feature.name, feature.type, feature.description, properties=properties)

"""What every reader returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.graph import Graph


class BoundDataset(NamedTuple):
    """A dataset as OpenLineage names it, and the logical name that the map binds it to."""

    namespace: str
    name: str
    logical: str


@dataclass(frozen=True, slots=True)
class JobRun:
    """The last run of a job: its outcome, its inputs and outputs, its data quality assertions.

    `label` is the name, with its namespace or its project where several jobs share the name. `started` and
    `ended` are ISO 8601 as the events give them; `ended` is empty while the job runs.
    """

    namespace: str
    name: str
    label: str
    run_id: str
    kind: str
    status: str
    started: str
    ended: str
    seconds: float | None = None
    rows: int | None = None
    error: str = ""
    saved: str = ""
    """When the answer was saved that the run stands on (ISO 8601); empty of a live one."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """The tags that this package gave the run; keys are in `events.movement`."""
    inputs: tuple[BoundDataset, ...] = ()
    outputs: tuple[BoundDataset, ...] = ()
    assertions: int = 0
    failed_assertions: int = 0
    warned_assertions: int = 0


class Checked(NamedTuple):
    """A kind of check, such as not_null, of a dataset or of one of its columns (in small letters)."""

    dataset: str
    column: str
    kind: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The lineage that a reader found, as a graph, and what a comparison needs to know about it."""

    graph: Graph
    dialect: str = ""
    """The SQL dialect of its types and expressions; empty where it has none or several."""
    jobs: tuple[JobRun, ...] = ()
    """The jobs that ran, by the time they started; empty for evidence that is not about runs."""
    only_read: frozenset[str] = frozenset()
    """Datasets that the evidence reads and does not make, so that their absence is no finding."""
    lists_consumers: bool = False
    """Whether it would list the dashboards, feature views and models that are there."""
    lists_all: frozenset[str] = frozenset()
    """The systems (in small letters, such as `tableau`) all of whose consumers it lists."""
    only_consumers: bool = False
    """Whether it is about consumers only, and tables are what they read."""
    checked: frozenset[Checked] = frozenset()
    """The checks that ran, or that the project has, whatever they found."""
    unchecked: frozenset[str] = frozenset()
    """Datasets of which checks were skipped, so that it is not known which ones there are."""
    is_plan: bool = False
    """Whether it is all that a project would do, of which a comparison may select a part by its scope."""
    problems: tuple[str, ...] = ()
    """One line for each thing that could not be read, such as a statement without column lineage."""
    incomplete: tuple[str, ...] = ()
    """Why the evidence is incomplete, such as a missing page. Nothing counts as missing from it then."""
    several_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Datasets that the source knows under several names, and those names."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Why datasets that the source knows are not in the graph, such as a soft delete."""

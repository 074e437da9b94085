"""The systems whose answers are fetched, saved, and read as observations.

A system has one entry in `SYSTEMS`: a function `(Connection) -> SavedAnswer` that fetches an answer, and a
function `(SavedAnswer, now) -> Observed` that reads one, live or saved. Both are imported when they are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.systems.saved import SavedAnswer, load_answers, saved_systems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from airflow_lineage_provider.systems.connection import Connection
    from airflow_lineage_provider.systems.observation import Observation


@dataclass(frozen=True, slots=True)
class AnsweringSystem:
    """Where the two functions of a system are, as `module:function` in this package's `systems`."""

    fetch: str
    observe: str


SYSTEMS: Mapping[str, AnsweringSystem] = {
    "feast": AnsweringSystem("feast.lineage:fetch_answer", "feast.lineage:observe_answer"),
    "mlflow": AnsweringSystem("mlflow:fetch_answer", "mlflow:observe_answer"),
    "sagemaker": AnsweringSystem("sagemaker.client:fetch_answer", "sagemaker.lineage:observe_answer"),
    "tableau": AnsweringSystem("tableau.client:fetch_answer", "tableau.lineage:observe_answer"),
    "tecton": AnsweringSystem("tecton.fetch:fetch_answer", "tecton.feature_views:observe_answer"),
}


@dataclass(frozen=True, slots=True)
class Observed:
    """What an answer shows: jobs of the system, and one line for each thing that is not known."""

    observations: Sequence[Observation]
    problems: tuple[str, ...] = ()


def fetch_answer(system: str, connection: Connection) -> SavedAnswer:
    """Return the present answer of a system. Raises InputError for an unknown one, and SystemReadError."""
    found: SavedAnswer = _function(_known(system).fetch)(connection)
    return found


def observe_answer(saved: SavedAnswer, now: datetime) -> Observed:
    """Return what an answer shows; one that was read from a file is stamped with the time of its fetch."""
    found: Observed = _function(_known(saved.system).observe)(saved, now)
    return Observed(saved.stamped(found.observations), found.problems) if saved.file else found


def answer_events(path: str | Path, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield the OpenLineage events of all saved answers in a file or a folder, as an operator emits them.

    Raises InputError where there is no saved answer.
    """
    from openlineage.client.serde import Serde

    from airflow_lineage_provider.events.context import RunContext
    from airflow_lineage_provider.events.movement import movement_event

    for system in saved_systems(path):
        for saved in load_answers(path, system):
            for seen in observe_answer(saved, now).observations:
                yield Serde.to_dict(movement_event(seen.movement, seen.state, now, RunContext(), seen.error))


def _known(system: str) -> AnsweringSystem:
    if system not in SYSTEMS:
        raise InputError(f"there is no system {system!r}; there are {', '.join(SYSTEMS)}")
    return SYSTEMS[system]


def _function(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"airflow_lineage_provider.systems.{module}"), name)

"""Lineage of all models of a project, in DAG order, with a cache for unchanged models."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.sql.cache import Cache, digest, fingerprint
from airflow_lineage_provider.sql.schema import Schema
from airflow_lineage_provider.sql.script import analyse, last_written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from airflow_lineage_provider.sql.cache import Entry
    from airflow_lineage_provider.sql.catalog import Key
    from airflow_lineage_provider.sql.model import Lineage

# For fewer changed models, starting processes costs more than it saves.
_WORTH_A_POOL = 1500
_AT_ONCE = 300  # models per batch, to bound memory
Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its id, its compiled SQL, the dotted name of the table that it makes, its parents' ids."""

    id: str
    sql: str
    table: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Task:
    sql: str
    dialect: str
    defaults: tuple[str | None, str | None]
    parents: tuple[tuple[str, Columns], ...] = ()


def project_lineage(
    models: Iterable[Model],
    *,
    dialect: str,
    schema: Mapping[str, Collection[str]],
    default_database: str | None = None,
    default_schema: str | None = None,
    cache: Path | None = None,
    processes: int | None = None,
) -> Iterator[tuple[str, Lineage]]:
    """Yield (id, lineage) of each model, parents before children, as soon as it is analysed.

    `schema` holds the known tables that are not models; the output columns of a model are the schema of its
    children. `cache` is a SQLite file kept from run to run. `processes` is how many
    may be used (all cores by default; only a project with many changed models uses more than one).
    Raises `InputError` where models depend on each other in a circle, or two models have one id.
    """
    run = _Run(models, schema, dialect, (default_database, default_schema), cache)
    yield from run.results(processes if processes is not None else os.cpu_count() or 1)


class _Run:
    """One pass over the project, layer by layer of the DAG."""

    def __init__(
        self,
        models: Iterable[Model],
        schema: Mapping[str, Collection[str]],
        dialect: str,
        defaults: tuple[str | None, str | None],
        cache: Path | None,
    ) -> None:
        self.models = _by_id(models)
        self.outside = {table: _plain(columns) for table, columns in schema.items()}
        self.schema = Schema(self.outside)
        self.dialect, self.defaults = dialect, defaults
        self.cache = Cache(cache) if cache is not None else None
        self.digests = {m.id: digest(m.sql, dialect, defaults) for m in self.models.values()} if cache else {}
        self.known = self.cache.known(self.digests.values()) if self.cache else frozenset()
        self.fresh: dict[str, tuple[str, Entry]] = {}
        self.columns: dict[str, Columns] = {}

    def results(self, processes: int) -> Iterator[tuple[str, Lineage]]:
        """Yield the lineage of each model; save new ones in the cache at the end."""
        order = _order(self.models)
        try:
            changed = len(self.models) - len(self.known)
            may_start = not multiprocessing.current_process().daemon
            if processes > 1 and changed > _WORTH_A_POOL and may_start:
                context = multiprocessing.get_context("spawn")
                with ProcessPoolExecutor(processes, context, _start_worker, (self.outside,)) as pool:
                    yield from self._layers(order, pool)
            else:
                yield from self._layers(order, None)
        finally:
            self._save()

    def _layers(
        self, order: TopologicalSorter[str], pool: ProcessPoolExecutor | None
    ) -> Iterator[tuple[str, Lineage]]:
        while order.is_active():
            ready = [self.models[name] for name in order.get_ready()]
            for part in _parts(ready, _AT_ONCE):
                for model, (lineage, _) in self._layer(part, pool):
                    self.columns[model.id] = tuple(c.name for c in lineage.columns)
                    self.schema.add(model.table, self.columns[model.id])
                    order.done(model.id)
                    yield model.id, lineage
                self._save()

    def _layer(
        self, models: Sequence[Model], pool: ProcessPoolExecutor | None
    ) -> Iterator[tuple[Model, Entry]]:
        changed = []
        known = self.cache.load(self.digests[m.id] for m in models) if self.cache else {}
        for model in models:
            entry = self._cached(known.get(self.digests.get(model.id, "")))
            if entry is None:
                changed.append(model)
            else:
                yield model, entry
        tasks = [self._task(model) for model in changed]
        if pool is not None:
            answers = pool.map(_work, tasks, chunksize=max(1, min(50, len(tasks) // 8)))
        else:
            answers = (_answer(task, self.schema) for task in tasks)
        for model, entry in zip(changed, answers, strict=True):
            if self.cache is not None:
                self.fresh[self.digests[model.id]] = fingerprint(entry[1], self.schema), entry
            yield model, entry

    def _save(self) -> None:
        if self.cache is not None and self.fresh:
            self.cache.save(self.fresh)
            self.fresh.clear()

    def _cached(self, found: tuple[str, Entry] | None) -> Entry | None:
        if found is None or found[0] != fingerprint(found[1][1], self.schema):
            return None
        return found[1]

    def _task(self, model: Model) -> _Task:
        parents = [self.models[name] for name in model.parents if name in self.models]
        return _Task(
            model.sql, self.dialect, self.defaults, tuple((p.table, self.columns[p.id]) for p in parents)
        )


def _plain(columns: Collection[str]) -> Collection[str]:
    """Return a picklable copy of the columns of a table, with their types where they are known."""
    return dict(columns) if isinstance(columns, Mapping) else tuple(columns)


def _by_id(models: Iterable[Model]) -> dict[str, Model]:
    found: dict[str, Model] = {}
    for model in models:
        if model.id in found:
            raise InputError(f"two models have the id {model.id!r}")
        found[model.id] = model
    return found


def _parts(models: Sequence[Model], size: int) -> Iterator[Sequence[Model]]:
    for start in range(0, len(models), size):
        yield models[start : start + size]


def _order(models: Mapping[str, Model]) -> TopologicalSorter[str]:
    order: TopologicalSorter[str] = TopologicalSorter(
        {m.id: [p for p in m.parents if p in models and p != m.id] for m in models.values()}
    )
    try:
        order.prepare()
    except CycleError as error:
        raise InputError(f"models depend on each other in a circle: {' -> '.join(error.args[1])}") from None
    return order


def _answer(task: _Task, schema: Schema) -> tuple[Lineage, tuple[Key, ...]]:
    found, looked_up = analyse(task.sql, task.dialect, schema, *task.defaults)
    return last_written(found), looked_up


# ---- in a worker process -------------------------------------------------------------------------

_OUTSIDE = Schema({})


def _start_worker(outside: Mapping[str, Collection[str]]) -> None:
    for table, columns in outside.items():
        _OUTSIDE.add(table, columns)


def _work(task: _Task) -> Entry:
    for table, columns in task.parents:
        _OUTSIDE.add(table, columns)
    return _answer(task, _OUTSIDE)

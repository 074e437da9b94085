"""What DbtLayerOperator keeps in memory while dbt runs."""

from __future__ import annotations

import gc
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from airflow_lineage_provider.dbt.records import Node, NodeFinished, NodeStarted
from airflow_lineage_provider.operators.dbt import DbtLayerOperator
from airflow_lineage_provider.utils.emitter import Emitter
from tests.support import jaffle_shop

KINDS = (Node, NodeStarted, NodeFinished)


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFLOW_LINEAGE__STORE", str(tmp_path / "lineage.db"))
    now = datetime.now(UTC)
    times = dict.fromkeys(("logical_date", "run_after", "data_interval_start", "data_interval_end"), now)
    dag_run = SimpleNamespace(**times, conf={}, clear_number=0)
    ti = SimpleNamespace(dag_id="shop", task_id="build", try_number=1, map_index=-1, dag_run=dag_run)
    context = {"ti": ti, "dag_run": dag_run}
    ti.get_template_context = lambda: context
    return context


def test_the_records_of_nodes_that_have_ended_are_let_go(context, tmp_path, monkeypatch):
    """Each event is made of its records alone, so that memory does not grow with the number of nodes."""
    project = str(jaffle_shop.write(tmp_path / "shop"))
    task = DbtLayerOperator(task_id="build", project_dir=project, profiles_dir=project)
    context["ti"].task = task
    emit, alive, begun = Emitter.emit, [], []
    gc.collect()
    of_others = Counter(map(type, gc.get_objects()))  # records that the fixtures of other tests keep

    def emit_and_count(self, record):
        emit(self, record)
        if isinstance(record, NodeFinished):
            of_type = Counter(map(type, gc.get_objects()))
            alive.append(max(of_type[kind] - of_others[kind] for kind in KINDS))
            begun.append(len(self._events._nodes._begun))

    monkeypatch.setattr(Emitter, "emit", emit_and_count)
    summary = task.execute.__wrapped__(task, context)

    assert summary["nodes"] == {"success": 8, "pass": 20}
    assert summary["rows"] > 0
    assert len(alive) == jaffle_shop.NODES
    assert max(alive) <= 3  # this one, and those that are on their way between two functions
    assert begun[-1] == 0

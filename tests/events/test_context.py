"""The parent run in OPENLINEAGE_CONTEXT: written for a container, and read there."""

import json

import pytest
from event_helpers import DAG, TASK, context
from openlineage.common.provider.dbt.utils import get_parent_run_metadata

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.context import RunContext, context_of_text, context_text


@pytest.mark.parametrize("given", [context(), RunContext(), RunContext(TASK, DAG, several_projects=True)])
def test_what_is_written_is_what_is_read(given):
    assert context_of_text(context_text(given)) == given


def test_dbt_ol_reads_the_same_variable(monkeypatch):
    monkeypatch.setenv("OPENLINEAGE_CONTEXT", context_text(context()))
    found = get_parent_run_metadata()
    assert (found.job_namespace, found.job_name, found.run_id) == (TASK.namespace, TASK.name, TASK.run_id)
    assert found.root_parent_run_id == DAG.run_id


def test_no_variable_is_no_parent():
    assert context_of_text("").parent is None


@pytest.mark.parametrize(
    "text",
    [
        "airflow/dag.task/01890000-0000-7000-8000-000000000002",
        "[]",
        "7",
        '{"parent": 7}',
        '{"parent": {"run": {}, "job": {}}}',
        '{"nominalTime": {"nominalStartTime": "soon"}}',
        "[" * 100_000,
    ],
)
def test_other_text_is_one_line(text):
    with pytest.raises(InputError, match="OPENLINEAGE_CONTEXT is not JSON") as raised:
        context_of_text(text)
    assert len(str(raised.value)) < 500
    assert json.dumps(str(raised.value)).count("\\n") == 0

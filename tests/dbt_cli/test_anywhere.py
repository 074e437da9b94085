"""One project, run everywhere: the events are equal but for ids, times and what cannot be known afterwards.

By DbtLayerOperator in Airflow's interpreter and in one of its own, by the command in a pod and in a container
(docs/snippets/dbt/containers.py), and from the artifacts of plain dbt.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.airflow_home import airflow_environment

sys.path.insert(0, str(Path(__file__).parents[1] / "dbt"))
sys.path.insert(0, str(Path(__file__).parents[1] / "events"))
sys.path.insert(0, str(Path(__file__).parent))

from dbt_projects import write_project
from event_helpers import SMALL
from image import environment, make_image

from airflow_lineage_provider.store import EventStore
from tests.support.comparable import UNKNOWN_AFTERWARDS, UNKNOWN_AT_START, comparable
from tests.support.endpoint import TOKEN, serving
from tests.support.environments import python_of

ROOT = Path(__file__).parents[2]
SNIPPET = ROOT / "docs" / "snippets" / "dbt" / "containers.py"
PAGE = ROOT / "docs" / "how-to" / "dbt-anywhere.md"
FAILING = ("models/gold/fails.sql", "models/gold/skipped.sql")
# The snippet runs silver in a pod and gold in a container.
FILES = {name: text for name, text in SMALL.items() if name not in FAILING} | {
    "seeds/seeds.yml": "seeds: [{name: raw_orders, config: {tags: [bronze]}}]"
}
DAG = """
from airflow.sdk import DAG
from airflow_lineage_provider.operators.dbt import DbtLayerOperator
from airflow_lineage_provider.operators.dbt_artifacts import DbtArtifactsLineageOperator

here = {{"project_dir": {project!r}, "profiles_dir": {project!r}}}
with DAG("anywhere", schedule=None):
    in_this_process = DbtLayerOperator(task_id="here", select="silver gold", vars={{"day": "x"}}, **here)
    in_another = DbtLayerOperator(task_id="python", select="silver gold", python={python!r}, **here)
    over = DbtArtifactsLineageOperator(task_id="artifacts", target_path={target!r}, **here)
    in_this_process >> in_another >> over
"""


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Return the events of each task by its job's name, from one Airflow with one event store."""
    folder = tmp_path_factory.mktemp("anywhere")
    project = write_project(folder / "project", FILES)
    image = make_image(folder)
    run_dbt(image, project, "build")
    run_dbt(image, project, "docs", "generate")
    run_dbt(image, project, "build", "--select", "silver", "gold")
    target = shutil.copytree(project / "target", folder / "over")
    home = folder / "airflow"
    (home / "dags").mkdir(parents=True)
    shutil.copy(SNIPPET, home / "dags")
    dag = DAG.format(project=str(project), python=python_of("dbt-1.10"), target=str(target))
    (home / "dags" / "anywhere.py").write_text(dag)
    with serving(home / "lineage.db", folder / "log") as endpoint:
        given = surroundings(home, image, project, endpoint.url)
        command = [sys.executable, Path(__file__).with_name("run_anywhere.py")]
        done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    found = {}
    for event in EventStore(str(home / "lineage.db")).events():
        parent = event["run"]["facets"].get("parent")
        if event["job"]["namespace"] == "dbt":
            found.setdefault(parent["job"]["name"], []).append(event)
    return found


def run_dbt(image, project, *words):
    """Run plain dbt, as somebody does who does not know this package."""
    code = "from dbt.cli.main import cli; cli()"
    given = environment(image, DBT_PROFILES_DIR=str(project))
    subprocess.run(
        [image / "python", "-c", code, *words], cwd=project, env=given, check=True, stdout=subprocess.DEVNULL
    )


def surroundings(home, image, project, url):
    """Return the variables of an Airflow with the operators of pods and containers."""
    (libraries,) = Path(python_of("airflow-pods")).parents[1].glob("lib/python*/site-packages")
    return airflow_environment(
        home,
        PYTHONPATH=str(libraries),
        AIRFLOW__AIRFLOW_LINEAGE__STORE=str(home / "lineage.db"),
        AIRFLOW_VAR_LINEAGE_URL=url,
        AIRFLOW_CONN_LINEAGE_ENDPOINT=json.dumps({"conn_type": "openlineage", "password": TOKEN}),
        KUBERNETES_SECRETS=json.dumps({"lineage": {"token": TOKEN}}),
        IMAGE=json.dumps(environment(image, DBT_PROFILES_DIR=str(project))),
        WORKDIR=str(project),
    )


def test_another_interpreter_emits_the_same_events(events):
    here, there = (comparable(events[f"anywhere.{task}"], "/project") for task in ("here", "python"))
    assert there == here


def test_a_pod_and_a_container_emit_the_same_events(events):
    jobs = ("analytics_containers.silver", "analytics_containers.gold", "anywhere.here")
    pod, container, here = (comparable(events[job], "/project") for job in jobs)
    assert pod.keys().isdisjoint(container)
    assert pod | container == here


def test_artifacts_of_plain_dbt_give_the_same_events_but_for_what_cannot_be_known(events):
    here, over = (
        comparable(events[f"anywhere.{task}"], "/project", after_the_fact=True)
        for task in ("here", "artifacts")
    )
    assert over == here


def test_the_page_lists_what_cannot_be_known():
    text = PAGE.read_text()
    assert [name for name in UNKNOWN_AFTERWARDS + UNKNOWN_AT_START if f"`{name}`" not in text] == []


def test_the_nodes_runs_are_children_of_the_task_s_and_of_the_dag_s_run(events):
    for job, of_task in events.items():
        parents = [event["run"]["facets"]["parent"] for event in of_task]
        assert {parent["root"]["job"]["name"] for parent in parents} == {job.partition(".")[0]}
        assert len({parent["run"]["runId"] for parent in parents}) == 1
        assert len({parent["root"]["run"]["runId"] for parent in parents}) == 1

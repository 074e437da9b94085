"""`airflow-lineage-dbt` without Airflow: dbt's outcome, and events to a file or an endpoint."""

import json
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "dbt"))
sys.path.insert(0, str(Path(__file__).parents[1] / "events"))
sys.path.insert(0, str(Path(__file__).parent))

from dbt_projects import write_project
from event_helpers import DAG, SMALL, TASK, context
from image import environment, make_image, run_command

from airflow_lineage_provider.dbt_cli import main
from airflow_lineage_provider.events.context import context_text
from airflow_lineage_provider.store import EventStore
from tests.events.test_golden import GOLDEN
from tests.support.comparable import comparable
from tests.support.endpoint import TOKEN, serving

SECRET = "hunter2-of-the-warehouse"
ONE = {"models/gold/one.sql": f"select 1 as id, '{SECRET}' as said"}
ENDLESS = "select count(*) as n from range(1000000) a, range(10000000) b where hash(a.range, b.range) = 1"


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return make_image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return write_project(tmp_path_factory.mktemp("one"), ONE)


def events_in(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def kinds(events):
    return [(event["job"]["name"], event["eventType"]) for event in events]


@pytest.fixture
def flaky():
    """Start an endpoint that answers with the statuses in `answers`, and then with 201."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                status = answers.pop(0) if answers else 201
                if status == 201:
                    accepted.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    lock, answers, accepted = threading.Lock(), [], []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", answers, accepted
        server.shutdown()
        thread.join()


def test_there_is_no_airflow(image):
    names = "('airflow', 'sqlalchemy', 'fastapi')"
    found = f"from importlib.util import find_spec; print([n for n in {names} if find_spec(n)])"
    done = subprocess.run([image / "python", "-c", found], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_events_are_those_of_dbt_in_airflows_interpreter(image, tmp_path):
    project = write_project(tmp_path, SMALL)
    file = tmp_path / "events.jsonl"
    given = {"OPENLINEAGE_CONTEXT": context_text(context())}
    done = run_command(image, project, "--file", file, "build", **given)
    assert done.returncode == 1  # as of `dbt build`, because a model of the project fails
    assert "1 of 7 OK loaded seed file main.raw_orders" in done.stdout
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert comparable(events_in(file), project) == comparable(golden, project)
    parents = [event["run"]["facets"]["parent"] for event in events_in(file)]
    assert {(one["run"]["runId"], one["root"]["run"]["runId"]) for one in parents} == {
        (TASK.run_id, DAG.run_id)
    }


def test_events_go_to_the_endpoint_of_this_package_with_its_token(image, one, tmp_path):
    with serving(tmp_path / "lineage.db", tmp_path / "log") as endpoint:
        given = {"OPENLINEAGE_URL": endpoint.url, "OPENLINEAGE_CONTEXT": context_text(context())}
        done = run_command(image, one, "build", **given, OPENLINEAGE_API_KEY=TOKEN)
    assert (done.returncode, done.stderr) == (0, "")
    events = list(EventStore(str(tmp_path / "lineage.db")).events())
    assert kinds(events) == [("gold.one", "START"), ("gold.one", "COMPLETE")]
    assert {event["run"]["facets"]["parent"]["job"]["name"] for event in events} == {"shop_pipeline.gold"}


def test_an_endpoint_that_is_away_for_a_while_gets_all_events(image, one, flaky):
    url, answers, accepted = flaky
    answers += [503, 401, 503]
    done = run_command(image, one, "--url", url, "build")
    assert done.returncode == 0
    assert kinds(accepted) == [("gold.one", "START"), ("gold.one", "COMPLETE")]
    assert "answered 503; the events wait" in done.stderr
    assert "answered 401; the events wait" in done.stderr


def test_an_endpoint_that_stays_away_costs_no_model_and_the_events_are_kept_without_secrets(
    image, one, tmp_path
):
    file = tmp_path / "events.jsonl"
    words = ["--url", "http://127.0.0.1:9", "--file", file, "--patience", "0.2", "build"]
    done = run_command(image, one, *words, WAREHOUSE_PASSWORD=SECRET)
    assert done.returncode == 0
    assert SECRET not in file.read_text() + done.stdout + done.stderr
    assert "2 events were not sent: " in done.stderr
    assert f"they are the last lines of {file}" in done.stderr
    assert kinds(events_in(file)) == [("gold.one", "START"), ("gold.one", "COMPLETE")]


def test_a_container_that_is_stopped_fails_what_ran_and_sends_it(image, tmp_path, flaky):
    url, _, accepted = flaky
    sql = "{{ config(materialized='table') }} " + ENDLESS
    project = write_project(tmp_path, {"models/gold/endless.sql": sql})
    command = [image / "python", "-m", "airflow_lineage_provider.dbt_cli", "--url", url, "build"]
    command += ["--profiles-dir", project]
    with subprocess.Popen(command, cwd=project, env=environment(image), stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            if b"START sql table model gold.endless" in line:
                process.send_signal(signal.SIGTERM)
                break
        process.stdout.read()
        assert process.wait(120) == 1
    assert kinds(accepted) == [("gold.endless", "START"), ("gold.endless", "FAIL")]
    assert "the task was killed" in accepted[-1]["run"]["facets"]["errorMessage"]["message"]


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (["build"], {}, "name where the events go: --url or --file"),
        (["--file", "e", "deps"], {}, "dbt deps has no lineage; use dbt itself for it"),
        (["--file", "e"], {}, "Commands are: run, build"),
        (["--file", "e", "build", "--no-such"], {}, "No such option"),
        (["--file", "e", "build"], {"OPENLINEAGE_CONTEXT": "airflow/dag.task/7"}, "is not JSON with parent"),
        (["--file", "e", "build"], {"OPENLINEAGE_CONTEXT": '{"parent": {"run": 1}}'}, "is not JSON with par"),
        (["--file", "/dev/null/e", "build"], {}, "/dev/null/e cannot be written"),
        (["--url", "http://u:p@h", "build"], {}, "holds credentials"),
        (["--url", "ftp://h", "build"], {}, "is not http://HOST"),
        (["--file", "e", "build", "--project-dir", "models"], {}, "no dbt project at models"),
    ],
)
def test_bad_input_is_said_and_is_status_2(one, monkeypatch, words, variables, said):
    monkeypatch.chdir(one)
    monkeypatch.delenv("OPENLINEAGE_URL", raising=False)
    done = CliRunner().invoke(main, words, env={"DBT_PROFILES_DIR": str(one), **variables})
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert "u:p@" not in done.output


def test_a_selection_of_nothing_is_bad_input_and_leaves_no_traceback(image, one, tmp_path):
    done = run_command(image, one, "--file", tmp_path / "e", "build", "--select", "nothing_such")
    assert done.returncode == 2
    assert "found no node of shop that matches" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "e").read_text() == ""


def test_the_makefile_of_the_page_builds_the_project(image, one, tmp_path):
    makefile = Path(__file__).parents[2] / "docs" / "snippets" / "dbt" / "Makefile"
    given = environment(image, DBT_PROFILES_DIR=str(one))
    subprocess.run(["make", "-f", makefile, "build"], cwd=one, env=given, check=True, capture_output=True)
    assert kinds(events_in(one / "lineage.jsonl")) == [("gold.one", "START"), ("gold.one", "COMPLETE")]

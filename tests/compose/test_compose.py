"""docker-compose.yaml, by the Compose specification and by what it says of this repository.

No container is started here: there is no engine where these tests run. What is SQL, shell or Airflow's
configuration in it is tried without one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import click
import pytest
import yaml

from airflow_lineage_provider.cli import main
from airflow_lineage_provider.forwarding.targets import configured_targets
from airflow_lineage_provider.lineage_map import bindings_of
from airflow_lineage_provider.lineage_map.load import load_map
from airflow_lineage_provider.store import EventStore
from tests.support.postgres_server import create_database, execute
from tests.support.s3 import s3_server

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yaml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:\?|:-)")
REFERENCE = re.compile(r"\$\{.*?\}")
SECRET = {name for name, kind in VARIABLE.findall(TEXT) if kind == ":?"}
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line[:1] not in {"", "#"}
)
FULL = ROOT / "tests" / "stack" / "full.env"
AIRFLOW = {name: service for name, service in SERVICES.items() if name.startswith("airflow-")}


def schema_errors(file: Path) -> str:
    """Return what the Compose specification's JSON Schema, which check-jsonschema ships, finds wrong."""
    command = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [command, "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout if done.returncode else ""


def test_the_file_is_valid_by_the_compose_specification():
    assert schema_errors(ROOT / "docker-compose.yaml") == ""


def test_the_specification_check_can_fail(tmp_path):
    wrong = tmp_path / "docker-compose.yaml"
    wrong.write_text(TEXT.replace("start_period: 60s", "start_periods: 60s"))
    assert "start_periods" in schema_errors(wrong)


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_to_a_version(name):
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert re.match(r"\d+\.\d+", tag), SERVICES[name]["image"]


@pytest.mark.parametrize("name", [name for name in SERVICES if SERVICES[name].get("restart") != "no"])
def test_every_service_that_stays_up_has_a_health_check(name):
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


def test_services_wait_for_services_with_a_health_check():
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            ready = (
                "service_healthy" if "healthcheck" in SERVICES[other] else "service_completed_successfully"
            )
            assert wanted["condition"] == ready, f"{name} waits for {other}"


def test_mounted_volumes_are_declared():
    for service in SERVICES.values():
        assert {volume.partition(":")[0] for volume in service.get("volumes", ())} <= set(COMPOSE["volumes"])
        assert {config["source"] for config in service.get("configs", ())} <= set(COMPOSE["configs"])


def test_the_example_names_every_variable_and_no_secret_has_a_value():
    assert set(EXAMPLE) == {name for name, _ in VARIABLE.findall(TEXT)}
    assert {name for name, value in EXAMPLE.items() if not value} == SECRET


def test_the_file_contains_no_password():
    without_variables = REFERENCE.sub("", TEXT)
    assert re.findall(r"(?i)password[: ] *'?\w+|://\w+:\w+@|secret\w*: *\w+", without_variables) == []


def test_ports_are_bound_to_localhost():
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_every_airflow_variable_is_an_existing_option():
    from airflow.configuration import conf
    from airflow.providers_manager import ProvidersManager

    known = conf.configuration_description | {
        section: content
        for _, config in ProvidersManager().provider_configs
        for section, content in config.items()
    }
    for service in AIRFLOW.values():
        for variable in service["environment"]:
            if variable.startswith("AIRFLOW__"):
                _, section, option = variable.lower().split("__")
                assert option in known[section]["options"], variable


def test_events_are_forwarded_to_the_marquez_of_this_file():
    forwarder = SERVICES["lineage-forwarder"]
    (target,) = configured_targets(forwarder["environment"]["AIRFLOW__OPENLINEAGE__TRANSPORT"]).values()
    host, port = urlsplit(target["url"]).netloc.split(":")
    assert SERVICES[host]["ports"][0].endswith(f":{port}")
    command = click.Context(main.commands[forwarder["command"][0]])
    assert command.command.parse_args(command, forwarder["command"][1:]) == []


def test_the_image_is_built_from_existing_files():
    copied = re.findall(r"^COPY --chown=\S+ (.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for words in copied for source in words.split()}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored


def test_the_image_has_the_pinned_airflow():
    (base,) = re.findall(r"^FROM apache/airflow:(\S+)-python3.11$", DOCKERFILE, re.MULTILINE)
    assert f"apache-airflow=={base}" in (ROOT / "requirements.txt").read_text().splitlines()


@pytest.mark.parametrize("name", ["airflow-init", "sources"])
def test_a_script_is_valid_shell(name):
    command = SERVICES[name]["command"]
    done = subprocess.run([shutil.which("bash"), "-n", "-c", command[-1]], check=False, timeout=10)
    assert done.returncode == 0


def test_the_init_sql_creates_a_database_that_stores_events(postgres):
    script = COMPOSE["configs"]["event-store-database"]["content"]
    statements = REFERENCE.sub("s3cret", script).split(";\n")
    execute(postgres | {"PGDATABASE": "postgres"}, *filter(None, statements))

    url = AIRFLOW["airflow-scheduler"]["environment"]["AIRFLOW__AIRFLOW_LINEAGE__STORE"]
    here = f"@{postgres['PGHOST']}:{postgres['PGPORT']}/"
    store = EventStore(REFERENCE.sub("s3cret", url).replace("@postgres:5432/", here))
    assert (
        store.append({"eventType": "START", "run": {"runId": "1"}, "job": {"namespace": "a", "name": "b"}})
        == 1
    )
    store.close()


def test_the_settings_of_the_full_profile_are_variables_of_the_file():
    given = dict(line.split("=", 1) for line in FULL.read_text().splitlines() if line[:1] not in {"", "#"})
    assert set(given) == set(re.findall(r"\$\{(INGEST_\w+)-\}", TEXT))
    connections = {name for name in SERVICES["airflow-scheduler"]["environment"] if "AIRFLOW_CONN_" in name}
    named = {f"AIRFLOW_CONN_{value.upper()}" for name, value in given.items() if name.endswith("_CONN_ID")}
    assert named <= connections


def test_the_settings_of_the_full_profile_are_bound_by_the_map():
    """What the DAG lands is named `landing` by the map, in the environment of the embedded warehouse."""
    lineage_map = load_map(ROOT / "dags" / "customer_analytics_pipeline.yaml")
    bound = bindings_of(lineage_map, "dev").logical("s3://data-lake", "bronze/customer_events")
    assert bound == "landing.customer_events"


@pytest.fixture(scope="module")
def crm(postgres):
    """A database with the tables of the file's CRM, as the variables of its `sources` name it."""
    variables = postgres | {"PGDATABASE": "crm_of_compose"}
    create_database(postgres, variables["PGDATABASE"])
    execute(variables, (ROOT / COMPOSE["configs"]["crm-tables"]["file"]).read_text())
    return variables


def test_the_command_of_the_sources_makes_rows_bucket_and_connector(crm, tmp_path):
    """Run as the file has it, against Postgres, an S3 server and a stub of Connect; twice, as `up` does."""
    service = SERVICES["sources"]
    (connector,) = service["configs"]
    file = tmp_path / Path(connector["target"]).name
    file.write_text((ROOT / COMPOSE["configs"][connector["source"]]["file"]).read_text())
    sent = []
    with s3_server() as s3, connect_stub(sent) as connect:
        environ = os.environ | service["environment"] | crm | {"AWS_ENDPOINT_URL": s3}
        script = service["command"][-1].splitlines()[0]
        script = script.replace("http://connect:8083", connect).replace(connector["target"], str(file))
        script = script.replace("python ", f"{sys.executable} ", 1) + " --scale 0.01"
        for _ in range(2):
            done = subprocess.run(
                ["bash", "-euc", script], env=environ, cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
        client = boto3.client(
            "s3", endpoint_url=s3, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        buckets = [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]
    assert buckets == ["data-lake"]
    assert [path for path, _ in sent] == ["/connectors/crm/config"] * 2
    assert sent[0][1]["database.hostname"] == crm["PGHOST"]
    assert sent[0][1]["transforms"] == "unwrap,route,text"
    ((orders,),) = execute(crm, "select count(*) from public.orders")
    assert orders > 0


@contextmanager
def connect_stub(sent):
    """Take what is put; gives the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sent.append((self.path, json.loads(body)))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()

"""The snippets of the documentation: files that pages include, and that work."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from airflow_lineage_provider.cli import main
from airflow_lineage_provider.forwarding.targets import configured_targets, open_target
from airflow_lineage_provider.get_provider_info import get_provider_info
from airflow_lineage_provider.store import EventStore, StoreError
from airflow_lineage_provider.store.retention import delete_events
from tests.support.postgres_server import execute, postgres_or_skip

ROOT = Path(__file__).parents[1]
SNIPPETS = ROOT / "docs" / "snippets"
MAP_SCHEMA = json.loads((ROOT / "airflow_lineage_provider/lineage_map/lineage-map.schema.json").read_text())


def names(pattern):
    return sorted(str(file.relative_to(SNIPPETS)) for file in SNIPPETS.glob(pattern) if file.is_file())


def test_every_snippet_is_on_a_page():
    pages = "".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    included = set(re.findall(r'^--8<-- "([^"]+)"', pages, re.MULTILINE))
    assert set(names("*/*")) <= included


BLOCKS = [
    pytest.param(kind, text, id=f"{page.relative_to(ROOT / 'docs')}-{number}")
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for number, (kind, text) in enumerate(
        re.findall(r"^```(yaml|json|python)\b.*\n((?:.*\n)*?)```$", page.read_text(), re.MULTILINE)
    )
    if "8<--" not in text
]


@pytest.mark.parametrize(("kind", "text"), BLOCKS)
def test_a_block_is_well_formed_and_what_is_a_part_of_a_map_fits_its_schema(kind, text):
    if kind == "python":
        compile(text, "block", "exec")
        return
    data = json.loads(json.dumps(yaml.safe_load(text), default=str))  # JSON is YAML
    if kind == "yaml" and data.keys() <= MAP_SCHEMA["properties"].keys():
        schema = {**MAP_SCHEMA, "required": []}
        problems = [error.message for error in Draft202012Validator(schema).iter_errors(data)]
        assert not problems


def test_the_map_of_rarer_keys_is_without_findings():
    result = CliRunner().invoke(main, ["lint", str(SNIPPETS / "map" / "rarer_keys.yaml")])
    assert (result.exit_code, result.output.strip()) == (0, "PASS")


def test_the_readme_has_the_dag_of_the_snippet():
    code = (SNIPPETS / "dags" / "layers.py").read_text().partition('"""\n\n')[2]
    assert code in (ROOT / "README.md").read_text()


def test_the_impact_of_a_change_is_as_printed(monkeypatch):
    """The commands of the page, on the map of this repository; `...` is any text."""
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / "how-to" / "change-a-column.md").read_text()
    blocks = re.findall(r"^```console\n\$ airflow-lineage (.*)\n((?:.*\n)*?)```$", text, re.MULTILINE)
    assert len(blocks) == 2
    for command, printed in blocks:
        result = CliRunner().invoke(main, command.split())
        pattern = re.escape(printed).replace(re.escape("..."), "(?:.|\n)*")
        assert re.fullmatch(pattern, result.output), result.output


@pytest.mark.parametrize("name", names("dags/*.py"))
def test_a_dag_loads(name):
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(SNIPPETS / name)
    assert not bag.import_errors
    (dag,) = bag.dags.values()
    assert dag.tasks


@pytest.mark.parametrize("name", names("config/*.json"))
def test_a_transport_opens_the_targets_that_it_names(name):
    text = (SNIPPETS / name).read_text()
    assert json.loads(text)["type"] == "airflow_lineage_provider.OutboxTransport"
    targets = configured_targets(text)
    assert targets
    for config in targets.values():
        open_target(config).close()


def test_the_values_of_the_chart_set_variables_that_exist():
    from airflow.providers.openlineage.get_provider_info import get_provider_info as openlineage

    options = {
        f"AIRFLOW__{section}__{name}".upper()
        for info in (get_provider_info(), openlineage())
        for section, content in info["config"].items()
        for name in content["options"]
    }
    values = yaml.safe_load((SNIPPETS / "helm/values.yaml").read_text())
    assert all(set(one) == {"name", "value"} for one in values["env"])
    assert all(set(one) == {"envName", "secretName", "secretKey"} for one in values["secret"])
    variables = [one["name"] for one in values["env"]] + [one["envName"] for one in values["secret"]]
    assert {name for name in variables if not name.startswith("AIRFLOW_CONN_")} <= options
    transport = next(one["value"] for one in values["env"] if one["name"].endswith("TRANSPORT"))
    assert json.loads(transport)["type"] == "airflow_lineage_provider.OutboxTransport"


@pytest.fixture
def new_postgres():
    """A server without the roles that other tests make."""
    with postgres_or_skip() as variables:
        yield variables


def test_the_worker_s_role_writes_events_and_cannot_delete_them(new_postgres):

    def run(file, **login):
        statements = (SNIPPETS / "postgres" / file).read_text().split(";\n")
        execute(new_postgres | login, *filter(str.strip, statements))

    def store(user, password):
        place = f"{new_postgres['PGHOST']}:{new_postgres['PGPORT']}"
        return EventStore(f"postgresql://{user}:{password}@{place}/lineage")

    run("roles.sql")
    store("lineage", "change-me").append([])
    run("grants.sql", PGUSER="lineage", PGPASSWORD="change-me", PGDATABASE="lineage")
    worker = store("lineage_worker", "change-me-too")
    event = {
        "eventType": "START",
        "eventTime": "2026-01-01T00:00:00Z",
        "producer": "https://example.com",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "01902000-0000-7000-8000-000000000000"},
        "job": {"namespace": "n", "name": "j"},
        "inputs": [{"namespace": "postgres://db:5432", "name": "a.b.c"}],
        "outputs": [],
    }
    worker.append([event, event | {"eventType": "COMPLETE"}])
    assert [one["eventType"] for one in worker.events()] == ["START", "COMPLETE"]
    with pytest.raises(StoreError, match="permission denied"):
        delete_events(worker, datetime(2100, 1, 1, tzinfo=UTC))

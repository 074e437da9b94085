"""Small dbt projects that ran in Airflow: the verdict of the sensor, of `validate` and of `check`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.airflow_home import airflow_environment

sys.path.insert(0, str(Path(__file__).parents[1] / "dbt"))

from dbt_projects import write_project

pytestmark = pytest.mark.e2e

BIN = Path(sys.executable).parent
TABLE = "{{ config(materialized='table') }} "
DAG = """
import json
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG

from airflow_lineage_provider.operators.dbt import DbtLayerOperator
from airflow_lineage_provider.sensors.lineage import LineageValidationSensor

for dag_id, case in json.loads(Path("CASES").read_text()).items():
    with DAG(dag_id, start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None) as dag:
        validate = LineageValidationSensor(
            task_id="validate", map_path=case["map"], environment=case["environment"], mode="poke",
            poke_interval=0.2, timeout=60, trigger_rule="all_done",
        )
        last = None
        for number, project in enumerate(case["projects"]):
            run = DbtLayerOperator(
                task_id=f"run_{number}", select="*", project_dir=project, profiles_dir=project
            )
            if last:
                last >> run
            run >> validate
            last = run
    globals()[dag_id] = dag
"""

# Two databases with a schema and a table of the same name.
DATABASES = {
    "models/extra.sql": TABLE + "select 1 as id, 7 as secret_amount",
    "models/raw_orders.sql": "{{ config(materialized='table', database='raw', alias='orders') }} "
    "select id, secret_amount as amount from {{ ref('extra') }}",
    "models/orders_now.sql": "{{ config(materialized='table', alias='orders') }} "
    "select id, amount * 2 as amount2 from {{ ref('raw_orders') }}",
}
DATABASES_MAP = """
document: {}
layers:
  raw: {tables: {orders: {from: two.extra}}}
  two: {tables: {extra: , orders: {from: raw.orders}}}
environments:
  dev:
    bindings:
      - {dataset: "raw.{table}", namespace: "*", name: "raw.main.{table}"}
      - {dataset: "two.{table}", namespace: "*", name: "warehouse.main.{table}"}
"""

# A singular test with the name of a model.
TESTED = {
    "models/a.sql": TABLE + "select 1 as id",
    "models/orders.sql": TABLE + "select id from {{ ref('a') }}",
    "tests/orders.sql": "select * from {{ ref('a') }} where id is null",
}
ONE_SCHEMA = """
environments:
  dev: {bindings: [{dataset: "{layer}.{table}", namespace: "*", name: "warehouse.main.{table}"}]}
"""
TESTED_MAP = (
    "document: {}\nlayers: {raw: {tables: [a]}, marts: {tables: {orders: {from: raw.a}}}}\n" + ONE_SCHEMA
)

# Seeds, staging and marts in one schema, as dbt's default is; the YAML describes some columns, wrongly typed.
SHOP = {
    "seeds/raw_customers.csv": "id,name,spent\n1,Ada,10.50\n",
    "models/stg_customers.sql": TABLE
    + "select id, upper(name) as name, spent from {{ ref('raw_customers') }}",
    "models/customers.sql": TABLE
    + "select s.id, s.name, s.spent * 2 as spent from {{ ref('stg_customers') }} s",
    "models/schema.yml": """
        models:
          - name: customers
            columns: [{name: id, data_type: varchar}]
        """,
}
SHOP_MAP = """
document: {}
layers:
  raw: {tables: {raw_customers: {columns: [id, name, spent]}}}
  staging:
    tables: {stg_customers: {from: raw.raw_customers, columns: {id: {type: INTEGER}, name: name, spent: }}}
  marts:
    tables:
      customers: {from: staging.stg_customers, columns: {id: , name: , spent: staging.stg_customers.spent}}
environments:
  dev:
    bindings:
      - {dataset: files.raw_customers, namespace: file, name: "*/seeds/raw_customers.csv"}
      - {dataset: "raw.{table}", namespace: "*", name: "warehouse.main.{table}"}
      - {dataset: "staging.{table}", namespace: "*", name: "warehouse.main.{table}"}
      - {dataset: "marts.{table}", namespace: "*", name: "warehouse.main.{table}"}
"""
WITH_FILE = "sources: {files: {type: file, kind: file, datasets: {raw_customers: raw.raw_customers}}}\n"

TWO_PROJECTS_MAP = """
document: {}
layers:
  shop: {tables: {a: , customers: {from: shop.a}}}
  bank: {tables: {a: , customers: {from: bank.a}}}
environments:
  dev:
    bindings: [{dataset: "{project}.{table}", namespace: "duckdb://*/{project}/warehouse.duckdb", name: "warehouse.main.{table}"}]
"""  # noqa: E501


def customers(sql: str) -> dict[str, str]:
    return {"models/a.sql": TABLE + "select 1 as id", "models/customers.sql": TABLE + sql}


READS_A, READS_NOTHING = "select id from {{ ref('a') }}", "select 1 as id"

CASES = {
    "databases": (["databases"], DATABASES_MAP, "PASS"),
    "databases_drift": (
        ["databases"],
        DATABASES_MAP.replace("{orders: {from: two.extra}}", "[orders]"),
        "DRIFT",
    ),
    "test_named_as_a_model": (["tested"], TESTED_MAP, "PASS"),
    "two_projects": (["shop", "bank"], TWO_PROJECTS_MAP, "PASS"),
    "two_projects_drift": (["shop", "loans"], TWO_PROJECTS_MAP.replace("bank", "loans"), "DRIFT"),
    "seeds": (["seeds"], SHOP_MAP, "PASS"),
    "seed_files": (["seeds"], SHOP_MAP.replace("layers:", WITH_FILE + "layers:"), "PASS"),
    "a_copy_is_demanded": (
        ["seeds"],
        SHOP_MAP.replace("spent: staging.stg_customers.spent", "spent: {subtype: IDENTITY}"),
        "DRIFT",
    ),
    "scope": (
        ["seeds"],
        SHOP_MAP.replace("  raw: {tables: {raw_customers: {columns: [id, name, spent]}}}\n", "")
        .replace("document: {}", "document: {}\nscope: marts.*")
        .replace("from: raw.raw_customers, ", ""),
        "PASS",
    ),
    "no_environments": (["seeds"], SHOP_MAP.partition("environments:")[0], None),
}
PROJECTS = {
    "databases": DATABASES,
    "tested": TESTED,
    "seeds": SHOP,
    "shop": customers(READS_A),
    "bank": customers(READS_A),
    "loans": customers(READS_NOTHING),
}


class Ran(NamedTuple):
    folder: Path
    results: dict
    environ: dict[str, str]

    def command(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / "airflow-lineage", *words], env=self.environ, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """All cases, run by one Airflow."""
    folder = tmp_path_factory.mktemp("verdicts")
    home = folder / "airflow"
    (home / "dags").mkdir(parents=True)
    for name, files in PROJECTS.items():
        project = write_project(folder / name, files, name=name)
        profiles = project / "profiles.yml"
        attached = f'type: duckdb, attach: [{{path: "{project / "raw.duckdb"}", alias: raw}}]'
        profiles.write_text(profiles.read_text().replace("type: duckdb", attached))
    cases = {}
    for name, (projects, text, _) in CASES.items():
        (folder / f"{name}.yaml").write_text(text)
        environment = "dev" if "environments:" in text else None
        paths = [str(folder / project) for project in projects]
        cases[name] = {"map": str(folder / f"{name}.yaml"), "environment": environment, "projects": paths}
    (folder / "cases.json").write_text(json.dumps(cases))
    (home / "dags" / "cases.py").write_text(DAG.replace("CASES", str(folder / "cases.json")))
    environ = airflow_environment(home)
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("run_verdicts.py"), folder / "results.json"],
        env=environ, cwd=folder, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return Ran(folder, json.loads((folder / "results.json").read_text()), environ)


def expected(outcome):
    return [name for name, (_, _, verdict) in CASES.items() if verdict == outcome]


@pytest.mark.parametrize("name", expected("PASS"))
def test_the_sensor_passes(ran, name):
    found = ran.results[name]
    assert found["verdict"]["outcome"] == "PASS", found["verdict"]
    assert set(found["states"].values()) == {"success"}


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("databases_drift", "edge-unexpected: raw.orders reads two.extra, which the map does not document"),
        ("two_projects_drift", "edge-missing: loans.a -> loans.customers is documented"),
        ("a_copy_is_demanded", "transformation-changed: marts.customers.spent is documented as IDENTITY"),
    ],
)
def test_the_sensor_fails_and_says_why(ran, name, finding):
    found = ran.results[name]
    assert found["states"]["validate"] == "failed"
    assert [text.startswith(finding) for _, text in found["verdict"]["findings"]] == [True], found["verdict"]


def test_a_map_without_environments_fails_with_one_error(ran):
    assert ran.results["no_environments"]["states"]["validate"] == "failed"
    done = ran.command("validate", ran.folder / "no_environments.yaml", "--run", ran.results["seeds"]["root"])
    assert (done.returncode, done.stdout) == (2, "")
    assert "the map has no `environments`" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", [name for name in CASES if name != "no_environments"])
def test_validate_agrees_with_the_sensor(ran, name):
    done = ran.command(
        *("validate", ran.folder / f"{name}.yaml", "-e", "dev", "--run", ran.results[name]["root"]),
        *("--format", "json"),
    )
    assert json.loads(done.stdout)["outcome"] == CASES[name][2]


def test_the_events_of_projects_that_share_a_job_name_are_told_apart(ran):
    root = ran.results["two_projects"]["root"]
    refused = ran.command("events", "--run", root, "--job", "main.customers")
    assert refused.returncode == 2
    for project in ("shop", "bank"):
        done = ran.command(
            "events", "--run", root, "--job", f"dbt.{project}/main.customers", "--format", "jsonl"
        )
        (names,) = {line["outputs"][0]["namespace"] for line in map(json.loads, done.stdout.splitlines())}
        assert f"/{project}/" in names


@pytest.fixture(scope="module")
def manifests(ran):
    """The manifests of the projects that one project's map is checked with, by dbt compile and dbt parse."""
    made = {}
    for project in ("databases", "tested", "seeds"):
        for verb in ("compile", "parse"):
            target = ran.folder / f"{project}_{verb}"
            here = ran.folder / project
            places = ("--project-dir", here, "--profiles-dir", here, "--target-path", target)
            command = [BIN / "dbt", "--log-path", target, verb, *places]
            subprocess.run(command, check=True, capture_output=True, env=ran.environ)
            made[project, verb] = target / "manifest.json"
    return made


CHECKED = [name for name, (projects, _, verdict) in CASES.items() if len(projects) == 1 and verdict]


@pytest.mark.parametrize("name", CHECKED)
def test_check_agrees_with_the_run(ran, manifests, name):
    (project,), _, outcome = CASES[name]
    manifest = manifests[project, "compile"]
    done = ran.command("check", ran.folder / f"{name}.yaml", manifest, "-e", "dev", "--format", "json")
    found = json.loads(done.stdout)
    assert found["outcome"] == outcome, found["findings"]


@pytest.mark.parametrize("name", [name for name in CHECKED if CASES[name][2] == "PASS"])
def test_check_of_a_manifest_without_compiled_sql_has_no_false_alarm(ran, manifests, name):
    manifest = manifests[CASES[name][0][0], "parse"]
    done = ran.command("check", ran.folder / f"{name}.yaml", manifest, "-e", "dev", "--format", "json")
    found = json.loads(done.stdout)
    assert found["outcome"] == "PASS", found["findings"]

"""Run each tool that runs here on the same project, and write docs/comparison.md: `make compare`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.comparison import project
from tests.comparison.answers import Answer, read_datahub, read_events
from tests.support.environments import python_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "comparison.md"
PAGE_WITHOUT_TABLE = Path(__file__).with_name("comparison.md")

OUR_DAG = """
from airflow.sdk import DAG
from airflow_lineage_provider.operators.dbt import DbtLayerOperator
with DAG("shop", schedule=None):
    DbtLayerOperator(task_id="build", project_dir="{project}", profiles_dir="{project}")
"""
COSMOS_DAG = """# a DAG of airflow
from cosmos import DbtDag, ExecutionConfig, ExecutionMode, LoadMode
from cosmos import ProfileConfig, ProjectConfig, RenderConfig
shop = DbtDag(
    dag_id="shop",
    schedule=None,
    project_config=ProjectConfig("{project}", manifest_path="{project}/target/manifest.json"),
    profile_config=ProfileConfig("shop", "dev", profiles_yml_filepath="{project}/profiles.yml"),
    execution_config=ExecutionConfig(execution_mode=ExecutionMode.LOCAL),
    render_config=RenderConfig(load_method=LoadMode.DBT_MANIFEST),
    operator_args={{"install_deps": False}},
)
"""


def main() -> int:
    answers: dict[str, Answer] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, tool in (("this", ours), ("dbt-ol", dbt_ol), ("Cosmos", cosmos), ("DataHub", datahub)):
            home = Path(folder, name)
            home.mkdir()
            print(f"running {name}", flush=True)
            answers[name] = tool(home, project.write(home / "project"))
            print(f"  {answers[name].score()}", flush=True)
    PAGE.write_text(page(answers), encoding="utf-8")
    return 0


def ours(home: Path, folder: Path) -> Answer:
    """`DbtLayerOperator` in `airflow dags test`, its events from the event store."""
    airflow(sys.executable, home, OUR_DAG.format(project=folder), "airflow_lineage_provider.OutboxTransport")
    command = [
        sys.executable,
        "-m",
        "airflow_lineage_provider.cli",
        "events",
        "--run",
        "all",
        "--format",
        "jsonl",
    ]
    events = run(command, home, AIRFLOW_HOME=str(home))
    (home / "events.jsonl").write_text(events, encoding="utf-8")
    return read_events(home / "events.jsonl", version("airflow-lineage-provider"))


def dbt_ol(home: Path, folder: Path) -> Answer:
    """`dbt-ol build`, as OpenLineage's documentation has it, with its file transport."""
    places = {"OPENLINEAGE__TRANSPORT__LOG_FILE_PATH": str(home / "events.jsonl")}
    places |= {"OPENLINEAGE__TRANSPORT__TYPE": "file", "OPENLINEAGE__TRANSPORT__APPEND": "true"}
    program = Path(sys.executable).with_name("dbt-ol")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = [program, "build", "--project-dir", folder, "--profiles-dir", folder]
    run(command, home, PATH=path, allowed={0, 1}, **places)
    return read_events(home / "events.jsonl", version("openlineage-dbt"))


def cosmos(home: Path, folder: Path) -> Answer:
    """`DbtDag` in its local mode, in an environment of its own, with Airflow's file transport."""
    python = python_of("cosmos")
    dbt(python, "parse", folder)
    airflow(python, home, COSMOS_DAG.format(project=folder), "file")
    return read_events(home / "events.jsonl", version_in(python, "astronomer-cosmos"))


def datahub(home: Path, folder: Path) -> Answer:
    """DataHub's dbt source, from the artifacts of a build and a catalog, into a file."""
    dbt(sys.executable, "build", folder)
    dbt(sys.executable, "docs", folder, "generate")
    target = folder / "target"
    config = {
        "manifest_path": str(target / "manifest.json"),
        "catalog_path": str(target / "catalog.json"),
        "target_platform": "duckdb",
        "write_semantics": "OVERRIDE",
        "include_column_lineage": True,
    }
    recipe = {
        "source": {"type": "dbt", "config": config},
        "sink": {"type": "file", "config": {"filename": str(home / "datahub.json")}},
    }
    (home / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    python = python_of("datahub")
    command = [python, "-m", "datahub", "ingest", "-c", home / "recipe.json"]
    run(command, home, DATAHUB_TELEMETRY_ENABLED="false")
    return read_datahub(home / "datahub.json", version_in(python, "acryl-datahub"))


def airflow(python: str, home: Path, dag: str, transport: str) -> None:
    (home / "dags").mkdir()
    (home / "dags" / "shop.py").write_text(dag, encoding="utf-8")
    config = {"type": transport} | (
        {"append": True, "log_file_path": str(home / "events.jsonl")} if transport == "file" else {}
    )
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(config),
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
    }
    run([python, "-m", "airflow", "db", "migrate"], home, **settings)
    run([python, "-m", "airflow", "dags", "test", "shop"], home, allowed={0, 1}, **settings)


def dbt(python: str, verb: str, folder: Path, *words: str) -> None:
    places = ("--project-dir", folder, "--profiles-dir", folder)
    run([python, "-m", "dbt.cli.main", verb, *words, *places], folder, allowed={0, 1})


def version_in(python: str, package: str) -> str:
    command = [python, "-c", f"from importlib.metadata import version; print(version('{package}'))"]
    return run(command, Path.cwd()).strip()


def run(command: list[object], folder: Path, *, allowed: set[int] = frozenset({0}), **variables: str) -> str:
    words = [str(word) for word in command]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        words, cwd=folder, env=environment | variables, capture_output=True, text=True, check=False
    )
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(words)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def page(answers: dict[str, Answer]) -> str:
    """Return the page with the answers side by side."""
    rows = {
        "version": [one.version for one in answers.values()],
        "edges between tables": [one.score()[0] for one in answers.values()],
        "edges between columns": [one.score()[1] for one in answers.values()],
        "events of dbt's nodes": [
            ", ".join(
                f"{one.events[kind]} {kind}" for kind in ("START", "COMPLETE", "FAIL") if one.events[kind]
            )
            or "-"
            for one in answers.values()
        ],
        "of the model that fails": [one.failed for one in answers.values()],
        "results of 2 data tests": [str(len(one.tests) or "-") for one in answers.values()],
    }
    lines = ["|  | " + " | ".join(answers) + " |", "|---|" + "---|" * len(answers)]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()]
    return PAGE_WITHOUT_TABLE.read_text(encoding="utf-8").replace("TABLE", "\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())

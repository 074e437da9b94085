"""The command line as a person types it: what it prints, and with which status it exits."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_lineage_provider.cli import main
from airflow_lineage_provider.store import EventStore
from tests.support.command_line import call
from tests.support.marquez import marquez

ROOT = Path(__file__).resolve().parents[2]
MAP = str(ROOT / "dags/customer_analytics_pipeline.yaml")


@pytest.fixture
def store(tmp_path):
    """A store with one run: a model that copied raw orders."""
    path = tmp_path / "lineage.db"
    run = "0190a0e2-0000-7000-8000-000000000001"
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2026-01-01T00:00:00Z",
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run},
        "job": {"namespace": "dbt", "name": "silver.stg_orders"},
        "inputs": [{"namespace": "duckdb:///w/warehouse.duckdb", "name": "warehouse.bronze.raw_orders"}],
        "outputs": [{"namespace": "duckdb:///w/warehouse.duckdb", "name": "warehouse.silver.stg_orders"}],
    }
    EventStore(str(path)).append(event)
    return path


def test_every_command_has_an_example():
    for name in main.commands:
        shown = call(name, "--help").output
        assert "Example: " in shown, name


def test_help_starts_without_airflow_dbt_or_sqlglot():
    code = (
        "import sys; from airflow_lineage_provider.cli import main; heavy = "
        "{'airflow', 'dbt', 'sqlglot', 'sqlalchemy', 'openlineage', 'pydantic', 'rich'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_events_of_the_latest_run_as_lines(store):
    done = call("events", "--store", store)
    assert done.exit_code == 0
    assert done.output == (
        "2026-01-01T00:00:00  COMPLETE  silver.stg_orders  "
        "warehouse.bronze.raw_orders -> warehouse.silver.stg_orders\n"
    )


def test_events_that_openlineage_wrote_to_a_file(store, tmp_path):
    written = tmp_path / "events.jsonl"
    written.write_text(call("events", "--store", store, "--format", "jsonl").output)
    assert call("events", "--store", written).output == call("events", "--store", store).output


def test_events_as_json_lines_are_the_events(store):
    (line,) = call("events", "--store", store, "--format", "jsonl").output.splitlines()
    assert json.loads(line)["job"] == {"namespace": "dbt", "name": "silver.stg_orders"}


def test_a_store_that_is_not_there_says_what_to_do(tmp_path):
    done = call("events", "--store", tmp_path / "none.db")
    assert done.exit_code == 2
    assert "run a pipeline, or name another store" in done.output


def test_a_run_that_made_one_model_only_is_drift(store):
    done = call("validate", MAP, "-e", "dev", "--store", store)
    assert done.exit_code == 1
    assert "gold.customer_behavior" in done.output
    assert done.output.splitlines()[-1].startswith("DRIFT")


def test_a_run_in_scope_agrees_about_edges(store):
    done = call(
        "validate", MAP, "-e", "dev", "--store", store, "--scope", "silver.stg_orders", "--format", "json"
    )
    edges = {(e["source"], e["target"]): e["verdict"] for e in json.loads(done.output)["edges"]}
    assert edges["bronze.raw_orders", "silver.stg_orders"] == "VERIFIED"
    assert edges["silver.stg_customers", "gold.customer_behavior"] == "UNOBSERVED"


CONSOLE = '{"forward": {"x": {"type": "console"}}}'


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["validate", "nope.yaml"], "nope.yaml: cannot be read"),
        (["lint", "nope.yaml"], "nope.yaml: cannot be read"),
        (["impact", MAP, "bronze.raw_orders.amonut"], "did you mean amount?"),
        (["trace", MAP, "gold.customer_behaviour"], "did you mean gold.customer_behavior?"),
        (["check", MAP, "manifest.json"], "manifest.json: cannot be read"),
        (["diff", MAP, "--from", "no-such-revision"], "no-such-revision"),
        (["import", "nope.md"], "No such file"),
        (["import", "LATIN1"], "not UTF-8 (byte 1); save it as UTF-8"),
        (["diff", MAP, "--from", ""], "'' is not a git revision"),
        (
            ["forward", "--transport", '{"forward": {"x": {"type": "console"}}}', "--health", "x:y"],
            "HOST:PORT",
        ),
        (
            ["impact", MAP, "bronze.raw_orders", "-e", "nowhere", "--run", "all", "--store", "STORE"],
            "no environment 'nowhere'",
        ),
        (
            ["validate", MAP, "--scope", "slver", "--run", "all", "--store", "STORE"],
            "fits nothing in the map",
        ),
        (["sql", "nope.sql"], "No such file"),
        (["forward", "--transport", "{}"], "no target"),
        (["serve"], "AIRFLOW_LINEAGE_TOKEN"),
    ],
)
def test_bad_input_is_one_line_and_status_2(words, message, monkeypatch, store, tmp_path):
    monkeypatch.delenv("AIRFLOW_LINEAGE_TOKEN", raising=False)
    (tmp_path / "latin1.md").write_bytes(b"#\xe9")
    places = {"STORE": store, "LATIN1": tmp_path / "latin1.md"}
    done = call(*(places.get(word, word) for word in words))
    assert done.exit_code == 2
    assert message in done.output
    assert len(done.output.splitlines()) == 1


def test_impact_of_the_reference_scenario():
    done = call("impact", MAP, "bronze.raw_orders.amount")
    reached = [line.strip().split()[1] for line in done.output.splitlines() if line.strip().startswith("->")]
    assert reached[:3] == [
        "silver.stg_orders.order_amount",
        "gold.customer_orders_summary.total_revenue",
        "gold.customer_behavior.total_revenue",
    ]
    assert done.output.splitlines()[-1] == "TOTAL IMPACT: 4 downstream consumers"


def test_a_dropped_column_breaks_what_reads_it():
    done = call("impact", MAP, "bronze.raw_orders.amount", "--change", "drop", "--format", "json")
    effects = {(r["dataset"], r["column"]): r["effect"] for r in json.loads(done.output)["reached"]}
    assert effects["silver.stg_orders", "order_amount"] == "breaks"


def test_trace_ends_at_the_crm():
    assert "<- crm.public.orders.amount" in call("trace", MAP, "gold.customer_behavior.total_revenue").output


def test_sql_for_a_person():
    done = call("sql", "-", "--dialect", "duckdb", stdin="select a, sum(b) as c from t group by 1")
    assert done.exit_code == 0
    assert "t.b (DIRECT AGGREGATION)" in done.output


def test_invalid_sql_is_bad_input(tmp_path):
    file = tmp_path / "x.sql"
    file.write_text("select from where")
    done = call("sql", file, "--dialect", "duckdb")
    assert done.exit_code == 2


def test_a_batch_answers_each_line(tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text('{"id": "one", "sql": "select a from t", "dialect": "", "schema": {}}\nno json\n')
    answers = [json.loads(line) for line in call("sql", "--batch", file).output.splitlines()]
    assert [answer["id"] for answer in answers] == ["one", 2]
    assert answers[0]["error"] is None
    assert answers[1]["error"]


def test_the_document_of_the_map_is_a_map_again(tmp_path):
    document = tmp_path / "lineage.md"
    document.write_text(call("render", MAP).output)
    again = tmp_path / "again.yaml"
    again.write_text(call("import", document).stdout)
    assert call("diff", again, MAP).output == "Lineage is the same.\n"


def test_the_reference_document_has_two_warnings_and_four_consumers(tmp_path):
    reference = ROOT / "tests/lineage_map/document/data-lineage-maps.md"
    imported = tmp_path / "reference.yaml"
    imported.write_text(call("import", reference).stdout)
    linted = json.loads(call("lint", imported, "--format", "json").output)
    assert [(f["code"], f["subject"]) for f in linted["findings"] if f["severity"] != "note"] == [
        ("not-listed", "bronze.raw_products"),
        ("skips-table", "silver.stg_orders -> gold.customer_behavior"),
    ]
    impact = call("impact", imported, "bronze.raw_orders.amount").output
    assert impact.splitlines()[-1] == "TOTAL IMPACT: 4 downstream consumers"


def test_a_migration_that_affects_consumers_exits_with_1_and_names_them(tmp_path):
    (tmp_path / "m.sql").write_text("alter table bronze.raw_orders rename amount to gross")
    done = call("impact", MAP, "--migration", tmp_path / "m.sql", "-e", "postgres")
    assert done.exit_code == 1
    assert "line 1    bronze.raw_orders.amount is renamed to gross" in done.output
    assert done.output.count("consumer-affected") == 4
    data = json.loads(call("impact", MAP, "--migration", tmp_path / "m.sql", "--format", "json").output)
    assert set(data["consumers"]) == {
        *("Customer Analytics Dashboard", "Executive KPI Report"),
        *("customer_engagement_features", "churn_prediction_model"),
    }
    allowed = call("impact", MAP, "--migration", tmp_path / "m.sql", "--allowed", "4", "--format", "markdown")
    assert allowed.exit_code == 0
    assert "| `Executive KPI Report` | fed by what breaks |" in allowed.output


def test_a_new_version_of_a_dbt_project_is_gated(tmp_path):
    def manifest(name, sql):
        table = "customer_orders_summary"
        node = {
            "unique_id": f"model.p.{table}",
            "name": table,
            "alias": table,
            "package_name": "p",
            "resource_type": "model",
            "database": "warehouse",
            "schema": "gold",
            "language": "sql",
            "compiled_code": sql,
            "config": {"materialized": "table"},
            "columns": {},
            "original_file_path": "models/a.sql",
            "depends_on": {"nodes": []},
        }
        path = tmp_path / name
        path.write_text(
            json.dumps({"metadata": {"adapter_type": "duckdb"}, "nodes": {node["unique_id"]: node}})
        )
        return path

    old = manifest("old.json", "select 1 as customer_id, 2 as total_revenue")
    new = manifest("new.json", "select 1 as customer_id")
    done = call("impact", MAP, "--manifest", new, "--against", old, "-e", "dev")
    assert done.exit_code == 1
    assert "column gold.customer_orders_summary.total_revenue is removed" in done.output
    assert "Customer Analytics Dashboard" in done.output
    assert call("impact", MAP, "--manifest", old, "--against", old, "-e", "dev").exit_code == 0


def test_impact_narrowed_to_dashboards_keeps_the_way_to_them():
    done = call("impact", MAP, "bronze.raw_orders.amount", "--kind", "dashboard", "--format", "json")
    answer = json.loads(done.output)
    assert answer["consumers"] == ["Customer Analytics Dashboard", "Executive KPI Report"]
    assert "customer_engagement_features" not in {one["dataset"] for one in answer["reached"]}
    assert "silver.stg_orders" in {one["dataset"] for one in answer["reached"]}


def test_what_a_run_emitted_is_part_of_the_answer_and_as_of_a_time(store):
    question = ("trace", MAP, "silver.stg_orders", "-e", "dev", "--store", store, "--format", "json")
    known = {one["dataset"] for one in json.loads(call(*question).output)["reached"]}
    assert {"bronze.raw_orders", "crm.public.orders"} <= known
    assert call(*question, "--run", "latest", "--until", "2025-01-01T00:00:00Z").exit_code == 0
    assert call(*question, "--run", "latest", "--until", "yesterday").exit_code == 2


def manifest(path, *, reads):
    """Write a manifest of one model on one source; return its path."""
    relation = {"database": "warehouse", "original_file_path": "models/m.sql"}
    source = "source.p.bronze.raw_orders"
    node = {
        **relation,
        "unique_id": "model.p.stg_orders",
        "name": "stg_orders",
        "schema": "silver",
        "resource_type": "model",
        "compiled_code": f"select {reads} as order_amount from warehouse.bronze.raw_orders",
        "depends_on": {"nodes": [source]},
    }
    raw = {
        **relation,
        "unique_id": source,
        "name": "raw_orders",
        "schema": "bronze",
        "resource_type": "source",
    }
    content = {"metadata": {"adapter_type": "duckdb"}, "nodes": {node["unique_id"]: node}}
    path.write_text(json.dumps({**content, "sources": {source: raw}, "exposures": {}}))
    return path


def test_two_manifests_differ_in_a_column_s_source(tmp_path):
    old = manifest(tmp_path / "old.json", reads="amount")
    new = manifest(tmp_path / "new.json", reads="tax")
    printed = call("diff", new, old, "--map", MAP, "-e", "dev").output
    assert "bronze.raw_orders.tax -> silver.stg_orders.order_amount" in printed
    assert "bronze.raw_orders.amount -> silver.stg_orders.order_amount" in printed
    assert call("diff", old, old, "--map", MAP, "-e", "dev").output == "Lineage is the same.\n"
    assert "--map" in call("diff", new, old).output


def test_events_from_openlineage_files_or_from_marquez(store, tmp_path, monkeypatch):
    lines = call("events", "--store", store, "--format", "jsonl").output
    (tmp_path / "events.jsonl").write_text(lines)
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "s3cret")
    with marquez(*map(json.loads, lines.splitlines()), key="s3cret") as server:
        for place in (tmp_path / "events.jsonl", server.url):
            done = call("events", "--store", place, "--format", "jsonl")
            assert (done.exit_code, done.output) == (0, lines)
        monkeypatch.setenv("OPENLINEAGE_API_KEY", "n0t-it")
        refused = call("events", "--store", server.url)
    assert refused.exit_code == 2
    assert (
        refused.output
        == f"airflow-lineage: Marquez at {server.url} refuses the API key (401): check the key\n"
    )


def test_a_job_without_events_prints_nothing(store):
    done = call("events", "--store", store, "--job", "silver.no_such_job")
    assert (done.exit_code, done.output) == (0, "")


def test_lint_prints_accepted_findings_as_accepted(tmp_path):
    file = tmp_path / "map.yaml"
    file.write_text(
        "document: {}\nlayers: {raw: {tables: [t]}}\n"
        "accepted:\n  - {finding: not-fed, subject: raw.t, reason: known since 2026, until: 2999-01-01}\n"
    )
    done = call("lint", file)
    assert done.exit_code == 0
    assert "accepted: known since 2026, until 2999-01-01" in " ".join(done.output.split())
    assert json.loads(call("lint", file, "--format", "json").output)["accepted"]


@pytest.mark.parametrize("option", ["--from", "--to"])
@pytest.mark.parametrize("revision", ["", " ", "-p", "no-such"])
def test_an_invalid_revision_is_bad_input(option, revision):
    words = ("diff", MAP, "--from", "HEAD") if option == "--to" else ("diff", MAP)
    done = call(*words, option, revision)
    assert done.exit_code == 2
    assert "same" not in done.output


def test_a_check_reads_no_cache_from_the_project_s_folder(tmp_path):
    file = manifest(tmp_path / "manifest.json", reads="amount")
    call("check", MAP, file, "-e", "dev")
    assert not (tmp_path / "column_lineage.db").exists()
    cache = tmp_path / "mine.db"
    call("check", MAP, file, "-e", "dev", "--cache", cache)
    assert cache.exists()

"""Tables that SQL names without `ref`, and columns that only the warehouse knows, on real dbt and DuckDB."""

import duckdb
import pytest
from dbt_projects import run, write_project
from event_helpers import end_of, events_of

FILES = {
    "models/sources.yml": """
        sources:
          - name: crm
            schema: crm
            tables:
              - name: people
                description: Everybody that we know.
                config: {meta: {owner: CRM Team}}
        """,
    "models/named_source.sql": "select p.* from warehouse.crm.people as p",
    "models/named_table.sql": "select f.*, 1 as one from crm.facts f",
    "models/listed.sql": "select f.amount, p.name from crm.facts f, crm.people p where f.id = p.id",
    "models/file_star.sql": "select f.* from read_csv('{folder}/rates.csv') as f",
    "models/pivoted.sql": """
        {{ config(materialized='table') }}
        with sums as (pivot crm.facts on kind using sum(amount) group by id) select * from sums
        """,
    "tests/facts_ok.sql": "select * from crm.facts where amount < 0",
    "snapshots/people_history.yml": """
        snapshots:
          - name: people_history
            relation: source('crm', 'people')
            config:
              unique_key: id
              strategy: timestamp
              updated_at: changed_at
              snapshot_meta_column_names: {dbt_valid_from: valid_from}
          - name: people_checked
            relation: source('crm', 'people')
            config: {unique_key: [id, name], strategy: check, check_cols: [name]}
        """,
}
TABLES = """
create schema crm;
create table crm.people as select 1 as id, 'Ann' as name, timestamp '2026-01-01' as changed_at;
create table crm.facts as select 1 as id, 'a' as kind, 2.5 as amount union all select 1, 'b', 1;
"""


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    (folder / "rates.csv").write_text("currency,rate\neur,1.5\n")
    files = {path: text.replace("{folder}", str(folder)) for path, text in FILES.items()}
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute(TABLES)
    outcome = run(write_project(folder, files))
    assert outcome.finished.success, outcome.log
    return events_of(outcome)


def inputs(events, job):
    return {
        dataset["name"].rpartition("/")[2]: [
            field["name"] for field in dataset["facets"].get("schema", {}).get("fields", ())
        ]
        for dataset in end_of(events, job)["inputs"]
    }


def columns(events, job):
    """Return the source columns of each column, with their subtypes."""
    (output,) = end_of(events, job)["outputs"]
    return {
        name: {
            (source["name"].rpartition("/")[2], source["field"], t["subtype"])
            for source in column["inputFields"]
            for t in source["transformations"]
        }
        for name, column in output["facets"]["columnLineage"]["fields"].items()
    }


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("main.named_source", {"warehouse.crm.people": ["id", "name", "changed_at"]}),
        ("main.named_table", {"warehouse.crm.facts": ["id", "kind", "amount"]}),
        (
            "main.listed",
            {
                "warehouse.crm.facts": ["id", "kind", "amount"],
                "warehouse.crm.people": ["id", "name", "changed_at"],
            },
        ),
        ("main.file_star", {"rates.csv": ["currency", "rate"]}),
        ("main.pivoted", {"warehouse.crm.facts": ["id", "kind", "amount"]}),
        ("dbt_test__audit.facts_ok", {"warehouse.crm.facts": ["id", "kind", "amount"]}),
    ],
)
def test_a_table_that_sql_names_is_an_input_with_its_columns(events, job, expected):
    assert inputs(events, job) == expected


def test_a_declared_source_that_sql_names_has_its_description_and_owner(events):
    (people,) = end_of(events, "main.named_source")["inputs"]
    assert people["facets"]["documentation"]["description"] == "Everybody that we know."
    assert people["facets"]["ownership"]["owners"][0]["name"] == "CRM Team"


@pytest.mark.parametrize(
    ("job", "table", "names"),
    [
        ("main.named_table", "warehouse.crm.facts", ["id", "kind", "amount"]),
        ("main.file_star", "rates.csv", ["currency", "rate"]),
    ],
)
def test_a_star_over_it_is_resolved(events, job, table, names):
    found = columns(events, job)
    assert {name: {(table, name, "IDENTITY")} for name in names}.items() <= found.items()
    assert "extractionError" not in end_of(events, job)["run"]["facets"]


def test_the_columns_of_a_dynamic_pivot_are_those_of_the_table_that_was_made(events):
    amount = {("warehouse.crm.facts", "amount", "AGGREGATION")}
    found = columns(events, "main.pivoted")
    assert found == {"id": {("warehouse.crm.facts", "id", "IDENTITY")}, "a": amount, "b": amount}


def test_the_columns_that_dbt_adds_to_a_snapshot_by_timestamp(events):
    found = columns(events, "main.people_history")
    people = "warehouse.crm.people"
    assert found["dbt_scd_id"] == {
        (people, "id", "TRANSFORMATION"),
        (people, "changed_at", "TRANSFORMATION"),
    }
    assert found["valid_from"] == found["dbt_updated_at"] == {(people, "changed_at", "IDENTITY")}
    assert found["dbt_valid_to"] == {(people, "changed_at", "TRANSFORMATION")}


def test_the_columns_that_dbt_adds_to_a_snapshot_by_check(events):
    found = columns(events, "main.people_checked")
    people = "warehouse.crm.people"
    assert found["dbt_scd_id"] == {(people, "id", "TRANSFORMATION"), (people, "name", "TRANSFORMATION")}
    assert found["dbt_valid_from"] == found["dbt_updated_at"] == set()
    assert found["dbt_valid_to"] == {(people, "name", "CONDITIONAL")}

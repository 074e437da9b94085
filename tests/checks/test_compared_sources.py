import pytest

from airflow_lineage_provider.checks.compared_sources import chosen_kinds, compared_sources
from airflow_lineage_provider.checks.reconcile import reconcile
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.readers.datahub_aspects import catalog_of
from airflow_lineage_provider.systems.errors import SystemReadError

MAP = parse_map(
    """
    document: {title: shop}
    layers:
      silver: {tables: {stg: {columns: [id]}}}
      gold: {tables: {orders: {from: silver.stg}}}
    environments:
      prod:
        bindings:
          - dataset: "{layer}.{table}"
            namespace: "snowflake://*"
            name: "DB.{layer}.{table}"
            ignore_case: true
    """,
    "map.yaml",
)


ERROR = {"errorMessage": {"message": "boom"}}


def run(job, inputs, output, status="COMPLETE", number=1):
    def dataset(name):
        return {"namespace": "snowflake://org-account", "name": name}

    return {
        "eventType": status,
        "eventTime": f"2026-11-0{number}T00:00:00Z",
        "run": {
            "runId": f"0190a0e2-0000-7000-8000-00000000000{number}",
            "facets": {"errorMessage": {"message": "boom"}},
        },
        "job": {"namespace": "dbt", "name": job, "facets": {}},
        "inputs": [dataset(name) for name in inputs],
        "outputs": [dataset(output)],
    }


def catalog(*edges):
    def urn(name):
        return f"urn:li:dataset:(urn:li:dataPlatform:snowflake,{name},PROD)"

    lineage = {}
    for source, target in edges:
        lineage.setdefault(target, []).append({"dataset": urn(source), "type": "TRANSFORMED"})
    records = [
        {"entityUrn": urn(t), "aspectName": "upstreamLineage", "aspect": {"json": {"upstreams": found}}}
        for t, found in lineage.items()
    ]
    names = {name for edge in edges for name in edge}
    status = {"aspectName": "status", "aspect": {"json": {"removed": False}}}
    return catalog_of([*records, *({"entityUrn": urn(n), **status} for n in names)], "memory")


def reconciled(**opened):
    sources = compared_sources({kind: lambda s=source: s for kind, source in opened.items()}, MAP, "prod")
    return reconcile(sources, MAP, environment="prod")


def test_an_undocumented_table_has_one_name_in_all_kinds_of_evidence():
    events = [
        run("o", ["DB.SILVER.STG", "OTHER.RAW.FX"], "DB.GOLD.ORDERS"),
        run("s", [], "DB.SILVER.STG", number=2),
    ]
    edges = [("db.silver.stg", "db.gold.orders"), ("other.raw.fx", "db.gold.orders")]
    result = reconciled(map=None, event=events, datahub=catalog(*edges))
    (finding,) = result.comparison.findings
    assert (
        finding.message
        == "snowflake://org-account/OTHER.RAW.FX is emitted and in DataHub, and not documented"
    )


def test_all_runs_of_the_time_count_and_not_only_the_last():
    events = [
        run("o", ["DB.SILVER.STG"], "DB.GOLD.ORDERS"),
        run("o", [], "DB.GOLD.ORDERS", number=3),
        run("s", [], "DB.SILVER.STG", number=2),
    ]
    assert reconciled(map=None, event=events).comparison.findings == ()


def test_the_failure_of_a_job_is_the_reason_that_a_dataset_was_not_emitted():
    events = [run("o", ["DB.SILVER.STG"], "DB.GOLD.ORDERS", "FAIL"), run("s", [], "DB.SILVER.STG", number=2)]
    (finding,) = reconciled(map=None, event=events).comparison.findings
    assert finding.message == "gold.orders is documented, and not emitted: o ended FAIL (boom)"


def test_a_system_that_does_not_answer_is_incomplete_and_another_error_is_raised():
    def down():
        raise SystemReadError("DataHub cannot be reached", unreachable=True)

    def broken():
        raise InputError("no such file")

    sources = compared_sources({"map": lambda: None, "datahub": down}, MAP, "prod")
    assert sources[1].evidence.incomplete == ("DataHub cannot be reached",)
    with pytest.raises(InputError):
        compared_sources({"datahub": broken}, MAP, "prod")


def test_the_kinds_are_those_named_or_those_with_a_place():
    assert chosen_kinds((), {"datahub": None}) == ("map", "event", "datahub")
    assert chosen_kinds(("map", "datahub", "map"), {"datahub": None}) == ("map", "datahub")

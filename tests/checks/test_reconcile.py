"""Thirty planted differences between a map, the events of a week and DataHub: each is found, and named."""

from dataclasses import replace

import pytest

from airflow_lineage_provider.checks.reconcile import ComparedSource, reconcile
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import (
    Column,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Provenance,
    Severity,
    Transformation,
)
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.readers import Evidence, read_map

MAP = """
document: {title: shop}
sources:
  crm: {type: postgres, datasets: {orders: {to: bronze.raw, columns: [id, amount]}}}
layers:
  bronze: {tables: {raw: {columns: {id: {type: INTEGER}, amount: {type: VARCHAR}}}}}
  silver:
    tables:
      stg:
        from: bronze.raw
        columns:
          id: {type: INTEGER}
          net:
            type: "DECIMAL(10,2)"
            from: amount
            subtype: TRANSFORMATION
            expression: "CAST(amount AS DECIMAL(10,2))"
  gold:
    tables:
      daily: {from: silver.stg, columns: {total: {type: DOUBLE, from: net, subtype: AGGREGATION}}}
      orders: {from: [silver.stg, gold.daily], columns: {id: {type: INTEGER, from: silver.stg.id}}}
dashboards: {Sales: {tool: Tableau, from: gold.daily, fields: {Total: total}}}
feature_views: {features: {store: Feast, from: gold.orders, features: {id: {from: id}}}}
ml_models: {churn: {platform: SageMaker, from: features}}
environments:
  prod: {bindings: [{dataset: "{layer}.{table}", namespace: "snowflake://*", name: "db.{layer}.{table}"}]}
"""
PIPELINE = parse_map(MAP, "map.yaml")
BOARDS = {"Sales", "features", "churn"}


def change(graph, *, datasets=lambda d: d, edges=lambda e: e, columns=lambda c: c, more=((), (), ())):
    """Return a graph with some parts changed; a function that returns None drops its argument."""

    def kept(parts, changed):
        return [new for part in parts if (new := changed(part)) is not None]

    return Graph(
        [*kept(graph.datasets.values(), datasets), *more[0]],
        [*kept(graph.edges.values(), edges), *more[1]],
        [*kept(graph.column_edges, columns), *more[2]],
    )


def without(name):
    def drop(graph):
        return change(
            graph,
            datasets=lambda d: None if d.name == name else d,
            edges=lambda e: None if name in (e.source, e.target) else e,
            columns=lambda c: None if name in (c.source.dataset, c.target.dataset) else c,
        )

    return drop


def without_edge(source, target):
    def drop(graph):
        return change(
            graph,
            edges=lambda e: None if (e.source, e.target) == (source, target) else e,
            columns=lambda c: None if (c.source.dataset, c.target.dataset) == (source, target) else c,
        )

    return drop


def with_edge(source, target, **more):
    return lambda graph: change(graph, more=((), [Edge(source, target, **more)], ()))


def with_dataset(name, *edges, **more):
    return lambda graph: change(graph, more=([Dataset(name, **more)], [Edge(*edge) for edge in edges], ()))


def without_column(dataset, column):
    def drop(graph):
        return change(
            graph,
            datasets=lambda d: (
                replace(d, columns={k: v for k, v in d.columns.items() if k != column})
                if d.name == dataset
                else d
            ),
            columns=lambda c: None if ColumnRef(dataset, column) in (c.source, c.target) else c,
        )

    return drop


def with_column(dataset, column, kind="INTEGER"):
    def add(graph):
        return change(
            graph,
            datasets=lambda d: (
                replace(d, columns={**d.columns, column: Column(column, kind)}) if d.name == dataset else d
            ),
        )

    return add


def without_column_edge(source, target):
    return lambda graph: change(
        graph, columns=lambda c: None if (str(c.source), str(c.target)) == (source, target) else c
    )


def with_column_edge(source, target):
    ends = [ColumnRef(*text.rsplit(".", 1)) for text in (source, target)]
    return lambda graph: change(graph, more=((), (), [ColumnEdge(*ends)]))


def made_by(target, **how):
    return lambda graph: change(
        graph,
        columns=lambda c: (
            replace(c, transformations=(Transformation(**how),)) if str(c.target) == target else c
        ),
    )


def sources(**changes):
    """Return the three kinds of evidence, all of them the map's graph but for the changes."""
    graph = read_map(PIPELINE).graph
    emitted = change(graph, datasets=lambda d: None if d.name in BOARDS else d)
    for name in BOARDS:
        emitted = without(name)(emitted)
    found = {
        "map": Evidence(graph, lists_consumers=True),
        "event": Evidence(emitted, dialect="snowflake"),
        "datahub": Evidence(graph, dialect="snowflake", lists_consumers=True),
    }
    return {
        kind: replace(one, graph=changes[kind](one.graph)) if kind in changes else one
        for kind, one in found.items()
    }


def run(evidence, **options):
    return reconcile([ComparedSource(kind, one) for kind, one in evidence.items()], PIPELINE, **options)


def found(reconciliation):
    return [(str(f.code), f.subject) for f in reconciliation.comparison.findings]


def test_three_that_agree_have_no_difference():
    result = run(sources())
    assert found(result) == []
    assert result.kinds == ("map", "event", "datahub")
    assert {(row.source, row.target): row.has for row in result.edges}["silver.stg", "gold.daily"] == {
        "map": "yes",
        "event": "yes",
        "datahub": "yes",
    }
    assert {(row.source, row.target): row.has for row in result.edges}["gold.daily", "Sales"]["event"] == ""


STG, DAILY, ORDERS = "silver.stg", "gold.daily", "gold.orders"
NET = "silver.stg.net"
# fmt: off
PLANTED = [
    ("datahub", without("bronze.raw"), "dataset-missing", "bronze.raw", "not in DataHub"),
    ("datahub", without("crm.orders"), "dataset-missing", "crm.orders",
     "documented and emitted, and not in DataHub"),
    ("datahub", without("Sales"), "dataset-missing", "Sales", "is documented, and not in DataHub"),
    ("datahub", without("churn"), "dataset-missing", "churn", "not in DataHub"),
    ("datahub", without("features"), "dataset-missing", "features", "not in DataHub"),
    ("event", without(STG), "dataset-missing", STG, "is documented and in DataHub, and not emitted"),
    ("event", without(ORDERS), "dataset-missing", ORDERS, "not emitted"),
    ("event", with_dataset("gold.new", (STG, "gold.new")), "dataset-unexpected", "gold.new",
     "emitted, and not documented or in DataHub"),
    ("datahub", with_dataset("gold.old"), "dataset-unexpected", "gold.old",
     "in DataHub, and not documented or emitted"),
    ("datahub", with_dataset("Board 2", (DAILY, "Board 2"), kind="dashboard"), "dataset-unexpected",
     "Board 2",
     "in DataHub, and not documented"),
    ("datahub", without_edge(STG, DAILY), "edge-missing", f"{STG} -> {DAILY}",
     "documented and emitted, and not in DataHub"),
    ("datahub", without_edge(DAILY, ORDERS), "edge-missing", f"{DAILY} -> {ORDERS}", "not in DataHub"),
    ("datahub", without_edge(DAILY, "Sales"), "edge-missing", f"{DAILY} -> Sales",
     "documented, and not in DataHub"),
    ("datahub", without_edge("features", "churn"), "edge-missing", "features -> churn", "not in DataHub"),
    ("datahub", without_edge("crm.orders", "bronze.raw"), "edge-missing", "crm.orders -> bronze.raw",
     "documented and emitted"),
    ("event", without_edge("bronze.raw", STG), "edge-missing", f"bronze.raw -> {STG}", "not emitted"),
    ("event", with_edge("bronze.raw", DAILY), "edge-unexpected", f"bronze.raw -> {DAILY}",
     "emitted, and not documented"),
    ("datahub", with_edge("bronze.raw", ORDERS), "edge-unexpected", f"bronze.raw -> {ORDERS}",
     "in DataHub, and not documented or emitted"),
    ("datahub", with_edge(ORDERS, "Sales"), "edge-unexpected", f"{ORDERS} -> Sales",
     "in DataHub, and not documented"),
    ("datahub", without_column(STG, "net"), "column-missing", NET,
     "documented and emitted, and not in DataHub"),
    ("event", without_column("bronze.raw", "amount"), "column-missing", "bronze.raw.amount", "not emitted"),
    ("datahub", with_column(DAILY, "extra"), "column-unexpected", "gold.daily.extra",
     "in DataHub, and not documented or emitted"),
    ("event", with_column(STG, "extra"), "column-unexpected", "silver.stg.extra",
     "is emitted, and not documented or in DataHub"),
    ("datahub", with_column(STG, "net", "VARCHAR"), "type-changed", NET,
     "documented as DECIMAL(10,2), VARCHAR in DataHub"),
    ("event", with_column(STG, "id", "DATE"), "type-changed", "silver.stg.id",
     "documented as INTEGER, emitted as DATE"),
    ("datahub", without_column_edge("bronze.raw.id", "silver.stg.id"), "column-edge-missing",
     "bronze.raw.id -> silver.stg.id",
     "not in DataHub"),
    ("datahub", with_column_edge("silver.stg.id", "gold.daily.total"), "column-edge-unexpected",
     "silver.stg.id -> gold.daily.total",
     "in DataHub, and not documented or emitted"),
    ("event", without_column_edge("bronze.raw.amount", NET), "column-edge-missing",
     f"bronze.raw.amount -> {NET}",
     "not emitted"),
    ("datahub", made_by("gold.daily.total", subtype="IDENTITY"), "transformation-changed", "gold.daily.total",
     "documented as AGGREGATION"),
    ("event", made_by(NET, subtype="TRANSFORMATION", expression="amount::INT"), "expression-changed", NET,
     "emitted as amount::INT"),
]
# fmt: on


@pytest.mark.parametrize(("kind", "plant", "code", "subject", "text"), PLANTED)
def test_a_planted_difference_is_found_and_named(kind, plant, code, subject, text):
    result = run(sources(**{kind: plant}))
    findings = {(str(f.code), f.subject): f.message for f in result.comparison.findings}
    assert (code, subject) in findings
    assert text in findings[code, subject]


def test_thirty_differences_are_planted():
    assert len(PLANTED) == 30


def test_a_dataset_whose_columns_the_catalog_does_not_link_is_one_finding():
    evidence = sources(datahub=without_column_edge(NET, "gold.daily.total"))
    (finding,) = run(evidence).comparison.findings
    assert (str(finding.code), finding.subject) == ("no-column-lineage", DAILY)
    assert finding.message.endswith("is documented and emitted, and not in DataHub")


def test_one_change_is_one_finding():
    assert len(run(sources(datahub=without("bronze.raw"))).comparison.findings) == 1
    assert len(run(sources(event=with_dataset("gold.new", (STG, "gold.new")))).comparison.findings) == 1


def test_an_unrelated_table_of_the_catalog_is_no_difference():
    plant = with_dataset("snowflake://hr.pay", ("snowflake://hr.staff", "snowflake://hr.pay"))
    assert found(run(sources(datahub=plant))) == []


def test_what_only_the_catalog_has_and_nothing_updated_is_stale():
    at = Provenance("datahub", job="urn:li:dataset:x", at="2026-01-02T00:00:00+00:00")
    evidence = sources(datahub=with_edge("bronze.raw", ORDERS, provenance=(at,)))
    (finding,) = run(evidence, since="2026-11-01T00:00:00+00:00").comparison.findings
    assert (str(finding.code), finding.severity) == ("stale", Severity.WARNING)
    assert "last updated 2026-01-02" in finding.message
    assert found(run(evidence, since="2026-01-01T00:00:00+00:00")) == [
        ("edge-unexpected", "bronze.raw -> gold.orders")
    ]


def test_a_soft_delete_is_named_as_the_reason():
    evidence = sources(datahub=without(ORDERS))
    reason = {ORDERS: "it is soft-deleted in DataHub (urn)"}
    evidence["datahub"] = replace(evidence["datahub"], absent=reason)
    assert "and not in DataHub: it is soft-deleted" in run(evidence).comparison.findings[0].message


def test_several_names_of_a_table_are_one_finding_of_their_own():
    evidence = sources()
    names = {ORDERS: ("urn:a", "urn:b", "urn:c"), "snowflake://hr.pay": ("urn:d", "urn:e")}
    evidence["datahub"] = replace(evidence["datahub"], several_names=names)
    (finding,) = run(evidence).comparison.findings
    assert (str(finding.code), finding.subject) == ("several-names", ORDERS)
    assert "under 3 names: urn:a, urn:b, urn:c" in finding.message


def test_incomplete_evidence_is_never_clean_and_lacks_nothing():
    evidence = sources(datahub=without(ORDERS))
    evidence["datahub"] = replace(evidence["datahub"], incomplete=("a page is missing",))
    result = run(evidence)
    assert found(result) == [("incomplete", "datahub")]
    assert result.comparison.severity is Severity.WARNING
    assert result.incomplete == ("datahub: a page is missing",)


def test_two_kinds_without_the_map_are_compared_too():
    evidence = sources(datahub=without_edge(STG, DAILY))
    del evidence["map"]
    (finding,) = run(evidence).comparison.findings
    assert finding.message == "silver.stg -> gold.daily is emitted, and not in DataHub"


def test_one_kind_alone_cannot_be_compared():
    with pytest.raises(InputError, match="name two or more of map, manifest, event, query, datahub"):
        run({"map": Evidence(Graph())})


def test_the_policy_of_the_map_weighs_and_accepts():
    text = MAP + (
        "policy: {type-changed: note}\n"
        "accepted: [{finding: column-unexpected, subject: gold.daily.extra, reason: r, until: 2999-01-01}]\n"
    )
    weighed = parse_map(text, "map.yaml")
    evidence = sources(event=with_column(STG, "id", "DATE"), datahub=with_column(DAILY, "extra"))
    result = reconcile([ComparedSource(kind, one) for kind, one in evidence.items()], weighed)
    assert [(f.code, f.severity) for f in result.comparison.findings] == [("type-changed", "note")]
    assert [f.subject for f in result.comparison.accepted] == ["gold.daily.extra"]


def test_a_documented_summary_edge_is_satisfied_by_a_longer_path():
    text = MAP.replace("from: [silver.stg, gold.daily]", "from: [silver.stg, gold.daily, bronze.raw]")
    summarised = parse_map(text, "map.yaml")
    evidence = sources()
    evidence["map"] = evidence["datahub"] = replace(evidence["map"], graph=read_map(summarised).graph)
    result = reconcile([ComparedSource(kind, one) for kind, one in evidence.items()], summarised)
    assert found(result) == []
    rows = {(row.source, row.target): row.has for row in result.edges}
    assert rows["bronze.raw", "gold.orders"] == {"map": "yes", "event": "through", "datahub": "yes"}

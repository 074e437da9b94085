import pytest

from airflow_lineage_provider.graph import ColumnRef, Transformation
from airflow_lineage_provider.lineage_map import bindings_of, parse_map
from airflow_lineage_provider.readers import read_datahub
from airflow_lineage_provider.readers.datahub_aspects import CatalogFileError, catalog_of, load_catalog
from airflow_lineage_provider.readers.datahub_operations import operation_text, read_operation
from airflow_lineage_provider.readers.datahub_urns import UrnError, dataset_urn, parse_urn, schema_field

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.gold.orders,PROD)"
RAW = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.bronze.raw,PROD)"
BINDINGS = bindings_of(
    parse_map(
        """
        document: {title: t}
        sources: {lake: {type: s3, datasets: {events: bronze.raw}}}
        layers:
          bronze: {tables: {raw: {columns: [id, amount]}}}
          gold: {tables: {orders: {from: bronze.raw, columns: {id: , total: amount}}}}
        dashboards: {Sales Report: {tool: Tableau, from: gold.orders}}
        environments:
          prod:
            bindings:
              - {dataset: lake.events, namespace: "s3://lake", name: "events*"}
              - {dataset: "{layer}.{table}", namespace: "snowflake://*", name: "ANALYTICS.{layer}.{table}",
                 ignore_case: true}
        """,
        "map.yaml",
    ),
    "prod",
)


def mcp(urn, aspect, value, **more):
    return {"entityUrn": urn, "aspectName": aspect, "aspect": {"json": value}, **more}


def upstream(source, *, at=0, fields=()):
    return {
        "upstreams": [{"dataset": source, "type": "TRANSFORMED", "auditStamp": {"time": at, "actor": "x"}}],
        "fineGrainedLineages": [
            {
                "upstreams": [f"urn:li:schemaField:({source},{one})"],
                "downstreams": [two],
                "transformOperation": op,
            }
            for one, two, op in fields
        ],
    }


def read(*records):
    return read_datahub(catalog_of(records, "a file"), BINDINGS)


@pytest.mark.parametrize(
    ("text", "kind", "parts"),
    [
        (ORDERS, "dataset", ("urn:li:dataPlatform:snowflake", "analytics.gold.orders", "PROD")),
        ("urn:li:corpuser:ada", "corpuser", ("ada",)),
        ("urn:li:dashboard:(tableau,a%2Cb%28c%29)", "dashboard", ("tableau", "a,b(c)")),
        (f"urn:li:schemaField:({ORDERS},total)", "schemaField", (ORDERS, "total")),
    ],
)
def test_a_urn_is_split_into_its_parts(text, kind, parts):
    assert parse_urn(text)[:2] == (kind, parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "orders",
        "urn:li:dataset",
        "urn:li:dataset:(a,b",
        "urn:li:dataset:(a,,PROD)",
        "urn:li:x:(a)(b)",
        None,
    ],
)
def test_a_malformed_urn_is_an_error(text):
    with pytest.raises(UrnError, match="is not a URN"):
        parse_urn(text)


def test_a_path_of_datahubs_second_version_is_a_plain_column():
    path = "[version=2.0].[type=struct].[type=string].address.[type=string].city"
    assert schema_field(f"urn:li:schemaField:({ORDERS},{path})").path == "address.city"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("airflow-lineage DIRECT:AGGREGATION SUM(a)", [("DIRECT", "AGGREGATION", "SUM(a)")]),
        (
            "-- DIRECT:AGGREGATION,INDIRECT:FILTER\nselect 1",
            [("DIRECT", "AGGREGATION", ""), ("INDIRECT", "FILTER", "")],
        ),
        ("COPY: a.b", [("DIRECT", "IDENTITY", "")]),
        ("SQL: TRIM(a)", [("DIRECT", "", "TRIM(a)")]),
        ("a note of a person", []),
        (None, []),
    ],
)
def test_the_kinds_of_every_producer_are_read(text, expected):
    assert [(t.type, t.subtype, t.expression) for t in read_operation(text)] == expected


@pytest.mark.parametrize(
    "made",
    [
        Transformation(subtype="IDENTITY", assumed=True),
        Transformation("INDIRECT", "JOIN", masking=True),
        Transformation(expression="REPLACE(a, '\\n', '\n') -- note"),
        Transformation(expression="assumed"),
        Transformation(),
    ],
)
def test_a_transformation_survives_the_text_of_an_edge(made):
    assert read_operation(operation_text([made, Transformation("INDIRECT", "FILTER")]))[0] == made


def test_a_dataset_with_its_columns_and_lineage():
    found = read(
        mcp(RAW, "schemaMetadata", {"fields": [{"fieldPath": "AMOUNT", "nativeDataType": "NUMBER"}]}),
        mcp(
            ORDERS,
            "upstreamLineage",
            upstream(
                RAW, at=1764000000000, fields=[("AMOUNT", f"urn:li:schemaField:({ORDERS},TOTAL)", "COPY: x")]
            ),
        ),
    )
    assert set(found.graph.edges) == {("bronze.raw", "gold.orders")}
    (edge,) = found.graph.column_edges
    assert (str(edge), edge.transformations[0].subtype) == (
        "bronze.raw.amount -> gold.orders.total",
        "IDENTITY",
    )
    assert found.graph.datasets["bronze.raw"].columns["amount"].type == "NUMBER"
    assert found.graph.edges["bronze.raw", "gold.orders"].provenance[0].at == "2025-11-24T16:00:00+00:00"
    assert found.lists_consumers
    assert not found.incomplete


@pytest.mark.parametrize(
    ("name", "instance"),
    [
        ("ANALYTICS.GOLD.ORDERS", ""),
        ("analytics/gold/orders", ""),
        ("prod_account.analytics.gold.orders", "prod_account"),
        ("xy12345.eu-west-1.analytics.gold.orders", ""),
    ],
)
def test_names_of_one_table_are_reconciled_and_reported_once(name, instance):
    other = dataset_urn("snowflake", name, "PROD")
    records = [mcp(ORDERS, "status", {"removed": False}), mcp(other, "upstreamLineage", upstream(RAW))]
    if instance:
        key = f"urn:li:dataPlatformInstance:(urn:li:dataPlatform:snowflake,{instance})"
        records.append(mcp(other, "dataPlatformInstance", {"platform": "x", "instance": key}))
    found = read(*records)
    assert set(found.graph.edges) == {("bronze.raw", "gold.orders")}
    assert found.several_names == {"gold.orders": tuple(sorted((ORDERS, other)))}


def test_a_bucket_and_a_dashboard_have_their_logical_names():
    board = "urn:li:dashboard:(tableau,7f3)"
    info = {
        "title": "Sales report",
        "datasetEdges": [{"destinationUrn": ORDERS}],
        "charts": [],
        "datasets": [],
    }
    lake = dataset_urn("s3", "lake/events", "PROD")
    found = read(mcp(board, "dashboardInfo", info), mcp(RAW, "upstreamLineage", upstream(lake)))
    assert set(found.graph.edges) == {("gold.orders", "Sales Report"), ("lake.events", "bronze.raw")}


def test_the_dbt_entity_beside_a_table_is_not_another_name():
    dbt = dataset_urn("dbt", "analytics.gold.orders", "PROD")
    found = read(
        mcp(ORDERS, "upstreamLineage", upstream(dbt)),
        mcp(dbt, "upstreamLineage", upstream(RAW)),
    )
    assert set(found.graph.edges) == {("bronze.raw", "gold.orders")}
    assert not found.several_names


def test_what_is_soft_deleted_is_left_out_with_its_edges():
    found = read(mcp(ORDERS, "upstreamLineage", upstream(RAW)), mcp(RAW, "status", {"removed": True}))
    assert not found.graph.edges
    assert "bronze.raw" not in found.graph.datasets
    assert "soft-deleted" in found.absent["bronze.raw"]


def test_a_malformed_urn_and_a_patch_make_it_incomplete():
    patch = {
        "entityUrn": ORDERS,
        "aspectName": "datasetProperties",
        "changeType": "PATCH",
        "aspect": {"value": "[]"},
    }
    found = read(mcp(ORDERS, "upstreamLineage", upstream("urn:li:dataset:(broken")), patch)
    assert len(found.incomplete) == 2
    assert any("is not a URN" in reason for reason in found.incomplete)
    assert any("OVERRIDE" in reason for reason in found.incomplete)


def test_the_older_record_form_is_read_too():
    snapshot = "com.linkedin.pegasus2avro.metadata.snapshot.DatasetSnapshot"
    aspect = {"com.linkedin.pegasus2avro.dataset.UpstreamLineage": upstream(RAW)}
    found = read({"proposedSnapshot": {snapshot: {"urn": ORDERS, "aspects": [aspect]}}})
    assert set(found.graph.edges) == {("bronze.raw", "gold.orders")}


def test_of_two_records_of_an_aspect_the_later_counts():
    found = read(
        mcp(ORDERS, "upstreamLineage", upstream(RAW)), mcp(ORDERS, "upstreamLineage", {"upstreams": []})
    )
    assert not found.graph.edges


@pytest.mark.parametrize("content", ["", "{}", "[", "\xff"])
def test_a_file_that_is_none_of_datahubs_is_an_error(tmp_path, content):
    path = tmp_path / "catalog.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(CatalogFileError, match="not a file of DataHub's metadata"):
        load_catalog(path)


def test_an_edge_that_affects_all_columns():
    lineage = upstream(RAW)
    field = f"urn:li:schemaField:({RAW},id)"
    lineage["fineGrainedLineages"] = [
        {"upstreams": [field], "downstreams": [], "transformOperation": "airflow-lineage INDIRECT:FILTER"}
    ]
    (edge,) = read(mcp(ORDERS, "upstreamLineage", lineage)).graph.column_edges
    assert edge.target == ColumnRef("gold.orders", "*")
    assert not edge.direct


def test_a_patch_adds_to_the_lineage_before_it_and_removes_from_it():
    field = f"urn:li:schemaField:({ORDERS},total)"
    source = f"urn:li:schemaField:({RAW},a~1b)"
    patch = [
        {"op": "add", "path": f"/upstreams/{RAW}", "value": {"type": "COPY"}},
        {"op": "add", "path": f"/fineGrainedLineages/COPY: x/{field}/NONE/{source}", "value": {}},
    ]
    record = {"entityUrn": ORDERS, "aspectName": "upstreamLineage", "changeType": "PATCH"}
    other = dataset_urn("snowflake", "analytics.silver.other", "PROD")
    found = read(mcp(ORDERS, "upstreamLineage", upstream(other)), {**record, "aspect": {"json": patch}})
    assert set(found.graph.edges) == {("bronze.raw", "gold.orders"), ("silver.other", "gold.orders")}
    assert [str(edge) for edge in found.graph.column_edges] == ["bronze.raw.a/b -> gold.orders.total"]
    removed = [{"op": "remove", "path": f"/upstreams/{other}"}]
    found = read(mcp(ORDERS, "upstreamLineage", upstream(other)), {**record, "aspect": {"json": removed}})
    assert not found.graph.edges
    assert not found.incomplete


def test_a_dbt_entity_of_another_name_is_known_by_its_sibling():
    dbt = dataset_urn("dbt", "shop.orders_v2", "PROD")
    siblings = {"siblings": [ORDERS], "primary": True}
    found = read(
        mcp(ORDERS, "status", {"removed": False}),
        mcp(dbt, "siblings", siblings),
        mcp(dbt, "upstreamLineage", upstream(RAW)),
    )
    assert set(found.graph.edges) == {("bronze.raw", "gold.orders")}
    assert "dbt://shop.orders_v2" not in found.graph.datasets


@pytest.mark.parametrize(
    "record",
    [
        {"proposedSnapshot": {"x": []}},
        {"systemMetadata": "x"},
        {
            "entityUrn": ORDERS,
            "aspectName": "upstreamLineage",
            "changeType": "PATCH",
            "aspect": {"json": [1]},
        },
        mcp(ORDERS, "upstreamLineage", {"upstreams": [None]}),
        mcp(ORDERS, "upstreamLineage", {"upstreams": [], "fineGrainedLineages": [{"upstreams": [7]}]}),
        mcp(ORDERS, "schemaMetadata", {"fields": [{}]}),
        mcp(ORDERS, "datasetProperties", {"customProperties": {"airflow_lineage.from": "[" * 100_000}}),
        mcp(ORDERS, "ownership", {"owners": [{"owner": "nobody"}]}),
    ],
)
def test_a_malformed_record_makes_it_incomplete_and_nothing_else(record):
    found = read(record, mcp(RAW, "upstreamLineage", upstream(dataset_urn("s3", "lake/events", "PROD"))))
    assert len(found.incomplete) == 1
    assert set(found.graph.edges) == {("lake.events", "bronze.raw")}

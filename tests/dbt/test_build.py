"""The records of two `dbt build` of a project with one node of each kind."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from airflow_lineage_provider.dbt.records import NodeFinished, NodeStarted, RelationColumn, Test

ORDERS = ["order_id", "customer_id", "country_code", "amount", "updated_at"]


def names(relation):
    return [column.name for column in relation.columns]


def identifiers(node):
    return [f"{relation.schema}.{relation.identifier}" for relation in node.inputs]


def test_every_node_has_dbts_status(shop):
    assert shop.first.statuses == {
        "bronze.countries": "success",
        "silver.typed_amounts": "pass",
        "silver.stg_clicks": "success",
        "silver.stg_orders": "success",
        "silver.customers_v1": "success",
        "silver.customers_v2": "success",
        "silver.unique_stg_orders_order_id": "pass",
        "silver.not_null_stg_orders_order_id": "pass",
        "silver.accepted_values_stg_orders_country_code__de__fr": "warn",
        "silver.relationships_stg_orders_country_code__code__ref_countries_": "pass",
        "silver.every_order_has_a_customer": "pass",
        "crm.source_relationships_crm_orders_order_id__order_id__ref_stg_orders_": "pass",
        "silver.order_history": "success",
        "gold.order_summary": "success",
        "gold.python_totals": "success",
    }
    assert shop.first.finished.success
    assert shop.first.finished.error is None


@pytest.mark.parametrize("which", ["first", "second"])
def test_every_node_starts_once_and_then_ends_once(shop, which):
    records = [r for r in getattr(shop, which).records if isinstance(r, NodeStarted | NodeFinished)]
    order = [(record.node.unique_id, type(record)) for record in records]
    assert set(Counter(order).values()) == {1}
    for unique_id, kind in order:
        if kind is NodeFinished:
            assert order.index((unique_id, NodeStarted)) < order.index((unique_id, NodeFinished))


def test_times_are_dbts_own_in_utc_and_in_order(shop):
    for end in shop.first.of(NodeFinished):
        assert end.at.tzinfo is UTC
        assert end.started_at <= end.at <= datetime.now(UTC)
        assert shop.first.starts[end.node.label].at == end.started_at


def test_one_node_ends_before_the_next_begins_on_one_thread(shop):
    records = shop.first.of(NodeStarted | NodeFinished)
    assert [type(record) for record in records] == [NodeStarted, NodeFinished] * (len(records) // 2)


def test_a_start_has_the_compiled_sql(shop):
    sql = shop.first.starts["gold.order_summary"].sql
    assert 'select * from "warehouse"."silver"."stg_orders"' in sql
    assert "ref(" not in sql
    assert shop.first.ends["gold.order_summary"].sql == sql


def test_an_ephemeral_model_is_part_of_its_childs_sql_and_has_no_records(shop):
    assert "with __dbt__cte__typed_orders as" in shop.first.starts["silver.stg_orders"].sql
    assert not any("typed_orders" in label for label in shop.first.starts)


def test_a_second_build_in_the_process_injects_the_ephemeral_model_again(shop):
    assert "with __dbt__cte__typed_orders as" in shop.second.starts["silver.stg_orders"].sql
    assert "is_incremental" not in shop.second.starts["silver.stg_orders"].sql
    assert "select max(updated_at)" in shop.second.starts["silver.stg_orders"].sql


def test_a_second_build_in_the_process_does_not_parse_again(shop):
    assert "full parse" in shop.first.log
    assert "full parse" not in shop.second.log
    assert "partial pars" not in shop.second.log


def test_the_inputs_are_the_tables_that_the_sql_reads(shop):
    ends = shop.first.ends
    assert identifiers(ends["silver.stg_orders"].node) == ["crm.t_orders_v2"]
    assert identifiers(ends["gold.order_summary"].node) == ["silver.stg_orders", "bronze.countries"]
    assert identifiers(ends["silver.order_history"].node) == ["silver.stg_orders"]
    assert identifiers(ends["gold.python_totals"].node) == ["silver.stg_orders"]


def test_a_source_is_the_table_of_its_identifier_with_description_owner_and_types(shop):
    (orders,) = shop.first.ends["silver.stg_orders"].node.inputs
    assert (orders.database, orders.schema, orders.identifier) == ("warehouse", "crm", "t_orders_v2")
    assert orders.description == "What customers ordered."
    assert orders.owners == ("CRM Team",)
    assert [column.data_type for column in orders.columns] == [
        "BIGINT",
        "BIGINT",
        "VARCHAR",
        "VARCHAR",
        "TIMESTAMP",
    ]


def test_an_external_source_is_its_files_with_their_columns(shop):
    (clicks,) = shop.first.ends["silver.stg_clicks"].node.inputs
    assert clicks.location == f"read_parquet('{shop.project}/landing/clicks/*.parquet')"
    assert clicks.columns == (RelationColumn("click_id", "BIGINT"), RelationColumn("customer_id", "BIGINT"))


def test_the_input_of_a_seed_is_its_file(shop):
    (file,) = shop.first.ends["bronze.countries"].node.inputs
    assert file.location == f"{shop.project}/seeds/countries.csv"
    assert names(file) == ["code", "country"]


def test_an_output_has_the_columns_and_types_of_the_warehouse(shop):
    relation = shop.first.ends["silver.stg_orders"].node.relation
    assert relation.columns == (
        RelationColumn("order_id", "BIGINT", "One per order.", ("key",)),
        RelationColumn("customer_id", "BIGINT"),
        RelationColumn("country_code", "VARCHAR"),
        RelationColumn("amount", "DECIMAL(10,2)"),
        RelationColumn("updated_at", "TIMESTAMP"),
    )


def test_a_star_through_ctes_has_all_columns(shop):
    assert names(shop.first.ends["gold.order_summary"].node.relation) == [*ORDERS, "country"]


def test_a_python_model_has_its_code_and_its_columns(shop):
    end = shop.first.ends["gold.python_totals"]
    assert end.node.language == "python"
    assert "orders.aggregate(" in end.sql
    assert end.node.relation.columns == (
        RelationColumn("customer_id", "BIGINT"),
        RelationColumn("total", "DECIMAL(38,2)"),
    )


def test_rows_are_counted_on_duckdb(shop):
    def rows(outcome):
        return {label: end.rows for label, end in outcome.ends.items() if end.rows is not None}

    assert rows(shop.first) == {"bronze.countries": 3, "silver.stg_orders": 10, "silver.order_history": 10}
    # Two orders are new and one has changed.
    assert rows(shop.second) == {"bronze.countries": 3, "silver.stg_orders": 3, "silver.order_history": 3}


def test_a_relation_is_created_by_the_first_build_only(shop):
    made = {label for label, end in shop.first.ends.items() if end.node.relation}
    assert {label for label, end in shop.first.ends.items() if end.created} == made
    assert {label for label, end in shop.second.ends.items() if end.created is False} == made
    assert shop.first.ends["silver.unique_stg_orders_order_id"].created is None


def test_owners_tags_and_exposures_are_read(shop):
    node = shop.first.ends["silver.stg_orders"].node
    assert (node.owners, node.tags) == (("Sales Data Team",), ("pii",))
    (dashboard,) = shop.first.ends["gold.order_summary"].node.exposures
    assert (dashboard.name, dashboard.type) == ("sales_dashboard", "dashboard")
    assert dashboard.url == "https://tableau.example.com/sales"


def test_each_version_of_a_model_is_a_node(shop):
    assert shop.first.ends["silver.customers_v1"].node.unique_id == "model.shop.customers.v1"
    assert names(shop.first.ends["silver.customers_v2"].node.relation) == ["customer_id", "orders"]


def test_a_disabled_model_has_no_records(shop):
    assert "retired" not in shop.first.log + "".join(shop.first.starts)


def test_a_generic_test_has_its_kind_column_and_arguments(shop):
    end = shop.first.ends["silver.accepted_values_stg_orders_country_code__de__fr"]
    assert end.node.test == Test("accepted_values", "country_code", "warn", {"values": "['de', 'fr']"})
    assert (end.status, end.failures) == ("warn", 1)


def test_a_relationships_test_lists_its_own_table_first(shop):
    ends = shop.first.ends
    of_model = ends["silver.relationships_stg_orders_country_code__code__ref_countries_"].node
    of_source = ends["crm.source_relationships_crm_orders_order_id__order_id__ref_stg_orders_"].node
    assert identifiers(of_model) == ["silver.stg_orders", "bronze.countries"]
    assert identifiers(of_source) == ["crm.t_orders_v2", "silver.stg_orders"]


def test_a_singular_test_and_a_unit_test_have_a_kind(shop):
    singular = shop.first.ends["silver.every_order_has_a_customer"].node
    assert singular.test == Test("custom_sql", None, "error")
    assert identifiers(singular) == ["silver.stg_orders"]
    assert shop.first.ends["silver.typed_amounts"].node.test == Test("unit_test", None, "error")


def test_a_unit_test_of_an_ephemeral_model_reads_no_table(shop):
    assert shop.first.ends["silver.typed_amounts"].node.inputs == ()


def test_hooks_are_no_nodes(shop):
    assert "1 of 1 OK hook: shop.on-run-start.0" in shop.first.log
    assert not any("on-run" in label for label in shop.first.starts)


def test_the_log_is_one_record_a_line(shop):
    lines = shop.first.log.splitlines()
    assert any(line.startswith("1 of 16 START") for line in lines)
    assert all(line.text.count("\n") == 0 for line in shop.first.records if hasattr(line, "text"))


def test_the_invocation_names_project_and_warehouse(shop):
    invocation = shop.first.invocation
    assert (invocation.project_name, invocation.profile_name) == ("shop", "warehouse")
    assert (invocation.target, invocation.project_dir) == ("dev", str(shop.project))
    assert invocation.warehouse.path == f"{shop.project}/warehouse.duckdb"
    assert invocation.invocation_id != shop.second.invocation.invocation_id

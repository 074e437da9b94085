"""DMS table mappings: which tables are selected, and what the target's names and columns are."""

import json

import pytest

from airflow_lineage_provider.systems.dms.mapping import (
    map_table,
    parse_table_mappings,
    select_tables,
)
from airflow_lineage_provider.systems.errors import SystemReadError

ORDERS = ("public", "orders")
COLUMNS = [("order_id", "BIGINT"), ("amount", "NUMERIC(10, 2)"), ("email", "VARCHAR")]


def rules(*given):
    return parse_table_mappings(json.dumps({"rules": list(given)}), "DMS replication crm")


def selection(schema, table, action="include", **more):
    locator = {"schema-name": schema, "table-name": table}
    return {"rule-type": "selection", "rule-action": action, "object-locator": locator, **more}


def transformation(target, action, value=None, column=None, schema="%", table="%", **more):
    locator = {"schema-name": schema, "table-name": table, **({"column-name": column} if column else {})}
    rule = {"rule-type": "transformation", "rule-target": target, "rule-action": action}
    return rule | {"object-locator": locator} | ({"value": value} if value is not None else {}) | more


TABLES = [
    ("public", "orders"),
    ("public", "orders_old"),
    ("public", "ordersX"),
    ("audit", "log"),
    ("Public", "Orders"),
]


@pytest.mark.parametrize(
    ("given", "selected"),
    [
        ([selection("public", "orders")], [("public", "orders")]),
        (
            [selection("public", "orders%")],
            [("public", "orders"), ("public", "orders_old"), ("public", "ordersX")],
        ),
        ([selection("public", "orders_")], [("public", "ordersX")]),
        ([selection("public", "orders[_]%")], [("public", "orders_old")]),
        ([selection("public", "orders[A-Z]")], [("public", "ordersX")]),
        ([selection("%", "[lm]og")], [("audit", "log")]),
        (
            [selection("%", "%"), selection("public", "%", "exclude")],
            [("audit", "log"), ("Public", "Orders")],
        ),
        ([selection("public", "orders", "explicit")], [("public", "orders")]),
        ([selection("public", "order%", "explicit")], []),
        ([], []),
    ],
    ids=[
        "exact",
        "percent",
        "underscore",
        "literal underscore",
        "range",
        "set",
        "exclude",
        "explicit",
        "explicit has no wildcards",
        "nothing",
    ],
)
def test_selection_rules_select_tables(given, selected):
    assert select_tables(rules(*given), TABLES) == selected


def test_an_escape_character_makes_a_wildcard_ordinary():
    assert select_tables(rules(selection("public", "orders#_%")), TABLES, "#") == [("public", "orders_old")]


def test_the_table_with_the_higher_load_order_comes_first():
    given = rules(selection("public", "orders"), selection("audit", "log", **{"load-order": 2}))
    assert select_tables(given, TABLES) == [("audit", "log"), ("public", "orders")]


@pytest.mark.parametrize(
    ("action", "more", "name"),
    [
        ("rename", {"value": "raw"}, "raw"),
        ("convert-uppercase", {}, "ORDERS"),
        ("add-prefix", {"value": "raw_"}, "raw_orders"),
        ("add-suffix", {"value": "_cdc"}, "orders_cdc"),
        ("remove-prefix", {"value": "or"}, "ders"),
        ("remove-suffix", {"value": "s"}, "order"),
        ("remove-suffix", {"value": "x"}, "orders"),
        ("replace-prefix", {"old-value": "ord", "value": "ORD"}, "ORDers"),
        ("replace-suffix", {"old-value": "ers", "value": "_"}, "ord_"),
        ("replace-suffix", {"old-value": "xyz", "value": "_"}, "orders"),
    ],
)
def test_a_naming_rule_names_schemas_tables_and_columns_alike(action, more, name):
    table = map_table(rules(transformation("table", action, **more)), ORDERS, None)
    assert table.target_table == name
    schema = map_table(rules(transformation("schema", action, **more)), ("orders", "t"), None)
    assert schema.target_schema == name
    column = map_table(
        rules(transformation("column", action, column="orders", **more)), ORDERS, [("orders", "")]
    )
    assert [c.name for c in column.columns] == [name]


def test_rules_match_the_names_of_the_source_and_not_those_that_other_rules_made():
    mapped = map_table(
        rules(
            transformation("schema", "rename", "bronze", schema="public"),
            transformation("table", "add-prefix", "raw_", schema="public", table="orders"),
            transformation("column", "rename", "total", "amount", schema="public", table="orders"),
        ),
        ORDERS,
        COLUMNS,
    )
    assert (mapped.target_schema, mapped.target_table) == ("bronze", "raw_orders")
    assert [c.name for c in mapped.columns] == ["order_id", "total", "email"]


def test_names_match_case_sensitively():
    mapped = map_table(rules(transformation("table", "rename", "raw", table="Orders")), ORDERS, None)
    assert mapped.target_table == "orders"


@pytest.mark.parametrize("target", ["schema", "table"])
def test_two_naming_rules_for_one_object_leave_the_name_unknown(target):
    mapped = map_table(
        rules(transformation(target, "convert-uppercase"), transformation(target, "add-prefix", "x")),
        ORDERS,
        COLUMNS,
    )
    assert not mapped.named
    assert "matches 2 naming rules (convert-uppercase, add-prefix), and DMS allows one" in mapped.problems[0]


def test_two_naming_rules_for_one_column_leave_the_columns_unknown():
    mapped = map_table(
        rules(
            transformation("column", "convert-uppercase", column="%"),
            transformation("column", "rename", "x", "amount"),
        ),
        ORDERS,
        COLUMNS,
    )
    assert mapped.named
    assert mapped.columns is None
    assert mapped.problems[0].startswith("column amount matches 2 naming rules")


def made(mapped):
    return {c.name: (c.sources, c.subtype, c.masking, c.type) for c in mapped.columns}


def test_columns_are_removed_retyped_masked_and_added():
    mapped = map_table(
        rules(
            transformation("column", "remove-column", column="order_id"),
            transformation(
                "column",
                "change-data-type",
                column="amount",
                **{"data-type": {"type": "numeric", "precision": 12, "scale": 4}},
            ),
            transformation("column", "data-masking-hash-mask", column="email"),
            transformation(
                "column",
                "add-column",
                "label",
                expression="$order_id||'_'||$amount||$AR_H_OPERATION",
                **{"data-type": {"type": "string", "length": 50}},
            ),
            transformation("column", "add-column", "copy", expression="$email"),
            transformation("column", "add-column", "loaded_at", expression="datetime('now')"),
        ),
        ORDERS,
        COLUMNS,
    )
    assert made(mapped) == {
        "amount": (("amount",), "TRANSFORMATION", False, "numeric(12,4)"),
        "email": (("email",), "TRANSFORMATION", True, "VARCHAR"),
        "label": (("order_id", "amount"), "TRANSFORMATION", False, "string(50)"),
        "copy": (("email",), "IDENTITY", False, ""),
        "loaded_at": ((), "TRANSFORMATION", False, ""),
    }


@pytest.mark.parametrize("removed", [[], [transformation("column", "remove-column", column="%")]])
def test_include_column_keeps_what_it_names_and_no_more(removed):
    include = [transformation("column", "include-column", column=name) for name in ("order_id", "a%")]
    assert list(made(map_table(rules(*removed, *include), ORDERS, COLUMNS))) == ["order_id", "amount"]


def test_before_image_columns_are_made_of_the_columns_before_the_change():
    image = {"column-prefix": "BI_", "column-suffix": "", "column-filter": "all"}
    rule = transformation("column", "add-before-image-columns", **{"before-image-def": image})
    assert made(map_table(rules(rule), ORDERS, COLUMNS))["BI_amount"][0] == ("amount",)
    image["column-filter"] = "pk-only"
    assert map_table(rules(rule), ORDERS, COLUMNS).columns is None


def test_a_selections_filter_shapes_the_rows():
    condition = {"filter-type": "source", "column-name": "amount", "filter-conditions": []}
    mapped = map_table(rules(selection("public", "orders", filters=[condition])), ORDERS, COLUMNS)
    assert mapped.filtered_by == ("amount",)


def test_without_the_sources_columns_the_targets_are_not_known():
    assert map_table(rules(), ORDERS, None).columns is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"rules": [1]}', '{"rules": [{}]}', "[" * 100_000])
def test_what_is_no_table_mapping_is_one_line(text):
    with pytest.raises(
        SystemReadError, match=r"^DMS replication crm: its table mappings cannot be read"
    ) as found:
        parse_table_mappings(text, "DMS replication crm")
    assert "\n" not in str(found.value)

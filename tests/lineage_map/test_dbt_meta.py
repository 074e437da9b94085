"""The contract in dbt's YAML: `meta.lineage` of models and columns, included by `{dbt: FOLDER}`."""

import pytest

from airflow_lineage_provider.lineage_map import MapError, load_map

MAIN = """\
document: {title: Shop}
include: {dbt: ../dbt_project}
layers: {staging: {title: Staging}}
"""
STAGING = """\
version: 2
models:
  - name: stg_orders
    description: "{{ doc('orders') }}"
    meta: {lineage: {from: shop.orders}}
  - name: stg_nothing
    columns: [{name: id, tests: [unique]}]
seeds:
  - name: countries
    config: {meta: {lineage: {layer: seeds}}}
"""
MARTS = """\
models:
  - name: fct_revenue
    config:
      alias: revenue
      meta:
        owner: finance
        lineage:
          from: [staging.stg_orders, staging.stg_refunds]
          unique_key: id
    columns:
      - name: id
      - name: revenue
        data_type: decimal(12, 2)
        meta:
          lineage: {from: staging.stg_orders.amount, subtype: AGGREGATION}
      - {name: total, meta: {lineage: staging.stg_orders.amount}}
"""


@pytest.fixture
def folder(tmp_path):
    """A map beside a dbt project whose YAML has the contract."""
    files = {
        "dags/m.yaml": MAIN,
        "dbt_project/dbt_project.yml": "name: shop\nvars: {lineage: 1}\n",
        "dbt_project/models/staging/schema.yml": STAGING,
        "dbt_project/models/marts/finance/schema.yml": MARTS,
        "dbt_project/models/odd.yml": "models: [{name: a, description: &x text, meta: *x}]\n",
        "dbt_project/dbt_packages/other/models/a/b.yml": "models: [{name: lineage, meta: {lineage: {}}}]\n",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_models_with_lineage_are_tables_of_the_folders_layer(folder):
    layers = load_map(folder / "dags/m.yaml").content.layers
    assert {name: list(layer.tables) for name, layer in layers.items()} == {
        "staging": ["stg_orders"],
        "marts": ["revenue"],
        "seeds": ["countries"],
    }
    assert layers["staging"].title == "Staging"
    assert layers["staging"].tables["stg_orders"].sources == ("shop.orders",)


def test_the_columns_of_a_table_are_those_that_dbt_lists_with_their_types(folder):
    table = load_map(folder / "dags/m.yaml").content.layers["marts"].tables["revenue"]
    assert table.unique_key == ("id",)
    assert {name: (column.type, column.sources) for name, column in table.columns.items()} == {
        "id": ("", None),
        "revenue": ("decimal(12, 2)", ("staging.stg_orders.amount",)),
        "total": ("", ("staging.stg_orders.amount",)),
    }
    assert table.columns["revenue"].subtype == "AGGREGATION"


@pytest.mark.parametrize(
    ("path", "file", "line"),
    [
        (("layers", "staging", "tables", "stg_orders", "from"), "staging/schema.yml", 5),
        (("layers", "marts", "tables", "revenue"), "marts/finance/schema.yml", 7),
        (("layers", "marts", "tables", "revenue", "from", 1), "marts/finance/schema.yml", 8),
        (("layers", "marts", "tables", "revenue", "columns", "id"), "marts/finance/schema.yml", 11),
        (("layers", "marts", "tables", "revenue", "columns", "revenue"), "marts/finance/schema.yml", 15),
    ],
)
def test_positions_are_those_in_dbts_yaml(folder, path, file, line):
    where = load_map(folder / "dags/m.yaml").where(*path)
    assert (where.file, where.line) == (str(folder / "dbt_project/models" / file), line)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{from: shop.orders}", "[shop.orders]", "schema.yml:5:12: meta.lineage of a model is a mapping"),
        (
            "{from: shop.orders}",
            "{form: shop.orders}",
            "schema.yml:5:22: unknown key 'form'; did you mean 'from'",
        ),
        (
            "seeds:\n  - name: countries\n    config: {meta: {lineage: {layer: seeds}}}",
            "seeds: [{name: stg_orders, meta: {lineage: {}}}]",
            "schema.yml:8:35: staging.stg_orders is documented twice in this file; remove one",
        ),
    ],
)
def test_what_is_wrong_in_dbts_yaml_is_said_with_its_line(folder, old, new, message):
    file = folder / "dbt_project/models/staging/schema.yml"
    file.write_text(STAGING.replace(old, new))
    with pytest.raises(MapError) as caught:
        load_map(folder / "dags/m.yaml")
    assert message in str(caught.value)


def test_a_table_in_the_map_and_in_dbts_yaml_is_refused(folder):
    (folder / "dags/m.yaml").write_text(MAIN.replace("{title: Staging}", "{tables: [stg_orders]}"))
    with pytest.raises(MapError, match=r"stg_orders is defined in .*m.yaml:3 already; remove one"):
        load_map(folder / "dags/m.yaml")

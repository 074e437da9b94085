"""A dbt manifest in, graph out."""

import msgspec
import pytest

from airflow_lineage_provider.graph import ColumnRef
from airflow_lineage_provider.lineage_map import bindings_of, parse_map
from airflow_lineage_provider.readers import ManifestError, load_manifest, read_manifest
from airflow_lineage_provider.readers.manifest_file import Manifest, ManifestColumn, ManifestContract


def small(**nodes):
    """A manifest of models {name: (parents, SQL)}, as small as can be."""
    made = {
        f"model.p.{name}": {
            "unique_id": f"model.p.{name}",
            "name": name,
            "resource_type": "model",
            "database": "db",
            "schema": "s",
            "config": {"materialized": "ephemeral" if name.startswith("e_") else "table"},
            "depends_on": {"nodes": [f"model.p.{parent}" for parent in parents]},
            "compiled_code": code,
        }
        for name, (parents, code) in nodes.items()
    }
    return msgspec.convert({"nodes": made, "metadata": {"adapter_type": "duckdb"}}, Manifest)


NO_BINDINGS = bindings_of(parse_map("document: {}"))


def test_an_ephemeral_model_stands_for_what_it_reads():
    planned = read_manifest(
        small(
            a=((), "select 1 as x"),
            e_b=(("a",), "select x from db.s.a"),
            c=(("e_b",), "with __dbt__cte__e_b as (select x from db.s.a) select x from __dbt__cte__e_b"),
        ),
        NO_BINDINGS,
    )
    assert set(planned.graph.edges) == {("s.a", "s.c")}
    assert planned.graph.column_edge(ColumnRef("s.a", "x"), ColumnRef("s.c", "x"))


def test_a_star_is_expanded_from_the_model_that_it_reads():
    planned = read_manifest(
        small(a=((), "select 1 as x, 2 as y"), b=(("a",), "select * from db.s.a")), NO_BINDINGS
    )
    assert list(planned.graph.datasets["s.b"].columns) == ["x", "y"]


def test_snowflake_folds_names_to_capitals_and_the_map_does_not():
    environments = (
        "{prod: {bindings: [{dataset: '{s}.{t}', namespace: x, name: 'DB.{s}.{t}', ignore_case: true}]}}"
    )
    bindings = bindings_of(parse_map(f"document: {{}}\nenvironments: {environments}"), "prod")
    manifest = small(a=((), "select 1 as x"), b=(("a",), "select X from db.s.a"))
    manifest.metadata.adapter_type = "snowflake"
    graph = read_manifest(manifest, bindings).graph
    assert list(graph.datasets["s.b"].columns) == ["x"]
    assert graph.column_edge(ColumnRef("s.a", "x"), ColumnRef("s.b", "x"))


def test_a_model_without_compiled_sql_is_a_problem():
    planned = read_manifest(small(a=((), None)), NO_BINDINGS)
    assert planned.problems == ("db.s.a is not compiled, so its columns are not known; run `dbt compile`",)


def test_a_cycle_is_one_line():
    with pytest.raises(ManifestError, match="the manifest has a cycle: "):
        read_manifest(small(a=(("b",), "select 1"), b=(("a",), "select 1")), NO_BINDINGS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not a dbt manifest: Input data was truncated"),
        (b"{}", "not a dbt manifest: Object missing required field `nodes`"),
        (
            b'{"nodes": {"a": {"unique_id": 1}}}',
            r"Expected `str`, got `int` - at `\$.nodes\[...\].unique_id`",
        ),
        (b"\xff", "not a dbt manifest"),
        (b"[" * 100_000, "not a dbt manifest"),
    ],
)
def test_an_invalid_manifest_is_one_line(tmp_path, content, message):
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(ManifestError, match=message) as error:
        load_manifest(tmp_path / "manifest.json")
    assert "\n" not in str(error.value)


def test_relations_of_one_name_in_two_databases_are_two_datasets():
    manifest = small(a=((), "select 1 as x"), b=(("a",), "select x from other.s.a"))
    manifest.nodes["model.p.a"].database = "other"
    manifest.nodes["model.p.b"].alias = "a"
    graph = read_manifest(manifest, NO_BINDINGS).graph
    assert set(graph.edges) == {("other.s.a", "db.s.a")}


def test_a_lattice_of_ephemeral_models_is_read_in_one_pass():
    nodes = {"a": ((), "select 1 as x")}
    layer = ("a",)
    for depth in range(10):
        names = tuple(f"e_{depth}_{number}" for number in range(5))
        nodes |= dict.fromkeys(names, (layer, "select 1 as x"))
        layer = names
    nodes["z"] = (layer, "select x from db.s.a")
    assert set(read_manifest(small(**nodes), NO_BINDINGS).graph.edges) == {("s.a", "s.z")}


@pytest.mark.parametrize("kind", ["e_", "m_"], ids=["ephemeral models", "tables"])
def test_a_chain_of_5000_models_does_not_exceed_the_stack(kind):
    nodes = {"a": ((), "select 1 as x")}
    parent = "a"
    for number in range(5_000):
        nodes[f"{kind}{number}"] = ((parent,), f"select x from db.s.{'a' if kind == 'e_' else parent}")
        parent = f"{kind}{number}"
    nodes["z"] = ((parent,), f"select x from db.s.{'a' if kind == 'e_' else parent}")
    graph = read_manifest(small(**nodes), NO_BINDINGS).graph
    assert graph.parents("s.z") == (["s.a"] if kind == "e_" else [f"s.{parent}"])


SEEDS = """
document: {}
sources: {files: {type: file, datasets: {orders.csv: raw.orders}}}
layers: {raw: {tables: [orders]}}
environments:
  dev:
    bindings:
      - {dataset: "files.orders.csv", namespace: file, name: "*/seeds/orders.csv"}
      - {dataset: "{layer}.{table}", namespace: "*", name: "db.{layer}.{table}"}
"""


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        (SEEDS, {("files.orders.csv", "raw.orders")}),
        (SEEDS.replace("sources: {files: {type: file, datasets: {orders.csv: raw.orders}}}\n", ""), set()),
    ],
    ids=["documented", "not documented"],
)
def test_the_file_of_a_seed_is_an_input_where_the_map_documents_it(text, edges):
    manifest = small(orders=((), None))
    seed = manifest.nodes["model.p.orders"]
    seed.resource_type, seed.schema, seed.root_path = "seed", "raw", "/srv/shop"
    seed.original_file_path = "seeds/orders.csv"
    found = read_manifest(manifest, bindings_of(parse_map(text), "dev"))
    assert set(found.graph.edges) == edges
    assert found.problems == ()


def test_an_enforced_contract_is_evidence_of_columns_and_types():
    manifest = small(a=((), None))
    node = manifest.nodes["model.p.a"]
    node.columns = msgspec.convert({"x": {"name": "x", "data_type": "int"}}, dict[str, ManifestColumn])
    assert read_manifest(manifest, NO_BINDINGS).graph.datasets["s.a"].columns == {}
    node.config.contract = msgspec.convert({"enforced": True}, ManifestContract)
    (column,) = read_manifest(manifest, NO_BINDINGS).graph.datasets["s.a"].columns.values()
    assert (column.name, column.type) == ("x", "int")

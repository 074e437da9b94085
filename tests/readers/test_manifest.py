"""A dbt manifest in, graph out."""

import msgspec
import pytest

from airflow_lineage_provider.graph import ColumnRef
from airflow_lineage_provider.lineage_map import bindings_of, parse_map
from airflow_lineage_provider.readers import ManifestError, load_manifest, read_manifest
from airflow_lineage_provider.readers.manifest import Manifest


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


def test_what_is_not_compiled_is_said():
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
def test_what_is_no_manifest_is_one_line(tmp_path, content, message):
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(ManifestError, match=message) as error:
        load_manifest(tmp_path / "manifest.json")
    assert "\n" not in str(error.value)

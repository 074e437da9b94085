"""Lineage of a project: order of models, inferred schemas, and the cache."""

import sqlite3

import pytest

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.sql.cache import Cache
from airflow_lineage_provider.sql.project import Model, project_lineage

MODELS = [
    Model("mart", "select k, sum(amount) as total from main.stg group by 1", "main.mart", ("stg",)),
    Model("stg", "with s as (select * from raw.orders) select id as k, * exclude (id) from s", "main.stg"),
]
RAW = {"raw.orders": ["id", "amount", "tax"]}


def lineage(models=MODELS, schema=RAW, **options):
    return dict(project_lineage(models, dialect="duckdb", schema=schema, **options))


def sources(lineage, name):
    """The sources of one output column."""
    return next(column.sources for column in lineage.columns if column.name == name)


def names(one):
    return [column.name for column in one.columns]


def test_a_models_outputs_are_the_schema_of_its_children():
    found = lineage()
    assert list(found) == ["stg", "mart"]
    assert names(found["stg"]) == ["k", "amount", "tax"]
    assert str(sources(found["mart"], "total")[0].table) == "main.stg"
    assert found["mart"].problems == ()


def test_a_column_missing_in_the_parent_is_reported_in_the_child():
    narrow = [MODELS[0], Model("stg", "select id as k from raw.orders", "main.stg")]
    assert "'amount'" in str(lineage(narrow)["mart"].problems[0])


def test_the_second_run_uses_only_the_cache(tmp_path, monkeypatch):
    cache = tmp_path / "deep" / "lineage.db"
    first = lineage(cache=cache)
    monkeypatch.setattr("airflow_lineage_provider.sql.project.analyse", None)  # calling it would fail
    assert lineage(cache=cache) == first


def test_a_changed_schema_changes_the_answer(tmp_path):
    cache = tmp_path / "lineage.db"
    lineage(cache=cache)
    wider = lineage(schema={"raw.orders": ["id", "amount", "tax", "status"]}, cache=cache)
    assert names(wider["stg"]) == ["k", "amount", "tax", "status"]


def test_a_changed_statement_changes_the_answer(tmp_path):
    cache = tmp_path / "lineage.db"
    lineage(cache=cache)
    changed = [MODELS[0], Model("stg", "select id as k, tax as amount from raw.orders", "main.stg")]
    assert [s.column for s in sources(lineage(changed, cache=cache)["stg"], "amount")] == ["tax"]


def test_a_damaged_cache_is_ignored(tmp_path):
    cache = tmp_path / "lineage.db"
    cache.write_bytes(b"no database at all" * 100)
    assert lineage(cache=cache) == lineage()


def test_a_damaged_row_is_ignored(tmp_path):
    cache = tmp_path / "lineage.db"
    expected = lineage(cache=cache)
    with sqlite3.connect(cache) as store:
        store.execute("update lineage set entry = '{}'")
    assert lineage(cache=cache) == expected


def test_a_cached_entry_is_loaded_unchanged(tmp_path):
    cache = Cache(tmp_path / "lineage.db")
    entry = (lineage()["mart"], (("main", "stg"),))
    cache.save({"a": ("schemas", entry)})
    assert cache.load(["a", "b"]) == {"a": ("schemas", entry)}


def test_many_models_over_several_processes():
    models = [Model(f"m{i}", f"select id + {i} as x from raw.orders", f"main.m{i}") for i in range(1600)]
    models.append(
        Model("last", "select m0.x + m1599.x as y from main.m0, main.m1599", "main.last", ("m0", "m1599"))
    )
    found = lineage(models, processes=2)
    assert len(found) == len(models)
    assert [str(s.table) for s in sources(found["last"], "y")] == ["main.m0", "main.m1599"]


def test_a_circle_is_reported():
    circle = [Model("a", "select 1 as x", "a", ("b",)), Model("b", "select 1 as x", "b", ("a",))]
    with pytest.raises(InputError, match=r"in a circle: (a -> b -> a|b -> a -> b)"):
        lineage(circle)


def test_a_repeated_id_is_reported():
    with pytest.raises(InputError, match="two models have the id 'stg'"):
        lineage([MODELS[1], MODELS[1]])

"""A whole project: parents before children, inferred schemas, and the cache."""

import sqlite3

import pytest

from airflow_lineage_provider.sql.cache import Cache
from airflow_lineage_provider.sql.project import Model, project_lineage

MODELS = [
    Model("mart", "select k, sum(amount) as total from main.stg group by 1", "main.mart", ("stg",)),
    Model("stg", "with s as (select * from raw.orders) select id as k, * exclude (id) from s", "main.stg"),
]
RAW = {"raw.orders": ["id", "amount", "tax"]}


def lineage(models=MODELS, schema=RAW, **options):
    return dict(project_lineage(models, dialect="duckdb", schema=schema, **options))


def names(one):
    return [column.name for column in one.columns]


def test_a_models_outputs_are_the_schema_of_its_children():
    found = lineage()
    assert list(found) == ["stg", "mart"]
    assert names(found["stg"]) == ["k", "amount", "tax"]
    assert str(found["mart"].column("total").sources[0].table) == "main.stg"
    assert found["mart"].problems == ()


def test_a_column_that_a_parent_lost_is_reported_in_the_child():
    narrow = [MODELS[0], Model("stg", "select id as k from raw.orders", "main.stg")]
    assert "'amount'" in str(lineage(narrow)["mart"].problems[0])


def test_the_second_run_takes_everything_from_the_cache(tmp_path, monkeypatch):
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
    assert [s.column for s in lineage(changed, cache=cache)["stg"].column("amount").sources] == ["tax"]


def test_a_damaged_cache_is_no_error(tmp_path):
    cache = tmp_path / "lineage.db"
    cache.write_bytes(b"no database at all" * 100)
    assert lineage(cache=cache) == lineage()


def test_a_damaged_row_is_no_error(tmp_path):
    cache = tmp_path / "lineage.db"
    expected = lineage(cache=cache)
    with sqlite3.connect(cache) as store:
        store.execute("update lineage set entry = '{}'")
    assert lineage(cache=cache) == expected


def test_what_the_cache_keeps_is_what_it_gives_back(tmp_path):
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
    assert [str(s.table) for s in found["last"].column("y").sources] == ["main.m0", "main.m1599"]


def test_a_circle_is_named():
    circle = [Model("a", "select 1 as x", "a", ("b",)), Model("b", "select 1 as x", "b", ("a",))]
    with pytest.raises(ValueError, match=r"in a circle: (a -> b -> a|b -> a -> b)"):
        lineage(circle)


def test_an_id_that_comes_twice_is_named():
    with pytest.raises(ValueError, match="model 'stg' comes twice"):
        lineage([MODELS[1], MODELS[1]])

"""DbtLayerOperator in a DAG file: its Asset, and a DAG that is scheduled on it."""

from datetime import UTC, datetime

import pytest
from airflow.sdk import DAG, Asset, AssetAlias

from airflow_lineage_provider.errors import LineageError
from airflow_lineage_provider.operators.dbt import DbtLayerOperator, _mapping, layer_asset
from airflow_lineage_provider.utils.dbt_assets import model_asset, models_alias


def operator(**options):
    with DAG("shop", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None):
        return DbtLayerOperator(task_id="dbt", **{"project_dir": "/opt/dbt/shop", **options})


def test_a_layers_asset_is_an_outlet():
    gold = layer_asset("/opt/dbt/shop", "gold")
    assert (gold.name, gold.uri) == ("shop.gold", "dbt://shop/gold")
    assert operator(layer="gold").outlets == [gold]


def test_the_asset_is_added_to_given_outlets():
    report = Asset("report")
    assert operator(layer="gold", outlets=[report]).outlets == [report, layer_asset("/opt/dbt/shop", "gold")]


def test_an_outlet_that_is_named_for_a_mapped_task_is_one_outlet():
    gold = layer_asset("/opt/dbt/shop", "gold")
    assert operator(layer="gold", outlets=[gold]).outlets == [gold]


@pytest.mark.parametrize("command", ["test", "freshness", "run-operation"])
def test_commands_that_write_nothing_update_no_asset(command):
    assert operator(layer="gold", command=command).outlets == []


def test_a_task_without_a_layer_updates_no_asset():
    assert operator(select="gold").outlets == []


@pytest.mark.parametrize(
    "layer", ["+gold", "tag:nightly", "silver gold", "config.materialized:view", "@gold+1"]
)
def test_any_selector_is_a_layer(layer):
    (asset,) = operator(layer=layer).outlets
    assert layer in asset.name


def test_another_dag_can_be_scheduled_on_gold():
    from airflow.serialization.serialized_objects import DagSerialization

    with DAG("reports", schedule=layer_asset("/elsewhere/shop", "gold")) as reports:
        pass
    stored = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(reports))
    (awaited,) = {asset.uri for _, asset in stored.timetable.asset_condition.iter_assets()}
    (updated,) = operator(layer="gold").outlets
    assert awaited == updated.uri == "dbt://shop/gold"


def test_another_dag_can_be_scheduled_on_one_model_or_on_any_of_a_project():
    assert operator(select="gold", model_assets=True).outlets == [models_alias("/opt/dbt/shop")]
    assert operator(layer="gold", model_assets=True).outlets[1] == AssetAlias("shop.models")
    behavior = model_asset("/elsewhere/shop", "gold.customer_behavior")
    assert (behavior.name, behavior.uri) == (
        "shop.gold.customer_behavior",
        "dbt://shop/gold/customer_behavior",
    )
    with DAG("reports", schedule=[behavior, models_alias("/opt/dbt/shop")]):
        pass


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("text", [BOMB, "[" * 100_000, "a: 1\na: 2", "!!python/object:os.system {}"])
def test_vars_rendered_to_hostile_yaml_are_rejected(text):
    with pytest.raises(LineageError) as error:
        _mapping("vars", text)
    assert "\n" not in str(error.value)

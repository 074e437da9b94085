"""What `airflow providers` shows of this provider."""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path

import airflow
import pytest
from airflow.sdk._shared.module_loading import import_string
from jsonschema import Draft7Validator

from airflow_lineage_provider import __version__
from airflow_lineage_provider.get_provider_info import get_provider_info

SCHEMA = json.loads(Path(airflow.__file__).with_name("provider_info.schema.json").read_text())
ROOMS = {"operators": "Operator", "sensors": "Sensor", "triggers": "Trigger", "hooks": "Hook"}


def modules(info: dict, room: str) -> set[str]:
    return {module for entry in info[room] for module in entry["python-modules"]}


def test_the_metadata_is_what_airflow_asks_for():
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(get_provider_info())] == []


@pytest.mark.parametrize("room", ROOMS)
def test_what_it_names_are_the_modules_that_define_such_classes(room):
    package = importlib.import_module(f"airflow_lineage_provider.{room}")
    defining = set()
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        classes = vars(importlib.import_module(found.name)).items()
        endings = (ROOMS[room], "Publisher") if room == "operators" else ROOMS[room]
        if any(name.endswith(endings) and made.__module__ == found.name for name, made in classes):
            defining.add(found.name)
    assert modules(get_provider_info(), room) == defining


def test_every_class_named_is_there():
    info = get_provider_info()
    paths = [*info["extra-links"], *(plugin["plugin-class"] for plugin in info["plugins"])]
    paths += [connection["hook-class-name"] for connection in info["connection-types"]]
    for path in paths:
        assert import_string(path).__name__ == path.rpartition(".")[2]


def test_every_integration_used_is_declared():
    info = get_provider_info()
    declared = {integration["integration-name"] for integration in info["integrations"]}
    assert {entry["integration-name"] for room in ROOMS for entry in info[room]} == declared


def test_airflow_lists_the_provider(airflow):
    listed = {provider["package_name"]: provider["version"] for provider in airflow("providers", "list")}
    assert listed["airflow-lineage-provider"] == __version__


def test_airflow_shows_what_is_in_it(airflow):
    (shown,) = airflow("providers", "get", "airflow-lineage-provider", "--full")
    assert {
        "airflow_lineage_provider.operators.dbt",
        "airflow_lineage_provider.sensors.lineage",
        "airflow_lineage_provider.triggers.lineage",
        "airflow_lineage_provider.hooks.event_store",
    } <= set().union(*(modules(shown, room) for room in ROOMS))
    assert shown["connection-types"][0]["connection-type"] == "lineage_store"
    assert shown["extra-links"] == [
        "airflow_lineage_provider.links.data_docs.DataDocsLink",
        "airflow_lineage_provider.links.lineage.LineageLink",
        "airflow_lineage_provider.links.lineage.LineageReportLink",
    ]
    assert shown["plugins"][0]["plugin-class"].endswith(".LineagePlugin")
    assert "store" in shown["config"]["airflow_lineage"]["options"]


def test_airflow_opens_the_connection_type_with_our_hook(airflow):
    hooks = {hook["connection_type"]: hook for hook in airflow("providers", "hooks")}
    assert hooks["lineage_store"]["class"] == "airflow_lineage_provider.hooks.event_store.EventStoreHook"
    assert hooks["lineage_store"]["hook_name"] == "Lineage event store"


def test_airflow_loads_the_plugin_with_its_page_and_its_link(airflow):
    plugins = {plugin["name"]: plugin for plugin in airflow("plugins")}
    assert plugins["lineage"]["fastapi_apps"][0]["url_prefix"] == "/lineage"
    links = plugins["lineage"]["operator_extra_links"]
    assert ["LineageReportLink" in links[1], "LineageLink" in links[0]] == [True, True]

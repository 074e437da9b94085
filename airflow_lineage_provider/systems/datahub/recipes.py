"""Recipes of DataHub's own ingestions, from the catalog section of a map and from connections.

Each recipe is a file of its own, in DataHub's terms; older and shorter names that a map uses are translated.
Secrets are never written: a recipe refers to variables, which DataHub replaces when it reads the recipe.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map.bindings import scheme_of
from airflow_lineage_provider.readers.datahub_names import platform_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.systems.connection import Connection

    Settings = dict[str, Any]

SOURCES = ("snowflake", "dbt", "tableau")
"""The ingestions that there is a recipe for, where the map does not name its own."""
_SECRET = re.compile(r"pass(word|phrase)?$|secret|token(_value)?$|private_key$|api_key", re.IGNORECASE)
_SNOWFLAKE_HOST = re.compile(
    r"(?:https?://)?(?P<account>[^/:]+?)(?:\.snowflakecomputing\.(?:com|cn))?(?::\d+)?/?"
)


def recipes(
    lineage_map: LineageMap,
    environment: str | None = None,
    connections: Mapping[str, Connection] | None = None,
    file: str = "",
) -> dict[str, Settings]:
    """Return a recipe for each ingestion by its source type.

    `connections` are by source type. `file` is the metadata file to write instead of sending to the server.
    Raises InputError where an ingestion lacks what its source cannot do without.
    """
    ingestions = lineage_map.content.catalog.ingestion
    found = {}
    for name in dict.fromkeys((*SOURCES, *ingestions)):
        given = {key: yaml.safe_load(value) for key, value in ingestions.get(name, {}).items()}
        connection = (connections or {}).get(name)
        translate = _TRANSLATIONS.get(name)
        platform = _platform(lineage_map, environment)
        config = translate(given, connection, platform) if translate else given
        if name == "dbt" and file:
            config.setdefault("write_semantics", "OVERRIDE")  # a patch needs a server to apply it to
        found[name] = {
            "source": {"type": name, "config": _without_secrets(name, config)},
            "sink": _sink(file),
        }
    return found


def recipe_text(name: str, recipe: Settings) -> str:
    """Return a recipe as the YAML of its file."""
    head = f"# DataHub's ingestion of {name}: datahub ingest -c FILE. Variables come from the environment.\n"
    return head + yaml.safe_dump(recipe, sort_keys=False, width=1_000)


def _sink(file: str) -> Settings:
    if file:
        return {"type": "file", "config": {"filename": file}}
    server = {"server": "${DATAHUB_GMS_URL:-http://localhost:8080}", "token": "${DATAHUB_GMS_TOKEN:-}"}
    return {"type": "datahub-rest", "config": server}


def _platform(lineage_map: LineageMap, environment: str | None) -> str:
    """Return the platform of the warehouse: that of the first binding of the layers.

    Of several environments a Snowflake one is meant, as in the ingestions that there are recipes for.
    """
    places = lineage_map.content.environments
    if environment is not None and environment not in places:
        raise InputError(f"no environment {environment!r}; the map has {', '.join(places) or 'none'}")
    chosen = [places[environment]] if environment is not None else list(places.values())
    layers = tuple(f"{layer}." for layer in lineage_map.content.layers)
    bound = [
        platform_of(scheme_of(binding.namespace))
        for place in chosen
        for binding in place.bindings
        if binding.dataset.startswith(("{layer}", *layers))
    ]
    if environment is None and "snowflake" in bound:
        return "snowflake"
    return bound[0] if bound else "snowflake"


def _snowflake(given: Settings, connection: Connection | None, _: str) -> Settings:
    extra = connection.extra if connection else {}
    account = given.pop("account_id", None) or extra.get("account")
    if host := given.pop("host_port", None):
        found = _SNOWFLAKE_HOST.fullmatch(str(host))
        account = account or (found["account"] if found else "")
    if not account:
        raise InputError("the ingestion of snowflake names no account: write account_id in the map's catalog")
    config: Settings = {"account_id": account, **_snowflake_login(given, connection)}
    for key in ("role", "warehouse"):
        config[key] = given.pop(key, None) or extra.get(key) or f"${{SNOWFLAKE_{key.upper()}}}"
    if database := given.pop("database", None) or extra.get("database"):
        config["database_pattern"] = {"allow": [f"^{re.escape(str(database).upper())}$"]}
    config |= {"include_table_lineage": True, "include_column_lineage": True}
    return config | given


def _snowflake_login(given: Settings, connection: Connection | None) -> Settings:
    user = given.pop("username", None) or (connection.login if connection else "") or "${SNOWFLAKE_USER}"
    key = (connection.extra if connection else {}).get("private_key_file")
    if key:
        return {
            "username": user,
            "authentication_type": "KEY_PAIR_AUTHENTICATOR",
            "private_key_path": str(key),
            "private_key_password": "${SNOWFLAKE_PRIVATE_KEY_PASSWORD}",
        }
    return {"username": user, "password": "${SNOWFLAKE_PASSWORD}"}


def _dbt(given: Settings, _: Connection | None, platform: str) -> Settings:
    if results := given.pop("run_results_path", None):
        given.setdefault("run_results_paths", [results])
    config: Settings = {
        "manifest_path": given.pop("manifest_path", "target/manifest.json"),
        "catalog_path": given.pop("catalog_path", "target/catalog.json"),
        "target_platform": given.pop("target_platform", platform),
        "include_column_lineage": bool(given.pop("extract_lineage", True)),
    }
    return config | given


def _tableau(given: Settings, connection: Connection | None, _: str) -> Settings:
    uri = given.pop("connect_uri", None) or (connection.host if connection else "")
    if not uri:
        raise InputError("the ingestion of tableau names no server: write connect_uri in the map's catalog")
    site = given.pop("site", None) or (connection.extra.get("site_id") if connection else "") or ""
    config: Settings = {
        "connect_uri": uri if "://" in str(uri) else f"https://{uri}",
        "site": site,
        "token_name": given.pop("token_name", "${TABLEAU_TOKEN_NAME}"),
        "token_value": "${TABLEAU_TOKEN_VALUE}",
    }
    if (lineage := given.pop("extract_lineage", None)) is not None:
        config["extract_column_level_lineage"] = bool(lineage)
    return config | given


def _without_secrets(name: str, config: Settings) -> Settings:
    """Replace what is named like a secret by a variable, unless it is one already."""
    return {
        key: f"${{{name.upper()}_{key.upper()}}}"
        if _SECRET.search(key) and isinstance(value, str) and not value.startswith("${")
        else value
        for key, value in config.items()
    }


_TRANSLATIONS: Mapping[str, Callable[[Settings, Connection | None, str], Settings]] = {
    "snowflake": _snowflake,
    "dbt": _dbt,
    "tableau": _tableau,
}

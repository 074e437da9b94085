"""Run in an environment with dbt's adapters and without Airflow: profiles, through the adapters' own classes.

stdin: a JSON list of [profile output, environment variables]. stdout: for each the fields that the
credentials class has of it, what it does not know, and the warehouse as this package sees it.
"""

import importlib
import importlib.util
import json
import re
import sys
import types
from dataclasses import asdict, fields
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "airflow_lineage_provider"
# The credentials class of an adapter, and its module.
CLASSES = {
    "athena": "connections.AthenaCredentials",
    "bigquery": "credentials.BigQueryCredentials",
    "clickhouse": "credentials.ClickHouseCredentials",
    "databricks": "credentials.DatabricksCredentials",
    "mysql": "connections.MySQLCredentials",
    "redshift": "connections.RedshiftCredentials",
    "sqlserver": "sqlserver_credentials.SQLServerCredentials",
    "trino": "connections.TrinoCredentialsFactory",
}


def main():
    bare("airflow_lineage_provider", PACKAGE)
    bare("airflow_lineage_provider.dbt", PACKAGE / "dbt")
    dbt_1_7()
    json.dump([checked(output, variables) for output, variables in json.load(sys.stdin)], sys.stdout)


def bare(name, folder):
    """Let the modules of a package be imported without its `__init__`, which imports all that it has."""
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module
    above, _, own = name.rpartition(".")
    if above:
        setattr(sys.modules[above], own, module)
    return module


def dbt_1_7():
    """Give the modules of dbt 1.7, for which the newest dbt-mysql was made; its client is not needed."""
    import dbt.adapters.contracts.connection
    import dbt.adapters.events.logging
    import dbt_common.exceptions

    sys.modules["dbt.exceptions"] = dbt.exceptions = dbt_common.exceptions
    bare("dbt.contracts", "")
    sys.modules["dbt.contracts.connection"] = dbt.adapters.contracts.connection
    sys.modules["dbt.events"] = dbt.adapters.events.logging
    for client in ("mysql", "mysql.connector", "mysql.connector.constants"):
        bare(client, "")


def checked(output, variables):
    from airflow_lineage_provider.dbt.warehouse import warehouse_at

    given = rendered(output, variables)
    kind = given.pop("type")
    found = class_of(kind)
    data = found.translate_aliases(given)
    found.validate(data)
    credentials = found.from_dict(data)
    names = {field.name for field in fields(credentials)} if kind != "mysql" else set(dir(type(credentials)))
    has = {name: plain(getattr(credentials, name)) for name in data if name in names}
    unknown = sorted(set(data) - names - {"threads", "method"})
    return {"has": has, "unknown": unknown, "warehouse": asdict(warehouse_at(credentials))}


def class_of(kind):
    folder = importlib.util.find_spec("dbt.adapters").submodule_search_locations
    if f"dbt.adapters.{kind}" not in sys.modules:
        (place,) = [Path(one, kind) for one in folder if Path(one, kind).is_dir()]
        bare(f"dbt.adapters.{kind}", place)
    module, _, name = CLASSES[kind].partition(".")
    return getattr(importlib.import_module(f"dbt.adapters.{kind}.{module}"), name)


def rendered(value, variables):
    """Return the profile with its variables, as dbt renders it."""
    if isinstance(value, dict):
        return {key: rendered(inner, variables) for key, inner in value.items()}
    named = re.fullmatch(r"\{\{ env_var\('(\w+)'\) \}\}", value) if isinstance(value, str) else None
    return variables[named[1]] if named else value


def plain(value):
    return value if isinstance(value, (str, int, float, bool, dict, list, type(None))) else value.value


if __name__ == "__main__":
    main()

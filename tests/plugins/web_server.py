"""Airflow's web server over seeded DAGs: `python -m tests.plugins.web_server SEEDS`, with AIRFLOW_HOME set.

It prints its port once it listens. SEEDS is `two`, `large` or `hostile`.
"""

from __future__ import annotations

import os
import socket
import sys

from .seeds import Table, seed

PEOPLE = ("ann", "bob", "carl")
"""Ann may read the DAG `first`, Bob the DAG `second`, and Carl both; with FAB. Passwords are the names."""
FIRST = [
    Table("bronze.first_orders", ("id", "amount")),
    Table("silver.first_orders", ("id", "amount"), ("bronze.first_orders",)),
    Table("gold.first_revenue", ("amount",), ("silver.first_orders",)),
]
SECOND = [
    Table("bronze.second_salaries", ("person", "salary")),
    Table("silver.second_salaries", ("person", "salary"), ("bronze.second_salaries",)),
]
UNDOCUMENTED = Table("gold.first_extra", ("amount",), ("silver.first_orders",))

HOSTILE = (
    "<img src=x onerror=\"window.executed='yes'\">",
    '\'; "quoted" \\ `back` ${tick} --',
    "\u0627\u0644\u0637\u0644\u0628\u0627\u062a \u202etxt:exe",
    "\U0001f986\U0001f4e6 \U0001f469\u200d\U0001f469\u200d\U0001f467 emoji",
    "wide_" * 100,
)
"""Names with HTML, quotes, right-to-left text and its override, emoji, and 500 characters."""


def hostile() -> list[Table]:
    """Return a chain of tables whose names, and their columns' names, are hostile."""
    found = [Table("bronze.source", HOSTILE)]
    for name in HOSTILE:
        found.append(Table(f"silver.{name}", HOSTILE, ("bronze.source",)))
        found.append(Table(f"gold.{name}", HOSTILE, (f"silver.{name}",)))
    return found


def large(tables: int, columns: int) -> list[Table]:
    """Return tables in chains of five layers, each reading the table before it in two chains."""
    names = tuple(f"column_{number}" for number in range(columns))
    found = []
    chains = tables // 5
    for layer in range(5):
        for chain in range(chains):
            inputs = (f"l{layer - 1}.t{chain}", f"l{layer - 1}.t{(chain + 1) % chains}") if layer else ()
            found.append(Table(f"l{layer}.t{chain}", names, inputs))
    return found


def seeded(kind: str) -> None:
    """Fill Airflow's database and the event store."""
    from airflow.utils.db import initdb

    from airflow_lineage_provider.hooks.event_store import EventStoreHook

    initdb()
    store = EventStoreHook().get_conn()
    if kind == "large":
        tables = large(2_000, 20)
        seed(store, "large", tables, tables, runs=1)
    elif kind == "hostile":
        seed(store, "hostile", hostile()[:-1], hostile(), runs=1)
    else:
        seed(store, "first", FIRST, [*FIRST, UNDOCUMENTED])
        seed(store, "second", SECOND, SECOND)
    store.close()


def fab_users() -> None:
    """Give each person a role that reads the task instances of some DAGs."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        security = builder.sm
        common = [("can_read", "Task Instances"), ("can_read", "DAG Runs"), ("can_read", "Website")]
        for person, dags in zip(PEOPLE, (("first",), ("second",), ("first", "second")), strict=True):
            wanted = [*common, *(("can_read", f"DAG:{dag_id}") for dag_id in dags)]
            role = security.add_role(person)
            for action, resource in wanted:
                permission = security.create_permission(action, resource)
                security.add_permission_to_role(role, permission)
            email = f"{person}@example.com"
            assert security.add_user(person, person, person, email, role, password=person)


def main() -> None:
    """Fill the stores and serve."""
    seeded(sys.argv[1])
    if "FabAuthManager" in os.environ.get("AIRFLOW__CORE__AUTH_MANAGER", ""):
        fab_users()
    import uvicorn
    from airflow.api_fastapi.app import create_app

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    server = uvicorn.Server(uvicorn.Config(create_app("core"), log_level="warning"))
    sys.stdout.write(f"PORT {listening.getsockname()[1]}\n")
    sys.stdout.flush()
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()

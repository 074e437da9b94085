import json
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "dbt"))
sys.path.insert(0, str(Path(__file__).parent))

from airflow_cases import Outcome, run_cases
from dbt_projects import write_project

# Minutes of work on any machine.
ENDLESS = "select count(*) as n from range(1000000) a, range(10000000) b where hash(a.range, b.range) = 1"
TABLE = "{{ config(materialized='table') }} "

MODELS = {
    "models/gold/answer.sql": TABLE + 'select \'{{ var("answer", "none") }}\' as answer',
    "models/gold/other.sql": TABLE + "select 2 as id",
    "models/gold/old.sql": TABLE + "select 3 as id",
    "models/silver/fails.sql": TABLE + "select no_such_column from (select 1 as id)",
    "models/silver/child.sql": "select * from {{ ref('fails') }}",
    "models/bronze/breaks_the_store.py": """
        import sqlite3

        def model(dbt, session):
            dbt.config(materialized="table")
            with sqlite3.connect(dbt.config.get("store")) as store:
                tables = store.execute("select name from sqlite_master where type = 'table'").fetchall()
                for (table,) in tables:
                    if not table.startswith("sqlite_"):
                        store.execute(f'drop table "{table}"')
            return session.sql("select 1 as id")
        """,
    "macros/say.sql": "{% macro say(text) %}{{ log('said: ' ~ text, info=true) }}{% endmacro %}",
    "models/bronze/after_it.sql": TABLE + "select * from {{ ref('breaks_the_store') }}",
}

SLOW = {
    "models/gold/endless.sql": TABLE + ENDLESS,
    "models/gold/after.sql": TABLE + "select * from {{ ref('endless') }}",
}


class Airflow(NamedTuple):
    home: Path
    project: Path
    outcomes: dict[str, Outcome]
    secrets: list[str]

    def __getitem__(self, dag_id):
        return self.outcomes[dag_id]


def broken_store(folder):
    """Return a path at which no file can be created, because one of its folders is a file."""
    (folder / "a_file").write_text("")
    return str(folder / "a_file" / "lineage.db")


def cases(project, slow, broken):
    """Return the DAGs of one task each, by id; the arguments are the folders of dbt projects."""
    here = {"project_dir": project, "profiles_dir": project}
    return {
        "templated": {
            "params": {"answer": "forty-two", "leave": "old", "project": project},
            "operator": {
                "layer": "gold",
                "project_dir": "{{ params.project }}",
                "profiles_dir": "{{ params.project }}",
                "target": "{{ 'dev' }}",
                "vars": {"answer": "{{ params.answer }}"},
                "exclude": "{{ params.leave }}",
                "threads": "{{ 1 + 1 }}",
                "full_refresh": "{{ true }}",
                "command": "{{ 'run' }}",
            },
        },
        "narrowed": {"operator": {"layer": "gold", "select": ["answer", "old"], **here}},
        "own_interpreter": {
            "operator": {"layer": "gold", "select": "answer", "python": sys.executable, **here}
        },
        "bare_interpreter": {"operator": {"layer": "gold", "python": "/no/such/python", **here}},
        "failing": {"operator": {"layer": "silver", **here}},
        "unknown_layer": {"operator": {"layer": "sliver", **here}},
        "no_project": {"operator": {"layer": "gold", "project_dir": "/no/such/project"}},
        "no_profile": {"operator": {"layer": "gold", **here, "profiles_dir": "/no/such/profiles"}},
        "no_target": {"operator": {"layer": "gold", **here, "target": "production"}},
        "unparsable": {"operator": {"layer": "gold", "project_dir": broken, "profiles_dir": broken}},
        "unknown_command": {"operator": {"layer": "gold", "command": "bild", **here}},
        "threads_in_words": {"operator": {"layer": "gold", "threads": "many", **here}},
        "empty_in_words": {"operator": {"layer": "gold", "empty_selection": "ignore", **here}},
        "no_connection": {"operator": {"layer": "gold", "profile_conn_id": "nowhere", **here}},
        "odd_connection": {"operator": {"layer": "gold", "profile_conn_id": "odd", **here}},
        "unwritable_store": {"operator": {"layer": "gold", "store_conn_id": "unwritable", **here}},
        "store_breaks": {"operator": {"layer": "bronze", "store_conn_id": "other_store", **here}},
        "duckdb_connection": {
            "operator": {"layer": "gold", "profile_conn_id": "duck", "project_dir": project}
        },
        "postgres_connection": {
            "operator": {"select": "other", "profile_conn_id": "pg", "project_dir": project}
        },
        "vars_as_text": {
            "params": {"vars": {"answer": "from text"}},
            "operator": {"layer": "gold", "select": "answer", "vars": "{{ params.vars | tojson }}", **here},
        },
        "operation": {
            "operator": {
                "command": "run-operation",
                "operation": "say",
                "operation_args": {"text": "hello"},
                **here,
            }
        },
        "killed": {
            "operator": {"layer": "gold", "project_dir": slow, "profiles_dir": slow},
            "kill_when_started": "gold.endless",
        },
    }


def connections(base, postgres, other_store):
    """Return the Airflow connections that the cases use, by id."""
    return {
        "odd": {"conn_type": "http", "host": "example.com"},
        "unwritable": {"conn_type": "lineage_store", "host": broken_store(base)},
        "other_store": {"conn_type": "lineage_store", "host": str(other_store)},
        "duck": {"conn_type": "duckdb", "host": str(base / "connected.duckdb")},
        "pg": {
            "conn_type": "postgres",
            "host": postgres["PGHOST"],
            "port": int(postgres["PGPORT"]),
            "login": postgres["PGUSER"],
            "password": postgres["PGPASSWORD"],
            "schema": postgres["PGDATABASE"],
        },
    }


@pytest.fixture(scope="session")
def airflow(tmp_path_factory, postgres):
    """Run all cases in one Airflow."""
    base = tmp_path_factory.mktemp("operators")
    home = base / "airflow"
    other_store = base / "other.db"
    project = write_project(base / "shop", MODELS)
    settings = project / "dbt_project.yml"
    bronze = f"bronze: {{breaks_the_store: {{+store: '{other_store}'}}, "
    settings.write_text(settings.read_text().replace("bronze: {", bronze))
    slow = write_project(base / "slow", SLOW, name="slow")
    broken = write_project(base / "broken", {"models/gold/broken.sql": "select {{ 1 + }}"}, name="broken")
    environ = {
        f"AIRFLOW_CONN_{name.upper()}": json.dumps(conn)
        for name, conn in connections(base, postgres, other_store).items()
    }
    ran = cases(str(project), str(slow), str(broken))
    return Airflow(home, project, run_cases(home, ran, environ), [postgres["PGPASSWORD"]])

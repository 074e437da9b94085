"""dbt functions (dbt 1.11): nodes with records of their own, looked through by the models that call them."""

import pytest
from dbt_projects import run, write_files, write_project

RATES = {
    "seeds/rates.csv": "rate\n1\n3\n",
    "functions/best_rate.sql": "select max(rate) * factor from {{ ref('rates') }}",
    "functions/functions.yml": """
        functions:
          - name: best_rate
            description: The highest rate, times a factor.
            arguments: [{name: factor, data_type: integer}]
            returns: {data_type: integer}
        """,
    # dbt's own macro is in the dialect of Postgres.
    "macros/duckdb_function.sql": """
        {% macro duckdb__scalar_function_sql(target_relation) %}
        create or replace function {{ target_relation.render() }}
            ({{ model.arguments | map(attribute='name') | join(', ') }}) as ({{ model.compiled_code }})
        {% endmacro %}
        """,
    "models/prices.sql": "select {{ function('best_rate') }}(2) as price",
    "models/report.sql": "select price from {{ ref('prices') }}",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return write_project(tmp_path_factory.mktemp("functions"), RATES)


def reads(end):
    return [relation.identifier for relation in end.node.inputs]


def test_a_function_is_a_node_with_records(project):
    outcome = run(project)
    assert outcome.statuses == {
        "main.rates": "success",
        "main.best_rate": "success",
        "main.prices": "success",
        "main.report": "success",
    }
    end = outcome.ends["main.best_rate"]
    assert (end.node.resource_type, reads(end), end.node.relation) == ("function", ["rates"], None)
    assert "max(rate)" in end.sql


def test_a_model_reads_what_the_function_that_it_calls_reads(project):
    assert reads(run(project).ends["main.prices"]) == ["rates"]


def test_a_function_that_fails_is_the_reason_of_a_skip(project):
    write_files(project, {"functions/best_rate.sql": "select no_such_column from {{ ref('rates') }}"})
    outcome = run(project)
    assert (outcome.ends["main.best_rate"].status, outcome.finished.error) == ("error", None)
    reason = "skipped because main.best_rate did not succeed"
    assert outcome.ends["main.prices"].message == reason

"""`airflow-lineage mcp`, asked by the Model Context Protocol's own client."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from airflow_lineage_provider.cli.assistant import LONGEST, LONGEST_SQL
from airflow_lineage_provider.store import EventStore
from tests.readers.pipeline_run import run_events

MAP = Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml"
COMMAND = ["-m", "airflow_lineage_provider.cli", "mcp"]


def asked(questions, *arguments):
    """Ask a server about the reference map; return the text of each answer, and whether it is an error."""

    async def ask():
        server = StdioServerParameters(command=sys.executable, args=[*COMMAND, str(MAP), *arguments])
        async with stdio_client(server) as streams, ClientSession(*streams) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            found = [await session.call_tool(name, given) for name, given in questions]
        return tools, [(one.content[0].text, bool(one.is_error)) for one in found]

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Return the tools, and the answers to everything that the tests ask."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'lineage.db'}"
    store = EventStore(url)
    store.append(run_events())
    store.close()
    questions = {
        "impact": ("impact", {"column": "bronze.raw_orders.amount", "change": "drop"}),
        "trace": ("trace", {"column": "Customer Analytics Dashboard.Total Revenue"}),
        "findings": ("findings", {"run": "all"}),
        "sql": (
            "column_lineage",
            {"sql": "create table t as select sum(a.x) as y from a", "dialect": "duckdb"},
        ),
        "misspelt": ("impact", {"column": "bronze.raw_order.amount"}),
        "long": ("column_lineage", {"sql": "x" * (LONGEST_SQL + 1)}),
        "wide": (
            "column_lineage",
            {"sql": f"select {', '.join(f'a{n} + 1 as b{n}' for n in range(3000))} from t"},
        ),
    }
    tools, found = asked(questions.values(), "-e", "dev", "--store", url)
    return tools, dict(zip(questions, found, strict=True))


def test_the_tools_only_read(answers):
    tools, _ = answers
    assert {tool.name for tool in tools} == {"impact", "trace", "findings", "column_lineage"}
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools)


def test_four_questions_have_right_answers(answers):
    _, found = answers
    assert "TOTAL IMPACT: 4 downstream consumers" in found["impact"][0]
    assert "silver.stg_orders.order_amount  CAST(amount AS DECIMAL(10,2))  breaks" in found["impact"][0]
    assert "crm.public.orders.amount" in found["trace"][0]
    assert "PASS" in found["findings"][0]
    assert "a.x" in found["sql"][0]
    assert not any(found[name][1] for name in ("impact", "trace", "findings", "sql"))


def test_a_misspelt_name_is_an_error_that_names_the_right_one(answers):
    text, is_error = answers[1]["misspelt"]
    assert is_error
    assert "did you mean bronze.raw_orders" in text
    assert "Traceback" not in text


def test_questions_and_answers_are_bounded(answers):
    text, is_error = answers[1]["long"]
    assert is_error
    assert "longer than 100,000 characters" in text
    text, is_error = answers[1]["wide"]
    assert not is_error
    assert len(text) < LONGEST + 100
    assert "characters more: ask about a part of it" in text


def test_a_hostile_map_is_refused_before_anything_is_served(tmp_path):
    hostile = tmp_path / "m.yaml"
    hostile.write_text("document: &a {}\nlayers: *a\n")
    done = subprocess.run(
        [sys.executable, *COMMAND, hostile], input=json.dumps({}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "anchors and aliases are not supported" in done.stderr
    assert not done.stdout

"""Reference pages of settings, connections, names, events, HTTP and operators; `generate.py` writes them."""

from __future__ import annotations

import ast
import json
import os
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openlineage.client.event_v2 import RunState
from openlineage.client.serde import Serde

from airflow_lineage_provider.endpoint.openapi import document
from airflow_lineage_provider.endpoint.receiver import PATH
from airflow_lineage_provider.events.context import RunContext, RunRef
from airflow_lineage_provider.events.movement import MovedDataset, MovedField, Movement, movement_event
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.get_provider_info import get_provider_info
from airflow_lineage_provider.graph import Code
from airflow_lineage_provider.graph.findings import DEFAULT_SEVERITIES, Severity
from airflow_lineage_provider.lineage_map import bindings_of, parse_map

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "airflow_lineage_provider"
MADE = "<!-- Made by docs/generate.py: change the code, then run it. -->\n"


def settings_page() -> str:
    """Return the page of the options of `airflow.cfg`."""
    lines = [
        MADE,
        "# Options of airflow.cfg",
        "",
        "Each option is also read from the environment variable that is named with it. The command line reads `store`",
        "in the same way, without importing Airflow.",
    ]
    for section, content in get_provider_info()["config"].items():
        lines += ["", f"## [{section}]"]
        for name, option in content["options"].items():
            variable = f"AIRFLOW__{section.upper()}__{name.upper()}"
            text = " ".join(option["description"].replace("``", "`").split())
            lines += ["", f"### {name}", "", text, "", "| | |", "|---|---|"]
            lines += [f"| variable | `{variable}` |", f"| type | {option['type']} |"]
            lines += [f"| default | {_code(option['default']) or 'none'} |"]
            lines += [f"| example | {_code(option['example'])} |"]
            if option.get("sensitive"):
                lines += [f"| secret | yes; in Airflow, `{variable}_CMD` and `{variable}_SECRET` work too |"]
    return "\n".join(lines) + "\n"


def connections_page() -> str:
    """Return the page of the connection types, with the fields of their forms."""
    lines = [
        MADE,
        "# Connections",
        "",
        "The types that this provider adds to Airflow. For warehouses, AWS, Snowflake and Tableau it uses the types of",
        "their own providers. Every connection type has a *Test* that says what is wrong.",
    ]
    for one in get_provider_info()["connection-types"]:
        form = one["ui-field-behaviour"]
        kind = one["connection-type"]
        lines += [
            "",
            f"## {one['hook-name']}",
            "",
            f"Type `{kind}`.",
            "",
            "| field | | example |",
            "|---|---|---|",
        ]
        for field in ("host", "port", "schema", "login", "password"):
            if field not in form["hidden-fields"]:
                label = form["relabeling"].get(field, field.capitalize())
                lines.append(f"| `{field}` | {label} | {_code(form['placeholders'].get(field, ''))} |")
        for field, shape in one.get("conn-fields", {}).items():
            lines.append(f"| `extra.{field}` | {shape['label']} | |")
        values = {"conn_type": kind, **form["placeholders"]}
        values = {key: int(value) if key == "port" else value for key, value in values.items()}
        lines += ["", "```shell", f"export AIRFLOW_CONN_MY_{kind.upper()}='{json.dumps(values)}'", "```"]
    return "\n".join(lines) + "\n"


def policy_page() -> str:
    """Return the page of severities."""
    meanings = {
        Severity.ERROR: "fails the task, or the command with exit status 1",
        Severity.WARNING: "is reported; the run and the command pass",
        Severity.NOTE: "is reported as something to know",
        Severity.IGNORE: "is dropped",
    }
    lines = [MADE, "# Policy", "", "Each finding has a severity. The map's `policy` changes it by code:", ""]
    lines += ["```yaml", "policy:", "  column-unexpected: note", "  type-changed: error", "```", ""]
    lines += ["| severity | a finding of it | by default |", "|---|---|---|"]
    for severity, meaning in meanings.items():
        codes = [code for code in Code if DEFAULT_SEVERITIES.get(code, Severity.ERROR) is severity]
        listed = ", ".join(f"`{code}`" for code in codes) or "none"
        lines.append(f"| `{severity}` | {meaning} | {listed} |")
    lines += [
        "",
        "What each code means and what to do: [findings](findings.md). A single finding can be accepted until a",
    ]
    lines += ["day instead: `airflow-lineage accept`, or `accepted` in the [map](map-keys.md)."]
    return "\n".join(lines) + "\n"


BINDINGS = """document: {title: An example}
layers:
  raw: {tables: {orders: }}
  staging: {tables: {stg_orders: {from: raw.orders}}}
  marts: {tables: {orders: {from: staging.stg_orders}}}
environments:
  dev:
    bindings:
      - {dataset: "raw.{table}", namespace: file, name: "*/landing/{table}"}
      - {dataset: "{layer}.{table}", namespace: "duckdb://*/shop.duckdb", name: "shop.{layer}.{table}"}
  prod:
    bindings:
      - {dataset: "raw.{table}", namespace: "s3://shop-lake", name: "landing/{table}"}
      - {dataset: "{layer}.{table}", namespace: "snowflake://*", name: "SHOP.{layer}.{table}", ignore_case: true}
"""
OBSERVED = [
    ("dev", "file", "/data/me/landing/orders"),
    ("dev", "duckdb:///data/me/shop.duckdb", "shop.staging.stg_orders"),
    ("dev", "duckdb:///data/me/other.duckdb", "shop.staging.stg_orders"),
    ("prod", "s3://shop-lake", "landing/orders"),
    ("prod", "snowflake://acme-prod", "SHOP.MARTS.ORDERS"),
]


def bindings_page() -> str:
    """Return the page of bindings; its table is what the code answers for the example."""
    example = parse_map(BINDINGS, "example.yaml")
    lines = [
        MADE,
        "# Bindings",
        "",
        "The map uses logical names such as `staging.stg_orders`. A binding says what a dataset is called where the",
        "pipeline runs: its OpenLineage namespace and name. So one map holds on a laptop and in production.",
        "",
        "```yaml",
        BINDINGS.strip(),
        "```",
        "",
        "- `{x}` is one part of a name, without `.` and `/`, and the same text in `dataset`, `namespace` and `name`.",
        "- `*` is any text.",
        "- `ignore_case` compares names without their case, as Snowflake does.",
        "- A name that the map documents is bound first. Several layers may share a schema:",
        "  `staging.{table}` and `marts.{table}` may both be bound to `main.{table}`.",
        "",
        "What the code answers for this example:",
        "",
        "| environment | namespace | name | is |",
        "|---|---|---|---|",
    ]
    for environment, namespace, name in OBSERVED:
        logical = bindings_of(example, environment).logical(namespace, name)
        lines.append(f"| {environment} | `{namespace}` | `{name}` | {_code(logical) or 'not bound'} |")
    lines += [
        "",
        "`airflow-lineage doctor MAP -e ENVIRONMENT` counts the datasets of the last run that no binding fits, and",
        "`airflow-lineage lint MAP` finds tables without a binding and bindings that contradict each other.",
    ]
    return "\n".join(lines) + "\n"


def facets_page() -> str:
    """Return the page of facets, as events carry them that the tests compare."""
    golden = json.loads((ROOT / "tests/events/golden/small.json").read_text(encoding="utf-8"))
    found: dict[tuple[str, str], dict[str, Any]] = defaultdict(lambda: {"schema": "", "of": set()})
    for source, events in (("dbt", golden), ("other jobs", [_movement()])):
        for event in events:
            for place, facets in _places(event):
                for name, facet in facets.items():
                    entry = found[place, name]
                    entry["schema"] = facet.get("_schemaURL", "")
                    entry["of"].add(source)
    lines = [
        MADE,
        "# Facets of the events",
        "",
        "[Events](../concepts/events.md) explains them. The table is taken from events that the tests compare field by",
        "field: those of a dbt project, and that of a job that moves data.",
        "",
        "| in | facet | in the events of |",
        "|---|---|---|",
    ]
    places = ("run", "job", "dataset", "input", "output")
    for place, name in sorted(found, key=lambda key: (places.index(key[0]), key[1])):
        entry = found[place, name]
        shown = f"[`{name}`]({entry['schema']})" if entry["schema"].startswith("https") else f"`{name}`"
        lines.append(f"| {place} | {shown} | {' and '.join(sorted(entry['of']))} |")
    example = next(e for e in golden if e["eventType"] == "COMPLETE" and "sql" in e["job"]["facets"])
    lines += ["", "## A complete event", "", "```json", json.dumps(_short(example), indent=1), "```"]
    return "\n".join(lines) + "\n"


def _places(event: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    listed = [("run", event["run"].get("facets", {})), ("job", event["job"].get("facets", {}))]
    for dataset in event["inputs"]:
        listed += [("dataset", dataset.get("facets", {})), ("input", dataset.get("inputFacets", {}))]
    for dataset in event["outputs"]:
        listed += [("dataset", dataset.get("facets", {})), ("output", dataset.get("outputFacets", {}))]
    return listed


def _short(value: Any) -> Any:
    """Return the event without the two keys that every facet repeats."""
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items() if key not in {"_producer", "_schemaURL"}}
    return [_short(one) for one in value] if isinstance(value, list) else value


def _movement() -> dict[str, Any]:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    source = DatasetName("postgres://crm:5432", "crm.public.orders")
    target = DatasetName("s3://lake", "bronze/orders")
    fields = (MovedField("amount", "NUMERIC", "in euros", (), (("unit", "EUR"),)),)
    movement = Movement(
        job_namespace="airflow",
        job_name="move.orders",
        started_at=begun,
        integration="AWS_DMS",
        job_type="REPLICATION_TASK",
        processing="STREAMING",
        engine="AWS DMS",
        engine_version="3.5.3",
        inputs=(MovedDataset(source, fields=fields, rows=1),),
        outputs=(MovedDataset(target, "FILE", fields, 1, 10, "4", "orders", ("team",)),),
    )
    ref = RunRef("airflow", "dag.task", "01902000-0000-7000-8000-000000000000")
    context = RunContext(parent=ref, root=ref, mask=lambda text: text)
    answer: dict[str, Any] = json.loads(
        Serde.to_json(movement_event(movement, RunState.COMPLETE, begun, context))
    )
    return answer


def rest_page() -> str:
    """Return the page of the HTTP interfaces, from their OpenAPI documents."""
    lines = [
        MADE,
        "# REST API",
        "",
        "Both documents are OpenAPI 3.1. Airflow's API server has its own at `/lineage/openapi.json`, the endpoint that",
        "`airflow-lineage serve` starts at `/openapi.json`.",
        "",
        "## In Airflow's API server",
        "",
        "Below `/lineage`, with a login or token of Airflow.",
    ]
    lines += _paths(_plugin_document(), "/lineage")
    lines += ["", "## The endpoint of airflow-lineage serve", "", "With `Authorization: Bearer TOKEN`."]
    lines += _paths(document(PATH), "")
    return "\n".join(lines) + "\n"


def _plugin_document() -> dict[str, Any]:
    # Nothing is read from Airflow's home; importing Airflow writes a configuration file there.
    os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-of-docs-"))
    from airflow_lineage_provider.plugins.report_app import app

    return app.openapi()


def _paths(described: dict[str, Any], prefix: str) -> list[str]:
    lines = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            text = (operation.get("description") or operation.get("summary") or "").strip().split("\n\n")[0]
            lines += ["", f"### {method.upper()} {prefix}{path}", "", " ".join(text.split())]
            if parameters := operation.get("parameters"):
                lines += ["", "| parameter | in | |", "|---|---|---|"]
                lines += [_parameter(one) for one in parameters]
            lines += ["", "| status | |", "|---|---|"]
            lines += [
                f"| {status} | {answer.get('description', '')} |"
                for status, answer in sorted(operation["responses"].items())
            ]
    return lines


def _parameter(one: dict[str, Any]) -> str:
    schema = one.get("schema", {})
    kinds = schema.get("anyOf", [schema])
    kind = " or ".join(kind["type"] for kind in kinds if kind.get("type", "null") != "null")
    needed = ", required" if one.get("required") else ""
    default = f", by default `{schema['default']}`" if schema.get("default") is not None else ""
    text = f". {one['description']}" if one.get("description") else ""
    return f"| `{one['name']}` | {one['in']} | {kind}{needed}{default}{text} |"


def classes_page() -> str:
    """Return the page of operators and sensors, whose docstrings mkdocstrings fills in."""
    lines = [
        MADE,
        "# Operators: arguments",
        "",
        "Every operator also takes the arguments of Airflow's `BaseOperator`. In a line each: [operators](operators.md).",
    ]
    for kind in ("operators", "sensors"):
        for file in sorted((PACKAGE / kind).glob("*.py")):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    path = f"airflow_lineage_provider.{kind}.{file.stem}.{node.name}"
                    lines += ["", f"## {node.name}", "", f"::: {path}", "    options: {heading_level: 3}"]
    return "\n".join(lines) + "\n"


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


PAGES = {
    "reference/settings.md": settings_page,
    "reference/connections.md": connections_page,
    "reference/policy.md": policy_page,
    "reference/bindings.md": bindings_page,
    "reference/facets.md": facets_page,
    "reference/rest-api.md": rest_page,
    "reference/operator-arguments.md": classes_page,
}

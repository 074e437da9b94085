"""What the columns of a Tecton pipeline are made from: sources, SQL transformations, other feature views.

https://docs.tecton.ai/docs/defining-features/feature-views/transformations. A SQL transformation is a Python
function that returns its SQL, mostly an f-string over its inputs. The function is parsed and never run: the
SQL is known where it returns text whose placeholders are its parameters. What any other function makes is not
known.
"""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.plain_json import mapping, mappings, text
from airflow_lineage_provider.systems.sql_columns import ALIAS, Made, sql_made

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.events.naming import DatasetName
    from airflow_lineage_provider.systems.tecton.sources import TectonSource

    Node = Mapping[str, Any]

DIALECTS = {"SPARK_SQL": "spark", "SNOWFLAKE_SQL": "snowflake", "BIGQUERY_SQL": "bigquery"}
"""The SQL dialect of a transformation's mode."""
DEEPEST = 20
_ANY_TIME = "1970-01-01T00:00:00"


@dataclass(frozen=True, slots=True)
class Definitions:
    """The sources, transformations and feature views of a repository, by their ids."""

    sources: Mapping[str, TectonSource]
    transformations: Mapping[str, Node]
    views: Mapping[str, DatasetName]


def object_id(value: Any) -> str:
    """Return the id of an object as one text; empty where there is none."""
    most, least = text(value, "mostSignificantBits"), text(value, "leastSignificantBits")
    return f"{most}:{least}" if most or least else ""


def leaves(node: Node, depth: int = 0) -> Iterator[Node]:
    """Yield the nodes of a pipeline that have no inputs."""
    if depth > DEEPEST:
        return
    inputs = [
        mapping(one.get("node")) for one in mappings(mapping(node.get("transformationNode")).get("inputs"))
    ]
    inputs += mappings(mapping(node.get("joinInputsNode")).get("nodes"))
    if not inputs:
        yield node
    for one in inputs:
        yield from leaves(one, depth + 1)


def made_by(node: Node, known: Definitions, names: Iterable[str]) -> Made:
    """Return the columns of these names that a pipeline's node gives."""
    if source_node := mapping(node.get("dataSourceNode")):
        source = known.sources.get(object_id(source_node.get("virtualDataSourceId")))
        if source is None:
            return Made(gap="its data source is not among the definitions")
        if source.query:
            return sql_made(source.query, source.dialect, names, table_name=source.table_name)
        return Made(gap=source.problem) if source.problem else Made(rest=source.names)
    if view := mapping(node.get("featureViewNode")):
        name = known.views.get(object_id(view.get("featureViewId")))
        return Made(rest=(name,)) if name else Made(gap="its feature view is not among the definitions")
    if "transformationNode" in node:
        return _transformed(node, known, names)
    return Made(gap="its pipeline joins inputs in a way that is not known")


def _transformed(node: Node, known: Definitions, names: Iterable[str]) -> Made:
    args = known.transformations.get(object_id(mapping(node["transformationNode"]).get("transformationId")))
    if args is None:
        return Made(gap="its transformation is not among the definitions")
    label = f"transformation {text(args, 'info', 'name')}"
    mode = text(args, "transformationMode").removeprefix("TRANSFORMATION_MODE_")
    if mode not in DIALECTS:
        return Made(
            gap=f"{label} is {mode.lower() or 'not SQL'}: what its columns are made from is not known"
        )
    rendering = _Rendering(known)
    sql = rendering.sql(node)
    if sql is None:
        return Made(gap=f"{label} does not return plain SQL text over its inputs")
    return sql_made(
        sql,
        DIALECTS[mode],
        names,
        tables=rendering.tables,
        columns=rendering.columns,
        table_name=rendering.query.table_name if rendering.query else None,
    )


@dataclass(slots=True)
class _Rendering:
    """The SQL of a pipeline with an alias for each input, and the datasets that the aliases stand for."""

    known: Definitions
    tables: dict[str, tuple[DatasetName, ...]] = field(default_factory=dict)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    query: TectonSource | None = None
    """The source whose query is part of the SQL."""

    def sql(self, node: Node, depth: int = 0) -> str | None:
        """Return the SQL of a transformation; None where it is not plain."""
        made = mapping(node.get("transformationNode"))
        args = self.known.transformations.get(object_id(made.get("transformationId")), {})
        function = _function(text(args, "userFunction", "body"), text(args, "userFunction", "name"))
        if function is None or depth > DEEPEST:
            return None
        parameters = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        values: dict[str, str] = {}
        for number, one in enumerate(mappings(made.get("inputs"))):
            name = text(one, "argName")
            if not name:
                position = int(text(one, "argIndex") or number)
                name = parameters[position] if position < len(parameters) else ""
            value = self._value(mapping(one.get("node")), depth)
            if value is not None:
                values[name] = value
        return _returned(function, values)

    def _value(self, node: Node, depth: int) -> str | None:
        if "transformationNode" in node:
            inner = self.sql(node, depth + 1)
            return f"(\n{inner}\n)" if inner else None
        if constant := mapping(node.get("constantNode")):
            kinds = ("stringConst", "intConst", "floatConst")
            return next((text(constant, kind) for kind in kinds if kind in constant), None)
        if source_node := mapping(node.get("dataSourceNode")):
            return self._source(self.known.sources.get(object_id(source_node.get("virtualDataSourceId"))))
        if view := mapping(node.get("featureViewNode")):
            name = self.known.views.get(object_id(view.get("featureViewId")))
            return self._alias((name,), ()) if name else None
        return _ANY_TIME if {"materializationContextNode", "contextNode"} & node.keys() else None

    def _source(self, source: TectonSource | None) -> str | None:
        if source is None or source.problem:
            return None
        if source.query:
            self.query = source
            return f"(\n{source.query.strip().rstrip(';')}\n)"
        return self._alias(source.names, source.columns)

    def _alias(self, datasets: tuple[DatasetName, ...], columns: tuple[str, ...]) -> str:
        alias = f"{ALIAS}{len(self.tables)}"
        self.tables[alias] = datasets
        self.columns[alias] = columns
        return alias


def _function(body: str, name: str) -> ast.FunctionDef | None:
    """Return the function of this name, else the last one, of Python text that is not run."""
    try:
        tree = ast.parse(textwrap.dedent(body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = [one for one in tree.body if isinstance(one, ast.FunctionDef)]
    return next((one for one in found if one.name == name), found[-1] if found else None)


def _returned(function: ast.FunctionDef, values: Mapping[str, str]) -> str | None:
    """Return the text that a function returns, its placeholders replaced; None where it does more."""
    statements = [one for one in function.body if not _is_docstring(one)]
    if len(statements) != 1 or not isinstance(statements[0], ast.Return):
        return None
    parts = statements[0].value
    if isinstance(parts, ast.Constant) and isinstance(parts.value, str):
        return parts.value
    if not isinstance(parts, ast.JoinedStr):
        return None
    out = []
    for part in parts.values:
        if isinstance(part, ast.Constant):
            out.append(str(part.value))
            continue
        value = part.value if isinstance(part, ast.FormattedValue) else None
        while isinstance(value, ast.Attribute):  # context.start_time
            value = value.value
        if not isinstance(value, ast.Name):
            return None
        found = values.get(value.id, _ANY_TIME if value.id == "context" else None)
        if found is None:
            return None
        out.append(found)
    return "".join(out)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)

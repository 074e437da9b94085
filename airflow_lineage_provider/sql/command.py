"""The core of `airflow-lineage sql`: lineage as text, as JSON, and for a batch of statements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from airflow_lineage_provider.sql.script import last_written, script_lineage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.sql.model import Lineage, Source


def answer_batch(path: str | Path) -> Iterator[str]:
    """Return one JSON line for each line of the file: {"id", "columns", "indirect", "error", "problems"}.

    An SQL text with several writes has "lineages" as well: a list of all, the returned rows included. The
    other keys are then those of the last written table.

    A line of the file is {"id", "sql", "dialect", "schema", "default_database", "default_schema"}. A bad
    line, or bad SQL, gives an answer with an "error", and the other lines are answered as usual.
    """
    with Path(path).open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield json.dumps(_answer(line, number), ensure_ascii=False)


class _Question(BaseModel):
    """One line of a batch."""

    id: str | int | None = None
    sql: str
    dialect: str | None = None
    tables: dict[str, dict[str, str] | list[str]] | None = Field(default=None, alias="schema")
    default_database: str | None = None
    default_schema: str | None = None


def _answer(line: str, number: int) -> dict[str, Any]:
    try:
        question = _Question.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        reason = f"line {number} of the batch: {where}: {first['msg']}"
        return {"id": _id(line, number), "columns": {}, "indirect": [], "error": reason}
    lineages = script_lineage(
        question.sql,
        dialect=question.dialect or "",
        schema=question.tables or {},
        default_database=question.default_database,
        default_schema=question.default_schema,
    )
    answer = {"id": number if question.id is None else question.id, **as_json(last_written(lineages))}
    return answer if len(lineages) == 1 else {**answer, "lineages": [as_json(one) for one in lineages]}


def _id(line: str, number: int) -> str | int:
    """Return the id of an invalid line, or else its number, so that its error can be matched to it."""
    try:
        found = json.loads(line)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return number
    return found if isinstance(found, str | int) else number


def as_json(lineage: Lineage) -> dict[str, Any]:
    """Return the lineage as plain data for JSON."""
    return {
        "reads": [str(table) for table in lineage.reads],
        "writes": str(lineage.writes) if lineage.writes else None,
        "columns": {c.name: [_source(s) for s in c.sources] for c in lineage.columns},
        "expressions": {c.name: c.expression for c in lineage.columns if c.expression},
        "indirect": [_source(s) for s in lineage.indirect],
        "error": lineage.error,
        "problems": [str(problem) for problem in lineage.problems],
    }


def _source(source: Source) -> dict[str, Any]:
    found = {
        "table": str(source.table),
        "column": source.column,
        "type": source.type.value,
        "subtype": source.subtype.value,
    }
    return {**found, "masking": True} if source.masking else found


def as_text(lineage: Lineage) -> str:
    """Return the lineage as text for a terminal."""
    lines = [f"reads   {', '.join(map(str, lineage.reads)) or 'nothing'}"]
    if lineage.writes:
        lines.append(f"writes  {lineage.writes}")
    width = max((len(c.name) for c in lineage.columns), default=0)
    for column in lineage.columns:
        lines.append("")
        lines.append(f"{column.name:{width}}  {column.expression or ''}".rstrip())
        lines += [f"{'':{width}}    <- {_described(s)}" for s in column.sources]
    if lineage.indirect:
        lines += ["", "the whole result also depends on"]
        lines += [f"  {_described(s)}" for s in lineage.indirect]
    if lineage.problems:
        lines += ["", "not known"]
        lines += [f"  {problem}" for problem in lineage.problems]
    return "\n".join(lines)


def _described(source: Source) -> str:
    masked = ", masked" if source.masking else ""
    return f"{source.table}.{source.column} ({source.type} {source.subtype}{masked})"

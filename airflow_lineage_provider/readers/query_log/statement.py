"""A query log as statements, whatever server wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from airflow_lineage_provider.sql import Lineage


class LoggedStatement(NamedTuple):
    """A statement that a server ran; what its log does not say is empty.

    `at` is ISO 8601. `calls` is how often it ran, where the log counts. `truncated` says that the log cut the
    text off. `access` is the lineage that the server itself recorded, which counts instead of the text.
    """

    sql: str
    at: str = ""
    user: str = ""
    session: str = ""
    database: str = ""
    schema: str = ""
    calls: int = 1
    truncated: bool = False
    access: tuple[Lineage, ...] = ()


@dataclass(slots=True)
class QueryLog:
    """The statements of a log, in the order in which they ran, and how to read their names.

    `namespace` is OpenLineage's of the warehouse; without it datasets are bound by their names alone.
    `database` and `default_schema` complete names where a statement has none of its own. `columns` is
    {table: [column]}, as far as it is known, for `select *`. `problems` grows while `statements` is read: one
    line for each reason why the log is not complete; so does `notes`, with what else is to be known.
    `ordered` is False where the log has no order.
    """

    statements: Iterable[LoggedStatement]
    dialect: str
    namespace: str = ""
    database: str = ""
    default_schema: str = ""
    columns: Mapping[str, Collection[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ordered: bool = True

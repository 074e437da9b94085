"""A change of a table itself, or of one of its columns, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_lineage_provider.sql.model import Table


class Action(StrEnum):
    """What happens to a table, or to one of its columns."""

    CREATE = "create"
    DROP = "drop"
    DROP_SCHEMA = "drop schema"
    RENAME = "rename"
    SWAP = "swap"
    TRUNCATE = "truncate"
    ADD_COLUMN = "add column"
    DROP_COLUMN = "drop column"
    RENAME_COLUMN = "rename column"
    CHANGE_TYPE = "change type"


@dataclass(frozen=True, slots=True)
class TableChange:
    """One change; `renamed` is the new name of the table, `to` the new name or type of the column.

    `sql` is the whole CREATE statement, for its columns. Of DROP_SCHEMA `table` has the schema's name.
    """

    action: Action
    table: Table
    line: int = 0
    column: str = ""
    to: str = ""
    renamed: Table | None = None
    temporary: bool = False
    sql: str = ""

"""What SQL does to tables and columns themselves: CREATE, DROP, RENAME, ALTER, of any dialect.

Read from tokens, because the syntax trees of these statements differ by dialect and leave parts out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot.dialects.dialect import Dialect

from airflow_lineage_provider.sql.compat import TokenType
from airflow_lineage_provider.sql.limits import SqlError
from airflow_lineage_provider.sql.model import Problem, Subject, Table
from airflow_lineage_provider.sql.names import Names
from airflow_lineage_provider.sql.parse import statement_tokens
from airflow_lineage_provider.sql.table_change import Action, TableChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_lineage_provider.sql.compat import Token

    Reader = Callable[[Table], Iterator[TableChange]]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MODIFIERS = _words(
    "OR REPLACE ALTER GLOBAL LOCAL TEMP TEMPORARY VOLATILE TRANSIENT UNLOGGED MATERIALIZED EXTERNAL DYNAMIC "
    "ICEBERG FOREIGN HYBRID SECURE RECURSIVE NOT PERSISTENT FORCE EVENT"
)
_TEMPORARY = _words("TEMP TEMPORARY VOLATILE")
_NO_COLUMN = _words(
    "CONSTRAINT PRIMARY FOREIGN UNIQUE CHECK INDEX KEY PARTITION EXCLUDE SEARCH ROW POLICY TAG PERIOD "
    "STATISTICS PARTITIONS FULLTEXT SPATIAL DATA"
) | {"PRIMARY KEY", "FOREIGN KEY", "UNIQUE INDEX"}
_NO_TYPE = _words("SET DROP RESET ADD RESTART COMMENT UNSET FIRST AFTER , ) NOT NULL")
_OTHER_ACTIONS = _words(
    "OWNER SET UNSET RESET CLUSTER ENABLE DISABLE ATTACH DETACH RECLUSTER RESUME SUSPEND VALIDATE REPLICA "
    "INHERIT NO FORCE COMMENT CONVERT ENGINE REFRESH REBUILD SWITCH WITH ORDER LOCK ALGORITHM RECOVER "
    "UNCLUSTER DEPENDS"
)
_AFTER_TYPE = re.compile(
    r"\b(?:using|default|not|null|collate|comment|primary|unique|check|references|generated|as|first|after|encode"
    r"|identity|autoincrement)\b",
    re.IGNORECASE,
)


def table_changes(sql: str, dialect: str) -> tuple[tuple[TableChange, ...], tuple[Problem, ...]]:
    """Return the changes of a script in order, and a problem for each statement that may hold others.

    Statements that change only rows, rights or settings are left out. Does not raise for invalid SQL.
    """
    try:
        known = Dialect.get_or_raise(dialect or None)
        statements = statement_tokens(sql, known)
    except (SqlError, ValueError) as error:
        return (), (Problem(Subject.SYNTAX, str(error)),)
    names = Names(known, dialect)
    changes: list[TableChange] = []
    problems: list[Problem] = []
    for tokens in statements:
        statement = _Statement(_expanded(tokens, known), names, sql, dialect)
        try:
            changes += statement.changes()
        except _UnreadError as error:
            problems.append(Problem(Subject.STATEMENT, f"line {tokens[0].line}: {error}"))
    return tuple(changes), tuple(problems)


def _expanded(tokens: list[Token], dialect: Dialect) -> list[Token]:
    """Return the tokens of a statement that sqlglot takes as one word and a text, as MySQL's RENAME TABLE."""
    texts = [token.token_type is TokenType.STRING for token in tokens]
    if texts == [False, True] and tokens[0].text.upper() in {"RENAME", "ALTER", "DROP"}:
        return [tokens[0], *dialect.tokenize(tokens[1].text)]
    return tokens


class _UnreadError(Exception):
    """A statement that may change a table in a way that is not understood."""


class _Statement:
    """Reads the tokens of one statement."""

    def __init__(self, tokens: list[Token], names: Names, sql: str, dialect: str) -> None:
        self.tokens = tokens
        self.names = names
        self.sql = sql
        self.at = 0
        self.dotted = dialect == "bigquery"  # `project.dataset.table` is one quoted name

    def changes(self) -> Iterator[TableChange]:
        if self.take("CREATE"):
            yield from self.create()
        elif self.take("DROP"):
            yield from self.drop()
        elif self.take("ALTER"):
            yield from self.alter()
        elif self.take("RENAME"):
            self.take("TABLE")
            yield from self.rename_tables()
        elif self.take("TRUNCATE"):
            yield from self.truncate()
        elif self.take("EXEC", "EXECUTE") and self.word().rpartition(".")[2] == "SP_RENAME":
            yield from self.sp_rename()
        elif self.word() in {"DO", "CALL"}:
            raise _UnreadError(f"{self.word()} runs code that is not read")

    # ---- tokens ---------------------------------------------------------------------------------

    def word(self, ahead: int = 0) -> str:
        """Return the keyword or unquoted name at the position, in upper case; empty for anything else."""
        if self.at + ahead >= len(self.tokens):
            return ""
        token = self.tokens[self.at + ahead]
        return "" if token.token_type in {TokenType.IDENTIFIER, TokenType.STRING} else token.text.upper()

    def take(self, *words: str) -> str:
        found = self.word()
        if found and found in words:
            self.at += 1
            return found
        return ""

    def take_all(self, *words: str) -> bool:
        if all(self.word(number) == word for number, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    @property
    def ended(self) -> bool:
        return self.at >= len(self.tokens)

    @property
    def line(self) -> int:
        return self.tokens[min(self.at, len(self.tokens) - 1)].line

    def identifier(self) -> str:
        """Return a name as the warehouse stores it."""
        if self.ended:
            raise _UnreadError("a name is missing at its end")
        token = self.tokens[self.at]
        quoted = token.token_type is TokenType.IDENTIFIER
        plain = token.text[:1].isalpha() or token.text[:1] in {"_", "#", "@"}
        if token.token_type is TokenType.STRING or not (quoted or plain):
            raise _UnreadError(f"a name is needed where {token.text[:30]!r} is")
        self.at += 1
        return token.text if self.names.folds_all else self.names.fold(token.text, quoted=quoted)

    def table(self) -> Table:
        parts = self.identifier().split(".") if self.dotted else [self.identifier()]
        while self.take("."):
            parts.append(self.identifier())
        return Table(*reversed(parts[-3:]))

    def skip_item(self) -> None:
        """Go to the next comma outside of brackets, or to the end."""
        depth = 0
        while not self.ended:
            word = self.word()
            depth += (word in {"(", "["}) - (word in {")", "]"})
            if depth < 0 or (word == "," and not depth):
                return
            self.at += 1

    def type(self) -> str:
        """Return the type of a column, without its default, constraints and the rest of its item."""
        start = self.at
        self.skip_item()
        if self.at == start:
            return ""
        return _AFTER_TYPE.split(self.sql[self.tokens[start].start : self.tokens[self.at - 1].end + 1])[
            0
        ].strip()

    # ---- statements -----------------------------------------------------------------------------

    def create(self) -> Iterator[TableChange]:
        line, temporary, replaces = self.line, False, False
        while self.word() in _MODIFIERS:
            temporary |= self.word() in _TEMPORARY
            replaces |= self.word() in {"REPLACE", "ALTER"}
            self.at += 1
        if not self.take("TABLE", "VIEW"):
            return
        self.take_all("IF", "NOT", "EXISTS")
        table = self.table()
        sql = self.sql[self.tokens[0].start : self.tokens[-1].end + 1]
        temporary |= table.name.startswith("#")
        yield TableChange(Action.CREATE, table, line, temporary=temporary, to="replace" * replaces, sql=sql)

    def drop(self) -> Iterator[TableChange]:
        while self.word() in _MODIFIERS:
            self.at += 1
        kind = self.take("TABLE", "VIEW", "SCHEMA", "DATABASE")
        if not kind:
            return
        self.take_all("IF", "EXISTS")
        while True:
            line, table = self.line, self.table()
            if kind in {"SCHEMA", "DATABASE"}:
                table = (
                    Table("*", table.name, table.schema) if kind == "SCHEMA" else Table("*", None, table.name)
                )
                yield TableChange(Action.DROP_SCHEMA, table, line)
            else:
                yield TableChange(Action.DROP, table, line)
            if not self.take(","):
                return

    def truncate(self) -> Iterator[TableChange]:
        self.take("TABLE")
        self.take_all("IF", "EXISTS")
        while not self.ended:
            self.take("ONLY")
            line = self.line
            yield TableChange(Action.TRUNCATE, self.table(), line)
            self.take("*")
            if not self.take(","):
                return

    def alter(self) -> Iterator[TableChange]:
        while self.word() in _MODIFIERS:
            self.at += 1
        if self.take("SCHEMA", "DATABASE"):
            line, table = self.line, self.table()
            if self.take_all("RENAME", "TO"):
                yield TableChange(Action.DROP_SCHEMA, Table("*", table.name, table.schema), line)
            return
        if not self.take("TABLE", "VIEW"):
            return
        self.take_all("IF", "EXISTS")
        self.take("ONLY")
        table = self.table()
        self.take("*")
        before = ""
        while not self.ended:
            if self.take(","):
                continue
            start = self.at
            before = self.word() if self.word() in _ACTIONS else before
            action = _ACTIONS.get(before)
            if action is None:
                raise _UnreadError(f"ALTER ... {self.word() or 'of this form'} is not understood")
            self.take(before)
            for change in action(self, table):
                yield change
                table = change.renamed if change.action is Action.RENAME and change.renamed else table
            self.skip_item()
            if self.at == start:
                raise _UnreadError("its end is not understood")

    def rename(self, table: Table) -> Iterator[TableChange]:
        line = self.line
        if self.take("TO", "AS"):
            yield TableChange(Action.RENAME, table, line, renamed=_beside(table, self.table()))
            return
        if self.take("CONSTRAINT", "INDEX", "KEY", "PARTITION"):
            return
        self.take("COLUMN")
        column = self.identifier()
        if not self.take("TO", "AS"):
            raise _UnreadError("RENAME without TO")
        yield TableChange(Action.RENAME_COLUMN, table, line, column, self.identifier())

    def swap(self, table: Table) -> Iterator[TableChange]:
        line = self.line
        self.take("WITH")
        yield TableChange(Action.SWAP, table, line, renamed=_beside(table, self.table()))

    def add(self, table: Table) -> Iterator[TableChange]:
        if self.word() in _NO_COLUMN and self.word(1) != "COLUMN":
            return
        self.take("COLUMN", "COLUMNS")
        yield from self.columns(table, self.added)

    def added(self, table: Table) -> Iterator[TableChange]:
        self.take_all("IF", "NOT", "EXISTS")
        if self.word() not in _NO_COLUMN:
            line = self.line
            yield TableChange(Action.ADD_COLUMN, table, line, self.identifier(), self.type())

    def drop_part(self, table: Table) -> Iterator[TableChange]:
        if self.word() in _NO_COLUMN or (self.word() == "DEFAULT"):
            return
        self.take("COLUMN", "COLUMNS")
        yield from self.columns(table, self.dropped)

    def dropped(self, table: Table) -> Iterator[TableChange]:
        self.take_all("IF", "EXISTS")
        line = self.line
        yield TableChange(Action.DROP_COLUMN, table, line, self.identifier())

    def alter_part(self, table: Table) -> Iterator[TableChange]:
        if self.word() in _NO_COLUMN and self.word() != "DATA":
            return
        self.take("COLUMN")
        yield from self.columns(table, self.altered)

    def altered(self, table: Table) -> Iterator[TableChange]:
        line, column = self.line, self.identifier()
        typed = self.take_all("SET", "DATA", "TYPE") or self.take("TYPE")
        if not typed and (self.ended or self.word() in _NO_TYPE):
            return
        yield TableChange(Action.CHANGE_TYPE, table, line, column, self.type())

    def change_part(self, table: Table) -> Iterator[TableChange]:
        """Read MySQL's CHANGE COLUMN old new type."""
        self.take("COLUMN")
        line, column, new = self.line, self.identifier(), self.identifier()
        kind = self.type()
        if new != column:
            yield TableChange(Action.RENAME_COLUMN, table, line, column, new)
        yield TableChange(Action.CHANGE_TYPE, table, line, new, kind)

    def other(self, table: Table) -> Iterator[TableChange]:
        line = self.line
        if self.tokens[self.at - 1].text.upper() == "SET" and self.take("SCHEMA"):
            yield TableChange(
                Action.RENAME, table, line, renamed=Table(table.name, self.table().name, table.database)
            )
        self.at = len(self.tokens)

    def columns(self, table: Table, one: Reader) -> Iterator[TableChange]:
        """Read one column, or a list of columns in brackets."""
        if not self.take("("):
            yield from one(table)
            return
        while not self.ended and not self.take(")"):
            yield from one(table)
            self.skip_item()
            self.take(",")

    def rename_tables(self) -> Iterator[TableChange]:
        while True:
            line, table = self.line, self.table()
            if not self.take("TO"):
                raise _UnreadError("RENAME without TO")
            yield TableChange(Action.RENAME, table, line, renamed=_beside(table, self.table()))
            if not self.take(","):
                return

    def sp_rename(self) -> Iterator[TableChange]:
        line = self.line
        texts = [t.text for t in self.tokens if t.token_type is TokenType.STRING]
        if len(texts) < 2:  # noqa: PLR2004 - the old and the new name
            raise _UnreadError("sp_rename whose names are no literals")
        parts = [part.strip('[]"') for part in texts[0].split(".")]
        if texts[2:] and texts[2].upper() == "COLUMN":
            yield TableChange(
                Action.RENAME_COLUMN, Table(*reversed(parts[:-1][-3:])), line, parts[-1], texts[1]
            )
        elif not texts[2:] or texts[2].upper() == "OBJECT":
            table = Table(*reversed(parts[-3:]))
            yield TableChange(Action.RENAME, table, line, renamed=_beside(table, Table(texts[1])))


def _beside(old: Table, new: Table) -> Table:
    """Return a new name, in the schema of the old one where it has none of its own."""
    return new if new.schema else Table(new.name, old.schema, old.database)


_ACTIONS: dict[str, Callable[[_Statement, Table], Iterator[TableChange]]] = {
    "RENAME": _Statement.rename,
    "SWAP": _Statement.swap,
    "ADD": _Statement.add,
    "DROP": _Statement.drop_part,
    "ALTER": _Statement.alter_part,
    "MODIFY": _Statement.alter_part,
    "CHANGE": _Statement.change_part,
    **dict.fromkeys(_OTHER_ACTIONS, _Statement.other),
}

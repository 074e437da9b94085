"""The table mappings of a DMS replication: which tables it selects, and what it makes of names and columns.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TableMapping.html
All rules match the names of the source, case-sensitively. DMS allows one naming rule an object (schema, table
or column), so the result of two is not guessed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from airflow_lineage_provider.systems.errors import SystemReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_MASKS = frozenset({"data-masking-digits-mask", "data-masking-digits-randomize", "data-masking-hash-mask"})
# A column of an add-column expression: $NAME or ${NAME}; $AR_H_... and $AR_M_... are DMS's own headers.
_VARIABLE = re.compile(r"\$(?:\{([^}]+)\}|(\w+))")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class _Locator(_Part):
    schema_name: str = Field("%", alias="schema-name")
    table_name: str = Field("%", alias="table-name")
    column_name: str = Field("%", alias="column-name")


class _Filter(_Part):
    column: str = Field("", alias="column-name")


class _DataType(_Part):
    type: str = ""
    precision: int | str | None = None
    scale: int | str | None = None
    length: int | str | None = None

    def __str__(self) -> str:
        sizes = [str(size) for size in (self.length or self.precision, self.scale) if size not in {None, ""}]
        return f"{self.type}({','.join(sizes)})" if sizes else self.type


class _BeforeImage(_Part):
    prefix: str = Field("", alias="column-prefix")
    suffix: str = Field("", alias="column-suffix")
    columns: str = Field("pk-only", alias="column-filter")


class Rule(_Part):
    """One rule of the table mappings."""

    kind: str = Field(alias="rule-type")
    """selection, transformation, object-mapping or table-settings."""
    action: str = Field("", alias="rule-action")
    target: str = Field("", alias="rule-target")
    locator: _Locator = Field(_Locator(), alias="object-locator")
    value: str | None = None
    old_value: str | None = Field(None, alias="old-value")
    expression: str = ""
    data_type: _DataType | None = Field(None, alias="data-type")
    before_image: _BeforeImage = Field(_BeforeImage(), alias="before-image-def")
    filters: tuple[_Filter, ...] = ()
    load_order: int = Field(0, alias="load-order")
    topic: str = Field("", alias="kafka-target-topic")


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """A column of the target; `sources` are the source's columns that it is made of."""

    name: str
    type: str = ""
    """Empty where it is the target's own equivalent of the source's type."""
    sources: tuple[str, ...] = ()
    subtype: str = "IDENTITY"
    masking: bool = False
    expression: str = ""


@dataclass(frozen=True, slots=True)
class MappedTable:
    """A selected table: its names on both sides, and its columns where those of the source are known."""

    schema: str
    table: str
    target_schema: str
    target_table: str
    topic: str = ""
    columns: tuple[MappedColumn, ...] | None = None
    filtered_by: tuple[str, ...] = ()
    """The source's columns that decide which rows are replicated."""
    named: bool = True
    """Whether the target's schema and table are known."""
    problems: tuple[str, ...] = ()
    """Why the names or columns of the target are not known."""


def parse_table_mappings(text: str, where: str) -> tuple[Rule, ...]:
    """Return the rules of a TableMappings document; `where` names the replication in errors.

    Raises SystemReadError for what is no such document.
    """
    try:
        content = json.loads(text)
        return tuple(Rule.model_validate(rule) for rule in content["rules"])
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SystemReadError(
            f"{where}: its table mappings cannot be read ({reason}): check the task"
        ) from None


def named_tables(rules: Iterable[Rule]) -> tuple[tuple[str, str], ...]:
    """Return the tables (schema, table) that selection rules name without a wildcard."""
    locators = [rule.locator for rule in rules if rule.kind == "selection" and rule.action != "exclude"]
    return tuple(
        dict.fromkeys(
            (locator.schema_name, locator.table_name)
            for locator in locators
            if not re.search(r"[%\[]", locator.schema_name + locator.table_name)
        )
    )


def select_tables(
    rules: Sequence[Rule], tables: Iterable[tuple[str, str]], escape: str = ""
) -> list[tuple[str, str]]:
    """Return the tables (schema, table) that are selected, those with the higher load order first."""
    selected = []
    for table in tables:
        matching = [rule for rule in rules if rule.kind == "selection" and _selects(rule, table, escape)]
        if matching and all(rule.action != "exclude" for rule in matching):
            selected.append((max(rule.load_order for rule in matching), table))
    return [table for _, table in sorted(selected, key=lambda item: -item[0])]


def map_table(
    rules: Sequence[Rule],
    table: tuple[str, str],
    columns: Sequence[tuple[str, str]] | None,
    escape: str = "",
) -> MappedTable:
    """Return what the rules make of a selected table with these columns (name, type); None: not known."""
    own = [rule for rule in rules if _matches(rule, table, escape)]
    problems: list[str] = []
    schema = _named(table[0], _of(own, "schema"), f"schema {table[0]}", problems)
    name = _named(table[1], _of(own, "table"), f"table {'.'.join(table)}", problems)
    topics = [rule.topic for rule in own if rule.kind == "object-mapping" and rule.topic]
    filters = [
        one.column
        for rule in rules
        if rule.kind == "selection" and rule.action != "exclude" and _selects(rule, table, escape)
        for one in rule.filters
        if one.column
    ]
    mapped = MappedTable(
        *table,
        schema,
        name,
        topic=topics[0] if topics else "",
        filtered_by=tuple(dict.fromkeys(filters)),
        named=not problems,
    )
    if columns is None:
        return replace(mapped, problems=tuple(problems))
    made = _map_columns(_of(own, "column"), columns, escape, problems)
    return replace(mapped, columns=made, problems=tuple(problems))


def _map_columns(
    rules: Sequence[Rule], columns: Sequence[tuple[str, str]], escape: str, problems: list[str]
) -> tuple[MappedColumn, ...] | None:
    includes = [rule for rule in rules if rule.action == "include-column"]
    removes = [rule for rule in rules if rule.action == "remove-column"]
    before = len(problems)
    made = []
    for name, kind in columns:
        if includes and not any(_has(rule, name, escape) for rule in includes):
            continue
        if not includes and any(_has(rule, name, escape) for rule in removes):
            continue
        made.append(_map_column(name, kind, [r for r in rules if _has(r, name, escape)], problems))
    made += [_added(rule, {name for name, _ in columns}) for rule in rules if rule.action == "add-column"]
    for rule in rules:
        if rule.action == "add-before-image-columns":
            if rule.before_image.columns == "pk-only":
                problems.append("the before-image columns of the primary key are not known")
            made += [_before(rule.before_image, name, kind) for name, kind in columns]
    return tuple(made) if len(problems) == before else None


def _map_column(name: str, kind: str, rules: Sequence[Rule], problems: list[str]) -> MappedColumn:
    target = _named(name, rules, f"column {name}", problems)
    types = [rule.data_type for rule in rules if rule.action == "change-data-type" and rule.data_type]
    masks = [rule.action for rule in rules if rule.action in _MASKS]
    if not masks and not types:
        return MappedColumn(target, kind, (name,))
    how = masks[0] if masks else f"change-data-type {types[0]}"
    new_type = str(types[0]) if types else kind
    return MappedColumn(target, new_type, (name,), "TRANSFORMATION", bool(masks), how)


def _added(rule: Rule, columns: set[str]) -> MappedColumn:
    """Return a column that an expression makes; what is no column of the source is DMS's own header."""
    used = (braced or plain for braced, plain in _VARIABLE.findall(rule.expression))
    sources = tuple(dict.fromkeys(name for name in used if name in columns))
    kind = str(rule.data_type) if rule.data_type else ""
    identity = len(sources) == 1 and _VARIABLE.fullmatch(rule.expression.strip())
    return MappedColumn(
        rule.value or "",
        kind,
        sources,
        "IDENTITY" if identity else "TRANSFORMATION",
        expression="" if identity else rule.expression,
    )


def _before(image: _BeforeImage, name: str, kind: str) -> MappedColumn:
    """Return the column that keeps a column's value before the change."""
    return MappedColumn(f"{image.prefix}{name}{image.suffix}", kind, (name,))


def _named(name: str, rules: Iterable[Rule], what: str, problems: list[str]) -> str:
    """Return the target's name of an object, by the one naming rule that applies to it."""
    naming = [rule for rule in rules if rule.action in _NAMES]
    if len(naming) > 1:
        actions = ", ".join(rule.action for rule in naming)
        problems.append(f"{what} matches {len(naming)} naming rules ({actions}), and DMS allows one")
    return _rename(name, naming[0]) if naming else name


def _rename(name: str, rule: Rule) -> str:
    return _NAMES[rule.action](name, rule.value or "", rule.old_value or "")


_NAMES: dict[str, Callable[[str, str, str], str]] = {
    "rename": lambda name, value, _: value or name,
    "convert-lowercase": lambda name, *_: name.lower(),
    "convert-uppercase": lambda name, *_: name.upper(),
    "add-prefix": lambda name, value, _: value + name,
    "add-suffix": lambda name, value, _: name + value,
    "remove-prefix": lambda name, value, _: name.removeprefix(value),
    "remove-suffix": lambda name, value, _: name.removesuffix(value),
    "replace-prefix": lambda name, value, old: (
        value + name.removeprefix(old) if name.startswith(old) else name
    ),
    "replace-suffix": lambda name, value, old: name.removesuffix(old) + value if name.endswith(old) else name,
}
"""A naming rule's action: the target's name of the source's name, the rule's value and its old value."""


def _of(rules: Iterable[Rule], target: str) -> list[Rule]:
    return [rule for rule in rules if rule.kind == "transformation" and rule.target == target]


def _selects(rule: Rule, table: tuple[str, str], escape: str) -> bool:
    if rule.action == "explicit":  # its names are exact, without wildcards
        return (rule.locator.schema_name, rule.locator.table_name) == table
    return _matches(rule, table, escape)


def _matches(rule: Rule, table: tuple[str, str], escape: str) -> bool:
    schema, name = rule.locator.schema_name, rule.locator.table_name
    return _like(table[0], schema, escape) and _like(table[1], name, escape)


def _has(rule: Rule, column: str, escape: str) -> bool:
    return _like(column, rule.locator.column_name, escape)


def _like(name: str, pattern: str, escape: str) -> bool:
    return _regex(pattern, escape).fullmatch(name) is not None


@lru_cache(maxsize=4096)
def _regex(pattern: str, escape: str) -> re.Pattern[str]:
    """Return DMS's wildcards as a regular expression: %, _, [_], [ab], [a-d], and an escape character."""
    parts, at = [], 0
    while at < len(pattern):
        character = pattern[at]
        closing = pattern.find("]", at + 2) if character == "[" else -1
        if escape and character == escape and at + 1 < len(pattern):
            at += 1
            parts.append(re.escape(pattern[at]))
        elif closing > 0:
            parts.append(_set(pattern[at + 1 : closing]))
            at = closing
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
        at += 1
    return re.compile("".join(parts), re.DOTALL)


def _set(characters: str) -> str:
    """Return the regular expression of one of these characters, which may be a range such as a-d."""
    first, dash, last = characters.partition("-")
    if dash and len(first) == len(last) == 1 and first <= last:
        return f"[{re.escape(first)}-{re.escape(last)}]"
    return f"[{re.escape(characters)}]"

"""The source text of select items without an alias.

Engines repeat in the names of outputs how functions and types are spelled, and syntax trees do not keep it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.compat import TokenType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_lineage_provider.sql.compat import Token

_KEY = "source_text"
_DIALECTS = frozenset({"duckdb", "postgres", "redshift"})  # the ones whose names are made from it
_OPEN = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSE = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})
_LIST_ENDS = frozenset(
    {
        *(TokenType.SEMICOLON, TokenType.FROM, TokenType.INTO, TokenType.WHERE, TokenType.GROUP_BY),
        *(TokenType.HAVING, TokenType.QUALIFY, TokenType.WINDOW, TokenType.ORDER_BY, TokenType.LIMIT),
        *(TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT),
    }
)
_NAMED = (exp.Alias, exp.Column, exp.Star)


@dataclass
class _List:
    """A select list: the first and last character of each item."""

    depth: int
    parent: _List | None = None  # the list that it is inside of
    items: list[tuple[int, int]] = field(default_factory=list)
    first: int | None = None  # of the item that is being read
    last: int = -1
    taken: bool = False

    @property
    def start(self) -> int:
        return self.items[0][0] if self.items else -1

    def end_item(self) -> None:
        if self.first is not None:
            self.items.append((self.first, self.last))
        self.first = None


def source_text(node: exp.Expr) -> str | None:
    """Return the recorded text of a select item or a function's name; None where it is not known."""
    text = node.meta.get(_KEY)
    return None if text is None else str(text)


def keep_source_text(old: exp.Expr, new: exp.Expr) -> None:
    """Copy the recorded text to the node that replaces a select item."""
    text = source_text(old)
    if text is not None:
        new.meta[_KEY] = text


def record_source_text(
    statements: Iterable[exp.Expr], tokens: Sequence[Token], sql: str, dialect: str
) -> None:
    """Record the source text of the select items without a name, in the item itself."""
    if dialect not in _DIALECTS:
        return
    selects = [one for statement in statements for one in statement.find_all(exp.Select, bfs=False)]
    if all(isinstance(item, _NAMED) for select in selects for item in select.expressions):
        return
    lists = sorted(_select_lists(tokens), key=lambda one: one.start)
    for select in sorted(selects, key=_has_no_position):  # what fits in any list comes last
        found = _list_of(select, lists)
        if found is None:
            continue
        found.taken = True
        for item, (first, last) in zip(select.expressions, found.items, strict=True):
            if not isinstance(item, _NAMED):
                item.meta[_KEY] = sql[first : last + 1]


def _select_lists(tokens: Sequence[Token]) -> Iterator[_List]:
    """Yield the select lists, each after the lists inside of it."""
    open_lists: list[_List] = []
    depth = 0
    before: TokenType | None = None
    for token in tokens:
        kind = token.token_type
        depth -= kind in _CLOSE
        here = open_lists[-1] if open_lists else None
        ends = kind in _LIST_ENDS and not (kind is TokenType.FROM and before is TokenType.DISTINCT)
        if here is not None and (depth < here.depth or (ends and depth == here.depth)):
            here.end_item()
            yield open_lists.pop()
            here = open_lists[-1] if open_lists else None
        if here is not None:
            _read(here, token, depth)
        if kind is TokenType.SELECT:
            open_lists.append(_List(depth, open_lists[-1] if open_lists else None))
        depth += kind in _OPEN
        before = kind
    for one in reversed(open_lists):
        one.end_item()
        yield one


def _read(here: _List, token: Token, depth: int) -> None:
    if token.token_type is TokenType.COMMA and depth == here.depth:
        here.end_item()
    elif here.first is None and token.token_type in (TokenType.DISTINCT, TokenType.ALL):
        here.first = None
    else:
        here.first = token.start if here.first is None else here.first
        here.last = token.end


def _list_of(select: exp.Select, lists: list[_List]) -> _List | None:
    """Return the outermost list that can be of this SELECT: outer ones are looked up before inner ones."""
    spans = [list(_positions(item)) for item in select.expressions]
    first = next((positions[0] for positions in spans if positions), None)
    if first is None:
        return next((one for one in lists if not one.taken and len(one.items) == len(spans)), None)
    found = None
    at = bisect_right(lists, first, key=lambda one: one.start) - 1
    one = lists[at] if at >= 0 else None
    while one is not None:
        found = one if _fits(one, spans) else found
        one = one.parent
    return found


def _fits(one: _List, spans: list[list[int]]) -> bool:
    return (
        not one.taken
        and len(one.items) == len(spans)
        and all(
            first <= position <= last
            for positions, (first, last) in zip(spans, one.items, strict=True)
            for position in positions
        )
    )


def _has_no_position(select: exp.Select) -> bool:
    return not any(True for item in select.expressions for _ in _positions(item))


def _positions(item: exp.Expr) -> Iterator[int]:
    for node in item.walk():
        if isinstance(node, (exp.Identifier, exp.Func)):
            start = node.meta.get("start")
            if start is not None:
                yield start

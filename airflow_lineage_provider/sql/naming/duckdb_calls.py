"""Calls of functions, aggregates and window functions as DuckDB prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.naming.tokens import RANGE, UnknownNameError, quoted

if TYPE_CHECKING:
    from airflow_lineage_provider.sql.naming.tokens import Tokens

_WITHIN = {"percentile_cont": "quantile_cont", "percentile_disc": "quantile_disc", "mode": "mode"}
_TRIMS = {"both": "trim", "leading": "ltrim", "trailing": "rtrim"}
_DEFAULT_FRAME = "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"  # is not printed
_FRAMES = {"rows", "range", "groups"}
_SEPARATORS = ("from", "for", "placing", "in", ",")


def call(tokens: Tokens, name: str) -> str:
    """Read a call after its opening bracket."""
    name = name.lower()
    if tokens.accept("*", ")"):
        return _count_star(tokens, name)
    if name in {"trim", "substring", "position", "overlay"}:
        name, arguments = _special(tokens, name)
    else:
        arguments = _arguments(tokens)
    if name in {"coalesce", "ifnull"}:
        return f"COALESCE({arguments})"
    if tokens.accept("within"):
        name = _WITHIN.get(name, name)
        for word in ("group", "("):
            tokens.expect(word)
        arguments = f"{arguments} {_order(tokens)}".strip()
        tokens.expect(")")
    return f"{quoted(name)}({arguments}){_filter(tokens)}{_over(tokens)}"


def _count_star(tokens: Tokens, name: str) -> str:
    if name != "count":
        raise UnknownNameError
    condition = _filter(tokens)
    over = _over(tokens)
    return f"count(){condition}{over}" if over else f"count_star(){condition}"


def _arguments(tokens: Tokens) -> str:
    distinct = "DISTINCT " * tokens.accept("distinct")
    parts: list[str] = []
    while tokens.word() not in {")", "order by", "ignore", "respect"}:
        if parts:
            tokens.expect(",")
        parts.append(_argument(tokens))
    order = f" {_order(tokens)}" if tokens.word() == "order by" else ""
    nulls = " IGNORE NULLS" * tokens.accept("ignore", "nulls")
    tokens.expect(")")
    return f"{distinct}{', '.join(parts)}{order}{nulls}"


def _argument(tokens: Tokens) -> str:
    if tokens.word(1) == ":=":
        name = quoted(tokens.take_name())
        tokens.skip()
        return f"{name} := {tokens.expression()}"
    return tokens.expression()


def _special(tokens: Tokens, name: str) -> tuple[str, str]:
    """Read the arguments of `trim(both x from s)`, `substring(s from 1 for 2)` and their like."""
    if name == "trim" and tokens.word() in _TRIMS:
        name = _TRIMS[tokens.take_word()]
    parts = []
    swapped = name == "position" or "trim" in name
    inverted = False
    while not tokens.accept(")"):
        for word in _SEPARATORS:
            if tokens.accept(word):
                inverted = inverted or (swapped and word in {"from", "in"})
        parts.append(tokens.expression(RANGE))
    return name, ", ".join(reversed(parts) if inverted else parts)


def order_items(tokens: Tokens) -> str:
    """Read what follows ORDER BY."""
    parts = []
    while True:
        text = tokens.expression()
        for word in ("asc", "desc"):
            text += f" {word.upper()}" * tokens.accept(word)
        for word in ("first", "last"):
            text += f" NULLS {word.upper()}" * tokens.accept("nulls", word)
        parts.append(text)
        if not tokens.accept(","):
            return ", ".join(parts)


def _order(tokens: Tokens) -> str:
    tokens.expect("order by")
    return f"ORDER BY {order_items(tokens)}"


def _filter(tokens: Tokens) -> str:
    if not tokens.accept("filter", "("):
        return ""
    tokens.accept("where")
    condition = tokens.expression()
    tokens.expect(")")
    return f" FILTER (WHERE {condition})"


def _over(tokens: Tokens) -> str:
    if not tokens.accept("over"):
        return ""
    tokens.expect("(")  # the definition of a named window is printed, and is not at hand
    parts: list[str] = []
    if tokens.accept("partition by"):
        parts.append(f"PARTITION BY {_items(tokens)}")
    if tokens.word() == "order by":
        parts.append(_order(tokens))
    if tokens.word() in _FRAMES:
        parts += [frame for frame in [_frame(tokens)] if frame != _DEFAULT_FRAME]
    tokens.expect(")")
    return f" OVER ({' '.join(parts)})"


def _items(tokens: Tokens) -> str:
    parts = [tokens.expression()]
    while tokens.accept(","):
        parts.append(tokens.expression())
    return ", ".join(parts)


def _frame(tokens: Tokens) -> str:
    unit = tokens.take_word().upper()
    if tokens.accept("between"):
        start = _bound(tokens)
        tokens.expect("and")
        end = _bound(tokens)
    else:
        start, end = _bound(tokens), "CURRENT ROW"
    if start.startswith("UNBOUNDED") and end.startswith("UNBOUNDED"):
        unit = "ROWS"  # all rows in any unit
    text = f"{unit} BETWEEN {start} AND {end}"
    if tokens.accept("exclude"):
        words = [tokens.take_word().upper()]
        if words[0] in {"CURRENT", "NO"}:
            words.append(tokens.take_word().upper())
        text += f" EXCLUDE {' '.join(words)}"
    return text


def _bound(tokens: Tokens) -> str:
    if tokens.accept("current", "row"):
        return "CURRENT ROW"
    start = "UNBOUNDED" if tokens.accept("unbounded") else tokens.expression(RANGE)
    return f"{start} {tokens.take_word().upper()}"

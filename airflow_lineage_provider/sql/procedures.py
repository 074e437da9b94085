"""CREATE PROCEDURE, FUNCTION and TRIGGER with a body of statements, which is not analysed.

The body contains semicolons, so its statements would be taken for those of the script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.compat import TokenType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_lineage_provider.sql.compat import Token

_KINDS = frozenset({"PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "PACKAGE"})
_MODIFIERS = frozenset({"OR", "TEMP", "TEMPORARY", "SECURE", "DEFINER", "EDITIONABLE"})
_OTHER_OBJECTS = frozenset({"TABLE", "VIEW", "SCHEMA", "DATABASE", "TASK", "STAGE", "STREAM", "AS"})
_NO_BLOCK = frozenset({"TRAN", "TRANSACTION", "WORK"})  # BEGIN TRANSACTION
_OTHER_ENDS = frozenset({"IF", "LOOP", "WHILE", "REPEAT", "FOR"})  # END IF


def without_bodies(tokens: Sequence[Token], dialect: str) -> tuple[list[Token], list[str]]:
    """Return the tokens outside of such statements, and the kinds of those left out."""
    kept: list[Token] = []
    kinds: list[str] = []
    position, is_start = 0, True
    while position < len(tokens):
        kind = _created(tokens, position) if is_start else None
        end = _end(tokens, position, dialect) if kind else None
        if kind and end is not None:
            kinds.append(kind)
            position = end
            continue
        token = tokens[position]
        is_start = token.token_type is TokenType.SEMICOLON or token.text.upper() == "GO"
        kept.append(token)
        position += 1
    return kept, kinds


def _created(tokens: Sequence[Token], position: int) -> str | None:
    if tokens[position].text.upper() not in {"CREATE", "ALTER"}:
        return None
    words = [token.text.upper() for token in tokens[position + 1 : position + 9]]
    kind = next((at for at, word in enumerate(words) if word in _KINDS), None)
    if kind is None or (kind and words[0] not in _MODIFIERS) or _OTHER_OBJECTS.intersection(words[:kind]):
        return None
    return words[kind]


def _end(tokens: Sequence[Token], position: int, dialect: str) -> int | None:
    """Return the position after the body; None for a body that is one statement or a string."""
    depth = 0
    declares = False  # PL/SQL: IS or AS, declarations with semicolons, then BEGIN
    for at in range(position, len(tokens)):
        word = tokens[at].text.upper()
        following = tokens[at + 1].text.upper() if at + 1 < len(tokens) else ""
        if dialect in {"tsql", "fabric"}:  # the rest of the batch
            if word == "GO":
                return at + 1
        elif word == "BEGIN" and following not in _NO_BLOCK:
            depth += 1
        elif word == "CASE" and depth:
            depth += tokens[at - 1].text.upper() != "END"
        elif word == "END" and depth and following not in _OTHER_ENDS:
            depth -= 1
            if depth == 0:
                return at + 1 + (following not in {"", ";"})  # END name
        elif not depth and word in {"IS", "AS"} and dialect == "oracle":
            declares = True
        elif not depth and not declares and tokens[at].token_type is TokenType.SEMICOLON:
            return None
    return len(tokens) if depth or declares or dialect in {"tsql", "fabric"} else None

"""A cursor over the tokens of one expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.compat import TokenType
from airflow_lineage_provider.sql.naming.duckdb_words import KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_lineage_provider.sql.compat import Token

_NOT_WORDS = frozenset({TokenType.IDENTIFIER, TokenType.STRING})
RANGE = 7  # the binding power of IN, BETWEEN and LIKE: what is inside of them binds tighter


class UnknownNameError(Exception):
    """The expression is of a kind whose printed form is not known."""


class Tokens:
    """Tokens and the position in them. Keywords are compared in lower case."""

    def __init__(self, text: str, tokens: Sequence[Token], expression: Callable[[Tokens, int], str]) -> None:
        """`expression` reads an expression whose operators bind tighter than the given power."""
        self.text = text
        self.tokens = tokens
        self._expression = expression
        self.at = 0

    def expression(self, power: int = 0) -> str:
        """Read an expression and return it as printed."""
        return self._expression(self, power)

    def expressions(self, end: str) -> list[str]:
        """Read expressions separated by commas up to the closing bracket."""
        found: list[str] = []
        while not self.accept(end):
            if found:
                self.expect(",")
            found.append(self.expression())
        return found

    def kind(self, ahead: int = 0) -> TokenType | None:
        """Return the type of a token; None after the last."""
        index = self.at + ahead
        return self.tokens[index].token_type if index < len(self.tokens) else None

    def word(self, ahead: int = 0) -> str:
        """Return a keyword or operator in lower case; empty for strings, quoted names and at the end."""
        index = self.at + ahead
        if index >= len(self.tokens) or self.tokens[index].token_type in _NOT_WORDS:
            return ""
        return self._source(index).lower()

    def accept(self, *words: str) -> bool:
        """Skip the words if they are next."""
        if any(self.word(ahead) != word for ahead, word in enumerate(words)):
            return False
        self.at += len(words)
        return True

    def expect(self, word: str) -> None:
        """Skip a word, which must be next."""
        if not self.accept(word):
            raise UnknownNameError

    def expect_end(self) -> None:
        """Raise `UnknownNameError` unless all tokens are read."""
        if self.at < len(self.tokens):
            raise UnknownNameError

    def skip(self, count: int = 1) -> None:
        """Skip tokens."""
        self.at += count

    def take(self) -> str:
        """Read a token and return its value, unquoted."""
        if self.at >= len(self.tokens):
            raise UnknownNameError
        self.at += 1
        return str(self.tokens[self.at - 1].text)

    def take_word(self) -> str:
        """Read a keyword and return it in lower case."""
        word = self.word()
        self.take()
        return word

    def take_source(self) -> str:
        """Read a token and return it as it is spelled."""
        self.take()
        return self._source(self.at - 1)

    def take_name(self) -> str:
        """Read an identifier, or a word that is used as one."""
        word = self.word()
        if self.kind() is not TokenType.IDENTIFIER and not word.replace("_", "a").isalnum():
            raise UnknownNameError
        return self.take()

    def at_query(self) -> bool:
        """Tell whether a query follows."""
        return self.word() in {"select", "with", "from", "values"}

    def _source(self, index: int) -> str:
        token = self.tokens[index]
        return self.text[token.start : token.end + 1]


def quoted(name: str) -> str:
    """Return an identifier as DuckDB prints it: in double quotes only where the grammar needs them."""
    plain = name.isidentifier() and name.isascii() and name.lower() not in KEYWORDS
    return name if plain else '"{}"'.format(name.replace('"', '""'))


def string(value: str) -> str:
    """Return a string literal."""
    return "'{}'".format(value.replace("'", "''"))

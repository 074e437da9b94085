"""Case folding of identifiers, by dialect."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

# sqlglot treats these as case-sensitive because of their table names; column names are not.
_COLUMNS_FOLD = frozenset({"mysql", "bigquery", "doris", "starrocks", "singlestore"})


class Names:
    """Folds identifiers to keys: two names with one key are the same name in the dialect."""

    def __init__(self, dialect: Dialect, name: str) -> None:
        """`name` is the dialect's name in sqlglot."""
        self.dialect = dialect
        strategy = dialect.normalization_strategy
        if name in _COLUMNS_FOLD:
            strategy = NormalizationStrategy.CASE_INSENSITIVE
        self.folds_all = strategy is NormalizationStrategy.CASE_INSENSITIVE
        self._upper = strategy in {
            NormalizationStrategy.UPPERCASE,
            getattr(NormalizationStrategy, "CASE_INSENSITIVE_UPPERCASE", None),
        }
        self._keeps = strategy is NormalizationStrategy.CASE_SENSITIVE
        self._spelled: dict[str, str] = {}
        self._cache: dict[tuple[str, bool], str] = {}

    def key(self, identifier: exp.Expr) -> str:
        """Return the key of an identifier in SQL."""
        if isinstance(identifier, exp.Parameter):  # T-SQL's table variables
            return f"@{identifier.name.lower()}"
        return self.fold(identifier.name, quoted=bool(identifier.args.get("quoted")))

    def column(self, identifier: exp.Expr) -> str:
        """Return the key of a column reference, and record its first spelling."""
        key = self.key(identifier)
        if self.folds_all:
            self._spelled.setdefault(key, identifier.name)
        return key

    def shown(self, key: str) -> str:
        """Return the first spelling of a key in the statement."""
        return self._spelled.get(key, key)

    def fold(self, name: str, *, quoted: bool = False) -> str:
        """Return the key of a name."""
        found = self._cache.get((name, quoted))
        if found is None:
            found = self._cache[name, quoted] = self._fold(name, quoted=quoted)
        return found

    def _fold(self, name: str, *, quoted: bool) -> str:
        if name.startswith("@") or "/" in name:  # a stage, a path
            return name
        if self.folds_all:
            return name.lower()
        if quoted or self._keeps:
            return name
        return name.upper() if self._upper else name.lower()

    def stored(self, name: str) -> str:
        """Return the key of a name in a schema. A lower-case name there means the folded name."""
        if self.folds_all:
            return name.lower()
        return name.upper() if self._upper and name.islower() else name

    def spelling(self, identifier: exp.Expr) -> str:
        """Return the name as the warehouse would store it."""
        plain = self.folds_all and not isinstance(identifier, exp.Parameter)
        return identifier.name if plain else self.key(identifier)

    def keys(self, table: exp.Table) -> list[str]:
        """Return the keys of a table's dotted name."""
        return [self.key(part) for part in table.parts if part.name]

    def spellings(self, table: exp.Table) -> tuple[str, ...]:
        """Return the parts of a table's dotted name as the warehouse would store them."""
        return tuple(self.spelling(part) for part in table.parts if part.name)

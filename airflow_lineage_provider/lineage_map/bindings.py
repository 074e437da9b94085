"""Logical names of datasets for OpenLineage's (namespace, name).

A binding is three templates. `{x}` stands for one part of a name, without `.` or `/`, and is the same text in
all three; `*` stands for any text. So `{layer}.{table}` in namespace `duckdb://*/warehouse.duckdb` under the
name `warehouse.{layer}.{table}` binds every table of the warehouse, wherever its file is.

The names that the map documents are bound first. Several layers may therefore share a schema: of the
bindings `raw.{table}`, `staging.{table}` and `marts.{table}` to `main.{table}` the one applies whose logical
name the map documents, and `{layer}.{table}` may be bound to `main.{table}`. A name that no documented
dataset has is bound where the bindings that fit agree on one logical name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from airflow_lineage_provider.lineage_map.edges import documented_names
from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from airflow_lineage_provider.lineage_map.load import LineageMap
    from airflow_lineage_provider.lineage_map.model import Binding

_MAX_LENGTH = 4096
"""Longer names are not matched: the time to match several `*` grows with the length."""
_TOKEN = re.compile(r"\{(\w+)\}|(\*)")


class _Bound(NamedTuple):
    """A documented dataset in the terms of one binding; `*` may be left in `namespace` and `name`."""

    rank: int
    dataset: str
    namespace: str
    name: str
    ignore_case: bool

    def fits(self, namespace: str | None, name: str) -> bool:
        return _fits(self.name, name, self.ignore_case) and (
            namespace is None or _fits(self.namespace, namespace, self.ignore_case)
        )


@dataclass(frozen=True)
class Bindings:
    """The bindings of an environment, in order, and the datasets that the map documents."""

    rules: tuple[_Rule, ...] = ()
    documented: frozenset[str] = frozenset()

    @classmethod
    def of(cls, templates: Iterable[tuple[str, str, str, bool]], documented: Iterable[str]) -> Bindings:
        """Return the bindings of what `templates` returned."""
        return cls(tuple(_Rule(*one) for one in templates), frozenset(documented))

    def templates(self) -> tuple[tuple[str, str, str, bool], ...]:
        """Return the templates of each binding (dataset, namespace, name), and whether it ignores case."""
        return tuple((rule.dataset, rule.namespace, rule.name, rule.ignore_case) for rule in self.rules)

    def logical(self, namespace: str, name: str) -> str | None:
        """Return the logical name of a dataset by its OpenLineage name, or None if no binding fits."""
        return self._find(namespace, name)[0]

    def logical_of_name(self, name: str) -> str | None:
        """Return the logical name of a dataset by its name alone, where the namespace is unknown."""
        return self._find(None, name)[0]

    def folds(self, namespace: str, name: str) -> bool:
        """Whether the names of the dataset's columns ignore case, as Snowflake's do."""
        return self._find(namespace, name)[1]

    def folds_name(self, name: str) -> bool:
        """Whether the names of the dataset's columns ignore case, where the namespace is unknown."""
        return self._find(None, name)[1]

    def ambiguous(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each OpenLineage name that several documented datasets are bound to, with those datasets."""
        found: dict[tuple[str, str], dict[str, None]] = {}
        for bound in self._bound:
            found.setdefault((bound.namespace, bound.name), {})[bound.dataset] = None
        for (namespace, name), datasets in found.items():
            if len(datasets) > 1:
                yield f"{namespace} {name}", tuple(datasets)

    def binds(self, dataset: str) -> bool:
        """Whether a binding applies to a documented dataset."""
        return any(rule.parts_of(dataset) is not None for rule in self.rules)

    def on_scheme(self, schemes: Collection[str]) -> Bindings:
        """Return the bindings whose namespace has one of these schemes: `snowflake` of `snowflake://*`."""
        return Bindings(
            tuple(rule for rule in self.rules if scheme_of(rule.namespace) in {*schemes, "*"}),
            self.documented,
        )

    def ignoring_case(self) -> Bindings:
        """Return the same bindings, which compare names without their case."""
        return Bindings(tuple(replace(rule, ignore_case=True) for rule in self.rules), self.documented)

    def openlineage_names(self) -> Iterator[tuple[str, str, str, bool]]:
        """Yield each documented dataset with its namespace and its name by the first binding that fits.

        Either may hold a `*`. The last value is whether the dataset's names ignore case.
        """
        seen = set[str]()
        for bound in self._bound:
            if bound.dataset not in seen:
                seen.add(bound.dataset)
                yield bound.dataset, bound.namespace, bound.name, bound.ignore_case

    def may_be(self, dataset: str, observed: str) -> bool:
        """Whether a logical name fits an observed dataset that no binding names.

        `observed` is its namespace and name with `/` in between, or a table's name, perhaps without database.
        """
        for rule in self.rules:
            parts = rule.parts_of(dataset)
            if parts is not None:
                namespace, name = _fill(rule.namespace, parts).rstrip("/"), _fill(rule.name, parts)
                wanted = (name, f"{namespace}/{name.lstrip('/')}")
                if any(_fits(one, observed, rule.ignore_case) for one in wanted) or _fits(
                    name, f"{name.partition('.')[0]}.{observed}", rule.ignore_case
                ):
                    return True
        return False

    def _find(self, namespace: str | None, name: str) -> tuple[str | None, bool]:
        if len(namespace or "") + len(name) > _MAX_LENGTH:
            return None, False
        exact, patterns = self._index
        candidates = (*exact.get(name.casefold(), ()), *patterns)
        fitting = [bound for bound in candidates if bound.fits(namespace, name)]
        if fitting:
            first = min(fitting)
            return first.dataset, first.ignore_case
        names = {
            logical: rule.ignore_case
            for rule in reversed(self.rules)
            if (logical := rule.logical(namespace, name)) is not None
        }
        return next(iter(names.items())) if len(names) == 1 else (None, any(names.values()))

    @cached_property
    def _bound(self) -> tuple[_Bound, ...]:
        return tuple(
            _Bound(rank, dataset, _fill(rule.namespace, parts), _fill(rule.name, parts), rule.ignore_case)
            for rank, rule in enumerate(self.rules)
            for dataset in sorted(self.documented)
            if (parts := rule.parts_of(dataset)) is not None
        )

    @cached_property
    def _index(self) -> tuple[Mapping[str, list[_Bound]], list[_Bound]]:
        """The documented datasets by their name, and those whose name holds a `*`."""
        exact: dict[str, list[_Bound]] = {}
        patterns = []
        for bound in self._bound:
            if "*" in bound.name:
                patterns.append(bound)
            else:
                exact.setdefault(bound.name.casefold(), []).append(bound)
        return exact, patterns


@dataclass(frozen=True, slots=True)
class _Rule:
    dataset: str
    namespace: str
    name: str
    ignore_case: bool

    def parts_of(self, dataset: str) -> dict[str, str] | None:
        """Return the texts of the placeholders in a logical name, or None if it does not fit."""
        found = _pattern(self.dataset, ignore_case=False).fullmatch(dataset)
        return found.groupdict() if found else None

    def logical(self, namespace: str | None, name: str) -> str | None:
        """Return the logical name of an undocumented dataset; None if this does not bind it."""
        template, observed = self.name, name
        if namespace is not None:
            template, observed = f"{self.namespace}\n{template}", f"{namespace}\n{observed}"
        if not set(_placeholders(self.dataset)) <= set(_placeholders(template)):
            return None
        found = _pattern(template, self.ignore_case).fullmatch(observed)
        if not found:
            return None
        parts = found.groupdict()
        return _fill(self.dataset, {k: v.lower() for k, v in parts.items()} if self.ignore_case else parts)


def scheme_of(namespace: str) -> str:
    """Return the scheme of an OpenLineage namespace: `s3` of `s3://lake`, `file` of `file`."""
    return namespace.partition("://")[0].partition(":")[0]


def bindings_of(lineage_map: LineageMap, environment: str | None = None) -> Bindings:
    """Return the bindings of an environment, or of all of them in the order of the file.

    Raises MapError if the map has no such environment, or a placeholder of a binding has no value.
    """
    known = lineage_map.content.environments
    if environment is not None and environment not in known:
        named = ", ".join(known) or "none"
        provenance = lineage_map.where("environments")
        message = f"no environment {environment!r}; the map has {named}"
        raise MapError([MapProblem(provenance.file, provenance.line, 1, message)])
    chosen = [environment] if environment is not None else list(known)
    rules = (
        _rule(binding, lineage_map, ("environments", name, "bindings", number))
        for name in chosen
        for number, binding in enumerate(known[name].bindings)
    )
    return Bindings(tuple(rules), frozenset(documented_names(lineage_map.content)))


def _rule(binding: Binding, lineage_map: LineageMap, path: tuple[str | int, ...]) -> _Rule:
    odd = {*_placeholders(binding.namespace), *_placeholders(binding.name)} - {
        *_placeholders(binding.dataset)
    }
    if odd:
        named = ", ".join(f"{{{name}}}" for name in sorted(odd))
        message = f"{named} must be in `dataset` too; write `*` for any text"
        line, column = lineage_map.positions.get(path, (1, 1))
        raise MapError([MapProblem(lineage_map.file_of(path), line, column, message)])
    return _Rule(binding.dataset, binding.namespace, binding.name, binding.ignore_case)


def fits_template(template: str, dataset: str) -> bool:
    """Whether a logical name fits the `dataset` of a binding."""
    return _pattern(template, ignore_case=False).fullmatch(dataset) is not None


def _placeholders(template: str) -> Iterable[str]:
    return (token[1] for token in _TOKEN.finditer(template) if token[1])


def _fill(template: str, parts: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda token: parts[token[1]] if token[1] else "*", template)


def _fits(pattern: str, text: str, ignore_case: bool) -> bool:  # noqa: FBT001
    if "*" in pattern:
        return _glob(pattern, ignore_case).fullmatch(text) is not None
    return pattern == text or (ignore_case and pattern.casefold() == text.casefold())


@lru_cache(maxsize=10_000)
def _glob(pattern: str, ignore_case: bool) -> re.Pattern[str]:  # noqa: FBT001
    parts = r"[^\n]*".join(map(re.escape, pattern.split("*")))
    return re.compile(parts, re.IGNORECASE if ignore_case else re.NOFLAG)


@lru_cache(maxsize=1_000)
def _pattern(template: str, ignore_case: bool) -> re.Pattern[str]:  # noqa: FBT001
    """Return the regular expression of a template; a repeated placeholder is the same text."""
    out, end, seen = [], 0, set[str]()
    for token in _TOKEN.finditer(template):
        out.append(re.escape(template[end : token.start()]))
        end = token.end()
        if token[2]:
            out.append(r"[^\n]*")
        elif token[1] in seen:
            out.append(f"(?P={token[1]})")
        else:
            seen.add(token[1])
            out.append(rf"(?P<{token[1]}>[^./\n]+)")
    return re.compile("".join(out) + re.escape(template[end:]), re.IGNORECASE if ignore_case else re.NOFLAG)

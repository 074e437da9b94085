"""Logical names to OpenLineage's (namespace, name), and back.

A binding is three templates. `{x}` stands for one part of a name, without `.` or `/`, and is the same
text in all three; `*` stands for anything. So `{layer}.{table}` in namespace `duckdb://*/warehouse.duckdb`
under the name `warehouse.{layer}.{table}` serves every table of the warehouse, wherever its file is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_lineage_provider.lineage_map.load import LineageMap
    from airflow_lineage_provider.lineage_map.model import Binding

_NOTHING = r"(?!)"
_LONGEST = 4096
"""No name is longer; several `*` would take too long on what is."""
_TOKEN = re.compile(r"\{(\w+)\}|(\*)")


@dataclass(frozen=True, slots=True)
class Bindings:
    """The bindings of an environment, in order: the first that fits a name is taken."""

    rules: tuple[_Rule, ...]

    def logical(self, namespace: str, name: str) -> str | None:
        """Return the logical name of a dataset that was observed, or None if nothing fits."""
        observed = f"{namespace}\n{name}"
        if len(observed) > _LONGEST:
            return None
        for rule in self.rules:
            if found := rule.observed.fullmatch(observed):
                return rule.fill(rule.dataset, found.groupdict())
        return None

    def logical_of_name(self, name: str) -> str | None:
        """Return the logical name of a dataset by its name alone, where no namespace is known."""
        for rule in self.rules:
            if found := rule.named.fullmatch(name):
                return rule.fill(rule.dataset, found.groupdict())
        return None

    def folds_name(self, name: str) -> bool:
        """Whether the dataset of that name alone writes its names in any case."""
        return next((rule.ignore_case for rule in self.rules if rule.named.fullmatch(name)), False)

    def folds(self, namespace: str, name: str) -> bool:
        """Whether that dataset's names are written in any case, as Snowflake's are."""
        observed = f"{namespace}\n{name}"
        if len(observed) > _LONGEST:
            return False
        return next((r.ignore_case for r in self.rules if r.observed.fullmatch(observed)), False)

    def physical(self, dataset: str) -> tuple[str, str] | None:
        """Return the namespace and name of a logical dataset, with `*` where any text fits."""
        for rule in self.rules:
            if found := rule.documented.fullmatch(dataset):
                parts = found.groupdict()
                return rule.fill(rule.namespace, parts), rule.fill(rule.name, parts)
        return None


@dataclass(frozen=True, slots=True)
class _Rule:
    dataset: str
    namespace: str
    name: str
    ignore_case: bool
    observed: re.Pattern[str]
    named: re.Pattern[str]
    documented: re.Pattern[str]

    def fill(self, template: str, parts: dict[str, str]) -> str:
        def put(token: re.Match[str]) -> str:
            text = parts[token[1]] if token[1] else "*"
            return text.lower() if self.ignore_case and template is self.dataset else text

        return _TOKEN.sub(put, template)


def bindings_of(lineage_map: LineageMap, environment: str | None = None) -> Bindings:
    """Return the bindings of an environment, or of all of them in the order of the file.

    Raises MapError if the map has no such environment or a template cannot be filled.
    """
    known = lineage_map.content.environments
    if environment is not None and environment not in known:
        named = ", ".join(known) or "none"
        provenance = lineage_map.where("environments")
        message = f"no environment {environment!r}; the map has {named}"
        raise MapError([MapProblem(lineage_map.file, provenance.line, 1, message)])
    chosen = [environment] if environment is not None else list(known)
    return Bindings(
        tuple(
            _rule(binding, lineage_map, ("environments", name, "bindings", number))
            for name in chosen
            for number, binding in enumerate(known[name].bindings)
        )
    )


def _rule(binding: Binding, lineage_map: LineageMap, path: tuple[str | int, ...]) -> _Rule:
    there = set(_names(binding.namespace)) | set(_names(binding.name))
    here = set(_names(binding.dataset))
    if here != there:
        odd = ", ".join(f"{{{name}}}" for name in sorted(here ^ there))
        message = f"{odd} must stand in `dataset` and in `namespace` or `name` alike"
        line, column = lineage_map.positions.get(path, (1, 1))
        raise MapError([MapProblem(lineage_map.file, line, column, message)])
    flags = re.IGNORECASE if binding.ignore_case else re.NOFLAG
    return _Rule(
        dataset=binding.dataset,
        namespace=binding.namespace,
        name=binding.name,
        ignore_case=binding.ignore_case,
        observed=re.compile(_pattern(f"{binding.namespace}\n{binding.name}"), flags),
        named=re.compile(_pattern(binding.name) if set(_names(binding.name)) == here else _NOTHING, flags),
        documented=re.compile(_pattern(binding.dataset)),
    )


def _names(template: str) -> Iterable[str]:
    return (token[1] for token in _TOKEN.finditer(template) if token[1])


def _pattern(template: str) -> str:
    """Return the regular expression of a template; a name that comes again must be the same text."""
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
    return "".join(out) + re.escape(template[end:])

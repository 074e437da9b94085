"""DataHub's URNs: parsed, and made from names.

https://docs.datahub.com/docs/what/urn
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from airflow_lineage_provider.errors import LineageError

_URN = re.compile(r"urn:li:([A-Za-z]+):(.+)", re.DOTALL)
_ESCAPED = re.compile("%(?:25|28|29|2[cC])")
_RESERVED = {"%": "%25", "(": "%28", ")": "%29", ",": "%2C"}
_LONGEST = 2048
_FIELD = "urn:li:schemaField:("


class UrnError(LineageError):
    """Text that is no URN of DataHub."""


class Urn(NamedTuple):
    """A URN: its entity type, such as `dataset`, and its parts; `text` is the URN itself."""

    kind: str
    parts: tuple[str, ...]
    text: str


class FieldRef(NamedTuple):
    """A column as DataHub names it: the URN of its dataset, and the path of the field."""

    dataset: str
    path: str


def parse_urn(text: str) -> Urn:
    """Return the parts of a URN; parts that are URNs themselves stay whole. Raises UrnError."""
    if not isinstance(text, str):
        raise UrnError(f"{text!r:.200} is not a URN of DataHub")
    return _parsed(text)


@lru_cache(maxsize=100_000)
def _parsed(text: str) -> Urn:
    found = _URN.fullmatch(text) if len(text) <= _LONGEST else None
    if not found:
        raise UrnError(f"{text!r:.200} is not a URN of DataHub")
    kind, key = found.groups()
    if not key.startswith("("):
        return Urn(kind, (_decoded(key),), text)
    if not key.endswith(")") or not _balanced(key):
        raise UrnError(f"{text!r:.200} is not a URN of DataHub: its parentheses do not match")
    parts = _split(key[1:-1])
    if not all(parts):
        raise UrnError(f"{text!r:.200} is not a URN of DataHub: one of its parts is empty")
    return Urn(kind, tuple(part if part.startswith("urn:") else _decoded(part) for part in parts), text)


def schema_field(urn: str) -> FieldRef:
    """Return the dataset and the path of a schemaField's URN. Raises UrnError."""
    dataset, found, path = str(urn).removeprefix(_FIELD).rpartition("),")
    if not found or not str(urn).startswith(_FIELD) or not path.endswith(")"):
        raise UrnError(f"{urn!r:.200} is not the URN of a column")
    return FieldRef(parse_urn(f"{dataset})").text, simple_path(_decoded(path[:-1])))


def simple_path(path: str) -> str:
    """Return a field path without the types of DataHub's second version of paths.

    >>> simple_path("[version=2.0].[type=struct].[type=string].address.[type=string].city")
    'address.city'
    """
    if not path.startswith("[version="):
        return path
    return ".".join(part for part in re.split(r"\.(?![^\[]*\])", path) if not part.startswith("["))


def platform_urn(platform: str) -> str:
    """Return the URN of a platform, such as `snowflake`."""
    return f"urn:li:dataPlatform:{_encoded(platform)}"


def dataset_urn(platform: str, name: str, env: str) -> str:
    """Return the URN of a dataset."""
    return f"urn:li:dataset:({platform_urn(platform)},{_encoded(name)},{env})"


def schema_field_urn(dataset: str, path: str) -> str:
    """Return the URN of a column of the dataset with this URN."""
    return f"urn:li:schemaField:({dataset},{_encoded(path)})"


def urn_of(kind: str, *parts: str) -> str:
    """Return a URN of several parts; parts that are URNs stay as they are.

    >>> urn_of("dashboard", "tableau", "sales")
    'urn:li:dashboard:(tableau,sales)'
    """
    return f"urn:li:{kind}:({','.join(p if p.startswith('urn:li:') else _encoded(p) for p in parts)})"


def slug(name: str) -> str:
    """Return a name as a part of a URN: small letters, digits, and hyphens for anything else.

    >>> slug("Data Platform Team")
    'data-platform-team'
    """
    return re.sub(r"[^\w.@]+", "-", name.strip().lower()).strip("-") or "-"


def _encoded(part: str) -> str:
    return "".join(_RESERVED.get(character, character) for character in part)


def _decoded(part: str) -> str:
    return _ESCAPED.sub(lambda found: unquote(found[0]), part) if "%" in part else part


def _balanced(key: str) -> bool:
    depth = 0
    for number, character in enumerate(key):
        depth += (character == "(") - (character == ")")
        if depth == 0 and number < len(key) - 1:
            return False
    return depth == 0


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for number, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            parts.append(text[start:number])
            start = number + 1
    return [*parts, text[start:]]

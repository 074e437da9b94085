"""Approvals of a map: the digest that is approved, and the record of it in the YAML file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map.edit import Edit, edited
from airflow_lineage_provider.lineage_map.load import parse_source
from airflow_lineage_provider.lineage_map.yaml_text import parse_yaml

if TYPE_CHECKING:
    import datetime as dt

    from airflow_lineage_provider.lineage_map.model import Map
    from airflow_lineage_provider.lineage_map.source import MapSource

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Signature:
    """Who approves a map, in which role, and when."""

    role: str
    name: str
    date: dt.date


def digest_of(content: Map) -> str:
    """Return the digest of what a map documents: all but the approvals, whatever its layout and files."""
    data = content.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={"approvals", "include"}
    )
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def with_approval(source: MapSource, signature: Signature) -> MapSource:
    """Return the text of a map with an approval in its own file; all other lines stay as they are.

    The entry of the role is replaced, or added where the map lists no approvals at all. Raises InputError for
    a role that the map does not list and for an empty name, MapError for an invalid map.
    """
    before, text, file = parse_source(source).content, source.text, source.file
    name = signature.name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InputError("the name of the approver is one line of at most 200 characters")
    roles = [approval.role for approval in before.approvals]
    number = next((n for n, one in enumerate(roles) if one.casefold() == signature.role.casefold()), None)
    if number is None and roles:
        raise InputError(f"{file} has no approval by {signature.role!r}; it lists {', '.join(roles)}")
    entry = {
        "role": roles[number] if number is not None else signature.role,
        "name": name,
        "date": signature.date.isoformat(),
        "digest": digest_of(before),
    }
    listed = parse_yaml(text, file)[0].get("approvals") or []
    entries = [*listed, entry] if number is None else [*listed[:number], entry, *listed[number + 1 :]]
    return source.with_texts({file: edited(text, [Edit(("approvals",), entries)], file)})

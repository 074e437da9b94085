"""Approvals of a map: the digest that is approved, and the record of it in the YAML file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map.load import parse_map

if TYPE_CHECKING:
    import datetime as dt

    from airflow_lineage_provider.lineage_map.model import Map

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Signature:
    """Who approves a map, in which role, and when."""

    role: str
    name: str
    date: dt.date


def digest_of(content: Map) -> str:
    """Return the digest of what a map documents: all of it but the approvals, whatever its layout as YAML."""
    data = content.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"approvals"})
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def with_approval(text: str, file: str, signature: Signature) -> str:
    """Return the YAML text of a map with an approval in it; all other lines stay as they are.

    The entry of the role is replaced, or added where the map lists no approvals at all. Raises InputError for
    a role that the map does not list and for an empty name, MapError for an invalid map.
    """
    before = parse_map(text, file).content
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
    changed = _edited(text, number, _flow(entry))
    after = parse_map(changed, file).content
    if after.model_copy(update={"approvals": ()}) != before.model_copy(update={"approvals": ()}):
        raise InputError(f"{file}: `approvals` cannot be edited in place; write it as a list of mappings")
    return changed


def _flow(entry: dict[str, str]) -> str:
    return yaml.safe_dump(
        entry, default_flow_style=True, allow_unicode=True, sort_keys=False, width=1 << 30
    ).strip()


def _edited(text: str, number: int | None, entry: str) -> str:
    """Return the text with the entry in place of the approval of this number, or as the only one."""
    root: Any = yaml.compose(text, Loader=_Loader)
    pairs = {key.value: (key, value) for key, value in root.value}
    lines = _line_starts(text)
    if number is not None:
        item = pairs["approvals"][1].value[number]
        return text[: _offset(lines, item.start_mark)] + entry + text[_offset(lines, _end(item)) :]
    added = f"approvals:\n  - {entry}\n"
    if "approvals" not in pairs:
        return f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}\n{added}"
    key, value = pairs["approvals"]
    end = _offset(lines, value.end_mark)
    return text[: _offset(lines, key.start_mark)] + added.rstrip("\n") + text[end:]


def _end(node: Any) -> Any:
    """Return the end of a node; that of a block mapping is the end of its last value, before comments."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return node.end_mark
    last = node.value[-1]
    return _end(last[1] if isinstance(node, yaml.MappingNode) else last)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    while (at := text.find("\n", starts[-1])) >= 0:
        starts.append(at + 1)
    return starts


def _offset(lines: list[int], mark: Any) -> int:
    start: int = lines[mark.line]
    return start + int(mark.column)

"""Avro schemas: nested records, unions, arrays, maps, logical types and named types.

https://avro.apache.org/docs/1.12.0/specification/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.movement import MovedField
from airflow_lineage_provider.systems.schemas.budget import DEEPEST, VALUE, Budget

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def avro_field(text: str, references: Iterable[str]) -> MovedField:
    """Return a schema as a field; `references` are the schemas that its named types may stand in.

    Raises ValueError, KeyError or TypeError for what is no Avro schema.
    """
    return _AvroReader(text, references).read()


class _AvroReader:
    """Reads one schema."""

    def __init__(self, text: str, references: Iterable[str]) -> None:
        self._budget = Budget()
        self._named: dict[str, Mapping[str, Any]] = {}
        for reference in references:
            self._learn(json.loads(reference), "", 0)
        self._top = json.loads(text)
        self._learn(self._top, "", 0)

    def read(self) -> MovedField:
        return self._field(VALUE, self._top, "", (), "")

    def _learn(self, node: Any, namespace: str, depth: int) -> None:
        """Note the named types of a schema, each by its full name."""
        if depth > DEEPEST:
            raise ValueError(f"it is nested deeper than {DEEPEST}")
        if isinstance(node, list):
            for branch in node:
                self._learn(branch, namespace, depth + 1)
        elif isinstance(node, dict):
            if node.get("type") in ("record", "error", "enum", "fixed"):
                namespace, full = _avro_name(node, namespace)
                self._named[full] = node
            for field in node.get("fields") or ():
                self._learn(field["type"], namespace, depth + 1)
            for key in ("items", "values"):
                self._learn(node.get(key), namespace, depth + 1)
            if isinstance(node.get("type"), (dict, list)):
                self._learn(node["type"], namespace, depth + 1)

    def _field(self, name: str, node: Any, namespace: str, within: tuple[str, ...], doc: str) -> MovedField:
        self._budget.spend()
        if isinstance(node, list):
            return self._union(name, node, namespace, within, doc)
        if isinstance(node, str):
            return self._of_name(name, node, namespace, within, doc)
        kind = node["type"]
        if isinstance(kind, (dict, list)):
            return self._field(name, kind, namespace, within, doc)
        if kind in _COMPLEX:
            return MovedField(name, _COMPLEX[kind], doc, self._children(node, namespace, within))
        if kind not in _PRIMITIVES | {"enum", "fixed"}:
            return self._of_name(name, kind, namespace, within, doc)
        return MovedField(name, _avro_type(node), doc)

    def _children(
        self, node: Mapping[str, Any], namespace: str, within: tuple[str, ...]
    ) -> tuple[MovedField, ...]:
        """Return the fields of a record, array or map; none of a type that holds itself."""
        if node["type"] == "array":
            return (self._field("_element", node["items"], namespace, within, ""),)
        if node["type"] == "map":
            value = self._field("_value", node["values"], namespace, within, "")
            return (MovedField("_key", "string"), value)
        inner, full = _avro_name(node, namespace)
        if full in within:
            return ()
        return tuple(
            self._field(one["name"], one["type"], inner, (*within, full), str(one.get("doc") or ""))
            for one in node["fields"]
        )

    def _of_name(self, name: str, kind: str, namespace: str, within: tuple[str, ...], doc: str) -> MovedField:
        if kind in _PRIMITIVES:
            return MovedField(name, kind, doc)
        full = kind if "." in kind or not namespace else f"{namespace}.{kind}"
        found = self._named.get(full) or self._named.get(kind)
        if found is None:
            raise ValueError(f"the type {kind} of field {name} is not defined")
        # Its own name gives the namespace of its fields.
        return self._field(name, found, full.rpartition(".")[0], within, doc)

    def _union(
        self, name: str, branches: Sequence[Any], namespace: str, within: tuple[str, ...], doc: str
    ) -> MovedField:
        """A union with null is an optional field; of several types its type names all."""
        others = [branch for branch in branches if branch != "null"]
        if len(others) == 1:
            return self._field(name, others[0], namespace, within, doc)
        kinds = [self._field(name, one, namespace, within, "") for one in others]
        return MovedField(name, f"union<{','.join(kind.type for kind in kinds)}>", doc)


_COMPLEX = {"record": "record", "error": "record", "array": "array", "map": "map"}
_PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


def _avro_name(node: Mapping[str, Any], namespace: str) -> tuple[str, str]:
    """Return the namespace and the full name of a named type."""
    name = str(node["name"])
    if "." in name:
        return name.rpartition(".")[0], name
    own = str(node.get("namespace", namespace) or "")
    return own, f"{own}.{name}" if own else name


def _avro_type(node: Mapping[str, Any]) -> str:
    """Return a type with its logical type, else with the name that Connect gives it."""
    kind, logical = str(node["type"]), node.get("logicalType")
    if logical == "decimal":
        return f"decimal({node.get('precision', '')},{node.get('scale', 0)})"
    if logical:
        return str(logical)
    if kind == "fixed":
        return f"fixed({node.get('size', '')})"
    return f"{kind} ({node['connect.name']})" if node.get("connect.name") else kind

"""The fields of registered schemas: Avro, JSON Schema and Protobuf, as one shape.

Nested as OpenLineage's schema facet nests: a record has its fields, an array one field `_element`, a map
`_key` and `_value`. https://openlineage.io/docs/spec/facets/dataset-facets/schema
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.movement import MovedField
from airflow_lineage_provider.systems.errors import SystemReadError, one_line
from airflow_lineage_provider.systems.schemas.avro import avro_field
from airflow_lineage_provider.systems.schemas.budget import DEEPEST, VALUE, Budget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_lineage_provider.systems.schemas.registry import RegisteredSchema


def schema_fields(schema: RegisteredSchema, registry: object = "") -> tuple[MovedField, ...]:
    """Return the fields of a schema. Raises SystemReadError for a schema that cannot be read.

    :param registry: how the error calls the registry that has it.
    """
    try:
        if schema.kind == "PROTOBUF":
            from airflow_lineage_provider.systems.schemas.protobuf import protobuf_fields

            texts = [schema.text, *(one.text for one in _references(schema))]
            return protobuf_fields(texts)
        if schema.kind == "AVRO":
            field = avro_field(schema.text, [one.text for one in _references(schema)])
        else:
            field = _json_field(schema)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        where = f"version {schema.version} of subject {schema.subject}"
        reason = one_line(error) or type(error).__name__
        by = f"{registry}: " if registry else ""
        raise SystemReadError(f"{by}{where} is no {schema.kind} schema that can be read ({reason})") from None
    return field.fields if field.type == "record" else (field,)


def _references(schema: RegisteredSchema) -> Iterator[RegisteredSchema]:
    """Yield the schemas that a schema refers to, those that others need first."""
    for reference in schema.references:
        yield from _references(reference)
        yield reference


def _json_field(schema: RegisteredSchema) -> MovedField:
    documents = {one.name: json.loads(one.text) for one in _references(schema)}
    top = json.loads(schema.text)
    return _JsonReader(documents).field(VALUE, top, top, 0)


class _JsonReader:
    """Reads a JSON Schema; `documents` are those that it refers to, by name."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self._documents = documents
        self._budget = Budget()

    def field(self, name: str, node: Any, top: Any, depth: int) -> MovedField:
        self._budget.spend()
        node, top = self._target(node, top)
        doc = str(node.get("description") or "") if isinstance(node, dict) else ""
        if not isinstance(node, dict) or depth > DEEPEST:
            return MovedField(name, "", doc)
        given = node.get("type")
        kinds = [one for one in (given if isinstance(given, list) else [given]) if one not in {None, "null"}]
        branches = node.get("oneOf") or node.get("anyOf") or ()
        others = [one for one in branches if one.get("type") != "null"]
        if len(others) == 1:
            return self.field(name, others[0], top, depth + 1)
        if others or len(kinds) > 1:
            parts = [self.field(name, one, top, depth + 1).type for one in others] or kinds
            return MovedField(name, f"union<{','.join(parts)}>", doc)
        kind = kinds[0] if kinds else ("object" if "properties" in node else "")
        if kind == "object" and "properties" in node:
            inner = node["properties"].items()
            return MovedField(
                name, "record", doc, tuple(self.field(key, one, top, depth + 1) for key, one in inner)
            )
        if kind == "array":
            element = self.field("_element", node.get("items") or {}, top, depth + 1)
            return MovedField(name, "array", doc, (element,))
        return MovedField(name, _json_type(kind, node), doc)

    def _target(self, node: Any, top: Any) -> tuple[Any, Any]:
        """Return what a `$ref` points to, and the document that it stands in."""
        for _ in range(DEEPEST):
            if not isinstance(node, dict) or "$ref" not in node:
                return node, top
            file, _, path = str(node["$ref"]).partition("#")
            top = self._documents[file] if file else top
            node = top
            for part in path.strip("/").split("/") if path.strip("/") else ():
                node = node[part.replace("~1", "/").replace("~0", "~")]
        raise ValueError("its $ref go round in a circle")


def _json_type(kind: str, node: Mapping[str, Any]) -> str:
    """Return a type with its format, else with the names that Connect's JsonSchemaConverter gives it."""
    if node.get("format"):
        return f"{kind}({node['format']})"
    named = node.get("title") if "connect.type" in node else None
    connect = node.get("connect.type")
    return f"{connect or kind} ({named})" if named else str(connect or kind)

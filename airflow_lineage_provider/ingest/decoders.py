"""Decoders of a topic's records, by the Avro schemas that a Schema Registry has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.ingest.avro import Decoder, UndecodableError, decoder, parse
from airflow_lineage_provider.ingest.model import IngestError

if TYPE_CHECKING:
    from airflow_lineage_provider.systems.schema_registry import RegisteredSchema, SchemaRegistryClient


class Decoders:
    """The decoders of a registry's schemas; each schema is read once."""

    def __init__(self, registry: SchemaRegistryClient) -> None:
        self._registry = registry
        self._known: dict[int, Decoder | None] = {}

    def decoder(self, number: int) -> Decoder:
        """Return the decoder of the schema with this id.

        Raises UndecodableError where the registry has none, IngestError where it is not Avro, and
        SystemReadError where the registry does not answer.
        """
        if number not in self._known:
            found = self._registry.schema_by_id(number)
            self._known[number] = self._decoder(found) if found else None
        known = self._known[number]
        if known is None:
            raise UndecodableError(f"the Schema Registry has no schema {number}")
        return known

    def latest(self, subject: str) -> Decoder | None:
        """Return the decoder of a subject's newest version; None where there is no such subject."""
        found = self._registry.schema(subject)
        return self._decoder(found) if found else None

    def _decoder(self, schema: RegisteredSchema) -> Decoder:
        named: dict[str, Any] = {}
        self._name_references(schema, named)
        return decoder(self._content(schema), named)

    def _name_references(self, schema: RegisteredSchema, named: dict[str, Any]) -> None:
        """Parse the schemas that one refers to, those without references first."""
        for reference in schema.references:
            self._name_references(reference, named)
            parse(self._content(reference), named)

    def _content(self, schema: RegisteredSchema) -> Any:
        if schema.kind != "AVRO":
            raise IngestError(f"{self._registry} has a {schema.kind} schema; only Avro is read")
        try:
            return json.loads(schema.text)
        except (ValueError, RecursionError):
            raise IngestError(f"{self._registry} has an Avro schema that is not JSON") from None

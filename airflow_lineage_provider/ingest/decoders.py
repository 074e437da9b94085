"""Decoders of a topic's records: Avro by the schemas that a Schema Registry has, JSON by its own schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.ingest.avro import Decoder, UndecodableError, decoder, parse, schema_id
from airflow_lineage_provider.ingest.connect_json import json_decoder, json_parts
from airflow_lineage_provider.ingest.model import IngestError

if TYPE_CHECKING:
    from airflow_lineage_provider.systems.schemas.registry import RegisteredSchema, SchemaRegistryClient


DELETED = "__deleted"
"""The field by which Debezium's ExtractNewRecordState says, as `true` or `false`, that a row was deleted."""


class Decoders:
    """The decoders of records; each schema is read once."""

    def __init__(self, registry: SchemaRegistryClient) -> None:
        self._registry = registry
        self._known: dict[int, Decoder | None] = {}
        self._json: dict[str, Decoder] = {}
        self._deletions: dict[int, Decoder] = {}

    def decode(self, value: bytes) -> tuple[Decoder, dict[str, Any]] | None:
        """Return a record, and the decoder of its schema; None for a record of JSON whose payload is null.

        Raises UndecodableError for a record that is neither Avro nor JSON with a schema, and what `decoder`
        raises.
        """
        if value[:1] != b"{":
            found = self.decoder(schema_id(value))
            return found, found.decode(value)
        schema, payload = json_parts(value)
        if payload is None:
            return None
        text = json.dumps(schema)
        if text not in self._json:
            self._json[text] = json_decoder(schema)
        return self._json[text], self._json[text].decode(payload)

    def deletion(self, key: bytes | None) -> tuple[Decoder, dict[str, Any]]:
        """Return the fields of a record's key, and `__deleted`. Raises as `decode` does."""
        read = self.decode(key) if key else None
        if read is None:
            raise UndecodableError("it deletes a row and has no key that says which")
        by_key, record = read
        if id(by_key) not in self._deletions:
            self._deletions[id(by_key)] = _with_deleted(by_key)
        return self._deletions[id(by_key)], record | {DELETED: "true"}

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


def _with_deleted(by_key: Decoder) -> Decoder:
    import pyarrow as pa

    return Decoder(
        pa.schema([*by_key.schema, pa.field(DELETED, pa.string())]), by_key.decode, by_key.json_columns
    )

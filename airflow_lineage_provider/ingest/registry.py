"""Reads Avro schemas from a Schema Registry that speaks Confluent's API."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.ingest.avro import Decoder, UndecodableError, decoder, parse
from airflow_lineage_provider.ingest.model import IngestError

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 10.0
TRIES = 4
LARGEST = 4 * 2**20
DEEPEST = 16
NOT_FOUND = 404
BUSY = {429, 500, 502, 503, 504}


class SchemaRegistry:
    """A registry's schemas, each asked for once.

    :param url: `https://registry:8081`; a login in it is sent as basic authentication.

    Raises InputError for another kind of URL.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InputError("the Schema Registry's URL is not http://HOST:PORT or https://HOST:PORT")
        host = parts.netloc.rpartition("@")[2]
        self.url = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self._headers = {"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if parts.username:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        self._decoders: dict[int, Decoder | None] = {}

    def decoder(self, number: int) -> Decoder:
        """Return the decoder of the schema with this id.

        Raises UndecodableError where the registry has none, IngestError where it does not answer or where
        the schema is not Avro.
        """
        if number not in self._decoders:
            found = self._get(f"/schemas/ids/{number}")
            self._decoders[number] = None if found is None else self._decoder(found)
        known = self._decoders[number]
        if known is None:
            raise UndecodableError(f"the Schema Registry has no schema {number}")
        return known

    def latest(self, subject: str) -> Decoder | None:
        """Return the decoder of a subject's newest version; None where there is no such subject."""
        found = self._get(f"/subjects/{quote(subject, safe='')}/versions/latest")
        return None if found is None else self._decoder(found)

    def _decoder(self, answer: Mapping[str, Any]) -> Decoder:
        named: dict[str, Any] = {}
        schema = self._schema(answer)
        self._add_references(answer, named, DEEPEST)
        return decoder(schema, named)

    def _schema(self, answer: Mapping[str, Any]) -> Any:
        kind = answer.get("schemaType", "AVRO")
        if kind != "AVRO":
            raise IngestError(f"the Schema Registry {self.url} has a {kind} schema; only Avro is read")
        try:
            return json.loads(answer["schema"])
        except (KeyError, TypeError, ValueError):
            raise IngestError(f"the Schema Registry {self.url} answered with no schema") from None

    def _add_references(self, answer: Mapping[str, Any], named: dict[str, Any], depth: int) -> None:
        """Parse the schemas that one refers to, those without references first."""
        if depth == 0:
            raise IngestError(f"the Schema Registry {self.url} has references more than {DEEPEST} deep")
        for reference in answer.get("references") or ():
            subject, version = quote(str(reference["subject"]), safe=""), int(reference["version"])
            found = self._get(f"/subjects/{subject}/versions/{version}")
            if found is None:
                raise IngestError(f"the Schema Registry {self.url} lacks {reference['subject']} {version}")
            self._add_references(found, named, depth - 1)
            parse(self._schema(found), named)

    def _get(self, path: str) -> dict[str, Any] | None:
        """Return the JSON object that the registry answers; None where it answers that there is none."""
        request = urllib.request.Request(f"{self.url}{path}", headers=self._headers)  # noqa: S310 - checked
        problem = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(0.2 * 2**attempt)
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                    return self._object(answer.read(LARGEST))
            except urllib.error.HTTPError as error:
                if error.code == NOT_FOUND:
                    return None
                problem = f"it answered {error.code} {error.reason}"
                if error.code not in BUSY:
                    raise IngestError(f"the Schema Registry {self.url}: {problem}") from None
            except OSError as error:
                problem = str(getattr(error, "reason", error))
        raise IngestError(
            f"the Schema Registry {self.url} does not answer: {problem}; is the connection right?",
            unreachable=True,
        )

    def _object(self, body: bytes) -> dict[str, Any]:
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise IngestError(f"the Schema Registry {self.url} answered with no JSON object")
        return found

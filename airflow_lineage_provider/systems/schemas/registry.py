"""Schema Registry's API: subjects, their versions, and schemas with all that they refer to.

https://docs.confluent.io/platform/current/schema-registry/develop/api.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_lineage_provider.systems.errors import SystemReadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.systems.http import JsonApi

MOST_VERSIONS = 1000
MOST_REFERENCES = 100
PAGE = 1000
MOST_PAGES = 100


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A version of a subject; `kind` is AVRO, PROTOBUF or JSON, `references` are the schemas it refers to.

    A schema that was read by its id has no subject, and version 0.
    """

    subject: str
    version: int
    kind: str
    text: str
    references: tuple[RegisteredSchema, ...] = ()
    name: str = ""
    """The name by which another schema refers to it."""


class SchemaRegistryClient:
    """Reads one registry."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    def __str__(self) -> str:
        """Name the registry, its connection and its URL."""
        return str(self._api)

    def subjects(self, prefix: str = "") -> tuple[str, ...]:
        """Return the subjects that begin with a prefix. Raises SystemReadError."""
        found: dict[str, None] = {}
        for page in range(MOST_PAGES):
            params = {"subjectPrefix": prefix, "offset": str(page * PAGE), "limit": str(PAGE)}
            answer = self._list(self._api.get("subjects", params), "subjects")
            before = len(found)
            found |= dict.fromkeys(str(name) for name in answer)
            # A registry that knows no pages gives all subjects each time.
            if len(answer) < PAGE or len(found) == before or len(answer) > PAGE:
                break
        return tuple(name for name in found if name.startswith(prefix))

    def versions(self, subject: str) -> tuple[int, ...]:
        """Return the versions of a subject, oldest first; none where there is no such subject."""
        answer = self._api.get(f"subjects/{quote(subject, safe='')}/versions")
        if answer is None:
            return ()
        versions = self._list(answer, f"the versions of {subject}")
        if not all(isinstance(version, int) for version in versions):
            raise self._nonsense(f"the versions of {subject}")
        return tuple(sorted(versions))[-MOST_VERSIONS:]

    def schema(self, subject: str, version: int | str = "latest") -> RegisteredSchema | None:
        """Return a version of a subject with all that it refers to; None where there is none."""
        return self._schema(subject, version, "", [])

    def schema_by_id(self, number: int) -> RegisteredSchema | None:
        """Return the schema with an id, as in a record's header, with all that it refers to."""
        answer = self._api.get(f"schemas/ids/{number}")
        return None if answer is None else self._registered(answer, "", "", [("", str(number))])

    def _schema(
        self, subject: str, version: int | str, name: str, seen: list[tuple[str, str]]
    ) -> RegisteredSchema | None:
        answer = self._api.get(f"subjects/{quote(subject, safe='')}/versions/{version}")
        seen.append((subject, str(version)))
        return None if answer is None else self._registered(answer, subject, name, seen)

    def _registered(
        self, answer: Any, subject: str, name: str, seen: list[tuple[str, str]]
    ) -> RegisteredSchema:
        """Return a schema with its references; those in `seen` were read before."""
        what = f"subject {subject}" if subject else f"schema {seen[0][1]}"
        if not isinstance(answer, dict) or not isinstance(answer.get("schema"), str):
            raise self._nonsense(what)
        if len(seen) > MOST_REFERENCES:
            raise SystemReadError(f"{self._api}: {what} refers to more than {MOST_REFERENCES} schemas")
        references = []
        for reference in self._list(answer.get("references") or [], f"the references of {what}"):
            to = self._mapping(reference, f"the references of {what}")
            key = (str(to.get("subject")), str(to.get("version")))
            if key not in seen:
                found = self._schema(*key, str(to.get("name")), seen)
                references += [found] if found else []
        return RegisteredSchema(
            subject=subject,
            version=int(answer.get("version") or 0),
            kind=str(answer.get("schemaType") or "AVRO").upper(),
            text=answer["schema"],
            references=tuple(references),
            name=name,
        )

    def _list(self, value: Any, what: str) -> list[Any]:
        if not isinstance(value, list):
            raise self._nonsense(what)
        return value

    def _mapping(self, value: Any, what: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._nonsense(what)
        return value

    def _nonsense(self, what: str) -> SystemReadError:
        return SystemReadError(
            f"{self._api} does not answer as a schema registry does (at {what}): check host, port and path"
        )

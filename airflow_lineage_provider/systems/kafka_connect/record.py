"""A Connect record as a shape: the fields of its value, and the source columns that each is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

VALUE = "value"
"""The name of a value that is no record."""


@dataclass(frozen=True, slots=True)
class FieldOrigin:
    """A column of the source that a field is made of, and how."""

    column: str
    subtype: str = "IDENTITY"
    masking: bool = False
    expression: str = ""

    def transformed(self, expression: str, *, masking: bool = False) -> FieldOrigin:
        """Return the origin behind one more transformation."""
        steps = f"{self.expression}; {expression}" if self.expression else expression
        return replace(self, subtype="TRANSFORMATION", masking=self.masking or masking, expression=steps)


@dataclass(frozen=True, slots=True)
class RecordField:
    """A field; one with `fields` is a record and has its origins there."""

    name: str
    type: str = ""
    origins: tuple[FieldOrigin, ...] = ()
    fields: tuple[RecordField, ...] = ()

    @property
    def is_record(self) -> bool:
        """Whether this is a record."""
        return bool(self.fields)

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, RecordField]]:
        """Yield each field that is no record, by its dotted path."""
        path = f"{prefix}{self.name}"
        if not self.fields:
            yield path, self
        for child in self.fields:
            yield from child.leaves(f"{path}.")

    def all_origins(self) -> tuple[FieldOrigin, ...]:
        """Return the origins of all of its leaves, each once."""
        return tuple(dict.fromkeys(origin for _, leaf in self.leaves() for origin in leaf.origins))

    def map_leaves(self, change: Callable[[RecordField], RecordField]) -> RecordField:
        """Return the field with each of its leaves changed."""
        if not self.fields:
            return change(self)
        return replace(self, fields=tuple(child.map_leaves(change) for child in self.fields))


@dataclass(frozen=True, slots=True)
class Record:
    """A record on its way: its topic, and its value; None where the value's fields are not known."""

    topic: str
    value: RecordField | None
    problems: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[RecordField, ...] | None:
        """The fields of the value; a value that is no record is one field of the name `value`."""
        if self.value is None:
            return None
        return self.value.fields if self.value.is_record else (replace(self.value, name=VALUE),)

    def with_fields(self, fields: Iterable[RecordField]) -> Record:
        """Return the record with a value of these fields."""
        return replace(self, value=RecordField("", "record", fields=tuple(fields)))

    def unknown(self, problem: str) -> Record:
        """Return the record with a value that is not known, and why."""
        return replace(self, value=None, problems=(*self.problems, problem))


def find(fields: Iterable[RecordField], name: str) -> RecordField | None:
    """Return the field of this name."""
    return next((field for field in fields if field.name == name), None)

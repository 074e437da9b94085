"""Bounds of schemas: a short one whose types refer to each other can have any number of fields."""

from __future__ import annotations

DEEPEST = 32
MOST_FIELDS = 20_000
VALUE = "value"
"""The name of the only field of a schema that is no record."""


class Budget:
    """Counts the fields of a schema."""

    def __init__(self) -> None:
        self._left = MOST_FIELDS

    def spend(self) -> None:
        """Count a field. Raises ValueError where a schema has too many."""
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"it has more than {MOST_FIELDS} fields")

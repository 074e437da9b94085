"""The errors of the event store and of the other places that events are read from."""

from __future__ import annotations

from airflow_lineage_provider.errors import LineageError


class EventSourceError(LineageError):
    """Events cannot be read; one line: what happened, where, what to do.

    `unreachable`: there is no answer now, but there may be one in a moment.
    """

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


class StoreError(EventSourceError):
    """The event store cannot read or write."""


class StoreLocationError(StoreError):
    """There can be no event store at the configured location; waiting does not help."""

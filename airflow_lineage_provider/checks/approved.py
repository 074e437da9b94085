"""The version of a map that was last approved, found in git by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.difference import difference
from airflow_lineage_provider.checks.revisions import map_at, revisions_of
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map import MapError
from airflow_lineage_provider.lineage_map.approval import digest_of
from airflow_lineage_provider.readers.documented import read_map

if TYPE_CHECKING:
    from airflow_lineage_provider.graph import Changed
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.lineage_map.governance import Approval

MOST_REVISIONS = 300


@dataclass(frozen=True, slots=True)
class SinceApproval:
    """What changed since the last approval; `note` says which one that is, or why it is not known."""

    note: str
    changes: tuple[Changed, ...] = ()
    known: bool = True


def since_approval(lineage_map: LineageMap, revision: str = "") -> SinceApproval:
    """Return what changed since the last approval, or since a git revision. Raises InputError."""
    if revision:
        before = map_at(lineage_map.file, revision)
        return SinceApproval(f"since {revision}", difference(read_map(before), read_map(lineage_map)))
    approval = last_approval(lineage_map)
    if approval is None:
        return SinceApproval("the map was not approved yet: all of it is new", known=False)
    signed = f"the approval by {approval.name or approval.role} on {approval.date}"
    if approval.digest == digest_of(lineage_map.content):
        return SinceApproval(f"nothing changed since {signed}")
    try:
        found = _approved(lineage_map, approval.digest)
    except InputError as error:
        return SinceApproval(f"what changed since {signed} is not known: {error}", known=False)
    if found is None:
        reason = f"none of the last {MOST_REVISIONS} revisions in git has the approved digest"
        return SinceApproval(f"what changed since {signed} is not known: {reason}", known=False)
    revision, before = found
    changes = difference(read_map(before), read_map(lineage_map))
    return SinceApproval(f"since {signed}, revision {revision[:12]}", changes)


def last_approval(lineage_map: LineageMap) -> Approval | None:
    """Return the approval with the latest date that has a digest."""
    signed = [approval for approval in lineage_map.content.approvals if approval.digest]
    return max(signed, key=lambda approval: approval.date, default=None)


def _approved(lineage_map: LineageMap, digest: str) -> tuple[str, LineageMap] | None:
    for revision in revisions_of(lineage_map.source.texts, MOST_REVISIONS):
        try:
            before = map_at(lineage_map.file, revision)
        except (MapError, InputError):  # a revision before the file was a map, or had this name
            continue
        if digest_of(before.content) == digest:
            return revision, before
    return None

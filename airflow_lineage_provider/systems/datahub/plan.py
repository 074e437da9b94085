"""What a publication would change in a catalog, and the changes made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from airflow_lineage_provider.systems.datahub.merge import is_registered_here, merged, same
from airflow_lineage_provider.systems.datahub.proposals import Proposal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

PROPERTIES = (
    "datasetProperties",
    "dashboardInfo",
    "chartInfo",
    "mlFeatureTableProperties",
    "mlFeatureProperties",
    "mlModelProperties",
    "dataFlowInfo",
    "dataJobInfo",
    "assertionInfo",
)
"""The aspects that tell who registered an entity."""


class CatalogSink(Protocol):
    """A place that metadata is published to: a server, or a file."""

    def aspects(self, urn: str, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the current values of aspects of an entity; those that it does not have are left out."""

    def registered(self, map_name: str) -> Iterable[str]:
        """Return the URNs that publications of this map registered and that are not soft-deleted."""

    def write(self, proposals: Sequence[Proposal]) -> None:
        """Write aspects."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One aspect to write; `action` is add, change or remove."""

    action: str
    proposal: Proposal

    def __str__(self) -> str:
        return f"{self.action:<6} {self.proposal.aspect:<24} {self.proposal.urn}"


def plan(
    sink: CatalogSink, proposals: Iterable[Proposal], map_name: str, *, remove: bool = False
) -> tuple[Planned, ...]:
    """Return the aspects that differ from what the sink has, with others' entries merged into them.

    With `remove`, entities that earlier publications of this map registered, and that are not among the
    proposals, are soft-deleted; those that another producer registered never are.
    """
    by_urn: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        by_urn.setdefault(proposal.urn, []).append(proposal)
    planned: list[Planned] = []
    for urn, own in by_urn.items():
        known = sink.aspects(urn, {one.aspect for one in own if not one.sent_with})
        written = set[str]()
        for proposal in own:
            if proposal.sent_with:
                if proposal.sent_with in written:
                    planned.append(Planned("add", proposal))
                continue
            theirs = known.get(proposal.aspect)
            value = merged(proposal.aspect, proposal.value, theirs)
            if not same(value, theirs):
                written.add(proposal.aspect)
                action = "change" if theirs else "add"
                planned.append(Planned(action, Proposal(urn, proposal.aspect, value)))
    if remove:
        gone = sorted(urn for urn in sink.registered(map_name) if urn not in by_urn)
        planned += [Planned("remove", Proposal(urn, "status", {"removed": True})) for urn in gone]
    return tuple(planned)


def registered_by(aspects: Mapping[str, Mapping[str, Any]], map_name: str) -> bool:
    """Whether a publication of this map registered the entity with these aspects."""
    found = next((aspects[name] for name in PROPERTIES if name in aspects), None)
    return (
        is_registered_here(found) and (found or {})["customProperties"].get("airflow_lineage.map") == map_name
    )

"""Compare what two graphs state beside lineage: the window of a feature, the approval of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.graph.findings import Code, Finding
from airflow_lineage_provider.graph.impact import CONSUMERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.graph.matching import Matching
    from airflow_lineage_provider.graph.model import Properties, Provenance


def compare_properties(matching: Matching) -> Iterator[Finding]:
    """Yield a finding for each dataset and column of both graphs whose properties differ.

    A property that only one of the graphs states is no finding: it is not known to differ. The owners of a
    consumer differ where not one of them is named by both.
    """
    for name, expected in matching.expected.datasets.items():
        observed = matching.observed.datasets.get(name)
        if observed is None or not matching.covered(name):
            continue
        where = expected.provenance, observed.provenance
        yield from _differences(name, expected.properties, observed.properties, *where)
        if expected.kind in CONSUMERS and not _share(expected.owners, observed.owners):
            was, now = (("owner", ", ".join(one.owners)) for one in (expected, observed))
            yield from _differences(name, (was,), (now,), *where)
        for key, column in expected.columns.items():
            if column.properties and key in observed.columns:
                documented = (column.provenance,) if column.provenance else expected.provenance
                produced = observed.columns[key].properties
                subject = f"{name}.{key}"
                yield from _differences(subject, column.properties, produced, documented, observed.provenance)


def _differences(
    subject: str,
    expected: Properties,
    observed: Properties,
    documented: tuple[Provenance, ...],
    produced: tuple[Provenance, ...],
) -> Iterator[Finding]:
    stated = dict(observed)
    differing = [
        (name, was, now)
        for name, was in expected
        if (now := stated.get(name)) is not None and _plain(was) != _plain(now)
    ]
    if differing:
        message = "; ".join(f"{name} is documented as {was} and is {now}" for name, was, now in differing)
        yield Finding(
            Code.PROPERTY_CHANGED,
            subject,
            f"{subject}: {message}",
            documented,
            produced,
            was=", ".join(was for _, was, _ in differing),
            now=", ".join(now for _, _, now in differing),
        )


def _share(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Whether two lists of owners have one in common, or one of them is empty."""
    return not first or not second or not {*map(_plain, first)}.isdisjoint(map(_plain, second))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()

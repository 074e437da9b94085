"""Who writes and who reads a topic, by the events of jobs, beside what a map documents.

A broker does not know which application writes a record, so only jobs that emit OpenLineage events (Kafka
Connect's connectors, DMS, movers) can be compared. Where there is none, the statement stays unchecked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.event import text_at
from airflow_lineage_provider.graph.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_lineage_provider.events.naming import DatasetName
    from airflow_lineage_provider.lineage_map import LineageMap

_STAND_IN = (
    "ingest"  # the job namespace of this package's movers, which replace any tool outside of production
)
_READS_NO_ROWS = "SCHEMA"
_NEXT = re.compile(r"→|->|=>|>|,|;|\band\b|\(")


@dataclass(frozen=True, slots=True, order=True)
class Party:
    """A job that writes or reads a topic, such as the connector `s3-sink` of `KAFKA_CONNECT`."""

    job: str
    integration: str

    def __str__(self) -> str:
        return f"{self.job} ({self.integration})" if self.integration else self.job

    def is_called(self, words: str) -> bool:
        """Whether words of the map name this job or its kind: `Kafka Connect`, `s3-sink`."""
        return any(_plain(words) in _plain(name) for name in (self.job, self.integration))


@dataclass(frozen=True, slots=True)
class Parties:
    """The jobs that write a topic, and those that read it."""

    producers: tuple[Party, ...] = ()
    consumers: tuple[Party, ...] = ()


def parties_of(events: Iterable[Mapping[str, Any]], topic: DatasetName) -> Parties:
    """Return the jobs whose runs completed with the topic as an output or an input.

    Left out are the readings of its schema, and the movers of this package, which stand in for other tools.
    """
    found: dict[str, set[Party]] = {"outputs": set(), "inputs": set()}
    for event in events:
        kind = ("job", "facets", "jobType")
        is_other = (
            text_at(event, "eventType") != "COMPLETE" or text_at(event, *kind, "jobType") == _READS_NO_ROWS
        )
        if is_other or text_at(event, "job", "namespace") == _STAND_IN:
            continue
        party = Party(text_at(event, "job", "name"), text_at(event, *kind, "integration"))
        for side, parties in found.items():
            datasets = event.get(side)
            for one in datasets if isinstance(datasets, list) else ():
                if (text_at(one, "namespace"), text_at(one, "name")) == (topic.namespace, topic.name):
                    parties.add(party)
    return Parties(tuple(sorted(found["outputs"])), tuple(sorted(found["inputs"])))


def party_findings(lineage_map: LineageMap, topic: str, parties: Parties) -> tuple[list[Finding], list[str]]:
    """Return a finding for each documented party that no job is called by, and what could not be checked.

    `topic` is its logical name. Of a consumer `Kafka Connect → S3 → Snowflake` the first part is meant.
    """
    source, _, name = topic.partition(".")
    documented = lineage_map.content.sources.get(source)
    dataset = documented.datasets.get(name) if documented else None
    if dataset is None:
        return [], []
    findings, unchecked = [], []
    for code, key, text, seen in (
        (Code.PRODUCER_DIFFERS, "producer", dataset.producer, parties.producers),
        (Code.CONSUMER_DIFFERS, "consumer", dataset.consumer, parties.consumers),
    ):
        words = _NEXT.split(text, maxsplit=1)[0].strip()
        if not words:
            continue
        verb = "writes" if key == "producer" else "reads"
        if not seen:
            unchecked.append(f"{key} {words!r} of {topic}: no event says which job {verb} it")
        elif not any(party.is_called(words) for party in seen):
            listed = ", ".join(map(str, seen))
            message = f"{topic} is documented with the {key} {words!r}, and {listed} {verb} it"
            where = (lineage_map.where("sources", source, "datasets", name, key),)
            findings.append(Finding(code, topic, message, where, was=text, now=listed))
    return findings, unchecked


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()

"""What a tool says about the project, read from OpenLineage events or from DataHub's file."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.comparison.project import COLUMNS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Event = dict[str, Any]


@dataclass
class Answer:
    """The edges between tables and columns that a tool claims, and its events of dbt's nodes."""

    version: str
    tables: set[tuple[str, str]] = field(default_factory=set)
    columns: set[tuple[str, str]] = field(default_factory=set)
    events: Counter[str] = field(default_factory=Counter)
    failed: str = "nothing"
    """What is sent of the model that fails."""
    tests: set[tuple[str, str, str]] = field(default_factory=set)
    """The data tests with a result: dataset, assertion and column."""

    def score(self) -> tuple[str, str]:
        """Return how many of the true edges it has, and how many others, of tables and of columns."""
        return _score(self.tables, TABLES), _score(self.columns, COLUMNS)


def _score(claimed: set[tuple[str, str]], true: set[tuple[str, str]]) -> str:
    others = len(claimed - true)
    return f"{len(claimed & true)} of {len(true)}" + (f", and {others} others" if others else "")


def read_events(file: Path, version: str) -> Answer:
    """Return what OpenLineage events say, without files and without dbt's own columns of a snapshot."""
    answer = Answer(version)
    for event in _events(file):
        inputs = event.get("inputs", [])
        outputs = event.get("outputs", [])
        if "dbt_node" in event["job"].get("facets", {}) or "dbt_version" in event["run"].get("facets", {}):
            answer.events[event["eventType"]] += 1
        answer.tests |= {
            (_name(one), check["assertion"], check.get("column", ""))
            for one in inputs
            for place in ("inputFacets", "facets")
            for check in one.get(place, {}).get("dataQualityAssertions", {}).get("assertions", [])
        }
        if event["eventType"] == "FAIL" and "broken" in json.dumps(event["job"]["name"]) + json.dumps(
            outputs
        ):
            names = {_name(one) for one in inputs}
            answer.failed = (
                "FAIL, with what it reads" if "main.revenue" in names else "FAIL, without what it reads"
            )
        for output in outputs:
            _read_output(answer, output, inputs)
    return answer


def _read_output(answer: Answer, output: Event, inputs: list[Event]) -> None:
    target = _name(output)
    if target == "main.broken":
        return
    answer.tables |= {(_name(one), target) for one in inputs if one["namespace"] != "file"}
    fields = output.get("facets", {}).get("columnLineage", {}).get("fields", {})
    for column, sources in fields.items():
        for source in sources.get("inputFields", []):
            kinds = {one.get("type") for one in source.get("transformations", [])}
            if kinds != {"INDIRECT"} and not column.startswith("dbt_") and source["namespace"] != "file":
                answer.columns.add(
                    (f"{_name(source)}.{source['field']}".lower(), f"{target}.{column}".lower())
                )


def _events(file: Path) -> Iterator[Event]:
    for line in file.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _name(dataset: Event) -> str:
    return ".".join(dataset["name"].split(".")[-2:]).lower()


def read_datahub(file: Path, version: str) -> Answer:
    """Return the upstreams that DataHub's dbt source found; a model and its table are one dataset."""
    answer = Answer(version, failed="-")
    for target, aspect in _lineage(json.loads(file.read_text(encoding="utf-8"))):
        for upstream in aspect.get("upstreams", []):
            answer.tables.add((_urn_name(upstream["dataset"]), target))
        for edge in aspect.get("fineGrainedLineages") or ():
            for source in edge.get("upstreams") or ():
                answer.columns |= {(_field(source), _field(one)) for one in edge.get("downstreams") or ()}
    answer.tables = {(a, b) for a, b in answer.tables if b not in {a, "main.broken"}}
    answer.columns = {
        (a, b)
        for a, b in answer.columns
        if a != b and "main.broken." not in b and not b.rpartition(".")[2].startswith("dbt_")
    }
    return answer


def _lineage(records: Iterable[Event]) -> Iterator[tuple[str, Event]]:
    for record in records:
        # A patch only adds that a table is the copy of its model.
        snapshot = record.get("proposedSnapshot", {})
        for one in snapshot.values():
            for aspect in one.get("aspects", []):
                for kind, content in aspect.items():
                    if kind.endswith("UpstreamLineage"):
                        yield _urn_name(one["urn"]), content


def _urn_name(urn: str) -> str:
    return ".".join(urn.split(",")[1].split(".")[-2:]).lower()


def _field(urn: str) -> str:
    dataset, _, column = urn.removeprefix("urn:li:schemaField:(").rpartition("),")
    return f"{_urn_name(dataset)}.{column.rstrip(')')}".lower()

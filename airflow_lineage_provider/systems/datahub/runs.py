"""DAGs, tasks and dbt nodes as DataHub's flows and jobs, with runs and the results of tests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.event import text_at
from airflow_lineage_provider.readers.datahub_urns import schema_field_urn, urn_of
from airflow_lineage_provider.systems.datahub.names import flow_and_job
from airflow_lineage_provider.systems.datahub.proposals import MAP, Proposal, edge_to, millis, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.graph import Graph
    from airflow_lineage_provider.lineage_map import Bindings, LineageMap
    from airflow_lineage_provider.readers import JobRun

_RESULTS = {"COMPLETE": "SUCCESS", "FAIL": "FAILURE", "ABORT": "SKIPPED"}


def documented_jobs(
    lineage_map: LineageMap, graph: Graph, urns: Mapping[str, str], env: str, map_name: str
) -> Iterator[Proposal]:
    """Yield the DAG that a map documents, and its tasks with the datasets that each reads and makes."""
    pipeline = lineage_map.content.pipeline
    if not pipeline.dag_id:
        return
    flow = urn_of("dataFlow", "airflow", pipeline.dag_id, env)
    yield from _flow(flow, pipeline.dag_id, map_name)
    for task, globs in pipeline.tasks.items():
        job = urn_of("dataJob", flow, task)
        made = [name for name in graph.datasets if any(fnmatchcase(name, glob) for glob in globs)]
        read = dict.fromkeys(source for name in made for source in graph.parents(name) if source not in made)
        yield from _job(job, flow, task, map_name)
        yield _input_output(job, [urns[name] for name in read], [urns[name] for name in made])


def observed_jobs(
    jobs: Iterable[JobRun], urns: Mapping[str, str], env: str, map_name: str
) -> Iterator[Proposal]:
    """Yield the jobs that ran, with their inputs and outputs, and the last run of each."""
    seen = set[str]()
    for run in jobs:
        flow, job = flow_and_job(run, env)
        if flow not in seen:
            seen.add(flow)
            yield from _flow(flow, flow.split(",")[1], map_name)
        if job:
            yield from _job(job, flow, run.label, map_name, run.kind)
            inputs, outputs = (
                [urns[one.logical] for one in side if one.logical in urns]
                for side in (run.inputs, run.outputs)
            )
            yield _input_output(job, inputs, outputs, millis(run.ended or run.started))
        if run.run_id:
            yield from _run(run, job or flow)


def _flow(urn: str, name: str, map_name: str) -> Iterator[Proposal]:
    yield Proposal(urn, "status", {"removed": False})
    yield Proposal(urn, "dataFlowInfo", {"name": name, "customProperties": {MAP: map_name}})


def _job(urn: str, flow: str, name: str, map_name: str, kind: str = "TASK") -> Iterator[Proposal]:
    value = {
        "name": name,
        "type": {"string": kind or "TASK"},
        "flowUrn": flow,
        "customProperties": {MAP: map_name},
    }
    yield Proposal(urn, "status", {"removed": False})
    yield Proposal(urn, "dataJobInfo", value)


def _input_output(urn: str, inputs: Iterable[str], outputs: Iterable[str], at: int = 0) -> Proposal:
    """Return what a job reads and makes: datasets only, since DataHub's jobs have no other ends."""
    read, made = (
        [edge_to(one, at) for one in dict.fromkeys(side) if one.startswith("urn:li:dataset:")]
        for side in (inputs, outputs)
    )
    value = {"inputDatasets": [], "outputDatasets": [], "inputDatasetEdges": read, "outputDatasetEdges": made}
    return Proposal(urn, "dataJobInputOutput", value)


def _run(run: JobRun, template: str) -> Iterator[Proposal]:
    urn = f"urn:li:dataProcessInstance:{run.run_id}"
    started, ended = millis(run.started), millis(run.ended)
    properties = {
        "name": run.label,
        "created": stamp(started),
        "customProperties": {"status": run.status, "ended": run.ended, "rows": str(run.rows or "")},
        "type": "BATCH_SCHEDULED",
    }
    key = "dataProcessInstanceProperties"
    yield Proposal(urn, key, properties)
    relations = {"upstreamInstances": [], "parentTemplate": template}
    yield Proposal(urn, "dataProcessInstanceRelationships", relations)
    begun = {"timestampMillis": started, "status": "STARTED"}
    yield Proposal(urn, "dataProcessInstanceRunEvent", begun, sent_with=key)
    if ended:
        result = {"type": _RESULTS.get(run.status, "FAILURE"), "nativeResultType": run.status}
        value: dict[str, Any] = {"timestampMillis": ended, "status": "COMPLETE", "result": result}
        if started:
            value["durationMillis"] = max(0, ended - started)
        yield Proposal(urn, "dataProcessInstanceRunEvent", value, sent_with=key)


@dataclass(frozen=True, slots=True)
class AssertionOutcome:
    """The result of a data quality test: an assertion of a facet, such as a dbt test's."""

    dataset: str
    name: str
    column: str
    arguments: tuple[tuple[str, str], ...]
    success: bool
    severity: str
    run_id: str
    at: str


def check_results(events: Iterable[Mapping[str, Any]], bindings: Bindings) -> tuple[AssertionOutcome, ...]:
    """Return the last result of each test that events report, by the logical name of its dataset."""
    last: dict[tuple[object, ...], AssertionOutcome] = {}
    for event in events:
        inputs = event.get("inputs")
        for dataset in inputs if isinstance(inputs, list) else ():
            for found in _results(event, dataset, bindings):
                key = (found.dataset, found.name, found.column, found.arguments)
                if key not in last or millis(last[key].at) <= millis(found.at):
                    last[key] = found
    return tuple(last.values())


def _results(event: Mapping[str, Any], dataset: Any, bindings: Bindings) -> Iterator[AssertionOutcome]:
    if not isinstance(dataset, dict):
        return
    facet = (dataset.get("inputFacets") or {}).get("dataQualityAssertions") or {}
    name, namespace = text_at(dataset, "name"), text_at(dataset, "namespace")
    logical = bindings.logical(namespace, name) or f"{namespace.rstrip('/')}/{name.lstrip('/')}"
    for one in facet.get("assertions") or ():
        yield AssertionOutcome(
            logical,
            text_at(one, "assertion"),
            text_at(one, "column"),
            tuple(sorted((str(key), str(value)) for key, value in (one.get("params") or {}).items())),
            bool(one.get("success")),
            text_at(one, "severity"),
            text_at(event, "run", "runId"),
            text_at(event, "eventTime"),
        )


def assertions(
    results: Iterable[AssertionOutcome], urns: Mapping[str, str], map_name: str
) -> Iterator[Proposal]:
    """Yield the tests of the datasets that are published, as assertions with their last results."""
    for one in results:
        dataset = urns.get(one.dataset, "")
        if not dataset.startswith("urn:li:dataset:"):
            continue
        identity = repr((dataset, one.name, one.column, one.arguments))
        key = hashlib.sha256(identity.encode()).hexdigest()[:32]
        urn = f"urn:li:assertion:{key}"
        about: dict[str, Any] = {
            "dataset": dataset,
            "scope": "DATASET_COLUMN" if one.column else "DATASET_ROWS",
            "operator": "_NATIVE_",
            "nativeType": one.name,
        }
        if one.arguments:
            about["nativeParameters"] = dict(one.arguments)
        if one.column:
            about["fields"] = [schema_field_urn(dataset, one.column)]
        value = {
            "type": "DATASET",
            "datasetAssertion": about,
            "source": {"type": "EXTERNAL"},
            "customProperties": {MAP: map_name, "last_run": one.run_id, "last_result": str(one.success)},
        }
        yield Proposal(urn, "status", {"removed": False})
        yield Proposal(urn, "assertionInfo", value)
        event = {
            "timestampMillis": millis(one.at),
            "runId": one.run_id,
            "asserteeUrn": dataset,
            "assertionUrn": urn,
            "status": "COMPLETE",
            "result": {
                "type": "SUCCESS" if one.success else "FAILURE",
                "nativeResults": {"severity": one.severity} if one.severity else {},
            },
        }
        yield Proposal(urn, "assertionRunEvent", event, sent_with="assertionInfo")

"""The run facets of a dbt node: its parent, engine, nominal time and outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlineage.client.event_v2 import RunState
from openlineage.client.facet_v2 import (
    RunFacet,
    error_message_run,
    external_query_run,
    extraction_error_run,
    nominal_time_run,
    parent_run,
    processing_engine_run,
    tags_run,
    test_run,
)
from openlineage.common.provider.dbt.facets import DbtRunRunFacet, DbtVersionRunFacet

from airflow_lineage_provider import __version__
from airflow_lineage_provider.events.context import PRODUCER, RunContext
from airflow_lineage_provider.events.naming import namespace
from airflow_lineage_provider.events.tags import AFTER_THE_FACT, TAG_SOURCE

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_lineage_provider.dbt.records import Invocation, NodeFinished

# dbt's statuses. A test with severity warn has found rows, and the pipeline goes on.
ENDED_WELL = {"success", "pass", "warn"}
# dbt Fusion reuses a relation whose inputs have not changed.
NOT_RUN = {"skipped", "no-op", "reused"}


def state_of(status: str) -> RunState:
    """Return OpenLineage's run state for dbt's status of a node."""
    if status in ENDED_WELL:
        return RunState.COMPLETE
    return RunState.ABORT if status in NOT_RUN else RunState.FAIL


def run_facets(invocation: Invocation, context: RunContext) -> dict[str, RunFacet]:
    """Return the facets of every event of an invocation."""
    facets: dict[str, RunFacet] = {
        "processing_engine": processing_engine_run.ProcessingEngineRunFacet(
            version=invocation.dbt_version,
            name="dbt",
            openlineageAdapterVersion=__version__,
            producer=PRODUCER,
        ),
        "dbt_version": DbtVersionRunFacet(version=invocation.dbt_version, producer=PRODUCER),
        "dbt_run": DbtRunRunFacet(
            invocation_id=invocation.invocation_id,
            project_name=invocation.project_name,
            profile_name=invocation.profile_name,
            dbt_runtime="core",
            full_refresh=invocation.full_refresh or None,
            producer=PRODUCER,
        ),
        **context_facets(context),
    }
    if invocation.after_the_fact:
        tag = tags_run.TagsRunFacetFields(AFTER_THE_FACT, "dbt artifacts", TAG_SOURCE)
        facets["tags"] = tags_run.TagsRunFacet(tags=[tag], producer=PRODUCER)
    return facets


def context_facets(context: RunContext) -> dict[str, RunFacet]:
    """Return the parent and nominal time of a run under an Airflow task; empty where there is no task."""
    facets: dict[str, RunFacet] = {}
    if context.parent:
        facets["parent"] = _parent(context)
    if context.nominal_start:
        facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(
            nominalStartTime=timestamp(context.nominal_start),
            nominalEndTime=timestamp(context.nominal_end) if context.nominal_end else None,
            producer=PRODUCER,
        )
    return facets


def outcome_facets(
    record: NodeFinished, problems: tuple[str, ...], invocation: Invocation, context: RunContext
) -> dict[str, RunFacet]:
    """Return the facets of an end event: error, query id, test result.

    `problems` are the parts of the column lineage that are not known.
    """
    facets: dict[str, RunFacet] = {}
    if state_of(record.status) is not RunState.COMPLETE:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message=context.mask(record.message) or record.status,
            programmingLanguage=record.node.language.upper(),
            producer=PRODUCER,
        )
    if problems and state_of(record.status) is RunState.COMPLETE:
        facets["extractionError"] = extraction_error_run.ExtractionErrorRunFacet(
            totalTasks=1,
            failedTasks=1,
            errors=[extraction_error_run.Error(errorMessage=context.mask(problem)) for problem in problems],
            producer=PRODUCER,
        )
    if record.query_id:
        facets["externalQuery"] = external_query_run.ExternalQueryRunFacet(
            externalQueryId=record.query_id, source=namespace(invocation.warehouse), producer=PRODUCER
        )
    if record.node.test:
        facets["test"] = test_run.TestRunFacet(tests=[_test_execution(record, context)], producer=PRODUCER)
    return facets


def timestamp(moment: datetime) -> str:
    """Return a time as OpenLineage writes it: ISO 8601 in UTC."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _parent(context: RunContext) -> RunFacet:
    parent, root = context.parent, context.root or context.parent
    if parent is None or root is None:
        raise ValueError("a parent facet needs a parent")
    return parent_run.ParentRunFacet(
        run=parent_run.Run(runId=parent.run_id),
        job=parent_run.Job(namespace=parent.namespace, name=parent.name),
        root=parent_run.Root(
            run=parent_run.RootRun(runId=root.run_id),
            job=parent_run.RootJob(namespace=root.namespace, name=root.name),
        ),
        producer=PRODUCER,
    )


def rows_found(record: NodeFinished) -> str | None:
    """Return how many failing rows a test found; None if it did not run."""
    return "0" if record.status == "pass" else str(record.failures) if record.failures else None


def _test_execution(record: NodeFinished, context: RunContext) -> test_run.TestExecution:
    test = record.node.test
    if test is None:
        raise ValueError(f"{record.node.unique_id} is no test")
    words = {"pass": "pass", "skipped": "skip"}
    return test_run.TestExecution(
        name=record.node.name,
        status=words.get(record.status, "fail"),
        severity=test.severity,
        type=test.kind,
        expected="0",
        actual=rows_found(record),
        params={name: context.mask(value) for name, value in test.arguments.items()},
    )

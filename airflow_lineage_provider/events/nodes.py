"""dbt's records as OpenLineage run events: START when a node begins; COMPLETE, FAIL or ABORT when it ends.

https://openlineage.io/docs/spec/run-cycle. Each terminal event stands on its own, because consumers such as
OpenMetadata read no other.

A job is identified by its namespace (`dbt`, or `dbt.<project>` where a DAG runs several projects) and
name (see `dbt.job_names`). For one project that runs twice in a DAG run, against two databases, the facets
`dbt_run` (project_name) and `dbt_node` (unique_id, database, schema) of each event tell the two apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.uuid import generate_static_uuid
from openlineage.common.provider.dbt.facets import (
    DbtExposure,
    DbtExposuresDatasetFacet,
    DbtModelConfig,
    DbtModelDatasetFacet,
)

from airflow_lineage_provider.dbt.records import NodeStarted
from airflow_lineage_provider.events.columns import NodeLineage, node_lineage
from airflow_lineage_provider.events.context import JOB_NAMESPACE, PRODUCER, RunContext
from airflow_lineage_provider.events.datasets import assertions, input_dataset, output_dataset
from airflow_lineage_provider.events.hooks import hook_writes
from airflow_lineage_provider.events.jobs import job_facets
from airflow_lineage_provider.events.naming import each_file
from airflow_lineage_provider.events.runs import outcome_facets, rows_found, run_facets, state_of, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from openlineage.client.facet_v2 import DatasetFacet, InputDatasetFacet, RunFacet

    from airflow_lineage_provider.dbt.records import HooksFinished, Invocation, Node, NodeFinished, Relation


class NodeEvents:
    """Makes the events of one dbt invocation."""

    def __init__(self, invocation: Invocation, context: RunContext) -> None:
        self._invocation = invocation
        self._context = context
        self._warehouse = invocation.warehouse
        project = f".{invocation.project_name}" if context.several_projects else ""
        self._job_namespace = JOB_NAMESPACE + project
        self._begun: dict[str, tuple[object, NodeLineage]] = {}

    def start(self, record: NodeStarted) -> RunEvent:
        """Return the START event of a node."""
        mask, node = self._context.mask, record.node
        lineage = self._lineage(node, record.sql)
        self._begun[node.unique_id] = _made_of(node, record.sql), lineage
        output, columns = node.relation, _columns(lineage)
        return self._event(
            RunState.START,
            record.at,
            self._run(node, record.at, {}),
            self._job(node, record.sql),
            [input_dataset(relation, self._warehouse, mask) for relation in _inputs(node, lineage)],
            [output_dataset(output, self._warehouse, mask, extra=columns)] if output else [],
        )

    def end(self, record: NodeFinished) -> RunEvent:
        """Return the COMPLETE, FAIL or ABORT event of a node."""
        mask, node = self._context.mask, record.node
        made_of, lineage = self._begun.pop(node.unique_id, (None, None))
        if lineage is None or made_of != _made_of(node, record.sql):  # more is known than at START
            lineage = self._lineage(node, record.sql)
        outcome = outcome_facets(record, lineage.problems, self._invocation, self._context)
        output, extra = node.relation, _dbt_facets(node) | _columns(lineage)
        return self._event(
            state_of(record.status),
            record.at,
            self._run(node, record.started_at, outcome),
            self._job(node, record.sql),
            [
                input_dataset(relation, self._warehouse, mask, _findings(record, relation, mask))
                for relation in _inputs(node, lineage)
            ],
            [output_dataset(output, self._warehouse, mask, record, extra)] if output else [],
        )

    def hooks(self, record: HooksFinished) -> list[RunEvent]:
        """Return START and end event for each table that hooks write."""
        return [
            event
            for made in hook_writes(record, self._invocation)
            for event in (self.start(NodeStarted(made.node, made.started_at, made.sql)), self.end(made))
        ]

    def _lineage(self, node: Node, sql: str | None) -> NodeLineage:
        return node_lineage(node, sql, self._warehouse, self._context.mask)

    def _run(self, node: Node, started_at: datetime, outcome: dict[str, RunFacet]) -> Run:
        """Return the run; START and end event get the same id, derived from invocation and node."""
        seed = f"{self._invocation.invocation_id}.{node.unique_id}".encode()
        facets = run_facets(self._invocation, self._context) | outcome
        return Run(runId=str(generate_static_uuid(started_at, seed)), facets=facets)

    def _job(self, node: Node, sql: str | None) -> Job:
        facets = job_facets(node, sql, self._invocation, self._context.mask)
        return Job(namespace=self._job_namespace, name=node.label, facets=facets)

    @staticmethod
    def _event(
        state: RunState,
        at: datetime,
        run: Run,
        job: Job,
        inputs: list[InputDataset],
        outputs: list[OutputDataset],
    ) -> RunEvent:
        return RunEvent(
            eventType=state,
            eventTime=timestamp(at),
            run=run,
            job=job,
            inputs=inputs,
            outputs=outputs,
            producer=PRODUCER,
        )


def _made_of(node: Node, sql: str | None) -> object:
    """Return what a node's column lineage depends on."""
    return node.inputs, node.relation, sql


def _inputs(node: Node, lineage: NodeLineage) -> list[Relation]:
    return [one for relation in (*node.inputs, *lineage.also_read) for one in each_file(relation)]


def _findings(
    record: NodeFinished, relation: Relation, mask: Callable[[str], str]
) -> dict[str, InputDatasetFacet]:
    """Return a test's result as a facet of the relation that the test is about, its first input."""
    node = record.node
    if not node.test or relation.unique_id != node.inputs[0].unique_id or record.status == "skipped":
        return {}
    return {"dataQualityAssertions": assertions(record, node.test, rows_found(record), mask)}


def _columns(lineage: NodeLineage) -> dict[str, DatasetFacet]:
    return {"columnLineage": lineage.facet} if lineage.facet else {}


def _dbt_facets(node: Node) -> dict[str, DatasetFacet]:
    relation = node.relation
    config = DbtModelConfig(materialized=relation.materialized if relation else None)
    facets: dict[str, DatasetFacet] = {"dbt_model": DbtModelDatasetFacet(config=config, producer=PRODUCER)}
    if node.exposures:
        exposures = [DbtExposure(e.unique_id, e.name, e.type, e.url) for e in node.exposures]
        facets["dbt_exposures"] = DbtExposuresDatasetFacet(exposures=exposures, producer=PRODUCER)
    return facets

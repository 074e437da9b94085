"""Compare one dbt node with the documented map before its SQL is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from airflow_lineage_provider.checks.equality import same_expression, same_type
from airflow_lineage_provider.graph import Code, Severity, compare
from airflow_lineage_provider.lineage_map import bindings_of
from airflow_lineage_provider.readers.documented import read_map
from airflow_lineage_provider.readers.manifest import logical_name, read_manifest
from airflow_lineage_provider.readers.manifest_file import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.graph import Finding, Graph
    from airflow_lineage_provider.lineage_map import LineageMap

_OF_COLUMNS = {
    Code.COLUMN_EDGE_MISSING,
    Code.COLUMN_EDGE_UNEXPECTED,
    Code.EXPRESSION_CHANGED,
    Code.TRANSFORMATION_CHANGED,
}


class NodeContract:
    """What a map documents in one environment, to which each node of a dbt run is held.

    Raises LineageError for an environment that the map does not have, and for invalid bindings.
    """

    def __init__(self, lineage_map: LineageMap, environment: str | None) -> None:
        self._bindings = bindings_of(lineage_map, environment)
        self._expected = read_map(lineage_map).graph
        self._policy = lineage_map.policy()

    def broken_by(self, node_part: Mapping[str, Any], unique_id: str) -> tuple[Finding, ...]:
        """Return the errors, by the map's policy, of a node that dbt has compiled and is about to run.

        `node_part` is that of `dbt.node_part`. Only what the compiled SQL proves is compared: inputs,
        columns, their sources and expressions. Types, and the columns that `select *` brings, are known after
        the run.
        """
        part = msgspec.convert(node_part, Manifest)
        node = part.nodes.get(unique_id)
        if node is None or node.resource_type not in {"model", "snapshot"}:
            return ()
        if node.config.materialized == "ephemeral":
            return ()
        name = logical_name(node, self._bindings)
        evidence = read_manifest(part, self._bindings)
        comparison = compare(
            self._expected,
            evidence.graph,
            scope=lambda dataset: dataset == name,
            policy=self._policy,
            same_type=same_type(evidence.dialect),
            same_expression=same_expression(evidence.dialect),
        )
        # An undocumented table between has no columns here, so column edges through it are unknown.
        passes_through = any(edge.through for edge in comparison.edges if edge.edge.target == name)
        return tuple(
            finding
            for finding in comparison.findings
            if finding.severity is Severity.ERROR
            and _concerns(finding, name, evidence.graph)
            and not (passes_through and finding.code in _OF_COLUMNS)
        )


def _concerns(finding: Finding, name: str, observed: Graph) -> bool:
    """Return whether a finding is about the dataset, one of its columns, an edge into it, or an input."""
    if finding.code is Code.DATASET_UNEXPECTED:
        return finding.subject in {name, *observed.upstream.get(name, ())}
    target = finding.subject.rpartition(" -> ")[2]
    return target == name or target.rpartition(".")[0] == name

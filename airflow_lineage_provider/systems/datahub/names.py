"""DataHub's URNs for the datasets, consumers and jobs of a lineage graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map.bindings import scheme_of
from airflow_lineage_provider.readers.datahub_names import BUCKETS, platform_of
from airflow_lineage_provider.readers.datahub_urns import dataset_urn, platform_urn, slug, urn_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_lineage_provider.graph import Dataset
    from airflow_lineage_provider.lineage_map import Bindings, LineageMap
    from airflow_lineage_provider.readers import BoundDataset, JobRun

DBT_KINDS = frozenset({"MODEL", "SEED", "SNAPSHOT", "TEST", "JOB", "SOURCE", "OPERATION", "UNIT_TEST"})
_AIRFLOW_KINDS = frozenset({"DAG", "TASK"})
FEATURE_VIEW, MODEL = "feature view", "model"
BOARDS = {"dashboard": "dashboard", "chart": "chart", "application": "dashboard", "notebook": "dashboard"}
"""The entity type of each kind of consumer that is no dataset."""
BOARDS["analysis"] = "dashboard"


@dataclass(frozen=True)
class CatalogNames:
    """The URNs of one publication; `instances` are the platform instances by platform."""

    physical: Mapping[str, tuple[str, str, bool]]
    """The OpenLineage namespace and name of each dataset, and whether it ignores case."""
    platforms: Mapping[str, str] = field(default_factory=dict)
    """The platform of each dataset of a source system that no binding names."""
    env: str = "PROD"
    instances: Mapping[str, str] = field(default_factory=dict)

    def urn(self, dataset: Dataset) -> str:
        """Return the URN of a dataset or consumer. Raises InputError for a dataset that nothing names."""
        if dataset.kind in BOARDS:
            return urn_of(BOARDS[dataset.kind], self.platform(dataset), slug(dataset.name))
        if dataset.kind == FEATURE_VIEW:
            return urn_of("mlFeatureTable", platform_urn(self.platform(dataset)), slug(dataset.name))
        if dataset.kind == MODEL:
            return urn_of("mlModel", platform_urn(self.platform(dataset)), slug(dataset.name), self.env)
        platform, name = self._dataset(dataset)
        instance = self.instances.get(platform)
        return dataset_urn(platform, f"{instance}.{name}" if instance else name, self.env)

    def platform(self, dataset: Dataset) -> str:
        """Return the platform of a dataset or consumer."""
        if dataset.kind in BOARDS or dataset.kind in {FEATURE_VIEW, MODEL}:
            return slug(dataset.system or dataset.kind)
        return self._dataset(dataset)[0]

    def _dataset(self, dataset: Dataset) -> tuple[str, str]:
        if dataset.name in self.physical:
            namespace, name, folds = self.physical[dataset.name]
            platform = platform_of(scheme_of(namespace)).replace("*", "unknown")
            if platform in BUCKETS:
                name = f"{namespace.partition('://')[2]}/{name}"
            if name.startswith("*."):
                raise InputError(
                    f"the binding of {dataset.name} leaves its database open (`*`): publish by another "
                    "environment, or with the events of a run"
                )
            name = name.replace("*", "").strip("./")
            return platform, name.lower() if folds else name
        if dataset.name in self.platforms:
            return slug(self.platforms[dataset.name]), dataset.name.partition(".")[2]
        raise InputError(
            f"{dataset.name} has no name in the catalog: bind it in an environment, and name that one"
        )


def catalog_names(
    lineage_map: LineageMap,
    bindings: Bindings,
    jobs: Iterable[JobRun] = (),
    env: str = "PROD",
    instances: Mapping[str, str] | None = None,
) -> CatalogNames:
    """Return the names of what a map documents, and of what the inputs and outputs of jobs are."""
    observed = {
        one.logical: (one.namespace, one.name, _folds(bindings, one))
        for job in jobs
        for one in (*job.inputs, *job.outputs)
    }
    sources = lineage_map.content.sources
    platforms = {f"{key}.{name}": one.type for key, one in sources.items() for name in one.datasets}
    topics = {f"{key}.{name}" for key, one in sources.items() if one.kind == "topic" for name in one.datasets}
    documented = {
        name: (namespace, table, folds)
        for name, namespace, table, folds in bindings.openlineage_names()
        # A binding of all tables fits a topic too.
        if not (name in topics and scheme_of(namespace) != platforms[name])
        and not (name in observed and "*" in table)
    }
    return CatalogNames(observed | documented, platforms, env, instances or {})


def _folds(bindings: Bindings, dataset: BoundDataset) -> bool:
    """Whether the name of a dataset ignores case; DataHub's ingestion writes Snowflake's in small letters."""
    namespace, name, _ = dataset
    return scheme_of(namespace) == "snowflake" or bindings.folds(namespace, name)


def flow_and_job(job: JobRun, env: str) -> tuple[str, str]:
    """Return the URNs of a job's flow and of the job; the second is empty for a DAG.

    An Airflow task belongs to its DAG, and a dbt node or another job to its OpenLineage namespace.
    """
    if job.kind in _AIRFLOW_KINDS:
        dag, _, task = job.name.partition(".")
        flow = urn_of("dataFlow", "airflow", dag, env)
        return flow, urn_of("dataJob", flow, task) if task else ""
    platform = "dbt" if job.kind in DBT_KINDS else "openlineage"
    flow = urn_of("dataFlow", platform, job.namespace, env)
    return flow, urn_of("dataJob", flow, job.name)

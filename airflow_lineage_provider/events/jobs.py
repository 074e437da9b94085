"""The job facets of a dbt node: its type, SQL, source location, documentation and owners."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from openlineage.client.facet_v2 import (
    JobFacet,
    documentation_job,
    job_type_job,
    ownership_job,
    source_code_job,
    source_code_location_job,
    sql_job,
    tags_job,
)
from openlineage.common.provider.dbt.facets import DbtNodeJobFacet

from airflow_lineage_provider.dbt.dialect import sql_dialect
from airflow_lineage_provider.events.context import PRODUCER
from airflow_lineage_provider.events.source_code import checkout_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_lineage_provider.dbt.records import Invocation, Node

JOB_TYPES = {"source": "FRESHNESS", "unit_test": "TEST"}


def job_facets(
    node: Node, sql: str | None, invocation: Invocation, mask: Callable[[str], str]
) -> dict[str, JobFacet]:
    """Return the facets of a node's job; `sql` is its compiled statement, None before dbt compiled it."""
    facets: dict[str, JobFacet] = {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType="BATCH",
            integration="DBT",
            jobType=JOB_TYPES.get(node.resource_type, node.resource_type.upper()),
            producer=PRODUCER,
        ),
        "dbt_node": DbtNodeJobFacet(
            original_file_path=node.path,
            database=node.database,
            schema=node.schema,
            alias=node.alias,
            unique_id=node.unique_id,
            test_type=_test_type(node),
            producer=PRODUCER,
        ),
    }
    if invocation.project_dir:
        facets["sourceCodeLocation"] = _source_code_location(node, invocation)
    if sql and node.language == "sql":
        facets["sql"] = sql_job.SQLJobFacet(
            query=mask(sql), dialect=sql_dialect(invocation.warehouse.type), producer=PRODUCER
        )
    elif sql:
        facets["sourceCode"] = source_code_job.SourceCodeJobFacet(
            language=node.language, sourceCode=mask(sql), producer=PRODUCER
        )
    if node.description:
        facets["documentation"] = documentation_job.DocumentationJobFacet(
            description=mask(node.description), contentType="text/markdown", producer=PRODUCER
        )
    if node.owners:
        owners = [ownership_job.Owner(name=owner) for owner in node.owners]
        facets["ownership"] = ownership_job.OwnershipJobFacet(owners=owners, producer=PRODUCER)
    if node.tags:
        tags = [tags_job.TagsJobFacetFields(key=tag, value="true", source="DBT") for tag in node.tags]
        facets["tags"] = tags_job.TagsJobFacet(tags=tags, producer=PRODUCER)
    return facets


def _test_type(node: Node) -> str | None:
    if node.resource_type != "test" or node.test is None:
        return None
    return "singular" if node.test.kind == "custom_sql" else "generic"


def _source_code_location(node: Node, invocation: Invocation) -> JobFacet:
    """Return the file of a node. A file that dbt installed with a package is in no checkout."""
    folder = Path(invocation.package_dirs.get(node.package, invocation.project_dir))
    root = folder.resolve()
    # dbt links the folder of a local package, and copies any other package.
    installed = node.package != invocation.project_name and not folder.is_symlink()
    file = root / node.path
    checkout = None if installed else checkout_of(str(root))
    inside = checkout is not None and file.is_relative_to(checkout.top)
    return source_code_location_job.SourceCodeLocationJobFacet(
        type="git" if checkout else "file",
        url=file.as_uri(),
        repoUrl=checkout.remote if checkout else None,
        path=str(file.relative_to(checkout.top)) if checkout and inside else node.path,
        version=checkout.revision if checkout else None,
        producer=PRODUCER,
    )

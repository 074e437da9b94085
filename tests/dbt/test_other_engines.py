"""Artifacts of dbt Cloud and of dbt Fusion: those of dbt-core, with what is known to differ in theirs.

Fusion (crates/dbt-schemas of dbt-labs/dbt-core): its manifest leaves out what is null and says v20 or v12;
run results have no SQL (it is in target/compiled), other messages or none, and the status `reused`;
sources.json has capitalized statuses. dbt Cloud: a version that is a date, and folders that are not here.
"""

import json
import shutil
import sys
from pathlib import Path

import pytest
from dbt_projects import collect, command, run, write_project

sys.path.insert(0, str(Path(__file__).parents[1] / "events"))

from event_helpers import SMALL, end_of, events_of

from airflow_lineage_provider.dbt.artifacts import ArtifactsOrigin, artifact_records, given_warehouse
from airflow_lineage_provider.dbt.records import NodeFinished
from airflow_lineage_provider.events.sql_tables import tables_named
from airflow_lineage_provider.readers.artifact_files import read_folder
from tests.support.comparable import comparable

WAREHOUSE = given_warehouse({"type": "snowflake", "account": "acme-emea"})


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """Return the target folder of plain dbt, with all artifacts."""
    from dbt.cli.main import dbtRunner

    project = write_project(tmp_path_factory.mktemp("over"), SMALL)
    run(project)
    for words in (["docs", "generate"], ["build"]):
        dbtRunner().invoke([*words, *command(project).project_args, "--log-level", "none"])
    return project / "target"


def changed(target, folder, **changes):
    """Copy a target folder; each artifact goes through the function of its name."""
    copied = shutil.copytree(target, folder / "target")
    for name, change in changes.items():
        file = copied / f"{name}.json"
        file.write_text(json.dumps(change(json.loads(file.read_text()))))
    return copied


def events_from(folder):
    records = artifact_records(read_folder(str(folder)), ArtifactsOrigin(WAREHOUSE), tables_named)
    outcome = collect(records)
    return events_of(outcome), outcome


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def fusion_manifest(version):
    def change(manifest):
        manifest["metadata"] |= {
            "dbt_schema_version": f"https://schemas.getdbt.com/dbt/manifest/{version}.json",
            "dbt_version": "2.0.0-preview.175",
        }
        for node in manifest["nodes"].values():
            node.pop("compiled_code", None)
            node["classifiers"] = []
            node.setdefault("depends_on", {})["nodes_with_ref_location"] = []
        for part in ("selectors", "saved_queries", "semantic_models", "functions", "group_map"):
            manifest.pop(part, None)
        return without_nulls(manifest)

    return change


def fusion_results(results):
    for result in results["results"]:
        result |= {"compiled": None, "compiled_code": None, "message": None}
        result["static_analysis_off_reason"] = "unsafe"
    results["metadata"]["dbt_version"] = "2.0.0-preview.175"
    return results | {"args": {"command": "build", "which": "build"}}


@pytest.mark.parametrize("version", ["v12", "v20"])
def test_artifacts_of_fusion_give_the_events_of_dbt_core(target, tmp_path, version):
    expected, _ = events_from(target)
    folder = changed(target, tmp_path, manifest=fusion_manifest(version), run_results=fusion_results)
    found, outcome = events_from(folder)
    assert outcome.invocation.dbt_version == "2.0.0-preview.175"
    found, expected = (comparable(events, "/project") for events in (found, expected))
    for event in (*found.values(), *expected.values()):
        event["run"]["facets"].pop("errorMessage", None)  # Fusion's results have no messages
        event["job"]["facets"].pop("sourceCodeLocation", None)  # nor is there a folder of the project
    assert all("sourceCodeLocation" not in event["job"]["facets"] for event in found.values())
    assert found.keys() == expected.keys()
    for key, event in expected.items():
        assert found[key] == event


def test_a_relation_that_fusion_reused_is_no_failure(target, tmp_path):
    def reused(results):
        for result in fusion_results(results)["results"]:
            if result["unique_id"] == "model.shop.stg_orders":
                result |= {"status": "reused", "message": "No new changes on any upstreams", "timing": []}
        return results

    events, outcome = events_from(changed(target, tmp_path, run_results=reused))
    assert [end.failed for end in outcome.of(NodeFinished) if end.status == "reused"] == [False]
    end = end_of(events, "silver.stg_orders")
    assert end["eventType"] == "ABORT"
    assert end["run"]["facets"]["errorMessage"]["message"] == "No new changes on any upstreams"


def test_freshness_of_fusion_is_capitalized(target, tmp_path):
    folder = changed(target, tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    source = {
        "unique_id": "source.shop.crm.orders",
        "name": "orders",
        "source_name": "crm",
        "schema": "crm",
        "database": "db",
        "identifier": "orders",
        "resource_type": "source",
        "package_name": "shop",
        "path": "m.yml",
        "original_file_path": "m.yml",
        "fqn": ["shop", "crm", "orders"],
        "source_description": "",
        "loader": "",
    }
    manifest["sources"][source["unique_id"]] = source
    (folder / "manifest.json").write_text(json.dumps(manifest))
    result = {"unique_id": source["unique_id"], "status": "Warn", "timing": []}
    metadata = {"invocation_id": "i", "generated_at": "2026-10-01T00:00:00Z", "dbt_version": "2.0.0"}
    (folder / "sources.json").write_text(json.dumps({"metadata": metadata, "results": [result]}))
    records = artifact_records(
        read_folder(str(folder)), ArtifactsOrigin(WAREHOUSE), tables_named, sources=True
    )
    ends = [record for record in records if isinstance(record, NodeFinished)]
    assert (ends[-1].node.label, ends[-1].status) == ("crm.orders.freshness", "warn")


def test_artifacts_of_dbt_cloud_name_folders_that_are_not_here(target, tmp_path):
    def cloud(artifact):
        artifact["metadata"] |= {
            "dbt_version": "2026.10.21+7f2a1c4",
            "env": {"DBT_CLOUD_PROJECT_ID": "1", "DBT_CLOUD_RUN_ID": "2", "DBT_CLOUD_JOB_ID": "3"},
        }
        if "args" in artifact:
            artifact["args"] |= {"project_dir": "/tmp/jobs/2/target", "profiles_dir": "/tmp/jobs/2/.dbt"}
        return artifact

    expected, _ = events_from(target)
    folder = changed(target, tmp_path, manifest=cloud, run_results=cloud, catalog=cloud)
    shutil.rmtree(folder / "compiled")
    found, outcome = events_from(folder)
    assert outcome.invocation.dbt_version == "2026.10.21+7f2a1c4"
    assert [e["job"]["name"] for e in found] == [e["job"]["name"] for e in expected]
    for name in ("silver.stg_orders", "gold.order_totals"):
        over, live = end_of(found, name), end_of(expected, name)
        assert (over["inputs"], over["outputs"]) == (live["inputs"], live["outputs"])
        assert over["outputs"][0]["facets"]["columnLineage"]["fields"]

"""Compared with openlineage-dbt (`dbt-ol`) on the same project: our events have everything it gets right."""

import shutil
from typing import NamedTuple

import pytest
from openlineage.client.serde import Serde

# Wrong inputs of dbt-ol: an ephemeral model is no table, a source's table is its identifier, and an
# external source is its files.
NO_TABLES = {"warehouse.silver.typed_orders", "warehouse.crm.orders", "warehouse.landing.clicks"}
MODELS = {"MODEL", "SNAPSHOT"}


class Lineage(NamedTuple):
    inputs: set
    outputs: set


def lineage_of(events):
    """Return the inputs and outputs in each node's COMPLETE."""
    return {
        event["job"]["facets"]["dbt_node"]["unique_id"]: Lineage(
            {(d["namespace"], d["name"]) for d in event["inputs"]},
            {(d["namespace"], d["name"]) for d in event["outputs"]},
        )
        for event in events
        if event["eventType"] == "COMPLETE" and event["job"]["facets"]["jobType"]["jobType"] in MODELS
    }


@pytest.fixture(scope="module")
def peer_events(shop, tmp_path_factory):
    """The events of dbt-ol for a plain dbt build of the shop."""
    from dbt.cli.main import dbtRunner
    from openlineage.common.provider.dbt.local import DbtLocalArtifactProcessor

    project = tmp_path_factory.mktemp("peer") / "shop"
    shutil.copytree(shop.project, project, ignore=shutil.ignore_patterns("target", "logs"))
    profile = project / "profiles.yml"
    profile.write_text(profile.read_text().replace(str(shop.project), str(project)))
    quiet = ["--log-level", "none", "--log-level-file", "none"]
    where = ["--project-dir", str(project), "--profiles-dir", str(project)]
    assert dbtRunner().invoke([*quiet, "build", *where]).success
    processor = DbtLocalArtifactProcessor(
        producer="https://example.com/dbt-ol", job_namespace="dbt", project_dir=str(project)
    )
    return [Serde.to_dict(event) for event in processor.parse().events()]


def test_every_node_of_dbt_ol_has_its_outputs_and_right_inputs(peer_events, shop, shop_events):
    ours, peer = lineage_of(shop_events), lineage_of(peer_events)
    assert set(peer) <= set(ours)
    assert len(peer) == 7
    for unique_id, lineage in peer.items():
        assert {name for _, name in lineage.outputs} == {name for _, name in ours[unique_id].outputs}
        right = {name for _, name in lineage.inputs} - NO_TABLES
        assert right <= {name for _, name in ours[unique_id].inputs}


def test_the_namespaces_differ_by_folder_only(peer_events, shop_events):
    def namespaces(events):
        return {n.rpartition("/")[2] for lineage in lineage_of(events).values() for n, _ in lineage.outputs}

    assert namespaces(peer_events) == namespaces(shop_events) == {"warehouse.duckdb"}


def test_inputs_that_dbt_ol_misses(peer_events, shop_events):
    def reads(events, unique_id):
        return {name for _, name in lineage_of(events)[unique_id].inputs}

    assert "warehouse.crm.t_orders_v2" in reads(shop_events, "model.shop.stg_orders")
    assert "warehouse.bronze.countries" in reads(shop_events, "model.shop.order_summary")
    assert "warehouse.bronze.countries" not in reads(peer_events, "model.shop.order_summary")


@pytest.mark.parametrize("holder", ["run", "job"])
def test_dbts_own_facets_have_the_same_shape(peer_events, shop_events, holder):
    def shapes(events):
        found = {}
        for event in events:
            if event["eventType"] != "COMPLETE" or not event["inputs"]:
                continue
            for name in ("dbt_version", "dbt_run", "dbt_node"):
                if facet := event[holder]["facets"].get(name):
                    types = {key: type(value) for key, value in facet.items() if key != "test_type"}
                    found.setdefault(name, (facet["_schemaURL"], types))
        return found

    assert shapes(peer_events) == shapes(shop_events)
    assert shapes(shop_events)

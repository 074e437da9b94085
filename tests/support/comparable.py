"""The events of the same dbt project, run in several places, without what differs from run to run."""

import json
import re

# docs/how-to/dbt-anywhere.md lists both.
UNKNOWN_AFTERWARDS = ("outputStatistics", "lifecycleStateChange")
UNKNOWN_AT_START = ("schema", "columnLineage")
VERSIONS = ("version", "openlineageAdapterVersion")
TIME = re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)?")
PRODUCER = re.compile(r"airflow-lineage-provider:[\w.]+")


def comparable(events, project, *, after_the_fact=False):
    """Return the events by job and type, without ids, times, versions, the parent and the project's folder.

    A START has columns if the warehouse gives them in time, so its columns are left out. `after_the_fact`:
    also what cannot be known afterwards.
    """
    found = {}
    for event in json.loads(json.dumps(events).replace(str(project), "/project")):
        facets = event["run"]["facets"]
        facets["dbt_run"].pop("invocation_id")
        for name in ("parent", "tags") if after_the_fact else ("parent",):
            facets.pop(name, None)
        for facet in (facets["processing_engine"], facets["dbt_version"]):
            for name in VERSIONS:
                facet.pop(name, None)
        unknown = UNKNOWN_AFTERWARDS if after_the_fact else ()
        _forget(event, unknown + (UNKNOWN_AT_START if event["eventType"] == "START" else ()))
        del event["eventTime"], event["run"]["runId"]
        key = event["job"]["name"], event["eventType"]
        assert key not in found, f"{key} was emitted twice"
        text = TIME.sub("now", json.dumps(event, sort_keys=True))
        found[key] = json.loads(PRODUCER.sub("airflow-lineage-provider:1", text))
    return found


def _forget(event, names):
    for dataset in (*event["inputs"], *event["outputs"]):
        for facets in ("facets", "outputFacets"):
            for name in names:
                (dataset.get(facets) or {}).pop(name, None)
        if not dataset.get("outputFacets", True):
            del dataset["outputFacets"]

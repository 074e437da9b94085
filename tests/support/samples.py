"""Events for the tests, as small as OpenLineage allows."""

DAG = "01890000-0000-7000-8000-000000000001"
TASK = "01890000-0000-7000-8000-000000000002"
NODE = "01890000-0000-7000-8000-000000000003"


def run_event(
    run_id=NODE, event_type="START", *, name="silver.stg_orders", at="2026-11-22T07:28:01Z", **more
):
    """Return a RunEvent; `parent` and `root` are run ids, `inputs` and `outputs` dataset names."""
    event = {
        "eventType": event_type,
        "eventTime": at,
        "producer": "https://example.com/producer",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run_id, "facets": {}},
        "job": {"namespace": "dbt", "name": name},
        "inputs": [{"namespace": "duckdb", "name": name} for name in more.get("inputs", ())],
        "outputs": [{"namespace": "duckdb", "name": name} for name in more.get("outputs", ())],
    }
    if parent := more.get("parent"):
        facet = {"run": {"runId": parent}, "job": {"namespace": "airflow", "name": "dag.task"}}
        if root := more.get("root"):
            facet["root"] = {"run": {"runId": root}, "job": {"namespace": "airflow", "name": "dag"}}
        event["run"]["facets"]["parent"] = facet
    return event

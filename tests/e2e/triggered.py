"""A DAG run that a test triggered through Airflow's REST API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from .pipeline import DAG_ID

if TYPE_CHECKING:
    from .standalone import Airflow, Response


@dataclass(frozen=True, slots=True)
class Triggered:
    """A DAG run that was triggered through the API."""

    airflow: Airflow
    token: str
    run_id: str
    dag_id: str = DAG_ID

    def get(self, path: str = "") -> Response:
        return self.airflow.request("GET", self.path(path), token=self.token)

    def post(self, path: str, body: dict) -> Response:
        return self.airflow.request("POST", f"/api/v2/dags/{self.dag_id}{path}", body, self.token)

    def wait_until_ended(self) -> None:
        ended = {"success", "failed"}
        self.airflow.wait_until("ended", lambda: self.get().json()["state"] in ended, seconds=300)

    def tasks(self) -> dict[str, dict]:
        return {one["task_id"]: one for one in self.get("/taskInstances").json()["task_instances"]}

    def validation(self) -> dict:
        xcom = "/taskInstances/validate_lineage/xcomEntries/return_value?deserialize=true"
        return self.get(xcom).json()["value"]

    def path(self, path: str) -> str:
        return f"/api/v2/dags/{self.dag_id}/dagRuns/{quote(self.run_id)}{path}"

    def events(self) -> list[dict]:
        """Return the events of this DAG run; the DAG's own COMPLETE is the last to come."""
        store = self.airflow.pipeline.store

        def dag_run_has_ended():
            ends = (event for event in store.events(job_name=DAG_ID) if event["eventType"] == "COMPLETE")
            return next((end["run"]["runId"] for end in ends if airflow_run_id(end) == self.run_id), None)

        root = self.airflow.wait_until("the DAG run's COMPLETE stored", dag_run_has_ended, seconds=30)
        return list(store.events(root_run_id=root))


def airflow_run_id(event: dict) -> str:
    return event["run"]["facets"]["airflowDagRun"]["dagRun"]["run_id"]


def start(airflow: Airflow, token: str, dag_id: str) -> Triggered:
    """Trigger the DAG once it is parsed; return its run, which goes on."""
    dag = f"/api/v2/dags/{dag_id}"
    airflow.wait_until("parsed", lambda: airflow.request("GET", dag, token=token).status == 200, seconds=120)
    body = {"logical_date": None, "conf": {}}
    run_id = airflow.request("POST", f"{dag}/dagRuns", body, token).json()["dag_run_id"]
    airflow.request("PATCH", dag, {"is_paused": False}, token).json()
    return Triggered(airflow, token, run_id, dag_id)


def trigger(airflow: Airflow, token: str, dag_id: str) -> Triggered:
    """Trigger the DAG and wait until its run has ended."""
    run = start(airflow, token, dag_id)
    run.wait_until_ended()
    return run

"""Runs the DAGs of the DAGs folder with `dag.test()`, each pod and container as a process.

A process gets what Kubernetes or Docker would give it: the command of the rendered operator, the variables of
its environment, and those of the image (IMAGE, JSON). Its working directory is the image's (WORKDIR).
"""

import json
import os
import subprocess
from datetime import UTC, datetime

from airflow.dag_processing.dagbag import DagBag
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.docker.operators.docker import DockerOperator
from airflow.utils.db import upgradedb

SECRETS = json.loads(os.environ["KUBERNETES_SECRETS"])


def execute_pod(self, context):
    (container,) = self.build_pod_request_obj(context, dry_run=True).spec.containers
    given = {}
    for one in container.env:
        reference = one.value_from and one.value_from.secret_key_ref
        given[one.name] = SECRETS[reference.name][reference.key] if reference else one.value
    run([*container.command, *container.args], given)


def execute_container(self, context):
    run(self.format_command(self.command), {**self.environment, **self._private_environment})


def run(command, given):
    environment = json.loads(os.environ["IMAGE"]) | {name: value for name, value in given.items() if value}
    subprocess.run(command, cwd=os.environ["WORKDIR"], env=environment, check=True)


if __name__ == "__main__":
    KubernetesPodOperator.execute, DockerOperator.execute = execute_pod, execute_container
    upgradedb()
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    assert not bag.import_errors, bag.import_errors
    for dag in bag.dags.values():
        state = dag.test(logical_date=datetime(2026, 1, 1, tzinfo=UTC)).state
        assert state == "success", f"{dag.dag_id}: {state}"

"""dbt in a pod and in a container; its nodes' runs are children of the tasks."""

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.secret import Secret
from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk import DAG

LINEAGE = {
    "OPENLINEAGE_CONTEXT": "{{ macros.lineage.openlineage_context(task_instance) }}",
    "OPENLINEAGE_URL": "{{ var.value.lineage_url }}",
}

with DAG("analytics_containers", schedule=None):
    silver = KubernetesPodOperator(
        task_id="silver",
        namespace="dbt",
        image="registry.example.com/analytics-dbt",
        cmds=["airflow-lineage-dbt"],
        arguments=["build", "--select", "silver", "--vars", '{"day": "{{ ds }}"}'],
        env_vars=LINEAGE,
        secrets=[Secret("env", "OPENLINEAGE_API_KEY", "lineage", "token")],
    )
    gold = DockerOperator(
        task_id="gold",
        image="registry.example.com/analytics-dbt",
        command=["airflow-lineage-dbt", "build", "--select", "gold"],
        environment={**LINEAGE, "OPENLINEAGE_API_KEY": "{{ conn.lineage_endpoint.password }}"},
    )
    silver >> gold

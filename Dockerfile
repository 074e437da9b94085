# Airflow with this provider, the DAGs and the dbt project in it; docker-compose.yaml builds it.
FROM apache/airflow:3.3.2-python3.11

# The versions that CI has run, and nothing that changes Airflow's own.
COPY --chown=airflow:0 pyproject.toml README.md LICENSE requirements.txt requirements-test.txt \
      /opt/airflow/src/
COPY --chown=airflow:0 airflow_lineage_provider /opt/airflow/src/airflow_lineage_provider
RUN pip install --no-cache-dir --constraint /opt/airflow/src/requirements.txt \
      --constraint /opt/airflow/src/requirements-test.txt \
      "apache-airflow==${AIRFLOW_VERSION}" "/opt/airflow/src[duckdb,ingest,postgres]"

COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 dbt_project /opt/airflow/dbt_project

# A new named volume takes the owner of the folder that it is mounted on.
RUN mkdir -p /opt/airflow/auth /opt/airflow/logs /opt/airflow/warehouse

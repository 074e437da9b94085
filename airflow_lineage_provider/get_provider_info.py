"""The metadata that Airflow reads about this provider (https://airflow.apache.org/docs/apache-airflow-providers/)."""

from __future__ import annotations

from typing import Any

PACKAGE = "airflow_lineage_provider"
LINEAGE = "Lineage"
DATAHUB = "DataHub"
DBT = "dbt"
DMS = "AWS DMS"
KAFKA = "Kafka"
EXPECTATIONS = "Great Expectations"
TABLEAU = "Tableau"
TECTON = "Tecton"
FEAST = "Feast"
SAGEMAKER = "Amazon SageMaker"
MLFLOW = "MLflow"


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, by the schema of Airflow's `provider_info`.

    The schema is `airflow/provider_info.schema.json` in Airflow itself.
    """
    return {
        "package-name": "airflow-lineage-provider",
        "name": LINEAGE,
        "description": "Documented data lineage as a contract: dbt layers, OpenLineage, validation.",
        "integrations": _INTEGRATIONS,
        "operators": [
            _modules(DBT, "operators.dbt", "operators.dbt_artifacts"),
            _modules(DMS, "operators.dms"),
            _modules(KAFKA, "operators.kafka_connect", "operators.kafka_topic"),
            _modules(EXPECTATIONS, "operators.great_expectations"),
            _modules(TABLEAU, "operators.tableau"),
            _modules(TECTON, "operators.tecton"),
            _modules(FEAST, "operators.feast"),
            _modules(SAGEMAKER, "operators.sagemaker"),
            _modules(LINEAGE, "operators.review", "operators.query_log"),
            _modules(MLFLOW, "operators.mlflow"),
            _modules(LINEAGE, "operators.lineage", "operators.data_age", "operators.forward"),
            _modules(DATAHUB, "operators.datahub"),
            _modules(LINEAGE, "operators.reconciliation"),
            _modules(LINEAGE, "operators.ingest", "operators.snowflake_loads"),
        ],
        "sensors": [_modules(LINEAGE, "sensors.lineage")],
        "triggers": [_modules(LINEAGE, "triggers.lineage", "triggers.forward")],
        "hooks": [
            _modules(LINEAGE, "hooks.event_store", "hooks.openlineage"),
            _modules(KAFKA, "hooks.kafka_connect", "hooks.schema_registry"),
        ],
        "connection-types": [
            _STORE_CONNECTION,
            _OPENLINEAGE_CONNECTION,
            _DATAHUB_CONNECTION,
            _CONNECT_CONNECTION,
            _REGISTRY_CONNECTION,
        ],
        "extra-links": [
            f"{PACKAGE}.links.data_docs.DataDocsLink",
            f"{PACKAGE}.links.lineage.LineageLink",
            f"{PACKAGE}.links.lineage.LineageReportLink",
        ],
        "plugins": [{"name": "lineage", "plugin-class": f"{PACKAGE}.plugins.lineage.LineagePlugin"}],
        "config": {
            "airflow_lineage": {
                "description": "The event store, and what it may keep.\n",
                "options": {
                    "store": _STORE,
                    "mask_sql_literals": _MASK_SQL_LITERALS,
                    "dbt_python": _DBT_PYTHON,
                    "marquez_url": _MARQUEZ_URL,
                    "datahub_url": _DATAHUB_URL,
                    "preload_dbt": _PRELOAD_DBT,
                },
            }
        },
    }


_INTEGRATIONS = [
    {"integration-name": name, "external-doc-url": f"https://{url}", "tags": [tag]}
    for name, url, tag in (
        (LINEAGE, "openlineage.io/", "service"),
        (DATAHUB, "docs.datahub.com/", "service"),
        (DMS, "aws.amazon.com/dms/", "aws"),
        (KAFKA, "kafka.apache.org/", "software"),
        (EXPECTATIONS, "docs.greatexpectations.io/docs/core/introduction/", "software"),
        (TABLEAU, "help.tableau.com/current/api/metadata_api/en-us/", "service"),
        (TECTON, "docs.tecton.ai/", "service"),
        (FEAST, "docs.feast.dev/", "software"),
        (MLFLOW, "mlflow.org/", "software"),
        (SAGEMAKER, "aws.amazon.com/sagemaker/", "aws"),
        (DBT, "docs.getdbt.com/", "software"),
    )
]


def _modules(integration: str, *modules: str) -> dict[str, Any]:
    return {"integration-name": integration, "python-modules": [f"{PACKAGE}.{module}" for module in modules]}


_STORE_CONNECTION = {
    "connection-type": "lineage_store",
    "hook-class-name": f"{PACKAGE}.hooks.event_store.EventStoreHook",
    "hook-name": "Lineage event store",
    "ui-field-behaviour": {
        "hidden-fields": ["extra"],
        "relabeling": {"host": "Host, or path of a SQLite file", "schema": "Database"},
        "placeholders": {"host": "/var/lib/airflow/lineage.db", "port": "5432", "schema": "lineage"},
    },
    "conn-fields": {"sslmode": {"label": "SSL mode of Postgres", "schema": {"type": ["string", "null"]}}},
}

_ENDPOINT = {
    "endpoint": {
        "label": "Path for events, if not the default",
        "schema": {"type": ["string", "null"]},
    }
}

_VERIFY = {
    "verify": {
        "label": "Path of a CA bundle; false disables certificate verification",
        "schema": {"type": ["string", "boolean", "null"]},
    }
}

_OPENLINEAGE_CONNECTION = {
    "connection-type": "openlineage",
    "hook-class-name": f"{PACKAGE}.hooks.openlineage.OpenLineageHook",
    "hook-name": "OpenLineage endpoint (Marquez, ...)",
    "ui-field-behaviour": {
        "hidden-fields": ["login", "extra"],
        "relabeling": {"host": "Host, or URL", "schema": "http or https", "password": "API key"},
        "placeholders": {"host": "marquez.example.com", "port": "5000", "schema": "http"},
    },
    "conn-fields": _ENDPOINT,
}

_DATAHUB_CONNECTION = {
    "connection-type": "lineage_datahub",
    "hook-class-name": f"{PACKAGE}.hooks.openlineage.DataHubHook",
    "hook-name": "DataHub (lineage)",
    "ui-field-behaviour": {
        "hidden-fields": ["login", "extra"],
        "relabeling": {"host": "Host, or URL", "schema": "http or https", "password": "Access token"},
        "placeholders": {"host": "datahub-gms.example.com", "port": "8080", "schema": "http"},
    },
    "conn-fields": {**_ENDPOINT, **_VERIFY},
}

_CONNECT_CONNECTION = {
    "connection-type": "kafka_connect",
    "hook-class-name": f"{PACKAGE}.hooks.kafka_connect.KafkaConnectHook",
    "hook-name": "Kafka Connect",
    "ui-field-behaviour": {
        "hidden-fields": ["extra"],
        "relabeling": {"host": "Host, or URL", "schema": "http or https"},
        "placeholders": {"host": "connect.example.com", "port": "8083", "schema": "http"},
    },
    "conn-fields": {
        "bootstrap_servers": {
            "label": "Brokers for the names of topics, such as kafka.example.com:9092",
            "schema": {"type": ["string", "null"]},
        },
        **_VERIFY,
    },
}

_REGISTRY_CONNECTION = {
    "connection-type": "schema_registry",
    "hook-class-name": f"{PACKAGE}.hooks.schema_registry.SchemaRegistryHook",
    "hook-name": "Schema Registry",
    "ui-field-behaviour": {
        "hidden-fields": ["extra"],
        "relabeling": {"host": "Host, or URL", "schema": "http or https"},
        "placeholders": {"host": "registry.example.com", "port": "8081", "schema": "http"},
    },
    "conn-fields": _VERIFY,
}

_STORE = {
    "description": (
        "The event store: the path of a SQLite file, or the URL of a Postgres database.\n"
        "The default is ``lineage.db`` in AIRFLOW_HOME.\n"
    ),
    "version_added": "0.1.0",
    "type": "string",
    "sensitive": True,
    "example": "postgresql://lineage:password@localhost:5432/lineage",
    "default": "",
}

_MASK_SQL_LITERALS = {
    "description": "Replace strings and numbers in the SQL of dbt's events by ``?``.\n",
    "version_added": "0.1.0",
    "type": "boolean",
    "example": "True",
    "default": "False",
}

_PRELOAD_DBT = {
    "description": (
        "Whether a scheduler with LocalExecutor imports dbt when it starts, so that tasks, which are forked\n"
        "from it, need not. It takes the scheduler 2 s and 100 MB, which all tasks share.\n"
    ),
    "version_added": "0.1.0",
    "type": "boolean",
    "example": "False",
    "default": "True",
}

_DBT_PYTHON = {
    "description": "The interpreter that DbtLayerOperator runs dbt with, where a task names none.\n",
    "version_added": "0.1.0",
    "type": "string",
    "example": "/opt/dbt/bin/python",
    "default": "",
}

_MARQUEZ_URL = {
    "description": "The address of Marquez's web UI, to which the lineage pages link datasets.\n",
    "version_added": "0.1.0",
    "type": "string",
    "example": "https://marquez.example.com",
    "default": "",
}

_DATAHUB_URL = {
    "description": "The address of DataHub's web UI, to which the lineage pages link datasets.\n",
    "version_added": "0.1.0",
    "type": "string",
    "example": "https://datahub.example.com",
    "default": "",
}

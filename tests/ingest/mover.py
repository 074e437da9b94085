"""One mover in a process of its own, to be killed: python -m tests.ingest.mover KIND SETTINGS (JSON).

Prints `ready` when everything is imported, right before it begins.
"""

import json
import sys

from airflow_lineage_provider.ingest.increment import Increment
from airflow_lineage_provider.ingest.lake import Lake, S3Access
from airflow_lineage_provider.ingest.lake_to_bronze import load_landed
from airflow_lineage_provider.ingest.postgres_source import PostgresAddress, PostgresSource
from airflow_lineage_provider.ingest.postgres_to_bronze import move_table
from airflow_lineage_provider.ingest.postgres_to_lake import land_table
from airflow_lineage_provider.ingest.topic import Topic
from airflow_lineage_provider.ingest.topic_to_lake import land_topic

from .streams import decoders, warehouse


def quiet(_line):
    """Show no progress."""


def postgres(address, table, bronze, path, deletes="compare"):
    source = PostgresSource(PostgresAddress(**address))
    increment = Increment("updated_at", deletes=deletes, slot="kills")
    move_table(source, table, warehouse(path), bronze, increment, quiet)


def files(address, table, lake, s3=None, deletes="compare"):
    source = PostgresSource(PostgresAddress(**address))
    folder = Lake(lake, S3Access(**s3) if s3 else None)
    land_table(source, table, folder, Increment("updated_at", deletes=deletes, slot="kills"), quiet)


def topic(brokers, registry, name, lake, *, changes=False):
    source = Topic(name, {"bootstrap.servers": brokers})
    land_topic(source, decoders(registry), Lake(lake), quiet, changes=changes)


def lake(lake, name, bronze, path, *, key=None, changes=False):
    load_landed(Lake(lake), name, warehouse(path), bronze, key, quiet, changes=changes)


if __name__ == "__main__":
    import pyarrow.compute
    import pyarrow.fs
    import pyarrow.parquet  # noqa: F401 - before `ready`

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    {"postgres": postgres, "files": files, "topic": topic, "lake": lake}[sys.argv[1]](
        **json.loads(sys.argv[2])
    )

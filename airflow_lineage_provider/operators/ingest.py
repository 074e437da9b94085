"""Moves data into bronze as tasks, and emits what was moved: one job for each table and topic."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.links.lineage import LineageLink, LineageReportLink
from airflow_lineage_provider.utils.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.ingest.increment import Increment
    from airflow_lineage_provider.ingest.model import Moved
    from airflow_lineage_provider.ingest.postgres_source import PostgresSource
    from airflow_lineage_provider.ingest.warehouse import BronzeTarget
    from airflow_lineage_provider.utils.emitter import Emitter


class _Mover(BaseOperator):
    """What the movers share: their look, and that their lineage is in the events of their moves."""

    ui_color = "#e2ecfb"
    ui_fgcolor = "#26303b"
    operator_extra_links = (LineageLink(), LineageReportLink())

    def get_openlineage_facets_on_start(self) -> Any:
        """Leave the lineage to the moves' own events: the task's would join every source to every target."""
        from airflow.providers.openlineage.extractors import OperatorLineage

        return OperatorLineage()


class PostgresToBronzeOperator(_Mover, WarehouseOperator):
    """Moves tables of a Postgres database into bronze, all in one snapshot.

    Bronze is the warehouse, or Parquet files where `lake` is given. In the warehouse it has one row for each
    primary key, with `_op` (I, U or D, as AWS DMS writes it) and `_loaded_at`; a row that is deleted from the
    source stays as a tombstone. In a lake each load is one file, with the rows that were read and the keys
    that are gone, and with the load's number in `_load`: the row of a key with the largest number counts. A
    table's rows, tombstones and watermark are committed together, so that a task that is killed and tried
    again writes nothing twice.

        PostgresToBronzeOperator(
            task_id="crm", source_conn_id="crm", tables={"public.orders": "raw_orders"},
            watermark="updated_at", lake="s3://lake/crm", s3_conn_id="lake",
        )

    :param source_conn_id: a connection of type `postgres`.
    :param tables: the bronze table of each source table: `{"public.orders": "bronze.raw_orders"}`; in a lake
        the name of the table's folder.
    :param watermark: a column that each change of a row sets to a later time; all rows are read without it.
    :param overlap: how far before the last watermark reading begins, because transactions commit late.
    :param deletes: `compare` reads all keys of the source; `slot` reads a logical replication slot
        (wal2json), named by `slot` and the table; `none`.
    :param slot: the beginning of the slots' names.
    :param lake: a folder, or `s3://bucket/folder`, in place of a warehouse; `project_dir` is not needed then.
    :param s3_conn_id: a connection of type `aws`; the environment's own credentials without it.

    The warehouse and the event store are named as for `WarehouseOperator`.

    Returns a summary to XCom: rows read and deleted of each table, events emitted.
    """

    template_fields: Sequence[str] = (
        "tables",
        "watermark",
        "slot",
        "lake",
        *WarehouseOperator.template_fields,
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"tables": "json"}

    def __init__(  # noqa: PLR0913 - a source, a target, and what is read
        self,
        *,
        source_conn_id: str,
        tables: Mapping[str, str],
        watermark: str | None = None,
        overlap: timedelta = timedelta(minutes=5),
        deletes: Literal["compare", "slot", "none"] = "compare",
        slot: str = "",
        lake: str | None = None,
        s3_conn_id: str | None = None,
        project_dir: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(project_dir=project_dir, **kwargs)
        if bool(lake) == bool(project_dir):
            raise InputError("name the target: a lake, or the project_dir of a dbt project")
        self.source_conn_id = source_conn_id
        self.tables = tables
        self.watermark = watermark
        self.overlap = overlap
        self.deletes = deletes
        self.slot = slot
        self.lake = lake
        self.s3_conn_id = s3_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Move each table; raise where a system does not answer."""
        from airflow_lineage_provider.ingest.postgres_source import PostgresSource
        from airflow_lineage_provider.utils.emitter import Emitter
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.moves import opened_target, postgres_address

        moved: dict[str, Moved] = {}
        with expected_errors_fail_task():
            emitter = Emitter(context, self.store_conn_id)
            try:
                with closing(PostgresSource(postgres_address(self.source_conn_id))) as source:
                    if self.lake:
                        self._move_to_lake(emitter, source, moved)
                    else:
                        with opened_target(self) as target:
                            self._move_to_warehouse(emitter, source, target, moved)
            finally:
                emitter.finish()
        return _summary(moved, emitter)

    def _increment(self, table: str) -> Increment:
        from airflow_lineage_provider.ingest.increment import Increment

        slot = f"{self.slot}_{table.replace('.', '_')}" if self.slot else ""
        return Increment(self.watermark, self.overlap, self.deletes, slot)

    def _move_to_warehouse(
        self, emitter: Emitter, source: PostgresSource, target: BronzeTarget, moved: dict[str, Moved]
    ) -> None:
        from airflow_lineage_provider.ingest.postgres_to_bronze import move_table
        from airflow_lineage_provider.utils.moves import emit_move, planned_move, show

        for name, table in self.tables.items():
            moved[table] = emit_move(
                emitter,
                table,
                ("POSTGRES", "TABLE", "TABLE"),
                planned_move(source.dataset(name), target.dataset(table)),
                partial(move_table, source, name, target, table, self._increment(name), show),
            )

    def _move_to_lake(self, emitter: Emitter, source: PostgresSource, moved: dict[str, Moved]) -> None:
        from airflow_lineage_provider.ingest.lake import Lake
        from airflow_lineage_provider.ingest.postgres_to_lake import land_table
        from airflow_lineage_provider.utils.moves import emit_move, planned_move, s3_access, show

        access = s3_access(self.s3_conn_id)
        for name, table in self.tables.items():
            folder = Lake(f"{self.lake}/{table}", access)
            moved[table] = emit_move(
                emitter,
                table,
                ("POSTGRES", "TABLE", "FILE"),
                planned_move(source.dataset(name), folder.dataset),
                partial(land_table, source, name, folder, self._increment(name), show),
            )


class KafkaToLakeOperator(_Mover):
    """Lands the records of a topic as Parquet files, up to the end that the topic has now.

    Records are Avro in Confluent's wire format, or JSON with its schema as Kafka Connect's JsonConverter
    writes it; Debezium's types of time become the warehouse's own. A file's name says which offsets it
    covers, so offsets and data are committed together. A record that cannot be decoded goes to
    `_dead_letters/` in the same folder, with the reason.

    :param topic: the topic.
    :param lake: a folder, or `s3://bucket/folder`.
    :param changes: the topic has the changes of a table, as Debezium writes them behind its transform
        ExtractNewRecordState. A record without a value is then landed as a row of its key's fields, with
        `__deleted` = `true`; otherwise it is counted only.
    :param kafka_conn_id: a connection of type `kafka`; its extra has librdkafka's settings.
    :param registry_conn_id: the Schema Registry, a connection of type `schema_registry`.
    :param s3_conn_id: a connection of type `aws`; the environment's own credentials without it.
    :param store_conn_id: the event store, a connection of type `lineage_store`.

    Returns a summary to XCom: records landed, dead letters, tombstones, expired records, events emitted.
    """

    template_fields: Sequence[str] = ("topic", "lake")

    def __init__(
        self,
        *,
        topic: str,
        lake: str,
        changes: bool = False,
        kafka_conn_id: str = "kafka_default",
        registry_conn_id: str = "schema_registry_default",
        s3_conn_id: str | None = None,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.topic = topic
        self.lake = lake
        self.changes = changes
        self.kafka_conn_id = kafka_conn_id
        self.registry_conn_id = registry_conn_id
        self.s3_conn_id = s3_conn_id
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Land what is new; raise where a system does not answer."""
        from airflow_lineage_provider.hooks.schema_registry import SchemaRegistryHook
        from airflow_lineage_provider.ingest.decoders import Decoders
        from airflow_lineage_provider.ingest.lake import Lake
        from airflow_lineage_provider.ingest.topic import Topic
        from airflow_lineage_provider.ingest.topic_to_lake import land_topic
        from airflow_lineage_provider.utils.emitter import Emitter
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.moves import (
            emit_move,
            kafka_config,
            planned_move,
            s3_access,
            show,
        )

        with expected_errors_fail_task():
            emitter = Emitter(context, self.store_conn_id)
            config = kafka_config(self.kafka_conn_id)
            topic = Topic(self.topic, config, f"connection {self.kafka_conn_id!r}")
            decoders = Decoders(SchemaRegistryHook(self.registry_conn_id).get_conn())
            lake = Lake(self.lake, s3_access(self.s3_conn_id))
            try:
                moved = emit_move(
                    emitter,
                    self.topic,
                    ("KAFKA", "TOPIC", "FILE"),
                    planned_move(topic.dataset, lake.dataset),
                    partial(land_topic, topic, decoders, lake, show, changes=self.changes),
                )
            finally:
                emitter.finish()
        if dead := moved.counts["dead_letters"]:
            self.log.warning("%s records cannot be decoded: see %s/_dead_letters", dead, self.lake)
        return _summary({self.topic: moved}, emitter)


class LakeToBronzeOperator(_Mover, WarehouseOperator):
    """Loads the Parquet files that `KafkaToLakeOperator` landed into a bronze table, each record once.

    The offsets that were loaded are committed with the rows. A field that is new becomes a new column.

        KafkaToLakeOperator(task_id="land", topic="crm.public.orders", lake=LAKE, changes=True)
        LakeToBronzeOperator(
            task_id="load", topic="crm.public.orders", lake=LAKE, table="bronze.raw_orders",
            key="order_id", changes=True, project_dir=PROJECT,
        )

    :param topic: the topic.
    :param lake: the folder that it was landed in.
    :param table: the bronze table, `schema.table`.
    :param key: a column, or several, that tell records apart: one that was sent twice is kept once.
    :param changes: the records are changes of a table, as Debezium writes them behind its transform
        ExtractNewRecordState, with `delete.tombstone.handling.mode` `rewrite` or `tombstone`. Bronze then has
        one row for each key as `PostgresToBronzeOperator` leaves it, with `_op` (I, U or D) and
        `_loaded_at`: a row that was deleted stays as a tombstone.
    :param s3_conn_id: a connection of type `aws`; the environment's own credentials without it.

    The warehouse and the event store are named as for `WarehouseOperator`.

    Returns a summary to XCom: rows loaded, redelivered records or deleted rows, events emitted.
    """

    template_fields: Sequence[str] = ("topic", "lake", "table", *WarehouseOperator.template_fields)

    def __init__(
        self,
        *,
        topic: str,
        lake: str,
        table: str,
        key: str | Sequence[str] | None = None,
        changes: bool = False,
        s3_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.topic = topic
        self.lake = lake
        self.table = table
        self.key = key
        self.changes = changes
        self.s3_conn_id = s3_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Load what landed since the last load; raise where a system does not answer."""
        from airflow_lineage_provider.ingest.lake import Lake
        from airflow_lineage_provider.ingest.lake_to_bronze import load_landed
        from airflow_lineage_provider.utils.emitter import Emitter
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.moves import (
            emit_move,
            opened_target,
            planned_move,
            s3_access,
            show,
        )

        with expected_errors_fail_task():
            emitter = Emitter(context, self.store_conn_id)
            lake = Lake(self.lake, s3_access(self.s3_conn_id))
            try:
                with opened_target(self) as target:
                    moved = emit_move(
                        emitter,
                        self.table,
                        ("PARQUET", "FILE", "TABLE"),
                        planned_move(lake.dataset, target.dataset(self.table)),
                        partial(
                            load_landed,
                            lake,
                            self.topic,
                            target,
                            self.table,
                            self.key,
                            show,
                            changes=self.changes,
                        ),
                    )
            finally:
                emitter.finish()
        return _summary({self.table: moved}, emitter)


def _summary(moved: Mapping[str, Moved], emitter: Emitter) -> dict[str, Any]:
    return {
        "moved": {job: {"rows": one.rows, **one.counts} for job, one in moved.items()},
        "events": emitter.emitted,
        "events_lost": emitter.lost,
    }

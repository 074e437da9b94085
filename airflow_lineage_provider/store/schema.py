"""The tables of the event store."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

# SQLite counts rows by itself only where the key's type is INTEGER.
_POSITION = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

# The revision of `migrations` that these tables are. Its table has a name of its own, so that the
# store can live in a database that another Alembic looks after.
REVISION = "0004"
version = Table("lineage_version", MetaData(), Column("version_num", String(32), primary_key=True))

# An event's id is its position: ids grow in the order of commit and are never used again.
# Time stands as UTC ISO 8601 text, which sorts. Run ids of today's clients are UUIDv7, so the
# index that keeps an event single grows at its end and stays fast in a store of millions.
event = Table(
    "event",
    metadata,
    Column("id", _POSITION, primary_key=True, autoincrement=True),
    Column("stored_at", String(27), nullable=False),
    Column("event_time", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("root_run_id", Text, nullable=False),
    Column("parent_run_id", Text, nullable=False),
    Column("job_namespace", Text, nullable=False),
    Column("job_name", Text, nullable=False),
    Column("content_hash", LargeBinary(16), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("event_once", "run_id", "content_hash", unique=True),
    Index("event_root_run", "root_run_id", "id"),
    Index("event_job", "job_name", "job_namespace", "id"),
    Index("event_event_time", "event_time"),
    sqlite_autoincrement=True,
)

event_dataset = Table(
    "event_dataset",
    metadata,
    Column("name", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("event_id", _POSITION, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# The state of a run is the type of its last event; an end is final.
run = Table(
    "run",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("root_run_id", Text, nullable=False),
    Column("parent_run_id", Text, nullable=False),
    Column("job_namespace", Text, nullable=False),
    Column("job_name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("first_event_id", _POSITION, nullable=False),
    Column("last_event_id", _POSITION, nullable=False),
    Index("run_root_run", "root_run_id"),
    sqlite_with_rowid=False,
)

# One row for each target of forwarding: every event up to `position` is delivered or a dead letter.
consumer = Table(
    "consumer",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", _POSITION, nullable=False),
    Column("error", Text, nullable=False),
    Column("error_since", String(27), nullable=False),
    Column("progress_at", String(27), nullable=False),
)

# Events that a target rejected, until they are replayed or discarded.
dead_letter = Table(
    "dead_letter",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", _POSITION, primary_key=True, autoincrement=False),
    Column("error", Text, nullable=False),
    Column("dead_at", String(27), nullable=False),
    Column("replay", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

# What validations, audits and reconciliations found, by the map, for the trend and the review.
report = Table(
    "report",
    metadata,
    Column("id", _POSITION, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("made_at", String(27), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("report_made", "kind", "subject", "made_at"),
)

# What a task last told an owner about a finding, until the finding is gone.
notice = Table(
    "notice",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("finding", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("told_at", String(27), nullable=False),
    sqlite_with_rowid=False,
)

# What a task that validated a DAG run compared and found, for the pages. A later validation by the same task
# replaces it, under a new id: readers keep content by id. `reads` are the DAGs whose lineage it holds, as a
# JSON list.
validation = Table(
    "validation",
    metadata,
    Column("id", _POSITION, primary_key=True, autoincrement=True),
    Column("dag_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("task_id", Text, nullable=False),
    Column("made_at", String(27), nullable=False),
    Column("lineage_run_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("warnings", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("reads", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("validation_run", "dag_id", "run_id"),
    Index("validation_made", "made_at"),
    sqlite_autoincrement=True,
)

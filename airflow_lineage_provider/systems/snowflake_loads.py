"""Snowflake's copy history as movements of data: from the files of a stage into a table.

https://docs.snowflake.com/en/sql-reference/account-usage/copy_history
The view is up to two hours late. It names files and tables; the columns of files are those that the job that
wrote them has reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.events.movement import ColumnSource, MovedDataset, MovedField, Movement
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.systems.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    Row = Sequence[object]

COPY_HISTORY = """
select table_catalog_name, table_schema_name, table_name, stage_location,
       regexp_replace(file_name, '[^/]*$', '') as folder,
       max(pipe_definition) as definition,
       sum(row_count) as rows_loaded,
       sum(case when status = 'Load failed' then 1 else 0 end) as failed,
       max(first_error_message) as error
from (
    select history.*, pipes.definition as pipe_definition
    from snowflake.account_usage.copy_history as history
    left join snowflake.account_usage.pipes as pipes
        on pipes.pipe_catalog = history.pipe_catalog_name and pipes.pipe_schema = history.pipe_schema_name
        and pipes.pipe_name = history.pipe_name and pipes.deleted is null
    where history.last_load_time >= cast('{since}' as timestamp with time zone)
) as loads
group by 1, 2, 3, 4, 5
order by 1, 2, 3, 4, 5
"""

_PARTITION = re.compile(r"[^/]*=[^/]*|\d{2}|\d{4}|\d{8}")
_BY_NAME = re.compile(r"match_by_column_name\s*=\s*'?case_(in)?sensitive", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """Files of one folder that were copied into one table; `definition` is the pipe's COPY statement."""

    database: str
    schema: str
    table: str
    files: DatasetName
    definition: str
    rows: int
    failed: int
    error: str

    def target(self, namespace: str) -> DatasetName:
        """Return the name of the table in the account's namespace; its parts are as Snowflake keeps them."""
        return DatasetName(namespace, f"{self.database}.{self.schema}.{self.table}")


def read_loads(rows: Iterable[Row]) -> list[Load]:
    """Return the loads of COPY_HISTORY's rows, partitions of one folder as one.

    What was not loaded from a bucket (from an internal stage, say) is left out.
    """
    found: dict[tuple[str, str, str, DatasetName], Load] = {}
    for database, schema, table, location, folder, definition, count, failed, error in rows:
        files = _files(str(location or ""), str(folder or ""))
        if files is None:
            continue
        key = (str(database), str(schema), str(table), files)
        before = found.get(key)
        found[key] = Load(
            *key,
            definition=str(definition or "") or (before.definition if before else ""),
            rows=_whole(count) + (before.rows if before else 0),
            failed=_whole(failed) + (before.failed if before else 0),
            error=str(error or "") or (before.error if before else ""),
        )
    return list(found.values())


def _whole(number: object) -> int:
    """Return a sum, which drivers give as an int, a float or a Decimal."""
    return int(float(str(number or 0)))


def _files(location: str, folder: str) -> DatasetName | None:
    """Return the folder that files lie in, without partitions such as `day=2026-01-01/` or `2026/01/`."""
    url = urlsplit(location)
    if not url.scheme or not url.netloc:
        return None
    parts = [part for part in f"{url.path}/{folder}".split("/") if part]
    while parts and _PARTITION.fullmatch(parts[-1]):
        parts.pop()
    scheme = {"s3gov": "s3", "gcs": "gs"}.get(url.scheme, url.scheme)
    return DatasetName(f"{scheme}://{url.netloc}", "/".join(parts) or "/")


def load_observation(
    load: Load,
    namespace: str,
    table: Mapping[str, str],
    files: Sequence[str],
    now: datetime,
) -> Observation:
    """Return a load as a job of the account with this namespace.

    `table` are the table's columns (lower case) with their types. `files` are the columns of the files, as
    whoever wrote them reported them; none: not known.
    """
    by_name = {name.lower(): name for name in files}
    matched = _BY_NAME.search(load.definition)
    columns, problems = None, []
    if not matched:
        problems.append("its COPY does not match columns by name, or is no pipe: columns are not claimed")
    elif not files:
        problems.append(f"no event says which columns {load.files.namespace}/{load.files.name} has")
    else:
        columns = {
            name.upper(): (ColumnSource(load.files, by_name[name]),) if name in by_name else ()
            for name in table
        }
    target = load.target(namespace)
    failed = f"{load.failed} files failed to load into {target.name}: {load.error or 'no reason given'}"
    movement = Movement(
        job_namespace=target.namespace,
        job_name=f"copy.{target.name}.{load.files.name}",
        started_at=now,
        integration="SNOWFLAKE",
        job_type="COPY",
        engine="Snowflake",
        inputs=(MovedDataset(load.files, "FILE", tuple(MovedField(name) for name in files)),),
        outputs=(
            MovedDataset(
                target,
                fields=tuple(MovedField(name.upper(), kind.upper()) for name, kind in table.items()),
                rows=load.rows,
            ),
        ),
        columns=columns,
        problems=tuple(f"{target.name}: {problem}" for problem in problems),
    )
    if load.failed:
        return Observation(movement, RunState.FAIL, failed)
    return Observation(movement, RunState.COMPLETE)

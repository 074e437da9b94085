"""The records of a dbt invocation that is over, from the files that dbt wrote into its `target` folder.

`manifest.json` and `run_results.json` (of a freshness check `sources.json`) are needed. The columns of tables
come from `catalog.json`, which `dbt docs generate` writes; without it, from enforced contracts alone.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.catalog import TableRef
from airflow_lineage_provider.dbt.credentials import target_profile
from airflow_lineage_provider.dbt.nodes import Nodes
from airflow_lineage_provider.dbt.project import one_line
from airflow_lineage_provider.dbt.recorder import MADE, REPORTED, TESTED, skip_reason, stops_children
from airflow_lineage_provider.dbt.records import (
    DbtError,
    Invocation,
    InvocationFinished,
    LogLine,
    NodeFinished,
    NodeStarted,
    Warehouse,
)
from airflow_lineage_provider.dbt.warehouse import warehouse_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dbt.contracts.graph.manifest import Manifest

    from airflow_lineage_provider.dbt.catalog import Columns
    from airflow_lineage_provider.dbt.recorder import FindTables
    from airflow_lineage_provider.dbt.records import Record

    ReadFile = Callable[[str], bytes | None]
    """Takes the name of a file of the `target` folder; returns its content, None where there is none."""

RUNS_NOTHING = {"compile", "generate", "list", "parse", "show"}
"""Commands that write results of nodes that they compiled and did not run."""
PARTS = frozenset(
    {
        *("nodes", "sources", "macros", "docs", "exposures", "metrics", "groups", "selectors", "disabled"),
        *("parent_map", "child_map", "group_map", "saved_queries", "semantic_models", "unit_tests"),
    }
)
"""The parts of a manifest that dbt-core needs and another engine may leave out."""
RESULTS, SOURCES = "run_results.json", "sources.json"


@dataclass(frozen=True, slots=True)
class ArtifactsOrigin:
    """What the artifacts do not say: where the project and its warehouse are."""

    warehouse: Warehouse
    project_dir: str = ""
    profile_name: str = ""
    target: str = ""
    database: str | None = None
    schema: str | None = None
    """Where a name in SQL without a schema is looked for, by the profile."""


def origin_by_profile(
    read: ReadFile, project_dir: str, profiles_dir: str | None, target: str | None
) -> ArtifactsOrigin:
    """Return the origin that a dbt profile names. Raises DbtError for a profile that cannot be read.

    Without `profiles_dir` or `target`, those of the invocation count, if its profiles.yml is still there.
    """
    args = _mapping((_json(read, RESULTS) or {}).get("args"))
    used = str(args.get("profiles_dir") or "")
    own = profiles_dir or os.environ.get("DBT_PROFILES_DIR") or Path(project_dir, "profiles.yml").is_file()
    if not own and used and Path(used, "profiles.yml").is_file():
        profiles_dir = used
    profile = target_profile(project_dir, profiles_dir, target or args.get("target"))
    credentials = profile.credentials
    return ArtifactsOrigin(
        warehouse=warehouse_at(credentials),
        project_dir=project_dir,
        profile_name=profile.profile_name,
        target=profile.target_name,
        database=credentials.database,
        schema=credentials.schema,
    )


def given_warehouse(fields: Mapping[str, Any]) -> Warehouse:
    """Return the warehouse with these fields, such as `{"type": "snowflake", "account": "ab12345"}`.

    Raises DbtError for a field that a warehouse does not have, and without a type.
    """
    known = ("type", "host", "port", "account", "region", "path", "database")
    if unknown := sorted(fields.keys() - {*known}):
        raise DbtError(f"warehouse has no field {', '.join(unknown)}; use {', '.join(known)}")
    if not fields.get("type"):
        raise DbtError("warehouse needs the type of dbt's adapter, such as {'type': 'snowflake'}")
    port = str(fields.get("port") or "0")
    if not port.isdecimal():
        raise DbtError(f"warehouse has the port {port!r}; it must be a number such as 5432")
    texts: dict[str, Any] = {
        key: str(value) for key, value in fields.items() if value is not None and key != "port"
    }
    return Warehouse(**texts, port=int(port) or None)


def artifact_records(
    read: ReadFile, origin: ArtifactsOrigin, find_tables: FindTables, *, sources: bool = False
) -> Iterator[Record]:
    """Yield the records of run_results.json and, with `sources`, those of sources.json.

    Raises DbtError for an unusable file.
    """
    for name in (RESULTS, SOURCES) if sources else (RESULTS,):
        yield from Artifacts(read, origin, results=name, find_tables=find_tables)


class Artifacts:
    """The artifacts of one invocation: iterate over it for its records, the last an `InvocationFinished`."""

    def __init__(
        self,
        read: ReadFile,
        origin: ArtifactsOrigin,
        *,
        results: str = RESULTS,
        find_tables: FindTables | None = None,
    ) -> None:
        """`results` is `run_results.json` or `sources.json`. Raises DbtError for an unusable file."""
        self._read = read
        self._results = _needed(read, results)
        self._manifest = _manifest(_needed(read, "manifest.json"))
        self._catalog = _columns(_json(read, "catalog.json") or {})
        self._origin = origin
        self._find_tables = find_tables
        self._args = _mapping(self._results.get("args"))
        if (verb := str(self._args.get("which") or "")) in RUNS_NOTHING:
            raise DbtError(
                f"{results} is of `dbt {verb}`, which runs no node; read the artifacts before that command, "
                "or run `dbt docs generate --no-compile`, which leaves run_results.json as it is"
            )
        nodes: Iterable[Any] = self._manifest.nodes.values()
        for node in nodes:
            if str(node.resource_type) == "test" and node.config.store_failures is None:
                node.config.store_failures = bool(self._args.get("store_failures"))
            self._add_contract(node)
        self._nodes = Nodes(self._manifest, lambda table: self._catalog.get(table.key, ()))

    def __iter__(self) -> Iterator[Record]:
        """Yield the records, in the order in which the nodes ended."""
        metadata = _mapping(self._results.get("metadata"))
        written = _time(metadata.get("generated_at")) or datetime.now(UTC)
        parsed = self._manifest.metadata
        if metadata.get("invocation_id") != parsed.invocation_id and parsed.generated_at < written:
            yield LogLine("warn", "lineage: manifest.json is older than the invocation of the results")
        invocation = self._invocation(metadata)
        yield invocation
        ended = [self._ended(result, written) for result in self._results.get("results") or ()]
        unsuccessful: dict[str, str] = {}
        for one in sorted((end for end in ended if end), key=lambda end: end.at):
            if not self._knows(one.unique_id):
                yield LogLine("warn", f"lineage: {one.unique_id} is in the results and not in manifest.json")
                continue
            yield from self._of_node(one, invocation, unsuccessful)
        yield InvocationFinished(success=not unsuccessful, selected=len(ended))

    def _of_node(
        self, one: _Ended, invocation: Invocation, unsuccessful: dict[str, str]
    ) -> Iterator[NodeStarted | NodeFinished]:
        uid = one.unique_id
        target = str(Path(self._origin.project_dir, "target"))
        sql = one.sql or self._compiled(uid) or self._nodes.last_batch(uid, target)
        node = self._nodes.node(uid)
        if sql and self._find_tables:
            node = self._nodes.node(uid, self._find_tables(node, sql, invocation))
        if stops_children(one.status, node):
            unsuccessful[uid] = node.label
        skipped = one.status == "skipped"
        yield NodeStarted(node, one.started_at, sql)
        yield NodeFinished(
            node=node,
            started_at=one.started_at,
            at=one.at,
            status=one.status,
            message=skip_reason(uid, unsuccessful, self._nodes) if skipped else one.message,
            sql=sql,
            rows=one.rows if node.relation and one.status in MADE | TESTED else None,
            failures=one.failures,
            query_id=one.query_id,
        )

    def _compiled(self, unique_id: str) -> str | None:
        """Return a node's compiled SQL; dbt Fusion writes it to a file and to none of the artifacts."""
        if found := self._nodes.compiled(unique_id):
            return found
        path = str(getattr(self._manifest.nodes.get(unique_id), "compiled_path", None) or "")
        _, folder, name = path.partition("compiled/")
        content = self._read(folder + name) if name and ".." not in name else None
        if content is None:
            return None
        sql = content.decode("utf-8", "replace")
        self._manifest.nodes[unique_id].compiled_code = sql  # type: ignore[union-attr]
        return sql

    def _invocation(self, metadata: Mapping[str, Any]) -> Invocation:
        manifest, origin = self._manifest, self._origin
        project_dir = origin.project_dir or str(self._args.get("project_dir") or "")
        return Invocation(
            invocation_id=str(metadata.get("invocation_id") or ""),
            dbt_version=str(metadata.get("dbt_version") or ""),
            project_name=str(manifest.metadata.project_name or ""),
            project_dir=str(Path(project_dir).resolve()) if project_dir else "",
            package_dirs=_package_dirs(manifest, project_dir) if project_dir else {},
            profile_name=str(self._args.get("profile") or origin.profile_name),
            target=str(self._args.get("target") or origin.target),
            full_refresh=bool(self._args.get("full_refresh")),
            database=origin.database,
            schema=origin.schema,
            warehouse=origin.warehouse,
            after_the_fact=True,
        )

    def _ended(self, result: Any, written: datetime) -> _Ended | None:
        """Return a result as data; None for what has no records, such as a hook."""
        found = _mapping(result)
        uid = str(found.get("unique_id") or "")
        if uid.partition(".")[0] not in REPORTED:
            return None
        timing = [_mapping(one) for one in found.get("timing") or ()]
        times = [_time(one.get(key)) for one in timing for key in ("started_at", "completed_at")]
        known = [time for time in times if time] or [written]
        response = _mapping(found.get("adapter_response"))
        rows = response.get("rows_affected")
        if found.get("compiled_code") and uid in self._manifest.nodes:
            node: Any = self._manifest.nodes[uid]
            node.compiled_code = found["compiled_code"]
        return _Ended(
            unique_id=uid,
            started_at=min(known),
            at=max(known),
            status=str(found.get("status") or "").lower(),  # dbt Fusion writes Pass and Warn in sources.json
            message=str(found.get("message") or found.get("error") or ""),
            sql=found.get("compiled_code"),
            rows=int(rows) if isinstance(rows, int) and rows >= 0 else None,
            failures=found.get("failures") or None,
            query_id=response.get("query_id") or None,
        )

    def _knows(self, unique_id: str) -> bool:
        manifest = self._manifest
        places = (manifest.nodes, manifest.sources, manifest.unit_tests, getattr(manifest, "functions", ()))
        return any(unique_id in place for place in places)

    def _add_contract(self, node: Any) -> None:
        """Know the columns of a model whose contract is enforced, where catalog.json does not have them."""
        contract = getattr(node.config, "contract", None)
        if contract and contract.enforced:
            table = TableRef(node.database, node.schema, node.alias)
            columns = tuple((column.name, column.data_type or "") for column in node.columns.values())
            self._catalog.setdefault(table.key, columns)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A result as data."""

    unique_id: str
    started_at: datetime
    at: datetime
    status: str
    message: str
    sql: str | None
    rows: int | None
    failures: int | None
    query_id: str | None


def _json(read: ReadFile, name: str) -> dict[str, Any] | None:
    content = read(name)
    if content is None:
        return None
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DbtError(f"{name} is no JSON: {one_line(error)}; let dbt write it again") from None
    if not isinstance(found, dict):
        raise DbtError(f"{name} is no artifact of dbt's: it is a JSON {type(found).__name__}, not an object")
    return found


def _needed(read: ReadFile, name: str) -> dict[str, Any]:
    found = _json(read, name)
    if found is None:
        raise DbtError(f"there is no {name}; name the target folder into which dbt wrote its artifacts")
    return found


def _manifest(found: dict[str, Any]) -> Manifest:
    from dbt.artifacts.schemas.manifest import WritableManifest
    from dbt.contracts.graph.manifest import Manifest
    from dbt.contracts.graph.nodes import GenericTestNode

    written: Any = WritableManifest
    for name in PARTS - found.keys():
        found[name] = {}
    try:
        manifest: Any = Manifest.from_writable_manifest(written.upgrade_schema_version(found))
        # dbt decodes a generic test as a singular one, which has the same resource type.
        for uid, node in _mapping(found.get("nodes")).items():
            if node.get("test_metadata") and uid in manifest.nodes:
                manifest.nodes[uid] = GenericTestNode.from_dict(node)
        manifest.build_parent_and_child_maps()
    except Exception as error:  # noqa: BLE001 - dbt and its decoders raise whatever they like
        reason = f"{type(error).__name__}: {one_line(error)}"[:200]
        raise DbtError(f"manifest.json cannot be read by the installed dbt: {reason}") from None
    found_manifest: Manifest = manifest
    return found_manifest


def _columns(catalog: Mapping[str, Any]) -> dict[tuple[str, ...], Columns]:
    """Return the (name, type) pairs of each table of catalog.json, by the table's key."""
    found = {}
    for kind in ("nodes", "sources"):
        for table in map(_mapping, _mapping(catalog.get(kind)).values()):
            about = _mapping(table.get("metadata"))
            ref = TableRef(about.get("database"), about.get("schema"), str(about.get("name")))
            columns = [_mapping(column) for column in _mapping(table.get("columns")).values()]
            columns.sort(key=lambda column: column.get("index") or 0)
            found[ref.key] = tuple((str(c.get("name")), str(c.get("type") or "")) for c in columns)
    return found


def _package_dirs(manifest: Manifest, project_dir: str) -> dict[str, str]:
    packages = {node.package_name for node in manifest.nodes.values()}
    own = str(manifest.metadata.project_name)
    installed = {name: Path(project_dir, "dbt_packages", name) for name in packages - {own}}
    return {own: project_dir} | {name: str(path) for name, path in installed.items()}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)

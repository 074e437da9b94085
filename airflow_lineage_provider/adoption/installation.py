"""Check an installation: a line for each thing that lineage needs, with what to do where it is missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.errors import LineageError
from airflow_lineage_provider.forwarding.consumer import outbox_status
from airflow_lineage_provider.graph import Severity
from airflow_lineage_provider.lineage_map import bindings_of, load_map
from airflow_lineage_provider.readers import read_events
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.store.location import configured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from airflow_lineage_provider.lineage_map import LineageMap

PACKAGE = "airflow-lineage-provider"
TRANSPORT = "airflow_lineage_provider.OutboxTransport"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Checkup:
    """One thing that was checked: its name, whether it is right, and what was found or what to do."""

    what: str
    ok: bool
    message: str


def check_installation(
    environ: Mapping[str, str], store_url: str, map_path: Path | None, environment: str | None
) -> Iterator[Checkup]:
    """Yield what is right and what is not, in the order in which to mend it. Raises nothing expected."""
    yield _versions()
    yield _adapters()
    yield _transport(environ)
    store = EventStore(store_url)
    try:
        yield from _store(store)
        if map_path is not None:
            yield from _map(store, map_path, environment)
    finally:
        store.close()


def _versions() -> Checkup:
    """Compare what is installed with the versions that the package asks for."""
    wrong, shown = [], []
    for text in metadata.requires(PACKAGE) or ():
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is not installed: pip install '{requirement}'")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wanted = f"pip install '{requirement.name}{requirement.specifier}'"
            wrong.append(f"{requirement.name} {version} is not supported: {wanted}")
        if requirement.name in {"apache-airflow", "dbt-core", "openlineage-python"}:
            shown.append(f"{requirement.name} {version}")
    return Checkup("versions", not wrong, "; ".join(wrong) or ", ".join(shown))


def _adapters() -> Checkup:
    found = {
        name: one.version
        for one in metadata.distributions()
        if (name := str(one.metadata["Name"] or "").lower().replace("_", "-")).startswith("dbt-")
        and name not in {"dbt-adapters", "dbt-common", "dbt-core", "dbt-extractor", "dbt-protos"}
        and not name.startswith("dbt-semantic")
    }
    named = ", ".join(f"{name} {version}" for name, version in sorted(found.items()))
    missing = f"no dbt adapter: pip install '{PACKAGE}[duckdb]', or [postgres], [snowflake]"
    return Checkup("dbt adapters", bool(found), named or missing)


def _transport(environ: Mapping[str, str]) -> Checkup:
    """Whether events of Airflow's own OpenLineage provider are committed to the event store."""
    right = json.dumps({"type": TRANSPORT})
    advice = f"set AIRFLOW__OPENLINEAGE__TRANSPORT='{right}'"
    if _setting(environ, "openlineage", "disabled").lower() in {"1", "true", "t"}:
        return Checkup(
            "transport", ok=False, message="OpenLineage is disabled: remove [openlineage] disabled"
        )
    text = _setting(environ, "openlineage", "transport")
    if not text:
        return Checkup("transport", ok=False, message=f"no transport is set: {advice}")
    try:
        config = json.loads(text)
    except ValueError:
        return Checkup("transport", ok=False, message=f"[openlineage] transport is not JSON: {advice}")
    types = sorted(set(_types(config)))
    if TRANSPORT in types:
        return Checkup("transport", ok=True, message=TRANSPORT)
    return Checkup("transport", ok=False, message=f"events go to {', '.join(types) or 'nothing'}: {advice}")


def _types(config: Any) -> Iterator[str]:
    """Yield the types of a transport, and of those that a composite one holds."""
    if isinstance(config, dict):
        kind = config.get("type")
        if isinstance(kind, str) and kind != "composite":
            yield kind
        inner = config.get("transports") if kind == "composite" else None
        parts = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ()
        for part in parts:
            yield from _types(part)


def _setting(environ: Mapping[str, str], section: str, key: str) -> str:
    return environ.get(f"AIRFLOW__{section.upper()}__{key.upper()}") or configured(environ, section, key)


def _store(store: EventStore) -> Iterator[Checkup]:
    try:
        store.append([])
        root = store.latest_root_run()
        last = f"; the last run is {root}" if root else "; no run yet"
        yield Checkup("event store", ok=True, message=f"{store} accepts events{last}")
        statuses = outbox_status(store)
    except LineageError as error:
        yield Checkup("event store", ok=False, message=str(error))
        return
    for status in statuses:
        state = f"{status.pending:,} pending, {status.dead_letters:,} dead letters"
        failing = f"; failing since {status.error_since}: {status.error}" if status.error else ""
        ok = not status.error and not status.dead_letters
        yield Checkup(f"target {status.target}", ok=ok, message=f"{state}{failing}")


def _map(store: EventStore, path: Path, environment: str | None) -> Iterator[Checkup]:
    try:
        lineage_map = load_map(path)
        findings = [f for f in lint(lineage_map).findings if f.severity is Severity.ERROR]
        first = f", such as {findings[0].message}; see `airflow-lineage lint {path}`" if findings else ""
        yield Checkup("map", not findings, f"{path}: {len(findings):,} errors{first}")
        yield from _bindings(store, lineage_map, environment)
    except LineageError as error:
        yield Checkup("map", ok=False, message=str(error))


def _bindings(store: EventStore, lineage_map: LineageMap, environment: str | None) -> Iterator[Checkup]:
    """Compare the map's bindings with the names in the last run's events."""
    root = store.latest_root_run()
    if root is None:
        return
    bindings = bindings_of(lineage_map, environment)
    jobs = read_events(store.events(root_run_id=root), bindings).jobs
    seen = {(one.namespace, one.name) for job in jobs for one in (*job.inputs, *job.outputs)}
    if not seen:
        yield Checkup(
            "bindings", ok=False, message=f"the last run {root} names no dataset: did dbt run in it?"
        )
        return
    unbound = sorted(pair for pair in seen if bindings.logical(*pair) not in bindings.documented)
    message = f"{len(seen) - len(unbound):,} of {len(seen):,} datasets of the last run are in the map"
    if unbound:
        named = ", ".join(f"{namespace} {name}" for namespace, name in unbound[:_SHOWN])
        message += f"; not: {named}{' and others' if unbound[_SHOWN:] else ''}"
    yield Checkup("bindings", len(unbound) < len(seen), message)

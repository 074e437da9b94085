"""What DataHub shows, and what dbt's catalog.json adds to a manifest, before a map names it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.adoption.seen import Seen, Sightings, by_name
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import CONSUMERS
from airflow_lineage_provider.lineage_map import Bindings
from airflow_lineage_provider.readers import read_datahub
from airflow_lineage_provider.readers.datahub_names import BUCKETS, platform_name, schemes_of
from airflow_lineage_provider.readers.manifest_file import ManifestColumn, ManifestContract

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow_lineage_provider.readers.datahub_entities import Catalog
    from airflow_lineage_provider.readers.manifest_file import Manifest

_MAX_BYTES = 256 * 1024 * 1024
_WITHOUT_ADDRESS = frozenset({"bigquery"})
"""Platforms whose OpenLineage namespace is their name alone."""


def seen_in_datahub(catalog: Catalog) -> Sightings:
    """Return the datasets and consumers of DataHub. What it does not know of a namespace is `*`."""
    graph = read_datahub(catalog, Bindings()).graph
    instances = {
        f"{platform_name(entity)}://{entity.urn.parts[1]}": entity.instance
        for entity in catalog.entities.values()
        if entity.urn.kind == "dataset" and entity.instance
    }
    datasets = {
        name: _seen(name, instances.get(name, ""))
        for name, dataset in graph.datasets.items()
        if dataset.kind not in CONSUMERS and "://" in name
    }
    return by_name(datasets, graph)


def _seen(name: str, instance: str) -> Seen:
    platform, _, path = name.partition("://")
    path = path.removeprefix(f"{instance}.") if instance else path
    scheme = schemes_of(platform)[0]
    if platform in BUCKETS:
        bucket, _, below = path.partition("/")
        return Seen(f"{scheme}://{bucket}", below, "files")
    if platform == "file":
        return Seen("file", f"/{path.lstrip('/')}", "files")
    if platform == "dbt":
        return Seen("*", path)
    namespace = scheme if platform in _WITHOUT_ADDRESS else f"{scheme}://*"
    return Seen(namespace, path, "topic" if platform == "kafka" else "table")


def add_columns(manifest: Manifest, path: Path) -> None:
    """Add the columns that dbt's catalog.json lists to the relations of a manifest. Raises InputError."""
    found = _read(path)
    fold = manifest.metadata.adapter_type == "snowflake"
    for key, node in (*manifest.nodes.items(), *manifest.sources.items()):
        columns = found.get(key)
        if columns:
            names = [name.lower() if fold else name for name in columns]
            node.columns = {name: ManifestColumn(name) for name in names}
            # What the warehouse has is as sure as what an enforced contract says.
            node.config.contract = ManifestContract(enforced=True)


def _read(path: Path) -> Mapping[str, list[str]]:
    """Return the columns of each relation, in the order of the table."""
    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_BYTES + 1)
        if len(text) > _MAX_BYTES:
            raise InputError(f"{path}: larger than {_MAX_BYTES >> 20} MiB")
        data: Any = json.loads(text)
        return {
            str(key): [
                name for _, name in sorted((one["index"], name) for name, one in node["columns"].items())
            ]
            for kind in ("nodes", "sources")
            for key, node in data[kind].items()
        }
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; run `dbt docs generate` first") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{path}: not dbt's catalog.json; `dbt docs generate` writes it") from None

"""The gate before a schema change: files in, the impact of what they change out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.dialects import warehouse_dialect
from airflow_lineage_provider.checks.migration import migration_impact, project_impact
from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow_lineage_provider.checks.migration import MigrationImpact
    from airflow_lineage_provider.lineage_map import LineageMap


def gated_impact(
    lineage_map: LineageMap,
    *,
    migrations: Sequence[Path] = (),
    manifest: Path | None = None,
    against: Path | None = None,
    dialect: str | None = None,
    environment: str | None = None,
    default_schema: str = "",
) -> MigrationImpact:
    """Return the impact of the SQL in `migrations`, or of a dbt project's `manifest` in place of `against`.

    Without `dialect` it is that of the environment's warehouse. Raises InputError for a file that cannot be
    read, MapError for an unknown environment, and ManifestError.
    """
    from airflow_lineage_provider.readers import load_manifest, read_evidence

    if manifest is not None and against is not None:
        before, after = (
            read_evidence("manifest", load_manifest(path), lineage_map, environment)
            for path in (against, manifest)
        )
        return project_impact(before, after, lineage_map)
    return migration_impact(
        ";\n".join(map(_text, migrations)),
        lineage_map,
        dialect=warehouse_dialect(lineage_map, environment) if dialect is None else dialect,
        environment=environment,
        default_schema=default_schema,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None

"""Logical names for the entities of DataHub.

DataHub names a table `(platform, name, environment)`. The name may have the platform instance or the account
in front, may be in lower case, and may have slashes for dots. A map binds OpenLineage's names. So a name is
tried as it is, then without the parts in front of it, then without its case.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from airflow_lineage_provider.readers.datahub_urns import slug

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_lineage_provider.lineage_map import Bindings
    from airflow_lineage_provider.readers.datahub_entities import CatalogEntity

# OpenLineage's schemes for a platform of DataHub, where they are not its name.
_SCHEMES = {
    "abs": ("abfss", "abfs", "wasbs"),
    "athena": ("awsathena",),
    "gcs": ("gs",),
    "glue": ("arn",),
    "mssql": ("mssql", "sqlserver"),
}
BUCKETS = {"abs", "gcs", "s3"}
"""Platforms whose datasets are named bucket/path."""
_MOST_PARTS_IN_FRONT = 4


def schemes_of(platform: str) -> tuple[str, ...]:
    """Return OpenLineage's schemes for a platform of DataHub."""
    return _SCHEMES.get(platform, (platform,))


def platform_of(scheme: str) -> str:
    """Return DataHub's platform for a scheme of OpenLineage.

    >>> platform_of("gs")
    'gcs'
    """
    return next((platform for platform, schemes in _SCHEMES.items() if scheme in schemes), scheme)


class LogicalNames:
    """The logical names of entities, by the bindings of a map."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._by_platform: dict[str, tuple[Bindings, Bindings]] = {}

    def name_of(self, entity: CatalogEntity) -> str:
        """Return the logical name of an entity; what no binding fits keeps its name in DataHub."""
        if entity.urn.kind == "dataset":
            return self._dataset(entity)
        by_id = entity.urn.parts[1] if len(entity.urn.parts) > 1 else entity.urn.parts[0]
        for name in (entity.title, by_id):
            if name and _plain(name) in self._documented:
                return self._documented[_plain(name)]
        return entity.title or by_id

    def folds(self, entity: CatalogEntity) -> bool:
        """Whether the names of a dataset's columns ignore case."""
        platform = platform_name(entity)
        strict, _ = self._bound(platform)
        return any(
            (strict.folds(*name) if isinstance(name, tuple) else strict.folds_name(name))
            for name in _spellings(platform, entity)
        )

    def _dataset(self, entity: CatalogEntity) -> str:
        platform = platform_name(entity)
        spellings = list(_spellings(platform, entity))
        undocumented = ""
        for bindings in self._bound(platform):
            for name in spellings:
                found = bindings.logical(*name) if isinstance(name, tuple) else bindings.logical_of_name(name)
                if found in bindings.documented:
                    return str(found)
                undocumented = undocumented or found or ""
        return undocumented or f"{platform}://{entity.urn.parts[1]}"

    def _bound(self, platform: str) -> tuple[Bindings, Bindings]:
        """Return the bindings of a platform, by case and without it; dbt names tables of any platform."""
        if platform not in self._by_platform:
            own = self._bindings if platform == "dbt" else self._bindings.on_scheme(schemes_of(platform))
            self._by_platform[platform] = own, own.ignoring_case()
        return self._by_platform[platform]

    @cached_property
    def _documented(self) -> Mapping[str, str]:
        return {_plain(name): name for name in sorted(self._bindings.documented)}


def _plain(name: str) -> str:
    """Return a name as titles and ids are compared: dbt and URNs write `_` and `-` for a blank."""
    return slug(name).replace("_", "-")


def platform_name(entity: CatalogEntity) -> str:
    """Return the platform of an entity, such as `snowflake`."""
    return entity.urn.parts[0].rpartition(":")[2]


def _spellings(platform: str, entity: CatalogEntity) -> Iterator[str | tuple[str, str]]:
    """Yield the names that an entity may have for OpenLineage: a name, or a namespace and a name."""
    name = entity.urn.parts[1].strip("/") if len(entity.urn.parts) > 1 else entity.urn.parts[0]
    if entity.instance and name.casefold().startswith(f"{entity.instance}.".casefold()):
        name = name[len(entity.instance) + 1 :]
    if platform in BUCKETS:
        bucket, _, path = name.partition("://")[2].partition("/") if "://" in name else name.partition("/")
        yield from ((f"{scheme}://{bucket}", path) for scheme in schemes_of(platform))
        return
    if platform == "file":
        yield from (("file", spelled) for spelled in (f"/{name}", name))
        return
    dotted = name.replace("/", ".") if "/" in name else name
    parts = dotted.split(".")
    yield name
    yield dotted
    yield from (".".join(parts[n:]) for n in range(1, min(len(parts) - 1, _MOST_PARTS_IN_FRONT) + 1))

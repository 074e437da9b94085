"""The part of dbt's manifest.json that lineage needs, decoded.

https://schemas.getdbt.com/dbt/manifest/v12.json
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from airflow_lineage_provider.errors import LineageError

MAX_BYTES = 128 * 1024 * 1024


class ManifestError(LineageError):
    """A manifest that cannot be read."""


class ManifestColumn(msgspec.Struct):
    """A column as the project's YAML describes it."""

    name: str = ""
    data_type: str | None = None
    description: str | None = None


class _Depends(msgspec.Struct):
    nodes: list[str] = []


class ManifestContract(msgspec.Struct):
    """The contract of a model: its columns and types, where dbt enforces them."""

    enforced: bool | None = None


class _Config(msgspec.Struct):
    contract: ManifestContract | None = None
    materialized: str | None = None
    meta: dict[str, Any] = {}
    group: str | None = None
    tags: str | list[str] = []


class _Owner(msgspec.Struct):
    name: str | None = None
    email: str | None = None


class _Group(msgspec.Struct):
    name: str
    owner: _Owner = msgspec.field(default_factory=_Owner)


class _Test(msgspec.Struct):
    name: str = ""


class ManifestNode(msgspec.Struct):
    """A model, seed, snapshot, source, test or function."""

    unique_id: str
    name: str
    resource_type: str
    database: str | None = None
    schema: str | None = None
    alias: str | None = None
    identifier: str | None = None
    description: str | None = None
    original_file_path: str = ""
    root_path: str | None = None
    columns: dict[str, ManifestColumn] = {}
    depends_on: _Depends = msgspec.field(default_factory=_Depends)
    config: _Config = msgspec.field(default_factory=_Config)
    meta: dict[str, Any] = {}
    source_meta: dict[str, Any] = {}
    source_name: str = ""
    compiled_code: str | None = None
    language: str = "sql"
    attached_node: str | None = None
    column_name: str | None = None
    test_metadata: _Test | None = None

    @property
    def has_contract(self) -> bool:
        """Whether dbt enforces the columns and types that the project's YAML lists."""
        return bool(self.config.contract and self.config.contract.enforced)

    @property
    def column_names(self) -> list[str]:
        """The columns that the project's YAML lists."""
        return [column.name or name for name, column in self.columns.items()]

    @property
    def table(self) -> str:
        """The name of the relation."""
        return self.identifier or self.alias or self.name


class ManifestExposure(msgspec.Struct):
    """A dashboard or another consumer."""

    name: str
    type: str = ""
    label: str | None = None
    description: str | None = None
    url: str | None = None
    original_file_path: str = ""
    owner: _Owner | None = None
    depends_on: _Depends = msgspec.field(default_factory=_Depends)
    config: _Config = msgspec.field(default_factory=_Config)
    meta: dict[str, Any] = {}


class _Metadata(msgspec.Struct):
    adapter_type: str | None = None
    project_name: str | None = None


class Manifest(msgspec.Struct):
    """The part of a manifest that says where data flows."""

    nodes: dict[str, ManifestNode]
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    sources: dict[str, ManifestNode] = {}
    functions: dict[str, ManifestNode] = {}
    groups: dict[str, _Group] = {}
    exposures: dict[str, ManifestExposure] = {}


def load_manifest(path: str | Path) -> Manifest:
    """Read a manifest.json. Raises ManifestError."""
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}; run `dbt compile` first") from None
    return parse_manifest(content, str(path))


def parse_manifest(content: bytes, name: str) -> Manifest:
    """Decode the content of the manifest `name`. Raises ManifestError."""
    if len(content) > MAX_BYTES:
        raise ManifestError(f"{name}: larger than {MAX_BYTES >> 20} MiB")
    try:
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(f"{name}: not a dbt manifest: {error}") from None

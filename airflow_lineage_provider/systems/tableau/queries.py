"""The queries of Tableau's Metadata API, as data, so that fields that an older server lacks are left out.

https://help.tableau.com/current/api/metadata_api/en-us/reference/index.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    Selection: TypeAlias = "Mapping[str, Selection | None]"

REQUIRED = frozenset({"id", "name", "nodes", "pageInfo", "hasNextPage", "endCursor"})
"""Fields that every version has; a server without one of them cannot be read."""

NOT_MISSED = frozenset({"remoteColumn"})
"""Fields of things that a server without them does not have: virtual connections."""


def _leaves(*names: str) -> dict[str, Selection | None]:
    return dict.fromkeys(names)


_ID = _leaves("id")
_OWNER = {"owner": _leaves("name", "username", "email")}
_COLUMN: Selection = {**_leaves("id", "name"), "table": _leaves("__typename", "id")}
_FIELD: Selection = {
    **_leaves("__typename", "id", "name", "description", "isHidden"),
    "upstreamFields": {**_leaves("id", "name"), "datasource": _ID},
    "upstreamColumns": {**_COLUMN, "remoteColumn": _COLUMN},
}
_CALCULATED = _leaves("dataType", "formula")
_FIELDS: Selection = {
    **_FIELD,
    "... on ColumnField": _leaves("dataType"),
    "... on CalculatedField": _CALCULATED,
    "... on GroupField": _leaves("dataType"),
    "... on BinField": _CALCULATED,
}
_EXTRACTS = _leaves(
    "hasExtracts",
    "extractLastRefreshTime",
    "extractLastIncrementalUpdateTime",
    "extractLastUpdateTime",
    "containsUnsupportedCustomSql",
)
_DATABASE: Selection = {
    "database": {
        **_leaves("id", "name", "connectionType"),
        "... on DatabaseServer": _leaves("hostName", "port"),
    }
}

CONNECTIONS: Mapping[str, Selection] = {
    "workbooks": {**_leaves("id", "luid", "name", "description", "projectName"), **_OWNER},
    "dashboards": {**_leaves("id", "luid", "name", "path"), "workbook": _ID, "sheets": _ID},
    "sheets": {
        **_leaves("id", "luid", "name", "path"),
        "workbook": _ID,
        "containedInDashboards": _ID,
        "datasourceFields": {**_leaves("id", "name"), "datasource": _ID},
        "worksheetFields": {**_FIELD, **_CALCULATED},
    },
    "embeddedDatasources": {
        **_leaves("id", "name"),
        **_EXTRACTS,
        "workbook": _ID,
        "parentPublishedDatasources": _ID,
        "fields": _FIELDS,
    },
    "publishedDatasources": {
        **_leaves("id", "luid", "name", "description", "projectName"),
        **_OWNER,
        **_EXTRACTS,
        "fields": _FIELDS,
    },
    "customSQLTables": {
        **_leaves("id", "name", "query", "isUnsupportedCustomSql", "connectionType"),
        **_DATABASE,
        "columns": _leaves("id", "name"),
        "tables": _ID,
    },
    "databaseTables": {
        **_leaves("id", "name", "schema", "fullName", "connectionType"),
        **_DATABASE,
        "columns": _leaves("id", "name"),
    },
}
"""What is asked of each connection of the schema, whose field is its name and `Connection`."""
NEEDED = frozenset({"workbooks", "dashboards", "sheets"})
"""Connections without which nothing can be said."""


def query_text(connection: str, without: Collection[str] = ()) -> str:
    """Return the query of one page of a connection, without some fields (`Type.field`) or `... on Type`."""
    nodes = _text(CONNECTIONS[connection], frozenset(map(field_of, without)))
    return (
        "query page($first: Int, $afterToken: String) { "
        f"{connection}Connection(first: $first, after: $afterToken) {{ "
        f"nodes {{ {nodes} }} pageInfo {{ hasNextPage endCursor }} totalCount }} }}"
    )


def field_of(unknown: str) -> str:
    """Return the key in a selection of what a server does not know.

    >>> field_of("Sheet.luid"), field_of("... on GroupField")
    ('luid', '... on GroupField')
    """
    return unknown if unknown.startswith("...") else unknown.rpartition(".")[2]


def _text(selection: Selection, without: frozenset[str]) -> str:
    parts = []
    for name, inner in selection.items():
        if name in without:
            continue
        text = _text(inner, without) if inner is not None else ""
        if inner is None or text:
            parts.append(f"{name} {{ {text} }}" if inner is not None else name)
    return " ".join(parts)

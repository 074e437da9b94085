"""A Tableau site with the dashboards of the reference pipeline, to change one thing of in a test."""

from __future__ import annotations

import copy

FIELDS = {
    "customer_id": "customer_id",
    "email_normalized": "email_normalized",
    "event_date": "event_date",
    "total_orders": "total_orders",
    "Total Revenue": "total_revenue",
    "event_type": "event_type",
}
"""The fields of the published data source, and the columns of gold.customer_behavior that they are."""
SHOWN = ("customer_id", "email_normalized", "event_date", "total_orders", "Total Revenue")
SNOWFLAKE = {
    "__typename": "DatabaseServer",
    "id": "db",
    "name": "ANALYTICS",
    "connectionType": "snowflake",
    "hostName": "acme-prod.snowflakecomputing.com",
    "port": 443,
}
OWNER = {"id": "u1", "luid": "u1", "name": "Ann", "username": "ann", "email": "ann@example.com"}


def ref(key):
    return {"ref": key}


def table(name, schema="GOLD", **more):
    return {
        "__typename": "DatabaseTable",
        "id": f"table-{name}",
        "name": name,
        "schema": schema,
        "fullName": f"[{schema}].[{name}]",
        "connectionType": "snowflake",
        "database": SNOWFLAKE,
        **more,
    }


def column_field(key, name, column, table_id, **more):
    column = {"id": f"{table_id}.{column}", "name": column, "table": ref(table_id)}
    return {
        "__typename": "ColumnField",
        "id": key,
        "name": name,
        "isHidden": False,
        "dataType": "STRING",
        "role": "DIMENSION",
        "upstreamColumns": [column],
        "upstreamFields": [],
        **more,
    }


def remote_field(key, name, field, datasource):
    upstream = [ref(field)]
    return {
        "__typename": "DatasourceField",
        "id": key,
        "name": name,
        "upstreamFields": upstream,
        "upstreamColumns": [],
        "datasource": ref(datasource),
    }


def calculated(key, name, formula, fields, datasource):
    return {
        "__typename": "CalculatedField",
        "id": key,
        "name": name,
        "formula": formula,
        "dataType": "REAL",
        "role": "MEASURE",
        "upstreamFields": [ref(one) for one in fields],
        "upstreamColumns": [],
        "datasource": ref(datasource),
    }


def workbook(key, name, project="Analytics"):
    return {
        "__typename": "Workbook",
        "id": key,
        "luid": f"luid-{key}",
        "name": name,
        "projectName": project,
        "owner": OWNER,
    }


def dashboard(key, name, book, sheets, path=""):
    return {
        "__typename": "Dashboard",
        "id": key,
        "luid": f"luid-{key}",
        "name": name,
        "path": path or f"Book/{key}",
        "workbook": ref(book),
        "sheets": [ref(one) for one in sheets],
    }


def sheet(key, name, book, fields, boards=(), **more):
    return {
        "__typename": "Sheet",
        "id": key,
        "luid": "",
        "name": name,
        "path": "",
        "workbook": ref(book),
        "datasourceFields": [ref(one) for one in fields],
        "worksheetFields": [],
        "containedInDashboards": [ref(one) for one in boards],
        **more,
    }


def site():
    """Return the nodes of the site: two workbooks, each with a dashboard, on one published data source."""
    published = [
        column_field(f"p-{name}", name, column.upper(), "table-CUSTOMER_BEHAVIOR", datasource=ref("pub"))
        for name, column in FIELDS.items()
    ]
    first = [remote_field(f"e1-{name}", name, f"p-{name}", "emb1") for name in FIELDS]
    second = [remote_field(f"e2-{name}", name, f"p-{name}", "emb2") for name in FIELDS]
    extracts = {
        "hasExtracts": True,
        "extractLastRefreshTime": "2026-01-31T06:04:00Z",
        "extractLastUpdateTime": "2026-01-31T06:04:00Z",
        "containsUnsupportedCustomSql": False,
    }
    live = {"hasExtracts": False, "containsUnsupportedCustomSql": False}
    nodes = {
        "workbooks": [workbook("w1", "Customer Analytics"), workbook("w2", "Executive")],
        "dashboards": [
            dashboard("d1", "Customer Analytics Dashboard", "w1", ["s1", "s2"]),
            dashboard("d2", "Executive KPI Report", "w2", ["s3"]),
        ],
        "sheets": [
            sheet("s1", "Customers", "w1", [f"e1-{name}" for name in SHOWN[:3]], ["d1"]),
            sheet("s2", "Revenue", "w1", [f"e1-{name}" for name in SHOWN[2:]], ["d1"]),
            sheet("s3", "KPIs", "w2", ["e2-Total Revenue", "e2-total_orders"], ["d2"]),
        ],
        "publishedDatasources": [
            {
                "__typename": "PublishedDatasource",
                "id": "pub",
                "luid": "luid-pub",
                "name": "Customer Behavior",
                "projectName": "Analytics",
                "owner": OWNER,
                **extracts,
                "fields": published,
            }
        ],
        "embeddedDatasources": [
            {
                "__typename": "EmbeddedDatasource",
                "id": key,
                "name": "Customer Behavior",
                **live,
                "workbook": ref(book),
                "parentPublishedDatasources": [ref("pub")],
                "fields": fields,
            }
            for key, book, fields in (("emb1", "w1", first), ("emb2", "w2", second))
        ],
        "customSQLTables": [],
        "databaseTables": [table("CUSTOMER_BEHAVIOR")],
    }
    return copy.deepcopy(nodes)


def node(nodes, key):
    """Return the node of an id, wherever it is, to change it."""
    from tableau import walk

    return next(one for found in nodes.values() for one in walk(found) if one["id"] == key)

"""The labels of the document that people sign, and the keys of the map that they stand for.

The renderer writes these and the importer reads them; a label that is not here is read by neither.
"""

from __future__ import annotations

HEAD = {"Version": "version", "Last Updated": "last_updated", "Owner": "owner", "Status": "status"}
CONTROL = {
    "Lineage Scope": "scope",
    "Coverage": "coverage",
    "Lineage Tool": "lineage_tool",
    "Update Frequency": "update_frequency",
    "Classification": "classification",
}
PIPELINE = {
    "DAG": "dag_id",
    "Schedule": "schedule",
    "Start Date": "start_date",
    "Job Namespace": "job_namespace",
}
SOURCE = {"Type": "type", "System": "location", "Kind": "kind"}
EXTRACTION = {"Extraction Method": "method", "Frequency": "frequency", "SLA": "sla"}
SOURCE_DATASET = {
    "Description": "description",
    "Location": "location",
    "Format": "format",
    "Producer": "producer",
    "Consumer": "consumer",
}
LAYER = {
    "Location": "location",
    "Purpose": "purpose",
    "Retention": "retention",
    "Format": "format",
    "dbt Models": "models",
}
TABLE = {
    "Description": "description",
    "Materialized": "materialized",
    "On Schema Change": "on_schema_change",
    "File": "file",
    "Job": "job",
}
TABLE_LISTS = {
    "Unique Key": "unique_key",
    "Cluster By": "cluster_by",
    "Checks": "checks",
    "Owners": "owners",
    "Tags": "tags",
}
DASHBOARD = {
    "Tool": "tool",
    "Connection": "connection",
    "Refresh": "refresh",
    "URL": "url",
    "Description": "description",
}
FEATURE_VIEW = {"Store": "store", "Description": "description"}
ML_MODEL = {"Platform": "platform", "Description": "description"}
COLUMN = {
    "Column": "name",
    "Type": "type",
    "From": "from",
    "Expression": "expression",
    "Subtype": "subtype",
    "Checks": "checks",
    "Description": "description",
}
BINDING = {"Dataset": "dataset", "Namespace": "namespace", "Name": "name", "Ignore Case": "ignore_case"}
ACCEPTED = {"Finding": "finding", "Subject": "subject", "Reason": "reason", "Until": "until"}
HISTORY = {"Version": "version", "Date": "date", "Author": "author", "Changes": "changes"}

NO_SOURCE = "none"
"""The cell of a column that is made from no column, where an empty one keeps its name."""

"""The labels of a lineage document, and the keys of the map that they stand for.

The writer writes these labels. The reader also accepts the synonyms below, in any case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

HEAD = {"Version": "version", "Last Updated": "last_updated", "Owner": "owner", "Status": "status"}
CONTROL = {
    "Lineage Scope": "scope",
    "Coverage": "coverage",
    "Lineage Tool": "lineage_tool",
    "Update Frequency": "update_frequency",
    "Saved Answers": "saved_answers",
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
OWNERS = {"Owners": "owners"}
LAYER_LISTS = {"Quality Checks": "checks", **OWNERS}
TABLE_LISTS = {
    "Unique Key": "unique_key",
    "Cluster By": "cluster_by",
    "Checks": "checks",
    **OWNERS,
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
FEATURE_VIEW_LISTS = {"Entity": "entity", **OWNERS}
ML_MODEL = {
    "Platform": "platform",
    "Version": "version",
    "Approval": "approval",
    "Description": "description",
}
COLUMN = {
    "Column": "name",
    "Type": "type",
    "From": "from",
    "Expression": "expression",
    "Subtype": "subtype",
    "Aggregation": "aggregation",
    "Window": "window",
    "Checks": "checks",
    "Description": "description",
}
BINDING = {"Dataset": "dataset", "Namespace": "namespace", "Name": "name", "Ignore Case": "ignore_case"}
ACCEPTED = {"Finding": "finding", "Subject": "subject", "Reason": "reason", "Until": "until"}
HISTORY = {"Version": "version", "Date": "date", "Author": "author", "Changes": "changes"}

APPROVAL = {"Role": "role", "Name": "name", "Date": "date"}
CATALOG = {"Catalog": "url"}
CATALOG_LISTS = {"Datasets Registered": "registered"}
DATASETS = ("Datasets", "Tables", "Topics", "Files", "Views", "Models", "Streams", "Collections", "Objects")

DATASET_KINDS = {
    "Topic": "topic",
    "Stream": "topic",
    "Queue": "topic",
    "File": "files",
    "Bucket": "files",
    "Table": "table",
    "Collection": "table",
}
TABLE_ROW = {
    "Table": "name",
    "Source": "from",
    "Layer": "layer",
    **TABLE,
    **TABLE_LISTS,
}
DATASET_ROW = {"Table": "name", "To": "to", **SOURCE_DATASET, **OWNERS}
CONSUMER_ROW = {"Consumer": "name", "Source": "from", **DASHBOARD, **OWNERS}
SOURCE_ROW = {
    "Source": "title",
    "Datasets": "datasets",
    "Type": "type",
    "Location": "location",
    **EXTRACTION,
    **OWNERS,
}
LINES = {
    *HEAD,
    *CONTROL,
    *PIPELINE,
    *SOURCE,
    *EXTRACTION,
    *SOURCE_DATASET,
    *LAYER,
    *TABLE,
    *TABLE_LISTS,
    *DASHBOARD,
    *DATASETS,
    *DATASET_KINDS,
    *("Source", "Store", "Fields Used", "Features", "Scenario", "Change", "Reaches"),
}
"""The labels that count without their asterisks too."""
DRAWN = "%% Drawn from the sections below; edit those."
"""How the diagram begins that the writer draws; it says nothing that the sections do not."""

NO_SOURCE = "none"
"""The cell of a column that is made from no column, where an empty one keeps its name."""

_SYNONYMS = {
    "Owner": ("author", "team"),
    "Owners": ("team", "owner", "contact", "owned by", "owning team"),
    "Last Updated": ("last reviewed", "updated", "date", "last modified"),
    "Type": ("technology", "engine", "data type", "system type"),
    "System": ("host", "server", "endpoint", "location", "connection", "url", "database"),
    "Extraction Method": ("method", "extraction", "ingestion", "load method", "loaded by", "ingested by"),
    "Frequency": ("cadence", "schedule", "refresh"),
    "SLA": ("latency", "freshness"),
    "Quality Checks": ("checks", "tests", "quality"),
    "Checks": ("tests", "quality checks"),
    "Materialized": ("materialization", "materialized as"),
    "Unique Key": ("primary key", "key"),
    "Tool": ("platform", "bi tool", "system"),
    "Entity": ("entities", "join key", "join keys"),
    "Aggregation": ("aggregate", "aggregation function", "function"),
    "Window": ("time window", "aggregation window", "lookback"),
    "Approval": ("approval status", "approval state"),
    "Store": ("feature store", "platform", "system"),
    "Platform": ("tool", "system"),
    "URL": ("link",),
    "Refresh": ("refresh frequency", "frequency", "schedule"),
    "Source": (
        "from",
        "sources",
        "upstream",
        "input",
        "inputs",
        "reads",
        "reads from",
        "depends on",
        "data source",
        "system",
        "source system",
        "name",
    ),
    "Fields Used": ("fields", "columns", "metrics"),
    "Column": ("field", "column name", "attribute", "feature", "name"),
    "From": ("source", "sources", "source column", "derived from", "upstream", "made from"),
    "Description": ("purpose", "notes", "note", "comment", "meaning", "summary"),
    "Purpose": ("description", "notes", "summary"),
    "Expression": ("transformation", "logic", "rule", "calculation", "formula", "how", "transform"),
    "Changes": ("change", "summary", "what changed", "description", "notes"),
    "Author": ("by", "who"),
    "Version": ("revision",),
    "Name": ("approver", "signed by"),
    "Role": ("title",),
    "Datasets": ("tables", "topics", "objects", "files", "dataset", "table"),
    "Table": ("dataset", "model", "view", "topic", "file", "object", "table name", "name", "stream"),
    "Consumer": ("dashboard", "report", "application", "exposure", "feature view", "ml model", "name"),
    "To": ("target", "destination", "lands in", "loads into", "loaded into", "landing table", "extracted to"),
    "Catalog": ("url", "link"),
    "Change": ("changed column", "trigger"),
    "Reaches": ("affected", "affects", "impacts", "impacted consumers"),
}
"""Other words for a label; each counts only where that label has a place."""


def known(label: str, labels: Collection[str]) -> str | None:
    """Return the one of the labels that a label means, by its own words or by a synonym."""
    words = " ".join(label.casefold().split())
    if not words:
        return None
    exact = (one for one in labels if words == one.casefold())
    return next(exact, next((one for one in labels if words in _SYNONYMS.get(one, ())), None))


TOPICS = {
    "columns": {"column", "columns", "field"},
    "scenarios": {"impact", "scenario", "scenarios"},
    "approvals": {"approval", "approvals", "sign", "signoff", "signatures"},
    "history": {"history", "changelog", "revisions"},
    "validation": {"validation", "verification", "reconciliation"},
    "accepted": {"accepted"},
    "policy": {"policy"},
    "environments": {"environment", "environments"},
    "control": {"control"},
    "scope": {"scope"},
    "overview": {"overview", "introduction", "background", "summary"},
    "consumers": {
        *("consumer", "consumers", "consumption", "downstream", "dashboards", "reports", "reporting"),
        *("exposures", "usage", "uses", "users", "bi"),
    },
    "sources": {"source", "sources", "systems", "ingestion", "ingest", "upstream", "origins", "inputs"},
    "catalog": {"catalog", "integration"},
    "pipeline": {"pipeline", "orchestration"},
    "layers": {
        *("flow", "flows", "layer", "layers", "zones", "transformation", "transformations", "warehouse"),
        *("marts", "models", "tables", "lineage", "mapping"),
    },
}
"""The words of a heading that say what the sections under it are about; the first that fits counts."""


def topic_of(title: str) -> str | None:
    """Return the topic that a heading names, by the words before a colon."""
    words = title.partition(":")[0].casefold().replace("-", " ").replace("/", " ").split()
    found = {word.strip("().,&*") for word in words}
    return next((topic for topic, known in TOPICS.items() if found & known), None)

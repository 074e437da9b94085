"""The labels of a lineage document and the keys of the map that they stand for, for writer and reader.

The writer writes these labels. The reader accepts them in any case, behind other words (`Data owner`), and
in words that mean the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from airflow_lineage_provider.lineage_map import governance, model

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_lineage_provider.lineage_map.base import Part


class MapField(NamedTuple):
    """What a label stands for: a key of the map, and whether its value is a text, a list or columns.

    A key with a dot is inside another: `extraction.method`.
    """

    key: str
    form: Literal["text", "list", "columns"] = "text"


def _labels(part: type[Part], *left_out: str, **other: str) -> dict[str, MapField]:
    """Return the fields of a part by their labels: the words of the key, or another label."""
    found = {}
    for name, info in part.model_fields.items():
        if name not in left_out:
            is_list = info.default == () or name == "sources"
            form: Any = "list" if is_list else "columns" if info.default == {} else "text"
            label = other.get(name) or name.replace("_", " ").title()
            found[label] = MapField(info.alias or name, form)
    return found


DOCUMENT = _labels(governance.Document, "title", "overview", scope="Lineage Scope")
SCOPE = {"Covers": MapField("scope", "list")}
PIPELINE = _labels(model.Pipeline, "tasks", dag_id="DAG")
SOURCE = _labels(model.SourceSystem, "title", "extraction", "datasets", location="System") | {
    "Extraction Method": MapField("extraction.method"),
    "Frequency": MapField("extraction.frequency"),
    "SLA": MapField("extraction.sla"),
}
DATASET = _labels(model.SourceDataset, "to")
LAYER = _labels(model.Layer, "title", "tables", models="dbt Models", checks="Quality Checks")
TABLE = _labels(model.MapTable, "sources")
COLUMN = {"Column": MapField("name")} | _labels(model.MapColumn, sources="From")
ENVIRONMENT = _labels(model.Environment, "bindings")
BINDING = _labels(model.Binding)
ACCEPTED = _labels(model.Accepted)
CATALOG = _labels(
    governance.DataCatalog, "title", "ingestion", url="Catalog", registered="Datasets Registered"
)
SCENARIO = _labels(governance.Scenario, description="Scenario")
VALIDATION = _labels(governance.ValidationPlan, automated="Automated Validation", manual="Manual Validation")
HISTORY = _labels(governance.HistoryEntry)
APPROVAL = _labels(governance.Approval)
CONSUMERS = {
    "Dashboard": ("dashboards", _labels(model.Dashboard, sources="Source", url="URL", fields_="Fields Used")),
    "Feature View": ("feature_views", _labels(model.FeatureView, sources="Source", url="URL")),
    "ML Model": ("ml_models", _labels(model.MLModel, sources="Source", url="URL")),
}
"""The key and the labels of each kind of consumer, by the word in front of its name."""

DATASETS = ("Datasets", "Tables", "Files")
"""The labels above the datasets of a source and the tables of a layer."""
DATASET_KINDS = {"Topic": "topic", "Stream": "topic", "File": "files", "Bucket": "files", "Table": "table"}
LINES = {
    *(DOCUMENT | PIPELINE | SOURCE | DATASET | LAYER | TABLE | SCENARIO | DATASET_KINDS),
    *(label for _, names in CONSUMERS.values() for label in names),
    *DATASETS,
}
"""The labels that count without asterisks too."""

DRAWN = "%% Drawn from the sections below; edit those."
"""How the diagram begins that the writer draws; it says nothing that the sections do not."""
NO_NAMES = "none"
"""The value of a list of no names, where an empty one would say nothing."""

_SYNONYMS = (
    {"source", "from", "upstream", "input", "reads", "reads from", "depends on", "derived from"},
    {"target", "to", "downstream", "output", "destination", "loaded into"},
    {"expression", "transformation", "logic", "rule", "calculation", "formula"},
    {"description", "purpose", "note", "comment"},
    {"change", "what changed", "description", "note"},
    {"owner", "team", "contact"},
    {"author", "who", "by"},
    {"version", "revision"},
    {"last updated", "last reviewed", "updated"},
    {"frequency", "refresh", "schedule", "cadence"},
    {"system", "location", "url", "host", "endpoint"},
    {"type", "technology"},
    {"extraction method", "method", "ingestion"},
    {"materialized", "materialization"},
    {"unique key", "primary key", "key"},
    {"column", "field", "attribute", "name"},
    {"dataset", "table", "topic", "stream", "object", "model", "view", "name"},
    {"consumer", "dashboard", "report", "application", "name"},
    {"tool", "store", "platform", "system"},
    {"fields used", "field", "column", "metric"},
    {"feature", "column", "field"},
    {"reaches", "affects"},
    {"entity", "join key"},
    {"aggregation", "function"},
)
"""Words that mean the same as a label, in the singular."""


def _singular(text: str) -> str:
    return " ".join(text.casefold().replace("(s)", "").replace("_", " ").split()).removesuffix("s")


_SAME = tuple(frozenset(map(_singular, group)) for group in _SYNONYMS)


def known(label: str, labels: Collection[str]) -> str | None:
    """Return the one of the labels that a label means: by the same words or a synonym, others in front."""
    if label in labels:
        return label
    words = _singular(label).split()
    for start in range(len(words)):
        ending = " ".join(words[start:])
        group = {ending}.union(*(one for one in _SAME if ending in one))
        found = [one for one in labels if _singular(one) in group]
        if found:
            return next((one for one in found if _singular(one) == ending), found[0])
    return None


TOPICS = {
    "column_lineage": {"column", "columns", "field"},
    "scenarios": {"impact", "scenario", "scenarios"},
    "approvals": {"approval", "approvals", "sign", "signoff", "signatures"},
    "change_history": {"history", "changelog", "revisions"},
    "validation": {"validation", "verification", "reconciliation"},
    "accepted": {"accepted"},
    "policy": {"policy"},
    "environments": {"environment", "environments"},
    "document": {"control"},
    "scope": {"scope"},
    "overview": {"overview", "introduction", "background", "summary"},
    "consumers": {"consumers", "consumption", "downstream", "dashboards", "reports", "exposures", "uses"},
    "sources": {"source", "sources", "systems", "ingestion", "ingest", "upstream", "inputs"},
    "catalog": {"catalog", "integration"},
    "pipeline": {"pipeline", "orchestration"},
    "layers": {
        *("flow", "flows", "layer", "layers", "zones", "transformation", "transformations", "warehouse"),
        *("marts", "models", "tables", "lineage", "mapping"),
    },
}
"""The words of a heading that say what the sections under it are about; the first that fits counts."""


def topic_of(title: str) -> str:
    """Return the topic that a heading names by the words before a colon, or nothing."""
    words = title.partition(":")[0].casefold().replace("-", " ").replace("/", " ").split()
    found = {word.strip("().,&*") for word in words}
    return next((topic for topic, known in TOPICS.items() if found & known), "")

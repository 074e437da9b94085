"""The sections of the map about the document itself: control, catalog, scenarios, reviews, history."""

from __future__ import annotations

from airflow_lineage_provider.lineage_map.base import Name, Names, Part


class Document(Part):
    """Document control."""

    title: Name = "Data Lineage Map"
    """Title of the document."""
    version: str = ""
    """Version of the map, such as 1.0.0."""
    last_updated: str = ""
    """Day of the last change, such as 2026-01-31."""
    owner: str = ""
    """Team that owns the map, and every table without owners of its own."""
    status: str = ""
    """State of the document, such as Draft or Active."""
    scope: str = ""
    """What the map is about, in words; the top-level `scope` says it to the checks."""
    coverage: str = ""
    """How far the map reaches, such as `Source to BI dashboard`."""
    lineage_tool: str = ""
    """Tool that shows the lineage."""
    update_frequency: str = ""
    """How often the lineage is collected."""
    saved_answers: str = ""
    """How old a saved answer of an outside system may be, such as `at most 30 days`; without it, any age."""
    classification: str = ""
    """Confidentiality of the document, such as Internal."""
    overview: str = ""
    """A paragraph that introduces the pipeline."""


class DataCatalog(Part):
    """Where lineage is published."""

    title: str = ""
    """Name of the catalog, such as DataHub."""
    url: str = ""
    """Address of the catalog."""
    registered: Names = ()
    """What is registered there, in words."""
    ingestion: dict[Name, dict[Name, str]] = {}
    """Settings of each ingestion by its source type."""


class Scenario(Part):
    """A change, and the consumers that it is documented to reach."""

    change: Name
    """Column or dataset that changes."""
    description: str = ""
    """The change, in words."""
    reaches: Names = ()
    """All consumers that it reaches; `lint` compares them with the map."""


class ValidationPlan(Part):
    """How the lineage is checked."""

    automated: Names = ()
    """Checks by machines, in words."""
    manual: Names = ()
    """Checks by people, in words."""


class HistoryEntry(Part):
    """A version of the map."""

    version: Name
    """Version of the map."""
    date: str = ""
    """Day of the change."""
    author: str = ""
    """Who made it."""
    changes: str = ""
    """What changed."""


class Approval(Part):
    """An approval of the map."""

    role: Name
    """Role of the approver."""
    name: str = ""
    """Name of the approver; empty until signed."""
    date: str = ""
    """Day of the signature; empty until signed."""
    digest: str = ""
    """Digest of what was approved, as `airflow-lineage approve` writes it."""

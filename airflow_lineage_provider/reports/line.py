"""A line of a report in colour. Import it where it is used: it loads rich."""

from __future__ import annotations

from rich.text import Text

from airflow_lineage_provider.reports.escape import one_line


class Line(Text):
    """One line for a terminal or a log. Its text is escaped, so that no name breaks the line."""

    def __init__(self, text: str = "", style: str = "") -> None:
        super().__init__(one_line(text), style)

    def add(self, text: str, style: str = "") -> Line:
        """Add text in a style of its own; returns the line."""
        self.append(one_line(text), style)
        return self

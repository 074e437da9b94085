"""The review of a map as a task: the package that the reviewers sign, as files."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow.sdk import Context


class LineageReviewOperator(BaseOperator):
    """Writes the package of a review: `lineage-review-DATE.md`, and `.html`, which prints well.

    It has the current document, what changed since the last approval and whom that reaches, accepted
    findings, the history of validations, reconciliations and audits, which datasets and columns were
    observed, open questions, a checklist and the approvals. Findings fail no task: people decide.
    `airflow-lineage approve` records their approval in the map.

    :param map_path: the map, YAML; a relative path is taken from the DAG file's folder.
    :param environment: which of the map's environments binds its names to datasets.
    :param output_dir: the folder for the files; a relative path is taken from the DAG file's folder.
    :param since: how far back events and checks are read.
    :param revision: a git revision to compare with, in place of the version that was approved last.
    :param source: where the events are, as for `LineageValidationSensor`; the history of checks is in an
        event store only.

    Returns the paths of the files and counts as XCom.
    """

    template_fields: Sequence[str] = ("map_path", "environment", "output_dir", "since", "revision", "source")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        map_path: str,
        output_dir: str,
        environment: str | None = None,
        since: str = "92 days",
        revision: str = "",
        source: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.map_path = map_path
        self.output_dir = output_dir
        self.environment = environment
        self.since = since
        self.revision = revision
        self.source = source

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Write the files; return their paths and the counts."""
        from airflow_lineage_provider.checks.review_package import read_review
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.lineage_map.sla import parse_duration
        from airflow_lineage_provider.reports.review import review_html, review_markdown, review_summary
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.event_source import event_source
        from airflow_lineage_provider.utils.paths import path_beside_dag

        now = datetime.now(UTC)
        with expected_errors_fail_task():
            period = parse_duration(self.since)
            with closing(event_source(self.source, since=now - period)) as source:
                found = read_review(
                    load_map(path_beside_dag(self, self.map_path)),
                    source,
                    now=now,
                    period=period,
                    environment=self.environment,
                    revision=self.revision,
                )
            folder = path_beside_dag(self, self.output_dir)
            files = [
                _write(folder, f"lineage-review-{found.day}.md", review_markdown(found)),
                _write(folder, f"lineage-review-{found.day}.html", review_html(found)),
            ]
        summary = review_summary(found)
        for problem in found.problems:
            self.log.warning("not complete: %s", problem)
        self.log.info(
            "%s questions, %s changes: %s", summary["questions"], summary["changes"], ", ".join(files)
        )
        return {"files": files, **summary}


def _write(folder: Path, name: str, text: str) -> str:
    from airflow_lineage_provider.errors import InputError

    file = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror or error}; set output_dir") from None
    return str(file)

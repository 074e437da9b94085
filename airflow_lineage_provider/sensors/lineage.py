"""A DAG run's emitted lineage against the documented map."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import BaseSensorOperator, PokeReturnValue

from airflow_lineage_provider.links.lineage import LineageReportLink

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow.sdk import Context

    from airflow_lineage_provider.utils.event_wait import Awaited, Wait


class LineageValidationSensor(BaseSensorOperator):
    """Waits for the lineage of this DAG run, compares it with the documented map, and passes or fails.

    :param map_path: the map, YAML; a relative path is taken from the DAG file's folder.
    :param environment: which of the map's environments binds its names to this run's datasets.
    :param scope: the layers, or dataset globs, that this run was to produce; all layers without it.
    :param deferrable: wait in the triggerer instead of on a worker; so it does unless a `mode` (`poke`,
        `reschedule`) is named.
    :param timeout: seconds after which it compares with the events that are there; what is missing by then
        is reported as missing.
    :param source: where the events are: a connection of type `lineage_store` or `openlineage` (Marquez), or,
        with a slash in it, the path or URL of files that OpenLineage's `file` transport wrote (a file, a
        folder, or a prefix of their names). The default is the option `[airflow_lineage] store`. The process
        that waits must reach it: the triggerer, or with a `mode` the worker. Each poke of files or of Marquez
        reads all events since the start of the DAG run: choose `poke_interval` accordingly.

    The map's policy says which findings are errors, warnings or notes. An error fails the task, for good: a
    second try would read the same events.
    """

    template_fields: Sequence[str] = ("map_path", "environment", "scope", "source")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"
    operator_extra_links = (LineageReportLink(),)

    def __init__(
        self,
        *,
        map_path: str,
        environment: str | None = None,
        scope: Sequence[str] | None = None,
        deferrable: bool | None = None,
        source: str | None = None,
        timeout: timedelta | float = 300,
        poke_interval: timedelta | float = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, poke_interval=poke_interval, **kwargs)
        self.map_path = map_path
        self.environment = environment
        self.scope = scope
        self.deferrable = "mode" not in kwargs if deferrable is None else deferrable
        self.source = source
        self._waiting: Wait | None = None

    def execute(self, context: Context) -> Any:
        """Wait where `deferrable` and `mode` say, then compare."""
        if not self.deferrable:
            return super().execute(context)
        looked = self.poke(context)
        if looked.is_done:
            return looked.xcom_value
        from airflow_lineage_provider.triggers.lineage import LineageTrigger

        self.defer(
            trigger=LineageTrigger(asdict(self._wait(context).awaited), self.poke_interval),
            method_name="execute_complete",
            # The trigger ends by itself at the deadline; this is for a triggerer that does not.
            timeout=timedelta(seconds=self.timeout * 2 + 60),
        )
        return None

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:  # noqa: ARG002
        """Compare, after the trigger has fired."""
        from airflow_lineage_provider.utils.errors import bad_input_fails_the_task

        with bad_input_fails_the_task():
            return self._compare(context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Compare if the events are there; else wait on."""
        from airflow_lineage_provider.utils.errors import bad_input_fails_the_task

        with bad_input_fails_the_task():
            if not self._wait(context).is_over():
                return PokeReturnValue(is_done=False)
            return PokeReturnValue(is_done=True, xcom_value=self._compare(context))

    def _wait(self, context: Context) -> Wait:
        from airflow_lineage_provider.utils.event_wait import Wait

        if self._waiting is None:
            self._waiting = Wait(self._awaited(context))
        return self._waiting

    def _awaited(self, context: Context) -> Awaited:
        """Return what to wait for; the deadline is counted from the first look, over reschedules too."""
        from airflow_lineage_provider.utils.dag_run import beginning, dag_run_ids, run_context
        from airflow_lineage_provider.utils.event_wait import Awaited
        from airflow_lineage_provider.utils.files import beside_dag

        run = run_context(context)
        if run.parent is None:
            raise AirflowFailException("Airflow's OpenLineage provider gave this task run no id")
        path, ids = beside_dag(self, self.map_path), dag_run_ids(context["dag_run"])
        since = beginning(context["dag_run"], ids)
        return Awaited(
            source=self.source,
            since=since.isoformat() if since else None,
            root_run_ids=list(ids.roots),
            above=[*ids.roots, *ids.own, run.parent.run_id],
            map_text=_read(path),
            map_file=str(path),
            environment=self.environment,
            scope=list(self.scope) if self.scope else None,
            deadline=self._deadline(context).isoformat(),
        )

    def _deadline(self, context: Context) -> datetime:
        first = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        # One interval early, so that the last look compares before Airflow's own timeout ends the sensor.
        return (first or datetime.now(UTC)) + timedelta(seconds=self.timeout - self.poke_interval)

    def _compare(self, context: Context) -> dict[str, Any]:
        from airflow_lineage_provider.checks import validate
        from airflow_lineage_provider.readers import read_evidence
        from airflow_lineage_provider.reports.text import validation_text
        from airflow_lineage_provider.utils.verdict import VERDICT_KEY, judge, verdict

        wait = self._wait(context)
        lineage_map, environment = wait.lineage_map, wait.awaited.environment
        evidence = read_evidence("event", wait.events(), lineage_map, environment)
        validation = validate(evidence, lineage_map, environment=environment, scope=wait.awaited.scope)
        for line in validation_text(validation).splitlines():
            self.log.info(line)
        context["ti"].xcom_push(VERDICT_KEY, verdict(validation))
        return judge(validation)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AirflowFailException(
            f"the lineage map {path} cannot be read ({error}); set map_path to the map's YAML file"
        ) from None

"""Validate the lineage that a DAG run emitted against the documented map."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import BaseSensorOperator, PokeReturnValue

from airflow_lineage_provider.links.lineage import LineageLink, LineageReportLink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.lineage_map.model import Pipeline
    from airflow_lineage_provider.utils.event_wait import EventWait, EventWaitConfig
    from airflow_lineage_provider.utils.notifications import Notify


class LineageValidationSensor(BaseSensorOperator):
    """Waits for the lineage of a DAG run, compares it with the documented map, and passes or fails.

    It reads the events of the tasks of its own DAG run and of the runs below them, and those of the DAG runs
    whose asset events triggered its own. In a DAG that is one of the map's `pipeline.observers`, it also
    reads the newest successful run of the pipeline and of the other observers; where there is none yet, only
    the consumers are compared. The conf of the DAG run
    cannot choose what is read. After a TriggerDagRunOperator, name the DAG run to validate with `dag_id` and
    `run_id`.

    :param map_path: the map, YAML; a relative path is taken from the DAG file's folder.
    :param environment: which of the map's environments binds its names to this run's datasets.
    :param scope: the layers, or globs of datasets, that this run produces. By default all layers.
    :param deferrable: wait in the triggerer instead of on a worker. The default, unless a `mode` (`poke`,
        `reschedule`) is given.
    :param dag_id: with `run_id`, the DAG run to validate instead of its own. Needs Airflow 3.2 or newer.
    :param run_id: see `dag_id`, which is by default the sensor's own.
    :param timeout: seconds to wait for events. After them the events that are there are compared, and the
        others are reported as missing.
    :param source: where the events are: a connection of type `lineage_store` or `openlineage` (Marquez), or,
        with a slash in it, the path or URL of files that OpenLineage's `file` transport wrote (a file, a
        folder, or a prefix of their names). The default is the option `[airflow_lineage] store`. The process
        that waits must reach it: the triggerer, or with a `mode` the worker. Each poke of files or of Marquez
        reads all events since the start of the DAG run: choose `poke_interval` accordingly.
    :param notify: a notifier of Airflow, or several, that tells the owners of the consumers that errors and
        warnings reach. Each owner is told once a finding, again when it changes, and when it is gone. The
        templates of the notifier may name `lineage_owner`, `lineage_message`, and the lists `lineage_new`,
        `lineage_changed` and `lineage_gone`.

    The map's policy says which findings are errors, warnings or notes. An error fails the task without a
    retry, because a retry would read the same events.
    """

    template_fields: Sequence[str] = (
        "map_path",
        "environment",
        "scope",
        "source",
        "validated_dag_id",
        "validated_run_id",
    )
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"
    operator_extra_links = (LineageLink(), LineageReportLink())

    def __init__(  # noqa: PLR0913 - keyword arguments of a task
        self,
        *,
        map_path: str,
        environment: str | None = None,
        scope: Sequence[str] | None = None,
        deferrable: bool | None = None,
        source: str | None = None,
        dag_id: str | None = None,
        run_id: str | None = None,
        timeout: timedelta | float = 300,
        poke_interval: timedelta | float = 2,
        notify: Notify | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, poke_interval=poke_interval, **kwargs)
        self.map_path = map_path
        self.environment = environment
        self.scope = scope
        self.deferrable = "mode" not in kwargs if deferrable is None else deferrable
        self.source = source
        self.validated_dag_id = dag_id
        self.validated_run_id = run_id
        self.notify = notify
        self._wait: EventWait | None = None
        self._read_runs: list[Any] = []

    def execute(self, context: Context) -> Any:
        """Wait as `deferrable` and `mode` say, then compare."""
        if not self.deferrable:
            return super().execute(context)
        first_poke = self.poke(context)
        if first_poke.is_done:
            return first_poke.xcom_value
        from airflow_lineage_provider.triggers.lineage import LineageTrigger

        self.defer(
            trigger=LineageTrigger(asdict(self._event_wait(context).config), self.poke_interval),
            method_name="execute_complete",
            # The trigger ends at its deadline; this timeout is for a triggerer that does not run it.
            timeout=timedelta(seconds=self.timeout * 2 + 60),
        )
        return None

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:  # noqa: ARG002
        """Compare after the trigger has fired."""
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task

        with expected_errors_fail_task():
            return self._compare(context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Compare if the wait is over."""
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task

        with expected_errors_fail_task():
            if not self._event_wait(context).is_over():
                return PokeReturnValue(is_done=False)
            return PokeReturnValue(is_done=True, xcom_value=self._compare(context))

    def _event_wait(self, context: Context) -> EventWait:
        from airflow_lineage_provider.utils.event_wait import EventWait

        if self._wait is None:
            self._wait = EventWait(self._wait_config(context))
        return self._wait

    def _wait_config(self, context: Context) -> EventWaitConfig:
        from airflow_lineage_provider.lineage_map import load_source, parse_source
        from airflow_lineage_provider.utils.dag_run import dag_run_ids, earliest_event_time, run_context
        from airflow_lineage_provider.utils.event_wait import EventWaitConfig
        from airflow_lineage_provider.utils.paths import path_beside_dag

        run = run_context(context)
        if run.parent is None:
            raise AirflowFailException("Airflow's OpenLineage provider gave this task run no id")
        path = path_beside_dag(self, self.map_path)
        source = load_source(path)
        dag_runs = self._dag_runs(context, parse_source(source).content.pipeline)
        self._read_runs = dag_runs
        ids = [dag_run_ids(dag_run) for dag_run in dag_runs]
        begins = [earliest_event_time(run, known) for run, known in zip(dag_runs, ids, strict=True)]
        known_begins = [begin for begin in begins if begin]
        since = min(known_begins) if len(known_begins) == len(begins) else None
        above = {run_id for known in ids for run_id in (*known.roots, *known.own)}
        return EventWaitConfig(
            source=self.source,
            since=since.isoformat() if since else None,
            dag_runs=[asdict(known) for known in ids],
            enclosing_run_ids=[*sorted(above), run.parent.run_id],
            map_text=source.text,
            map_file=str(path),
            map_included=[asdict(one) for one in source.included],
            environment=self.environment,
            scope=list(self.scope) if self.scope else None,
            deadline=self._deadline(context).isoformat(),
        )

    def _dag_runs(self, context: Context, pipeline: Pipeline) -> list[Any]:
        """Return the DAG runs to read: the named one, else the sensor's own and those that belong to it."""
        from airflow_lineage_provider.errors import InputError
        from airflow_lineage_provider.utils.dag_run import find_dag_run, triggering_dag_runs

        own: Any = context["dag_run"]
        if self.validated_run_id:
            return [find_dag_run(self.validated_dag_id or own.dag_id, self.validated_run_id)]
        if self.validated_dag_id:
            raise InputError("dag_id names a DAG and no run: set run_id too")
        found = [own]
        for dag_id, run_id in triggering_dag_runs(context):
            try:
                found.append(find_dag_run(dag_id, run_id))
            except InputError as error:
                self.log.warning("not read, although it triggered this DAG run: %s", error)
        return [*found, *self._others(pipeline, {run.dag_id for run in found}, own.dag_id)]

    def _others(self, pipeline: Pipeline, read: set[str], own: str) -> list[Any]:
        """Return the newest runs of the map's other DAGs, where the sensor's own DAG is an observer."""
        from airflow_lineage_provider.utils.dag_run import latest_dag_run

        if own not in pipeline.observers:
            return []
        names = dict.fromkeys((pipeline.dag_id, *pipeline.observers))
        runs = {name: latest_dag_run(name) for name in names if name and name not in read}
        for name, run in runs.items():
            if run is None:
                self.log.warning("DAG %s, which the map names, has no successful run to read", name)
        return [run for run in runs.values() if run]

    def _deadline(self, context: Context) -> datetime:
        """Return the end of the wait, counted from the first poke, reschedules included."""
        first = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        # One interval early, so that the last poke compares before Airflow's own timeout ends the sensor.
        return (first or datetime.now(UTC)) + timedelta(seconds=self.timeout - self.poke_interval)

    def _compare(self, context: Context) -> dict[str, Any]:
        from airflow_lineage_provider.checks import validate
        from airflow_lineage_provider.readers import read_evidence
        from airflow_lineage_provider.reports.text import validation_text
        from airflow_lineage_provider.utils.kept_reports import keep_comparison
        from airflow_lineage_provider.utils.kept_validations import keep_validation
        from airflow_lineage_provider.utils.notifications import tell_owners
        from airflow_lineage_provider.utils.validation_result import RESULT_KEY, report_entry, summary_or_fail

        wait = self._event_wait(context)
        lineage_map, environment, events = wait.lineage_map, wait.config.environment, wait.events()
        if not any(event.get("outputs") for event in events):
            self.log.warning(
                "no event of the validated DAG runs names an output (%s events were read from %s); "
                "to validate a DAG run that did not trigger this one, set dag_id and run_id",
                len(events),
                wait.config.source or "the event store",
            )
        evidence = read_evidence("event", events, lineage_map, environment)
        if context["dag_run"].dag_id in lineage_map.content.pipeline.observers:
            # Before the pipeline has ever succeeded, an observer can only tell of what it observed itself.
            evidence = replace(evidence, only_consumers=len(wait.config.dag_runs) == 1)
        validation = validate(evidence, lineage_map, environment=environment, scope=wait.config.scope)
        for line in validation_text(validation).splitlines():
            self.log.info(line)
        if wait.config.source is None:
            keep_comparison("validation", lineage_map, validation.comparison)
            keep_validation(validation, lineage_map, wait.config, self.task_id, self._read_runs)
        context["ti"].xcom_push(RESULT_KEY, report_entry(validation))
        tell_owners(self.notify, context, validation.comparison.findings, lineage_map, evidence.graph)
        return summary_or_fail(validation)

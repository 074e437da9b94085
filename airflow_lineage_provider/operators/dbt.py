"""A layer of a dbt project as one task."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
)
from airflow.sdk import Asset, BaseOperator

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.links.lineage import LineageLink, LineageReportLink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from airflow.sdk import AssetAlias, Context

    from airflow_lineage_provider.dbt.command import Command
    from airflow_lineage_provider.dbt.records import NodeFinished
    from airflow_lineage_provider.dbt.runner import DbtRun
    from airflow_lineage_provider.utils.dbt_files import DbtFiles
    from airflow_lineage_provider.utils.dbt_process import DbtProcess
    from airflow_lineage_provider.utils.emitter import Emitter

WRITING = {"run", "build", "seed", "snapshot"}
SHOWN_FAILURES = 5
EMPTY_SELECTION = ("fail", "success", "skip")


def layer_asset(project_dir: str, layer: str) -> Asset:
    """Return the Asset that a layer's task updates, for other DAGs to be scheduled on.

    >>> layer_asset("/opt/airflow/dbt_project", "gold").uri
    'dbt://dbt_project/gold'
    """
    project = Path(project_dir).name
    return Asset(name=f"{project}.{layer}", uri=f"dbt://{project}/{layer}")


class DbtLayerOperator(BaseOperator):
    """Runs one layer of a dbt project, in one dbt invocation, and emits each node's lineage while it runs.

    :param layer: a folder of the project's models (`silver`), or any dbt selector. Its Asset is an outlet.
    :param project_dir: the folder with `dbt_project.yml`.
    :param profiles_dir: the folder with `profiles.yml`. By default dbt searches for it.
    :param profile_conn_id: an Airflow connection instead of a `profiles.yml`, of one of the types athena, aws
        (Athena), clickhouse, databricks, duckdb, gcpbigquery, google_cloud_platform, mssql, mysql, postgres,
        redshift, snowflake and trino.
    :param target: the profile's target.
    :param vars: dbt variables.
    :param select: one or several selectors; together with `layer`, nodes that match both.
    :param exclude: one or several selectors of nodes to leave out.
    :param full_refresh: rebuild incremental models and seeds.
    :param threads: the number of dbt threads.
    :param command: run, build, test, seed, snapshot, freshness, run-operation, retry, compile, clone or docs.
    :param operation: the macro that `run-operation` runs.
    :param operation_args: the arguments of that macro.
    :param dbt_options: more options of the command, by dbt's names: `{"selector": "nightly", "defer": True,
        "indirect_selection": "cautious", "empty": True, "fail_fast": True, "resource_types": ["model"],
        "event_time_start": "{{ data_interval_start }}", "event_time_end": "{{ data_interval_end }}"}`. They
        are checked against the dbt that runs.
    :param install_deps: run `dbt deps` first, if the files that declare the packages have changed since.
    :param empty_selection: fail, success or skip: the task's outcome if nothing matches the selection.
    :param artifacts: a folder, or the URL of one in an object store such as
        `s3://aws_default@bucket/dbt/{{ run_id }}`. dbt's artifacts are kept there under the task's id and the
        map index of a mapped task, whether the task fails or not.
    :param state: what `defer` and the selectors `state:` and `result:` compare with: a folder or a URL with
        the artifacts of another run, or `last_success`, the artifacts of the last successful run of this
        task. As long as none has succeeded, every node is new.
    :param retry_failed_only: a retry by Airflow runs `dbt retry`: the nodes, and the batches of microbatch
        models, that failed or were skipped. The results of the try before come from `artifacts`, or else from
        the target folder, which other workers do not see; without them, and after the task was cleared, all
        of it runs.
    :param model_assets: update an Asset for each model, seed and snapshot that the task made, see
        `model_asset`; its lineage is in the extra of the asset event.
    :param map_path: the documented map, YAML; a relative path is resolved against the DAG file's folder. With
        it, a model or snapshot that breaks the map, by the map's policy, fails before its SQL is sent: its
        table stays as it was, and nodes downstream are skipped.
    :param environment: which of the map's environments binds its names to the project's relations.
    :param python: an interpreter that has dbt, such as `/opt/dbt/bin/python`: dbt runs there, in a process
        that dies with the task. Nothing but dbt is needed there. The default is the option
        `[airflow_lineage] dbt_python`, else dbt runs in this process.
    :param store_conn_id: the event store, a connection of type `lineage_store`. The default is the option
        `[airflow_lineage] store`.

    Returns a summary as XCom: the number of nodes by status, rows written, events emitted, and dbt's
    invocation id.
    """

    template_fields: Sequence[str] = (
        "layer",
        "project_dir",
        "profiles_dir",
        "target",
        "vars",
        "select",
        "exclude",
        "full_refresh",
        "threads",
        "command",
        "operation",
        "operation_args",
        "dbt_options",
        "empty_selection",
        "artifacts",
        "state",
        "map_path",
        "environment",
        "python",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "vars": "json",
        "operation_args": "json",
        "dbt_options": "json",
    }
    ui_color = "#fbe9e2"
    ui_fgcolor = "#3b2b26"
    operator_extra_links = (LineageLink(), LineageReportLink())

    def __init__(  # noqa: PLR0913 - each is an option of dbt's
        self,
        *,
        project_dir: str,
        layer: str | None = None,
        profiles_dir: str | None = None,
        profile_conn_id: str | None = None,
        target: str | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - dbt's name
        select: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        full_refresh: bool | str = False,
        threads: int | str | None = None,
        command: str = "build",
        operation: str | None = None,
        operation_args: Mapping[str, Any] | None = None,
        dbt_options: Mapping[str, Any] | None = None,
        install_deps: bool = False,
        empty_selection: str = "fail",
        artifacts: str | None = None,
        state: str | None = None,
        retry_failed_only: bool = False,
        model_assets: bool = False,
        map_path: str | None = None,
        environment: str | None = None,
        python: str | None = None,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._models = _alias(project_dir) if model_assets else None
        given = list(kwargs.pop("outlets", None) or ())
        own = [one for one in _outlets(project_dir, layer, command, self._models) if one not in given]
        super().__init__(outlets=given + own, **kwargs)
        self.layer = layer
        self.project_dir = project_dir
        self.profiles_dir = profiles_dir
        self.profile_conn_id = profile_conn_id
        self.target = target
        self.vars = vars or {}
        self.select = select
        self.exclude = exclude
        self.full_refresh = full_refresh
        self.threads = threads
        self.command = command
        self.operation = operation
        self.operation_args = operation_args or {}
        self.dbt_options = dbt_options or {}
        self.install_deps = install_deps
        self.empty_selection = empty_selection
        self.artifacts = artifacts
        self.state = state
        self.retry_failed_only = retry_failed_only
        self.map_path = map_path
        self.environment = environment
        self.python = python
        self.store_conn_id = store_conn_id
        self._dbt: DbtRun | DbtProcess | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Run dbt and return the summary. Raises AirflowException with the errors of the failed nodes."""
        from airflow_lineage_provider.utils.dbt_files import dbt_files
        from airflow_lineage_provider.utils.dbt_profile import dbt_profile
        from airflow_lineage_provider.utils.emitter import Emitter
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task

        with expected_errors_fail_task():
            if self.empty_selection not in EMPTY_SELECTION:
                raise InputError(f"empty_selection is one of {', '.join(EMPTY_SELECTION)}")
            emitter = Emitter(context, self.store_conn_id, _mapping("vars", self.vars))
            with dbt_profile(self.profile_conn_id, self.project_dir, self.target) as profiles_dir:
                command = self._command(profiles_dir or self.profiles_dir)
                with dbt_files(
                    context, command, self.artifacts, self.state, retries=self.retry_failed_only
                ) as files:
                    self._dbt = self._run_of(files.command)
                    return self._run_and_keep(self._dbt, emitter, files)

    def _run_and_keep(self, run: DbtRun | DbtProcess, emitter: Emitter, files: DbtFiles) -> dict[str, Any]:
        from airflow_lineage_provider.utils.dbt_assets import lineage_of, report_assets

        updated = dict(files.updated)

        def note(event: dict[str, Any]) -> None:
            if extra := lineage_of(event):
                updated[event["job"]["name"]] = extra

        if self._models:
            emitter.on_event = note
        try:
            summary = self._follow(run, emitter)
        finally:
            files.keep(updated)
        if self._models:
            report_assets(files.context, self.project_dir, self._models, updated)
        files.succeeded()
        return summary

    def on_kill(self) -> None:
        """Stop dbt and cancel its queries."""
        if self._dbt:
            self.log.info("The task was killed: cancelling dbt's queries")
            self._dbt.cancel()

    def get_openlineage_facets_on_start(self) -> Any:
        """Return no datasets: a task's event relates all inputs to all outputs; the nodes' do not."""
        from airflow.providers.openlineage.extractors import OperatorLineage

        return OperatorLineage()

    def _run_of(self, command: Command) -> DbtRun | DbtProcess:
        from airflow.providers.common.compat.sdk import conf

        from airflow_lineage_provider.dbt import DbtRun
        from airflow_lineage_provider.events.sql_tables import tables_named
        from airflow_lineage_provider.utils.dbt_process import DbtProcess

        python = self.python or conf.get("airflow_lineage", "dbt_python", fallback="")
        if not python:
            return DbtRun(command, tables_named, self._check_node())
        return DbtProcess(python, command, tables_named, self._check_node())

    def _check_node(self) -> Callable[[dict[str, Any], str], str | None] | None:
        if not self.map_path:
            return None
        from airflow_lineage_provider.utils.contract import node_check
        from airflow_lineage_provider.utils.paths import path_beside_dag

        return node_check(path_beside_dag(self, self.map_path), self.environment)

    def _follow(self, run: DbtRun | DbtProcess, emitter: Emitter) -> dict[str, Any]:
        from airflow_lineage_provider.dbt.command import SELECTING
        from airflow_lineage_provider.dbt.records import InvocationFinished, LogLine, NodeFinished
        from airflow_lineage_provider.utils.redaction import redact_text

        # The records are not kept: a run of 10,000 tests takes no more memory than one of 100.
        statuses: Counter[str] = Counter()
        failures: list[str] = []
        rows = 0
        for record in run:
            if isinstance(record, LogLine):
                log = {"warn": self.log.warning, "error": self.log.error}.get(record.level, self.log.info)
                log(redact_text(record.text))
            elif isinstance(record, InvocationFinished):
                emitter.finish()
                _raise_failures(failures, record)
                if not record.selected and self.empty_selection == "skip" and run.command.verb in SELECTING:
                    raise AirflowSkipException("dbt found nothing to do: no node matches the selection")
            else:
                emitter.emit(record)
            if isinstance(record, NodeFinished):
                statuses[record.status] += 1
                rows += record.rows or 0
                failures += [_failure(record)] if record.failed else []
        return {
            "command": self.command,
            "layer": self.layer,
            "invocation_id": emitter.invocation_id,
            "nodes": dict(statuses),
            "rows": rows,
            "events": emitter.emitted,
            "events_lost": emitter.lost,
        }

    def _command(self, profiles_dir: str | None) -> Command:
        from airflow_lineage_provider.dbt import Command

        return Command(
            project_dir=self.project_dir,
            verb=self.command,  # type: ignore[arg-type] # checked by Command
            profiles_dir=profiles_dir,
            target=self.target,
            vars=_mapping("vars", self.vars),
            select=_selection(self.layer, _words(self.select)),
            exclude=_words(self.exclude),
            full_refresh=str(self.full_refresh).strip().lower() in {"true", "1", "yes"},
            threads=_number("threads", self.threads),
            operation=self.operation,
            operation_args=_mapping("operation_args", self.operation_args),
            options=_mapping("dbt_options", self.dbt_options),
            install_deps=self.install_deps,
            allows_empty=self.empty_selection != "fail",
        )


def _outlets(
    project_dir: str, layer: str | None, command: str, models: AssetAlias | None
) -> Iterator[Asset | AssetAlias]:
    """Yield what a task updates, as far as the names are known in the DAG file."""
    if layer and command in WRITING and "{{" not in layer + project_dir:
        yield layer_asset(project_dir, layer)
    if models:
        yield models


def _alias(project_dir: str) -> AssetAlias:
    from airflow_lineage_provider.utils.dbt_assets import models_alias

    return models_alias(project_dir)


def _mapping(name: str, value: Mapping[str, Any] | str) -> Mapping[str, Any]:
    """Return a mapping argument; a template may have rendered it as YAML or JSON text."""
    found = _parsed(name, value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise InputError(f"{name} must be a mapping such as {{'key': 'value'}}, not {value!r}")
    return found


def _parsed(name: str, text: str) -> Any:
    """Return the value of YAML text, without anchors and aliases, and bounded in size and depth."""
    import yaml

    from airflow_lineage_provider.lineage_map.yaml_text import parse_yaml

    try:
        parse_yaml(text, name)  # raises LineageError for text that is not accepted
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{name} is not YAML: {' '.join(str(error).split())[:200]}") from None


def _number(name: str, value: int | str | None) -> int | None:
    if value is None or not str(value).strip():
        return None
    if not str(value).strip().isdecimal():
        raise InputError(f"{name} must be a whole number such as 4, not {value!r}")
    return int(value)


def _words(selectors: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the selectors; a string may hold several, separated by blanks as on dbt's command line."""
    words = selectors.split() if isinstance(selectors, str) else selectors or ()
    return tuple(word for word in words if word)


def _selection(layer: str | None, select: tuple[str, ...]) -> tuple[str, ...]:
    """Return the intersection of the layer with each selector; dbt writes an intersection with a comma."""
    if not layer:
        return select
    return tuple(f"{layer},{word}" for word in select) or (layer,)


def _failure(node: NodeFinished) -> str:
    return f"{node.node.label}: {' '.join(node.message.split())}"


def _raise_failures(failures: list[str], finished: Any) -> None:
    from airflow_lineage_provider.utils.redaction import redact_text

    if finished.bad_input:
        raise AirflowFailException(redact_text(finished.error))
    errors = failures + ([finished.error] if finished.error else [])
    if errors:
        more = (
            f"; and {len(errors) - SHOWN_FAILURES} more, see the log above" if errors[SHOWN_FAILURES:] else ""
        )
        raise AirflowException(redact_text("; ".join(errors[:SHOWN_FAILURES])) + more)
    if not finished.success:
        raise AirflowException("dbt failed outside of any node; the reason is in its log above")

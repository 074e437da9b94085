"""MLflow's registered models, the runs that made their versions, and the data sets that the runs logged.

https://mlflow.org/docs/latest/rest-api.html. A model is `model/<name>` in the namespace `mlflow://<host>`. A
data set is what its source names (a file, a bucket, a table); where the source has no address, it is
`dataset/<name>` in MLflow's namespace.

One version of a model counts: the one with the alias `champion`, else the newest. MLflow has no approval; the
aliases of the version stand for it, else its stage.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.events.movement import ColumnSource, MovedDataset, MovedField, Movement
from airflow_lineage_provider.events.naming import DatasetName, file_name
from airflow_lineage_provider.lineage_map.features import NONE
from airflow_lineage_provider.plain_json import mapping, mappings, text, texts
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.listing import listing
from airflow_lineage_provider.systems.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.systems.answers import Observed
    from airflow_lineage_provider.systems.connection import Connection
    from airflow_lineage_provider.systems.http import JsonApi
    from airflow_lineage_provider.systems.saved import SavedAnswer

SYSTEM, TITLE = "mlflow", "MLflow"
DEFAULT_PORT = 5000
CHAMPION = "champion"
PAGE = 100
MOST_PAGES = 10_000
_API = "api/2.0/mlflow"
_NOT_TRAINING = frozenset({"eval", "evaluation", "test", "testing", "validation"})
"""Contexts of data sets that a model is not made from."""
_VERSION = frozenset({"version", "status", "status_message", "run_id", "current_stage"})


class MlflowClient:
    """Reads one MLflow server."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api
        self._incomplete: dict[str, None] = {}

    def answer(self, models: Iterable[str] = ()) -> dict[str, Any]:
        """Return the registered models of these names, or all, each with its version and that version's run.

        The answer is plain JSON: `models`, whether these are `all`, and `incomplete`, what could not be read.
        Raises SystemReadError, also for a name that there is not.
        """
        names = tuple(models)
        found = [self._named(name) for name in names] if names else self._all()
        return {
            "models": [self._model(one) for one in found],
            "all": not names,
            "incomplete": list(self._incomplete),
        }

    def _named(self, name: str) -> Mapping[str, Any]:
        answer = self._api.get(f"{_API}/registered-models/get", {"name": name})
        found = mapping(mapping(answer).get("registered_model"))
        if not found:
            raise SystemReadError(f"{self._api} has no registered model {name}: check its name")
        return found

    def _all(self) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = self._api.get(f"{_API}/registered-models/search", {"max_results": str(PAGE), **token})
            if not isinstance(answer, dict):
                raise SystemReadError(
                    f"{self._api} does not answer as MLflow does: check host, port and path"
                )
            yield from mappings(answer.get("registered_models"))
            if not answer.get("next_page_token"):
                return
            token = {"page_token": str(answer["next_page_token"])}
        raise SystemReadError(f"{self._api} answers with more than {MOST_PAGES} pages of models")

    def _model(self, model: Mapping[str, Any]) -> dict[str, Any]:
        name = text(model, "name")
        aliases = {text(one, "alias"): text(one, "version") for one in mappings(model.get("aliases"))}
        known = {text(one, "version"): one for one in mappings(model.get("latest_versions"))}
        wanted = aliases.get(CHAMPION) or max(known, key=lambda one: int(one or 0), default="")
        version = known.get(wanted)
        if version is None and wanted:
            answer = self._read("model-versions/get", {"name": name, "version": wanted})
            version = mapping(mapping(answer).get("model_version"))
        run_id = text(version, "run_id")
        run = mapping(mapping(self._read("runs/get", {"run_id": run_id}) if run_id else None).get("run"))
        return {
            "name": name,
            "description": text(model, "description"),
            "version": {key: one for key, one in (version or {}).items() if key in _VERSION},
            "aliases": sorted(alias for alias, of in aliases.items() if of == wanted),
            "run": _run(run),
        }

    def _read(self, path: str, params: Mapping[str, str]) -> Any:
        """Return an object; None where it is gone or may not be read, which is kept as incomplete."""
        what = f"{path.partition('/')[0]} {' '.join(params.values())}"
        try:
            answer = self._api.get(f"{_API}/{path}", params)
        except SystemReadError as error:
            if error.unreachable:
                raise
            self._incomplete[f"{what} may not be read ({error})"] = None
            return None
        if answer is None:
            self._incomplete[f"{what} is not there: it may have been deleted"] = None
        return answer


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    inputs = mappings(mapping(run.get("inputs")).get("dataset_inputs"))
    return {
        "run_id": text(run, "info", "run_id"),
        "status": text(run, "info", "status"),
        "datasets": [
            {
                "name": text(one, "dataset", "name"),
                "schema": text(one, "dataset", "schema"),
                "location": _location(text(one, "dataset", "source")),
                "context": next(
                    (
                        text(tag, "value")
                        for tag in mappings(one.get("tags"))
                        if text(tag, "key") == "mlflow.data.context"
                    ),
                    "",
                ),
            }
            for one in inputs
        ],
    }


def mlflow_lineage(answer: Any, host: str, now: datetime) -> tuple[list[Observation], list[str]]:
    """Return the observation of each registered model, and what could not be read.

    `host` is the URL of the server. Raises SystemReadError for an answer of another form.
    """
    answer = mapping(answer)
    if not isinstance(answer.get("models"), list):
        raise SystemReadError("the answer of MLflow has no models: fetch it again")
    url = urlsplit(host)
    namespace = f"mlflow://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"
    incomplete = texts(answer.get("incomplete"))
    problems = [f"MLflow: {one}: the answer is incomplete" for one in incomplete]
    seen = [_observation(one, namespace, incomplete, now) for one in mappings(answer["models"])]
    if answer.get("all"):
        seen.append(listing(namespace, "MLFLOW", TITLE, now, incomplete))
    return seen, problems


def observe_answer(saved: SavedAnswer, now: datetime) -> Observed:
    """Return what an answer of MLflow shows."""
    from airflow_lineage_provider.systems.answers import Observed

    observations, problems = mlflow_lineage(saved.answer, saved.host, now)
    return Observed(observations, tuple(problems))


def fetch_answer(connection: Connection) -> SavedAnswer:
    """Return the answer of MLflow by a connection; `models` in its extra names some only.

    Login and password are basic authentication, a password alone is a bearer token.
    """
    from airflow_lineage_provider.systems.connection import connection_api

    models = connection.extra.get("models") or ()
    names = [models] if isinstance(models, str) else [str(one) for one in models]
    return api_answer(connection_api(connection, TITLE, DEFAULT_PORT), names)


def api_answer(api: JsonApi, models: Iterable[str]) -> SavedAnswer:
    """Return the answer of an MLflow server's API."""
    from airflow_lineage_provider.systems.saved import SavedAnswer

    return SavedAnswer(SYSTEM, datetime.now(UTC), api.url, MlflowClient(api).answer(models))


def _observation(
    model: Mapping[str, Any], namespace: str, incomplete: tuple[str, ...], now: datetime
) -> Observation:
    name = DatasetName(namespace, f"model/{text(model, 'name')}")
    version = mapping(model.get("version"))
    run = mapping(model.get("run"))
    used = [one for one in mappings(run.get("datasets")) if text(one, "context") not in _NOT_TRAINING]
    columns = _columns(used, namespace)
    stage = text(version, "current_stage")
    approval = ", ".join(texts(model.get("aliases"))) or ("" if stage == "None" else stage) or NONE
    number = text(version, "version") or NONE
    state, error = _state(text(model, "name"), version, run)
    if not used and not error:
        why = "; ".join(incomplete) or "its run logged no data set: call mlflow.log_input when it is trained"
        state, error = RunState.ABORT, f"what model {text(model, 'name')} was trained on is not known: {why}"
    output = MovedDataset(
        name,
        "MODEL",
        tuple(MovedField(column) for column in columns or ()),
        version="" if number == NONE else number,
        description=text(model, "description"),
        properties=(("version", number), ("approval", approval)),
    )
    unknown = columns is None and not error
    movement = Movement(
        job_namespace=namespace,
        job_name=name.name,
        started_at=now,
        integration="MLFLOW",
        job_type="TRAINING",
        engine=TITLE,
        inputs=tuple({one: MovedDataset(one) for one in (_dataset(d, namespace) for d in used)}.values()),
        outputs=(output,),
        columns=columns,
        problems=(f"which features model {text(model, 'name')} uses is not known",) if unknown else (),
    )
    return Observation(movement, state, error)


def _state(name: str, version: Mapping[str, Any], run: Mapping[str, Any]) -> tuple[RunState, str]:
    status, number = text(version, "status"), text(version, "version")
    if not number:
        return RunState.ABORT, f"registered model {name} has no version"
    if status == "FAILED_REGISTRATION":
        reason = text(version, "status_message") or "no reason given"
        return RunState.FAIL, f"version {number} of model {name} has failed: {reason}"
    if status == "PENDING_REGISTRATION":
        return RunState.ABORT, f"version {number} of model {name} is not registered yet"
    if text(run, "status") == "FAILED":
        return RunState.FAIL, f"run {text(run, 'run_id')} of version {number} of model {name} has failed"
    return RunState.COMPLETE, ""


def _dataset(logged: Mapping[str, Any], namespace: str) -> DatasetName:
    location = text(logged, "location")
    return file_name(location) if location else DatasetName(namespace, f"dataset/{text(logged, 'name')}")


def _location(source: str) -> str:
    """Return the URL that a source names, without login and query; empty where it names none."""
    found = mapping(_json(source))
    for key in ("uri", "path", "url"):
        url = urlsplit(text(found, key))
        if url.netloc:
            return urlunsplit((url.scheme, url.netloc.rpartition("@")[2], url.path, "", ""))
    return ""


def _columns(datasets: list[Mapping[str, Any]], namespace: str) -> dict[str, tuple[ColumnSource, ...]] | None:
    """Return the columns that a model is made from, where every data set was logged with its schema."""
    found: dict[str, tuple[ColumnSource, ...]] = {}
    for one in datasets:
        listed = mappings(mapping(_json(text(one, "schema"))).get("mlflow_colspec"))
        if not listed:
            return None
        for column in listed:
            name = text(column, "name")
            found[name] = (*found.get(name, ()), ColumnSource(_dataset(one, namespace), name))
    return found or None


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None

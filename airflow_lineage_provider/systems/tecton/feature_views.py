"""Tecton's feature views, of the JSON that its command line writes.

`tecton dump` prints the definitions of a feature repository as the request that `tecton plan` sends, in
protobuf's JSON form (`request.fcoArgs`, one object for each definition); `tecton plan --json-out` writes what
a workspace lacks of them (`objectDiffs`, names and kinds only). The shapes are those of the published command
line (tecton 0.8 to 1.3); the formats have no public reference. Tecton's SDK is neither needed nor used.

A feature view is `<workspace>.<view>` in the namespace `tecton://<host of the cluster>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.movement import ColumnSource, MovedDataset, MovedField
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.lineage_map.features import NONE
from airflow_lineage_provider.plain_json import mapping, mappings, text, texts
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.features import (
    FEATURE_VIEW,
    Feature,
    ObservedFeatureView,
    aggregated,
    view_observation,
)
from airflow_lineage_provider.systems.listing import listing
from airflow_lineage_provider.systems.tecton.features import defined_features
from airflow_lineage_provider.systems.tecton.pipeline import Definitions, leaves, made_by, object_id
from airflow_lineage_provider.systems.tecton.sources import tecton_source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from airflow_lineage_provider.systems.answers import Observed
    from airflow_lineage_provider.systems.observation import Observation
    from airflow_lineage_provider.systems.saved import SavedAnswer
    from airflow_lineage_provider.systems.sql_columns import Made
    from airflow_lineage_provider.systems.tecton.features import DefinedFeature

    Args = Mapping[str, Any]

SYSTEM, TITLE = "tecton", "Tecton"
_KINDS = ("virtualDataSource", "entity", "transformation", "featureView", "featureService")
_PENDING = {
    "CREATE": "is defined and not applied to the workspace yet",
    "UPDATE": "was changed and the change is not applied to the workspace yet",
    "UPGRADE": "is to be upgraded, which is not applied to the workspace yet",
    "RECREATE": "is to be created anew, which is not applied to the workspace yet",
    "DELETE": "is in the workspace and no longer defined in the repository",
}


def tecton_answer(dump: Any, plan: Any = None, *, workspace: str) -> dict[str, Any]:
    """Return the answer that lineage is made of: the JSON of `tecton dump`, and of `tecton plan --json-out`.

    Raises InputError where either is not of its form.
    """
    definitions = mapping(mapping(dump).get("request")).get("fcoArgs")
    if not isinstance(definitions, list):
        raise InputError("the definitions are not the JSON of `tecton dump`: request.fcoArgs is missing")
    if plan is not None and not isinstance(mapping(plan).get("objectDiffs", []), list):
        raise InputError("the plan is not the JSON of `tecton plan --json-out`: objectDiffs is no list")
    kept = [{kind: one[kind]} for one in mappings(definitions) for kind in _KINDS if kind in one]
    answer = {"workspace": workspace, "definitions": kept}
    return answer if plan is None else answer | {"plan": mappings(mapping(plan).get("objectDiffs"))}


def tecton_lineage(answer: Any, host: str, now: datetime) -> tuple[list[Observation], list[str]]:
    """Return the observation of each feature view and of their listing, and what is about no single view.

    `host` is the URL of the cluster. Raises SystemReadError for an answer of another form.
    """
    answer = mapping(answer)
    if not isinstance(answer.get("definitions"), list):
        raise SystemReadError("the answer of Tecton has no definitions: fetch it again")
    workspace = _Workspace(answer, f"tecton://{urlsplit(host).netloc.rpartition('@')[2] or host}")
    made = [view_observation(workspace.view(name), "TECTON", TITLE, now) for name in workspace.views]
    made.append(listing(workspace.cluster, "TECTON", TITLE, now))
    incomplete = [f"Tecton: {one}: the answer is incomplete" for one in texts(answer.get("incomplete"))]
    return made, [*workspace.problems(), *incomplete]


class _Workspace:
    """The definitions of an answer by their ids, and what a plan says of them."""

    def __init__(self, answer: Args, cluster: str) -> None:
        self.name = text(answer, "workspace")
        self.cluster = cluster
        by_kind: dict[str, list[Args]] = {kind: [] for kind in _KINDS}
        for one in mappings(answer.get("definitions")):
            for kind in _KINDS:
                if found := mapping(one.get(kind)):
                    by_kind[kind].append(found)
        self.views = {text(one, "info", "name"): one for one in by_kind["featureView"]}
        self.entities = {object_id(one.get("entityId")): one for one in by_kind["entity"]}
        self.known = Definitions(
            sources={
                object_id(one.get("virtualDataSourceId")): tecton_source(one, cluster, self.name)
                for one in by_kind["virtualDataSource"]
            },
            transformations={
                object_id(one.get("transformationId")): one for one in by_kind["transformation"]
            },
            views={object_id(one.get("featureViewId")): self._dataset(one) for one in self.views.values()},
        )
        self.services: dict[str, set[str]] = {}
        for service in by_kind["featureService"]:
            for one in mappings(service.get("featureReferences")):
                views = self.services.setdefault(object_id(one.get("featureViewId")), set())
                views.add(text(service, "info", "name"))
        self.served = _served(mapping(answer.get("served")))
        self.plan = [
            (
                text(one, "transitionType"),
                text(one, "objectMetadata", "objectType"),
                text(one, "objectMetadata", "name"),
            )
            for one in mappings(answer.get("plan"))
        ]
        self.planned: dict[str, list[str]] = {}
        for transition, kind, name in self.plan:
            if kind == "FEATURE_VIEW":
                self.planned.setdefault(name, []).append(transition)

    def view(self, name: str) -> ObservedFeatureView:
        """Return a feature view with the lineage of its features."""
        args = self.views[name]
        root = mapping(mapping(args.get("pipeline")).get("root"))
        keys = self._join_keys(args)
        features = defined_features(args, keys)
        wanted = dict.fromkeys([*(column for one in features for column in one.columns), *keys])
        made = made_by(root, self.known, wanted)
        found = tuple(_feature(one, made) for one in features)
        found = (*found, *self._only_served(name, {one.name for one in found}))
        every = [*made.every]
        if any(one.function != NONE for one in features):
            for key in keys:
                every += [
                    ColumnSource(one.dataset, one.column, "GROUP_BY")
                    for one in made.find(key) or ()
                    if one.subtype != "GROUP_BY"
                ]
        state, error = self._state(name)
        services = sorted(self.services.get(object_id(args.get("featureViewId")), ()))
        problems = [made.gap] if made.gap and not any(one.sources is None for one in found) else []
        if not found:
            problems.append("its definition lists no features")
        return ObservedFeatureView(
            name=self._dataset(args),
            inputs=self._inputs(root, found, every),
            features=found,
            entity=keys,
            description=text(args, "info", "description"),
            owners=(text(args, "info", "owner"),) if text(args, "info", "owner") else (),
            every=tuple(dict.fromkeys(every)),
            streaming="STREAM" in text(args, "materializedFeatureViewArgs", "dataSourceType"),
            state=state,
            error=error,
            problems=(*(f"feature view {name}: {one}" for one in problems), *self._unapplied(name)),
            properties=(("services", ", ".join(services)),) if services else (),
        )

    def problems(self) -> list[str]:
        """Return what the plan says of objects other than the feature views of the answer."""
        return [
            f"Tecton's {kind.replace('_', ' ').lower()} {name} {_PENDING[transition]}: see `tecton plan`"
            for transition, kind, name in self.plan
            if transition in _PENDING and not (kind == "FEATURE_VIEW" and name in self.views)
        ]

    def _dataset(self, view: Args) -> DatasetName:
        return DatasetName(self.cluster, f"{self.name}.{text(view, 'info', 'name')}")

    def _join_keys(self, view: Args) -> tuple[str, ...]:
        keys: dict[str, None] = {}
        for one in mappings(view.get("entities")):
            own = texts(one.get("joinKeys"))
            entity = self.entities.get(object_id(one.get("entityId")), {})
            listed = entity.get("joinKeys")
            named = tuple(text(key, "name") for key in mappings(listed)) or texts(listed)
            keys |= dict.fromkeys(own or named or texts(entity.get("joinKeysLegacy")))
        return tuple(keys)

    def _inputs(
        self, root: Args, features: tuple[Feature, ...], every: list[ColumnSource]
    ) -> tuple[MovedDataset, ...]:
        """Return the datasets that a pipeline reads; with their columns where a definition lists them all."""
        read: dict[DatasetName, str] = {}
        columns: dict[DatasetName, tuple[str, ...]] = {}
        for leaf in leaves(root):
            source = self.known.sources.get(
                object_id(mapping(leaf.get("dataSourceNode")).get("virtualDataSourceId"))
            )
            if source:
                read |= dict(source.datasets)
                columns |= {name: source.columns for name, _ in source.datasets}
            view = self.known.views.get(object_id(mapping(leaf.get("featureViewNode")).get("featureViewId")))
            read |= {view: FEATURE_VIEW} if view else {}
        for one in (*(source for feature in features for source in feature.sources or ()), *every):
            read.setdefault(one.dataset, "TABLE")
        return tuple(
            MovedDataset(name, kind, tuple(MovedField(column) for column in columns.get(name, ())))
            for name, kind in read.items()
        )

    def _only_served(self, view: str, defined: set[str]) -> list[Feature]:
        """Return the features that the cluster serves and the repository does not define."""
        gap = "the cluster serves it, and the repository does not define it"
        served = self.served.get(view, {})
        return [Feature(name, kind, gap=gap) for name, kind in served.items() if name not in defined]

    def _state(self, name: str) -> tuple[RunState, str]:
        if "CREATE" in self.planned.get(name, ()):
            return RunState.ABORT, f"feature view {name} {_PENDING['CREATE']}: run `tecton apply`"
        return RunState.COMPLETE, ""

    def _unapplied(self, name: str) -> tuple[str, ...]:
        return tuple(
            f"feature view {name} {_PENDING[transition]}: its lineage is that of the repository"
            for transition in self.planned.get(name, ())
            if transition in _PENDING and transition != "CREATE"
        )


def _served(services: Args) -> dict[str, dict[str, str]]:
    """Return the types of the features that feature services have, by view and name."""
    found: dict[str, dict[str, str]] = {}
    for service in services.values():
        for one in mappings(mapping(service).get("featureValues")):
            view, _, feature = text(one, "name").partition(".")
            if feature:
                found.setdefault(view, {})[feature] = text(one, "dataType", "type")
    return found


def _feature(defined: DefinedFeature, made: Made) -> Feature:
    found = [made.find(column) for column in defined.columns]
    gap = made.gap or f"its pipeline has no column {', '.join(defined.columns)}"
    sources: tuple[ColumnSource, ...] | None = None
    if found and None not in found:
        sources = tuple(source for one in found for source in one or ())
    if defined.function != NONE and sources is not None:
        sources = aggregated(sources, defined.function, defined.columns[0])
    elif defined.computed and sources is not None:
        sources = tuple(ColumnSource(one.dataset, one.column, "TRANSFORMATION") for one in sources)
    return Feature(
        name=defined.name,
        type=defined.type,
        description=defined.description,
        sources=sources,
        aggregation=defined.function,
        window=defined.window,
        gap=gap,
    )


def observe_answer(saved: SavedAnswer, now: datetime) -> Observed:
    """Return what an answer of Tecton shows: all feature views of a workspace."""
    from airflow_lineage_provider.systems.answers import Observed

    observations, problems = tecton_lineage(saved.answer, saved.host, now)
    return Observed(observations, tuple(problems))

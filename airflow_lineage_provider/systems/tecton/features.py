"""The features that a definition of a Tecton feature view names, and the columns that each stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map.features import NONE
from airflow_lineage_provider.plain_json import mapping, mappings, text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    Args = Mapping[str, Any]

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


@dataclass(frozen=True, slots=True)
class DefinedFeature:
    """A feature and the columns of the view's pipeline that it is made from.

    `window` is a protobuf duration such as `604800s`; function and window are `none` without aggregation.
    """

    name: str
    columns: tuple[str, ...]
    function: str = NONE
    window: str = NONE
    type: str = ""
    description: str = ""
    computed: bool = False
    """Whether it is computed from its columns without an aggregation, as an embedding is."""


def defined_features(view: Args, keys: Collection[str]) -> tuple[DefinedFeature, ...]:
    """Return the features of a `featureView`; `keys` are its join keys and are no features.

    A view whose features are not listed has those of its schema, where it has one.
    """
    batch = mapping(view.get("materializedFeatureViewArgs"))
    realtime = mapping(view.get("realtimeArgs"))
    table = mapping(view.get("featureTableArgs"))
    listed = [
        *(_aggregate(one, batch) for one in mappings(batch.get("aggregations"))),
        *(_attribute(one) for args in (batch, realtime, table) for one in mappings(args.get("attributes"))),
        *(_embedding(one) for one in mappings(batch.get("embeddings"))),
        *(_inference(one) for one in mappings(batch.get("inferences"))),
    ]
    if listed:
        return tuple(listed)
    no_features = {*keys, text(batch, "timestampField"), text(table, "timestampField")}
    schemas = (
        batch.get("schema"),
        realtime.get("schema"),
        table.get("schema"),
        view.get("forcedViewSchema"),
    )
    return tuple(one for one in _of_schemas(schemas) if one.name not in no_features)


def _of_schemas(schemas: tuple[Any, ...]) -> Iterator[DefinedFeature]:
    for schema in schemas:
        fields = mappings(mapping(schema).get("columns") or mapping(schema).get("fields"))
        if not fields:
            continue
        for one in fields:
            name = text(one, "name")
            yield DefinedFeature(name, (name,), type=_type(one.get("offlineDataType") or one.get("dataType")))
        return


def _aggregate(one: Args, view: Args) -> DefinedFeature:
    column, function, window = text(one, "column"), text(one, "function"), _window(one)
    interval = text(view, "aggregationInterval")
    default = f"{column}_{function}_{_short(window)}_{_short(interval) or 'continuous'}"
    return DefinedFeature(
        text(one, "name") or default,
        (column,),
        function,
        window,
        _type(one.get("columnDtype")),
        text(one, "description"),
    )


def _window(one: Args) -> str:
    if "lifetimeWindow" in one:
        return "lifetime"
    if series := mapping(one.get("timeWindowSeries")):
        return f"series of {text(series, 'windowDuration')}"
    offset = text(one, "timeWindow", "offset")
    moved = f" offset {offset}" if offset.strip("-0s.") else ""
    return (text(one, "timeWindow", "windowDuration") or text(one, "timeWindowLegacy")) + moved


def _attribute(one: Args) -> DefinedFeature:
    column = text(one, "column") or text(one, "name")
    dtype, described = _type(one.get("columnDtype")), text(one, "description")
    return DefinedFeature(text(one, "name") or column, (column,), type=dtype, description=described)


def _embedding(one: Args) -> DefinedFeature:
    column = text(one, "column")
    name = text(one, "name") or f"{column}_embedding"
    return DefinedFeature(name, (column,), description=text(one, "description"), computed=True)


def _inference(one: Args) -> DefinedFeature:
    columns = tuple(text(column, "name") for column in mappings(one.get("inputColumns")))
    return DefinedFeature(text(one, "name"), columns, description=text(one, "description"), computed=True)


def _type(value: Any) -> str:
    name = value if isinstance(value, str) else text(value, "type")
    return name.removeprefix("DATA_TYPE_").lower()


def _short(duration: str) -> str:
    """Return a protobuf duration as feature names have it: `604800s` is `7d`."""
    number = duration.removesuffix("s")
    if not number.isdecimal() or not int(number):
        return "" if number in {"", "0"} else duration
    seconds = int(number)
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"

"""A map while its document is read: parts by name, and edges that wait until every name is known."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from airflow_lineage_provider.lineage_map.errors import MapProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.lineage_map.document.arrows import Stop

Part = dict[str, Any]
"""A mapping of the map, keyed as its YAML is."""

CONSUMER_KINDS = {"dashboards": "tool", "feature_views": "store", "ml_models": "platform"}
"""The kinds of consumers, and the key of the system that each is in."""
_LONGEST = 1000  # letters of a name
_DATASET = re.compile(r"[\w$-]+(?:\.[\w$-]+)+")


class DrawnEdge(NamedTuple):
    """Sources, and the target that is made from them: a part of the map, or a stop still to be found.

    `near` is the layer, or the kind of consumer, under whose heading the edge is drawn.
    """

    number: int
    sources: Stop
    target: Part | Stop
    near: str = ""


class PrintedModel(NamedTuple):
    """The SQL of a model, its first line, and the layer under whose heading it is printed."""

    number: int
    text: str
    layer: str


@dataclass(slots=True)
class Draft:
    """What is read of a document so far."""

    file: str
    data: Part = field(default_factory=lambda: {"document": {}})
    unplaced: list[MapProblem] = field(default_factory=list)
    edges: list[DrawnEdge] = field(default_factory=list)
    models: list[PrintedModel] = field(default_factory=list)
    named: bool = False
    """Whether the document gives the names of its sources and layers, as a rendered map does."""
    names: dict[str, set[str]] = field(default_factory=dict)
    """The full names of datasets by their last part."""
    numbers: dict[str, int] = field(default_factory=dict)
    made_from: dict[int, set[str]] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    """The layers that list their tables; others take in every table that the document names in them."""

    def not_placed(self, number: int, what: str) -> None:
        """List what has no place in a map."""
        self.unplaced.append(MapProblem(self.file, number, 1, f"{what} has no place in a map; left out"))

    def part(self, *keys: str) -> Part:
        """Return the mapping at a path of keys, made where it is not there."""
        here = self.data
        for key in keys:
            here = here.setdefault(key, {})
        return here

    def table(self, layer: str, name: str) -> Part:
        """Return a table of a layer, made where it is not there; without a layer, of the one in its name."""
        if not layer:
            layer, _, name = name.rpartition(".")
        name = name.removeprefix(f"{layer}.")
        self.names.setdefault(name, set()).add(f"{layer}.{name}")
        return self.part("layers", layer, "tables", name)

    def has_table(self, name: str) -> bool:
        """Whether a name is that of a table of a layer."""
        layer = self.layer_of(name)
        return bool(layer) and name.removeprefix(f"{layer}.") in self.data["layers"][layer].get("tables", ())

    def is_column(self, name: str) -> bool:
        """Whether a name is that of a column: its part before the last dot is a table."""
        return self.has_table(name.rpartition(".")[0])

    def consumer_kind(self, name: str) -> str:
        """Return the kind of the consumer of that name, or nothing."""
        return next((kind for kind in CONSUMER_KINDS if name in self.data.get(kind, ())), "")

    def layer_of(self, name: str) -> str:
        """Return the layer whose name begins a table's, or nothing."""
        layers = self.data.get("layers", {})
        end = len(name) if len(name) <= _LONGEST else 0
        while (end := name.rfind(".", 0, end)) > 0:
            if name[:end] in layers:
                return name[:end]
        return ""

    def add_source(self, source: Part, name: str = "") -> None:
        """Add a source under its name, or under one made of its database or of its title's first word."""
        url = urlsplit(source.get("location", ""))
        database = "" if url.scheme.startswith("http") else url.path.strip("/").rpartition("/")[2]
        note = source.pop("note", "") or source["title"].partition(" ")[0].lower() or "unknown"
        source.setdefault("type", url.scheme if url.scheme and not url.scheme.startswith("http") else note)
        words = re.findall(r"\w+", database or source["title"]) or ["source"]
        word = next((word for word in words if not word.isdigit()), words[0]).lower()
        sources, key = self.part("sources"), name or word
        while key in sources and not name:
            self.numbers[word] = number = self.numbers.get(word, 1) + 1
            key = f"{word}_{number}"
        sources[key] = source

    def landing(self, url: str, note: str) -> tuple[str, Part]:
        """Return name and part of files between a source and a table: a dataset of its own source."""
        scheme, _, path = url.partition("://")
        source = self.part("sources").setdefault(
            scheme, {"title": note or scheme, "type": scheme, "kind": "files", "datasets": {}}
        )
        names = path.strip("/").split("/")
        name = names.pop()
        while names and source["datasets"].get(name, {}).get("location", url) != url:
            name = f"{names.pop()}/{name}"
        made = {"location": url, "format": note} if note else {"location": url}
        return f"{scheme}.{name}", source["datasets"].setdefault(name, made)

    def consumer(self, kind: str, name: str, system: str = "") -> Part:
        """Return a consumer, made where it is not there; its words may say another kind than its group's."""
        words = f"{name} {system}".casefold().replace("_", " ").split()
        if "model" in words:
            kind = "ml_models"
        elif {"dashboard", "report"} & set(words):
            kind = "dashboards"
        part = self.part(kind, name)
        if system:
            part.setdefault(CONSUMER_KINDS[kind], system)
        return part

    def resolve(self, name: str) -> str:
        """Return the full name of a dataset that a document may name by its last part alone."""
        if self.named or self.layer_of(name) or self.consumer_kind(name):
            return name
        having = self.names.get(name, set())
        return next(iter(having)) if len(having) == 1 else name

    def settle_edges(self) -> None:
        """Give each target what it is made from; list the edges whose target is no part of a map."""
        for key, source in self.data.get("sources", {}).items():
            for name in source.get("datasets", ()):
                self.names.setdefault(name, set()).add(f"{key}.{name}")
        for edge in self.edges:
            sources = [self.resolve(name) for name in edge.sources.names]
            if not self.named and any(map(self.is_column, sources)):
                self.not_placed(edge.number, f"the lineage of the column {', '.join(sources)!r:.60}")
            elif isinstance(edge.target, dict):
                self._made_from(edge.target, sources)
            else:
                self._settle_names(edge, sources, edge.target)

    def _settle_names(self, edge: DrawnEdge, sources: list[str], targets: Stop) -> None:
        for name in sources:
            self._declare(name, edge.near)
        for name in targets.names:
            target = self._target(self.resolve(name), edge.near, targets.note)
            if target is None:
                self.not_placed(edge.number, f"the lineage of {name!r:.60}")
            else:
                self._made_from(target, sources)

    def _declare(self, name: str, near: str) -> None:
        """Add the dataset that an edge reads, where no heading says which layers and sources there are."""
        first, _, rest = name.partition(".")
        known = self.named or first in self.data.get("sources", ()) or self.is_column(name)
        if known or not _DATASET.fullmatch(name):
            return
        if self.layer_of(name):
            self._take_in(f"{name}.")
        elif near == "sources":
            self.part("sources").setdefault(first, {"title": first, "type": "unknown", "datasets": {}})
            self.part("sources", first, "datasets", rest)
        elif not near:
            self.table(first, rest)

    def _made_from(self, target: Part, sources: list[str]) -> None:
        """Add what one line names; what another line named stays as it is."""
        known = target.setdefault("from", [])
        before = self.made_from.setdefault(id(target), set())
        known += [name for name in sources if name not in before]
        before.update(sources)

    def _target(self, name: str, near: str, note: str) -> Part | None:
        if layer := self.layer_of(name):
            return None if self.is_column(name) and not self.named else self.table(layer, name)
        if kind := self.consumer_kind(name):
            return self.part(kind, name)
        if near in CONSUMER_KINDS:
            return self.consumer(near, name, note)
        layer, dot, table = name.partition(".")
        if dot and _DATASET.fullmatch(name) and layer not in self.data.get("sources", ()):
            return self.table(layer, table)
        inside = near in self.data.get("layers", ()) and re.fullmatch(r"\w+", name)
        return self.table(near, name) if inside else None

    def settle_columns(self) -> None:
        """Name the columns of chains as the map does, take in the tables that are named elsewhere.

        Layers without a heading go in front.
        """
        for chain in self.data.get("column_lineage", ()):
            for step in chain["steps"]:
                if not step.pop("exact"):
                    step["column"] = self._column(step["column"])
        for column in list(self._used_columns()):
            self._take_in(column)
        if layers := self.data.get("layers"):
            self.data["layers"] = dict(sorted(layers.items(), key=lambda layer: "title" in layer[1]))

    def _used_columns(self) -> Iterator[str]:
        for source in self.data.get("sources", {}).values():
            for dataset in source.get("datasets", {}).values():
                yield from (f"{target}." for target in dataset.get("to", ()))
        for chain in self.data.get("column_lineage", ()):
            yield from (step["column"] for step in chain["steps"])
        for layer in self.data.get("layers", {}).values():
            for table in layer.get("tables", {}).values():
                for column in table.get("columns", {}).values():
                    yield from column.get("from", ())

    def _take_in(self, column: str) -> None:
        table = column.rpartition(".")[0]
        layer = self.layer_of(table)
        if layer and layer not in self.listed:
            self.table(layer, table)

    def _column(self, text: str) -> str:
        """Return the column that prose means: by a URL of its source, or by another spelling of its name."""
        if "://" in text:
            path = urlsplit(text).path.strip("/").replace("/", ".")
            for key, source in self.data.get("sources", {}).items():
                if any(path.startswith(f"{dataset}.") for dataset in source.get("datasets", ())):
                    return f"{key}.{path}"
            return text
        dataset, _, column = text.rpartition(".")
        consumer: Part = self.data.get(self.consumer_kind(dataset), {}).get(dataset, {})
        spelled = {_spelled(name): name for name in consumer.get("fields") or consumer.get("features") or ()}
        return f"{dataset}.{spelled.get(_spelled(column), column)}"


def _spelled(name: str) -> str:
    return re.sub(r"\W+", "_", name).casefold()

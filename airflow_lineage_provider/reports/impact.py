"""An impact or a trace as a tree, with the owners to inform and the checks of the datasets."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph import CONSUMERS, EVERY_COLUMN, consumers
from airflow_lineage_provider.graph.change import Effect
from airflow_lineage_provider.graph.steps import DOCUMENTED, step_evidence
from airflow_lineage_provider.reports.console import console_for
from airflow_lineage_provider.reports.escape import markdown_code, markdown_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TextIO

    from airflow_lineage_provider.graph import ColumnRef, Dataset, Graph, Impact
    from airflow_lineage_provider.reports.line import Line

_EFFECTS = {
    Effect.BREAKS: "bold red",
    Effect.UPSTREAM_BREAKS: "red",
    Effect.MAY_BREAK: "yellow",
    Effect.CHANGES_TYPE: "cyan",
    Effect.UNAFFECTED: "green",
}


def impact_text(graph: Graph, found: Impact, effects: Mapping[ColumnRef, Effect] | None = None) -> str:
    """Return the impact as plain text; its last line is the total."""
    stream = io.StringIO()
    print_impact(graph, found, stream, effects)
    return stream.getvalue()


def print_impact(
    graph: Graph, found: Impact, stream: TextIO, effects: Mapping[ColumnRef, Effect] | None = None
) -> None:
    """Write the tree of the columns that are reached, the effects of a change if given, and the total."""
    from airflow_lineage_provider.reports.line import Line

    console = console_for(stream)
    _print_tree(console.print, graph, found, effects or {}, "->")
    reached = [graph.datasets[name] for name in found.datasets() if name in graph.datasets]
    _print_consumers(console.print, [dataset for dataset in reached if dataset.kind in CONSUMERS])
    checks = [f"{dataset.name}: {', '.join(dataset.checks)}" for dataset in reached if dataset.checks]
    owners = sorted({owner for dataset in reached for owner in dataset.owners})
    if checks:
        console.print()
        console.print(Line("Checked on the way", "bold"))
        for check in checks:
            console.print(Line(f"  {check}"))
    if owners:
        console.print()
        console.print(Line("Owners to inform: ", "bold").add(", ".join(owners), "not bold"))
    console.print()
    console.print(Line(total(graph, found), "bold"))


def print_trace(graph: Graph, found: Impact, stream: TextIO) -> None:
    """Write the tree of the columns that a column is made from."""
    from airflow_lineage_provider.reports.line import Line

    console = console_for(stream)
    _print_tree(console.print, graph, found, {}, "<-")
    sources = [name for name in found.datasets() if name not in graph.upstream]
    plural = "" if len(sources) == 1 else "s"
    console.print()
    console.print(Line(f"TOTAL: {len(found.datasets())} datasets, {len(sources)} source{plural}", "bold"))


def total(graph: Graph, found: Impact) -> str:
    """Return the last line: how many consumers are reached."""
    number = len(consumers(graph, found))
    return f"TOTAL IMPACT: {number} downstream consumer{'' if number == 1 else 's'}"


def impact_json(
    graph: Graph, found: Impact, effects: Mapping[ColumnRef, Effect] | None = None
) -> dict[str, Any]:
    """Return the impact as data: the columns reached, their distance and parent, and the consumers."""
    return {
        "starts": [str(start) for start in found.starts],
        "reached": [
            {
                "dataset": ref.dataset,
                "column": None if ref.column == EVERY_COLUMN else ref.column,
                "hops": hops,
                "via": _name(parent),
                "kind": graph.datasets[ref.dataset].kind,
                "system": graph.datasets[ref.dataset].system,
                "layer": graph.datasets[ref.dataset].layer,
                "owners": list(graph.datasets[ref.dataset].owners),
                **_stated(graph, ref, parent),
                **({"effect": str(effects[ref])} if effects and ref in effects else {}),
            }
            for ref, (hops, parent) in found.nodes.items()
            if hops
        ],
        "consumers": [dataset.name for dataset in consumers(graph, found)],
    }


def impact_markdown(graph: Graph, found: Impact, effects: Mapping[ColumnRef, Effect] | None = None) -> str:
    """Return the impact as nested Markdown lists, for a comment on a pull request."""
    stream = io.StringIO()
    children = _children(found)
    for start in found.starts:
        for ref, depth in _preorder(children, start):
            dataset = graph.datasets[ref.dataset]
            effect = f": {effects[ref]}" if effects and ref in effects else ""
            place = markdown_text(_place(dataset))
            stream.write(f"{'  ' * depth}- {markdown_code(_name(ref))}{place}{effect}\n")
    return f"{stream.getvalue()}\n**{total(graph, found)}**\n"


def _stated(graph: Graph, ref: ColumnRef, parent: ColumnRef) -> dict[str, Any]:
    """Return the page of what is reached, and the evidence for the step to it."""
    url = dict(graph.datasets[ref.dataset].properties).get("url")
    known = step_evidence(graph, parent, ref)
    return {
        **({"url": url} if url else {}),
        "evidence": list(known.sides),
        **({"saved_answer": known.saved} if known.saved else {}),
    }


def _print_consumers(write: Any, reached: list[Dataset]) -> None:
    """Print who owns each consumer, and where it is."""
    from airflow_lineage_provider.reports.line import Line

    told = [(one, ", ".join(one.owners), dict(one.properties).get("url", "")) for one in reached]
    if any(owners or url for _, owners, url in told):
        write()
        write(Line("Consumers", "bold"))
    for dataset, owners, url in told:
        if owners or url:
            write(Line(f"  {dataset.name}: {', '.join(filter(None, (owners, url)))}"))


def _children(found: Impact) -> Mapping[ColumnRef, list[ColumnRef]]:
    children: dict[ColumnRef, list[ColumnRef]] = {}
    for ref, (hops, parent) in found.nodes.items():
        if hops:
            children.setdefault(parent, []).append(ref)
    return children


def _print_tree(
    write: Any, graph: Graph, found: Impact, effects: Mapping[ColumnRef, Effect], arrow: str
) -> None:
    children = _children(found)
    observed = any(one.kind != DOCUMENTED for edge in graph.edges.values() for one in edge.provenance)
    for start in found.starts:
        for ref, depth in _preorder(children, start):
            line = _tree_line(graph, found, ref, depth, effects.get(ref), arrow)
            if depth and observed:
                line.add(f"  [{_step(graph, found, ref)}]", "dim")
            write(line)


def _step(graph: Graph, found: Impact, ref: ColumnRef) -> str:
    parent = found.nodes[ref][1]
    return str(step_evidence(graph, parent, ref) or step_evidence(graph, ref, parent))


def _preorder(
    children: Mapping[ColumnRef, list[ColumnRef]], start: ColumnRef
) -> Iterator[tuple[ColumnRef, int]]:
    stack = [(start, 0)]
    while stack:
        ref, depth = stack.pop()
        yield ref, depth
        stack += ((child, depth + 1) for child in reversed(children.get(ref, ())))


def _tree_line(
    graph: Graph, found: Impact, ref: ColumnRef, depth: int, effect: Effect | None, arrow: str
) -> Line:
    from airflow_lineage_provider.reports.line import Line

    dataset = graph.datasets[ref.dataset]
    indent = f"{'   ' * (depth - 1)}{arrow} " if depth else ""
    line = Line(indent, "dim").add(_name(ref), "bold" if dataset.kind in CONSUMERS else "not dim")
    line.add(_place(dataset), "dim")
    if depth and ref.column == EVERY_COLUMN and found.nodes[ref][1].column != EVERY_COLUMN:
        line.add("  by table", "yellow dim")
    edge = graph.column_edge(found.nodes[ref][1], ref) or graph.column_edge(ref, found.nodes[ref][1])
    expressions = [t.expression for t in edge.transformations if t.expression] if edge else []
    if expressions:
        line.add(f"  {expressions[0]}", "dim")
    return line.add(f"  {effect}", _EFFECTS[effect]) if effect else line


def _name(ref: ColumnRef) -> str:
    return ref.dataset if ref.column == EVERY_COLUMN else str(ref)


def _place(dataset: Dataset) -> str:
    return f" ({dataset.system})" if dataset.kind in CONSUMERS and dataset.system else ""

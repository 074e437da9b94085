"""Arrows as people draw them: `a + b → c (how)` on one line or over several, and edges in Mermaid."""

from __future__ import annotations

import html
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from airflow_lineage_provider.lineage_map.document.blocks import TextLine, plain, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_lineage_provider.lineage_map.document.blocks import Fence

_FORWARD = re.compile(r"-{1,2}>|={1,2}>|[→⟶➔➜⇒↦↓⇓]")
_BACK = re.compile(r"<-{1,2}(?!>)|[←⟵⇐]")
_EXPRESSION = re.compile(r"\w\(|\s(?:[*/+%<>=]|\|\|)\s")
_DOTTED = re.compile(r"[\w$-]+(?:\.[\w$-]+)+")
_MERMAID_LINE = re.compile(r"-{2,3}>?|={2,3}>?|-\.+->?")
_MERMAID_TEXT = re.compile(r"\|[^|]*\|")
_MERMAID_NODE = re.compile(r"([\w.-]+)\s*(?:@\{|[\[({>]+)?")


class Stop(NamedTuple):
    """A part of a path: its names, and what stands in parentheses behind them."""

    names: list[str]
    note: str = ""


class Path(NamedTuple):
    """The stops of a path, from source to target, and its first line."""

    number: int
    stops: list[Stop]


def calculates(text: str) -> bool:
    """Whether a text is an expression: it calls a function, or has an operator between blanks."""
    return bool(_EXPRESSION.search(text))


def has_arrow(text: str) -> bool:
    """Whether a line draws a path."""
    return bool(_FORWARD.search(text) or _BACK.search(text))


def without_arrows(text: str) -> str:
    """Return the text with entities for its arrows."""

    def entities(arrow: re.Match[str]) -> str:
        return "".join(part if part in "-=" else f"&#{ord(part)};" for part in arrow[0])

    return _BACK.sub(entities, _FORWARD.sub(entities, text))


def paths(lines: Iterable[TextLine]) -> Iterator[Path]:
    """Yield the paths that lines draw; a line that begins with an arrow goes on with the one before."""
    drawn: list[tuple[int, list[str]]] = []
    for line in lines:
        if drawn and _FORWARD.match(line.text.lstrip()):
            drawn[-1][1].append(line.text)
        elif line.text.strip():
            drawn.append((line.number, [line.text]))
    for number, texts in drawn:
        if stops := [one for one in _stops("\n".join(texts)) if one.names]:
            yield Path(number, stops)


class Link(NamedTuple):
    """A step of a chain: what it is, what the arrow before it says, and whether an arrow leads to it."""

    number: int
    name: str
    how: str
    joined: bool


def links(lines: Iterable[TextLine]) -> Iterator[Link]:
    """Yield the steps that lines draw: names, and between them arrows that may say how, in parentheses."""
    how, joined = "", False
    for line in lines:
        parts = _FORWARD.split(line.text)
        if not parts[0].strip():
            how, joined = parts.pop(0), True
        for part in parts:
            text = part.strip()
            if not text or text.startswith(("(", "[")) or (joined and text.endswith(":")):
                how, joined = text, True
                continue
            name, note = (text, "") if text.endswith("`") or how else split_note(text)
            yield Link(line.number, name, how or note, joined)
            how, joined = "", len(parts) > 1 and part is not parts[-1]


def fenced_lines(fence: Fence) -> list[TextLine]:
    """Return the lines of a fenced block that are not blank."""
    numbered = enumerate(fence.text.split("\n"), fence.number)
    return [TextLine(number, text.strip()) for number, text in numbered if text.strip()]


def _stops(text: str) -> list[Stop]:
    back = _BACK.search(text)
    if back and not _FORWARD.search(text):
        return [stop(part) for part in reversed(_BACK.split(text)) if part.strip()]
    return [stop(part) for part in _FORWARD.split(text) if part.strip()]


def stop(text: str) -> Stop:
    """Read one part of a path: names in backticks, else names with `+` or commas between them."""
    named, note = split_note(text)
    if exact := quoted(named):
        return Stop(exact, note)
    dotted = _DOTTED.findall(named)
    if len(dotted) == 1 and "://" not in named and len(named.split()) <= 3:  # noqa: PLR2004 - "loaded to x.y"
        return Stop(dotted, note)
    return Stop([name for part in re.split("[+,]", named) if (name := plain(part))], note)


def split_note(text: str) -> tuple[str, str]:
    """Return a text without what stands in parentheses at its end, and that."""
    text = text.strip()
    depth = 0
    for at in range(len(text) - 1, -1, -1) if text.endswith(")") else ():
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if not depth:
            return text[:at].rstrip(), plain(text[at + 1 : -1])
    return text, ""


def mermaid_edges(fence: Fence) -> Iterator[tuple[int, str, str]]:
    """Yield line, source and target of each edge of a Mermaid flowchart, by the labels of its nodes."""
    labels: dict[str, str] = {}
    found: list[tuple[int, list[list[str]]]] = []
    for line in fenced_lines(fence):
        parts = _MERMAID_LINE.split(_MERMAID_TEXT.sub("", line.text))
        found.append((line.number, [_nodes(part, labels) for part in parts]))
    for number, groups in found:
        for sources, targets in pairwise(groups):
            for source in sources:
                yield from ((number, labels.get(source, source), labels.get(t, t)) for t in targets)


def _nodes(text: str, labels: dict[str, str]) -> list[str]:
    """Return the nodes of `a[label] & b`, and note their labels."""
    names = []
    for part in text.split("&") if '"' not in text else [text]:
        node = _MERMAID_NODE.match(part.strip())
        if node is None:
            continue
        names.append(node[1])
        label = part.strip()[node.end() :].rstrip("])}; ").strip('"/\\')
        if label:
            labels[node[1]] = html.unescape(label)
    return names

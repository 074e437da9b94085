"""Change keys of a map's text and leave every other line as it is: its comments, order and quoting stay.

The places of keys and values come from the YAML parser; what is written is on one line. A list that stands on
several lines keeps them, and only items that are new or gone change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem
from airflow_lineage_provider.lineage_map.yaml_text import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Path: TypeAlias = tuple[str | int, ...]
Node: TypeAlias = Any
"""A yaml.Node; the stubs lack the attributes of its subclasses."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Edit:
    """Set the value at a path of keys, or remove the last key of the path.

    A path may go through the items of a list by their numbers; it ends at a key.
    """

    path: Path
    value: Any = None
    remove: bool = False


@dataclass(frozen=True, slots=True, order=True)
class _Splice:
    start: int
    end: int
    text: str


def edited(text: str, edits: Iterable[Edit], file: str = "") -> str:
    """Return the text of a map after edits, of which no path may lie below another's.

    A value is text, None, or a list or dict of values. Keys that are not there are added after the last one
    of their mapping. Raises MapError for text that is not a map, and for a path that is not one of mappings.
    """
    parse_yaml(text, file)  # what it accepts has no anchors, tags and duplicate keys
    root = yaml.compose(text, Loader=_Loader)
    editor = _Editor(text, file)
    for splice in sorted(editor.splices(root, _tree(edits)), reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text


def _tree(edits: Iterable[Edit]) -> dict[Any, Any]:
    """Return the edits as a tree of keys."""
    tree: dict[Any, Any] = {}
    for edit in edits:
        level = tree
        for key in edit.path[:-1]:
            level = level.setdefault(key, {})
        level[edit.path[-1]] = edit
    return tree


class _Editor:
    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file

    def splices(self, mapping: Node, tree: dict[Any, Any]) -> Iterator[_Splice]:
        known = {key.value: (key, value) for key, value in mapping.value}
        gone = {k for k, part in tree.items() if isinstance(part, Edit) and part.remove and k in known}
        new = {k: _plain(part) for k, part in tree.items() if k not in known and not _is_removal(part)}
        for name, part in tree.items():
            if name not in known or name in gone:
                continue
            key, value = known[name]
            if isinstance(part, Edit):
                yield from self.replaced(key, value, part.value)
            elif isinstance(value, yaml.MappingNode):
                yield from self.splices(value, part)
            elif all(isinstance(number, int) for number in part):
                yield from self.in_items(value, part)
            elif value.value == "" and not value.style:
                yield from self.replaced(key, value, _plain(part))
            else:
                message = f"{name!r:.60} must be a mapping here to be changed; write it as one"
                raise MapError([MapProblem(self.file, key.start_mark.line + 1, 1, message)])
        if gone and gone == known.keys() and not new:
            yield _Splice(mapping.start_mark.index, _end(mapping), "{}")
            return
        for name in gone:
            yield self.without(mapping, *known[name])
        if new:
            yield self.inserted(mapping, new)

    def in_items(self, sequence: Node, tree: dict[int, Any]) -> Iterator[_Splice]:
        for number, part in tree.items():
            yield from self.splices(sequence.value[number], part)

    def replaced(self, key: Node, value: Node, new: Any) -> Iterator[_Splice]:
        if isinstance(value, yaml.SequenceNode) and isinstance(new, str | list) and new and value.value:
            names = [new] if isinstance(new, str) else new
            if not value.flow_style:
                yield from self.items(value, names)
                return
            if "\n" in self.text[value.start_mark.index : value.end_mark.index]:
                yield from self.flow_items(value, names)
                return
        start = self.text.index(":", _end(key)) + 1
        end = max(start, _end(value))
        yield _Splice(start, end, "" if new is None else f" {_one_line(new)}")

    def items(self, sequence: Node, new: list[Any]) -> Iterator[_Splice]:
        """Yield what changes of a list on several lines."""
        old = [_data(item) for item in sequence.value]
        if len(new) == len(old):
            for item, was, now in zip(sequence.value, old, new, strict=True):
                if was != now:
                    yield _Splice(item.start_mark.index, _end(item), _one_line(now))
            return
        for item, data in zip(sequence.value, old, strict=True):
            if data not in new:
                yield self.lines(item.start_mark.index, _end(item))
        indent = " " * (sequence.value[0].start_mark.column - 2)
        added = [f"{indent}- {_one_line(item)}\n" for item in new if item not in old]
        if added:
            at = self.next_line(_end(sequence.value[-1]))
            yield _Splice(at, at, self.on_new_line(at) + "".join(added))

    def flow_items(self, sequence: Node, new: list[Any]) -> Iterator[_Splice]:
        """Yield what changes of a list in brackets on several lines, which may have comments."""
        nodes, old = sequence.value, [_data(item) for item in sequence.value]
        for number, data in enumerate(old):
            if data not in new:
                yield self.flow_item(nodes[number])
        added = [item for item in new if item not in old]
        if added:
            at = nodes[-1].start_mark.index if old[-1] in new else sequence.start_mark.index + 1
            text = "".join(f"{_one_line(item)}, " for item in added)
            yield _Splice(at, at, text)

    def flow_item(self, item: Node) -> _Splice:
        """Remove an item of a list in brackets with its comma, and its line where it stands alone."""
        start, end = item.start_mark.index, _end(item)
        comma = re.compile(r"[ \t]*,").match(self.text, end)
        end = comma.end() if comma else end
        line = self.lines(start, end)
        alone = not self.text[line.start : start].strip() and not self.text[end : line.end].strip()
        return line if alone else _Splice(start, end, "")

    def without(self, mapping: Node, key: Node, value: Node) -> _Splice:
        start, end = key.start_mark.index, max(_end(key) + 1, _end(value))
        if not mapping.flow_style:
            return self.lines(start, end)
        pairs = mapping.value
        number = next(n for n, pair in enumerate(pairs) if pair[0] is key)
        if number + 1 < len(pairs):
            return _Splice(start, pairs[number + 1][0].start_mark.index, "")
        return _Splice(_end(pairs[number - 1][1]), end, "")

    def inserted(self, mapping: Node, new: dict[str, Any]) -> _Splice:
        if mapping.flow_style:
            at = mapping.end_mark.index - 1
            text = _one_line(new)[1:-1]
            return _Splice(at, at, f", {text}" if mapping.value else text)
        indent = " " * mapping.value[0][0].start_mark.column
        last_key, last_value = mapping.value[-1]
        at = self.next_line(max(_end(last_key) + 1, _end(last_value)))
        lines = "".join(f"{indent}{_entry(name, value)}\n" for name, value in new.items())
        return _Splice(at, at, self.on_new_line(at) + lines)

    def lines(self, start: int, end: int) -> _Splice:
        """Remove the lines that a part stands on."""
        return _Splice(self.text.rfind("\n", 0, start) + 1, self.next_line(end), "")

    def next_line(self, at: int) -> int:
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found + 1

    def on_new_line(self, at: int) -> str:
        return "" if at == 0 or self.text[at - 1] == "\n" else "\n"


def _is_removal(part: Any) -> bool:
    return isinstance(part, Edit) and part.remove


def _plain(part: Any) -> Any:
    """Return the value that a part of the tree adds."""
    if isinstance(part, Edit):
        return part.value
    return {key: _plain(value) for key, value in part.items() if not _is_removal(value)}


def _data(node: Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key.value: _data(value) for key, value in node.value}
    return [_data(item) for item in node.value] if isinstance(node, yaml.SequenceNode) else node.value


def _end(node: Node) -> int:
    """Return where a node's text ends; the parser's mark of a block is after the blank lines behind it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return max(map(_end, last)) if isinstance(last, tuple) else _end(last)
    return int(node.end_mark.index)


def _entry(name: str, value: Any) -> str:
    return _one_line({name: value})[1:-1].removesuffix(" null")


def _one_line(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.dump(
        value, Dumper=_OneLine, default_flow_style=True, allow_unicode=True, sort_keys=False, width=1 << 30
    )
    return text.removesuffix("\n").removesuffix("\n...")


class _OneLine(yaml.SafeDumper):
    """Writes None as null, and each text so that it is read as text on one line, as a key too."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class's signature
        """Never write an anchor."""
        return True

    def check_simple_key(self) -> bool:
        """Write a long key as any other; by default it stands behind a question mark."""
        return isinstance(self.event, yaml.ScalarEvent) or super().check_simple_key()


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_OneLine.add_representer(str, _represent_text)
_OneLine.add_representer(
    type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", "null")
)

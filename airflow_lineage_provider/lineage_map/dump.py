"""A map as YAML that `parse_map` reads back unchanged; values that are defaults are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from airflow_lineage_provider.lineage_map.model import Map

_NEVER_FOLD = 1 << 30
"""A folded line could begin with a name that a CI runner takes for a command."""
_COLUMN_PLACES = frozenset({"columns", "fields", "features"})
_ON_ONE_LINE = _COLUMN_PLACES | {"tables", "datasets", "bindings"}
"""Places whose entries stand on one line where they are short."""
_SHORT = 90


def dump_map(content: Map) -> str:
    """Return the YAML text of a map, in its shorthand."""
    data = content.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    short = _short({"document": {}, **data})
    text = yaml.dump(short, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_NEVER_FOLD)
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text).replace("##", r"#\x23")


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if character <= "\uffff" else f"\\U{ord(character):08x}"


class _Dumper(yaml.SafeDumper):
    """Writes None as an empty value and repeats equal values, because a map has no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class's signature
        """Never write an anchor."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Quote text that is not printable or a CI runner's command, so that the quotes can hold it escaped."""
    style = None if text.isprintable() and not text.startswith("::") and "##" not in text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


class _Line:
    """A list or mapping that is written on one line."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


def _represent_line(dumper: yaml.SafeDumper, line: _Line) -> Any:
    node: Any = dumper.represent_data(line.value)
    node.flow_style = True
    return node


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(_Line, _represent_line)
_Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", ""))


def _short(value: Any, place: str = "") -> Any:
    if isinstance(value, dict):
        short = {key: _short(part, key) for key, part in value.items()}
        if place in _COLUMN_PLACES:
            short = {name: _short_column(column) for name, column in short.items()}
        return {n: _line(part) or None for n, part in short.items()} if place in _ON_ONE_LINE else short
    if isinstance(value, list):
        items = [_short(item) for item in value]
        if place == "from" and len(items) == 1 and isinstance(items[0], str):
            return items[0]
        if place in _ON_ONE_LINE:
            return [_line(item) for item in items]
        return _line(items) if all(isinstance(item, str) for item in items) else items
    return value


def _short_column(column: dict[str, Any]) -> Any:
    if not column:
        return None
    return column["from"] if column.keys() == {"from"} and isinstance(column["from"], str) else column


def _line(value: Any) -> Any:
    """Return a list or mapping to be written on one line where it is flat and short; else as it is."""
    parts = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    flat = bool(parts) and all(part == [] or isinstance(part, str | bool | _Line) for part in parts)
    return _Line(value) if flat and len(str(value)) <= _SHORT else value

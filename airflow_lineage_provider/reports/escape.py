"""Escape names for each kind of output.

Names come from maps, events and warehouses, so they may hold terminal control sequences, bidirectional
overrides, line breaks in front of a CI command, or markup. Whatever prints a name passes it through one of
these functions: `one_line` or `lines` for terminals and logs, `markdown_text` or `markdown_code`,
`json_text`, `symbols` for HTML and XML.
"""

from __future__ import annotations

import json
import re
from typing import Any

_JOINERS = "\u200c\u200d\u00a0"
"""Characters that are not printable, but belong to words of several scripts and to emoji."""
_LOGGING_COMMAND = re.compile(r"#(?=#(?:vso|teamcity)?\[)")
_COMMAND = re.compile(rf"(^\s*):(?=:)|{_LOGGING_COMMAND.pattern}")
"""Commands of CI runners in a log: `::` at the start of a line, `##[`, `##vso[`, `##teamcity[` anywhere."""
_MARKUP = re.compile(r"[\\`*\[\]!>|~]")


def one_line(text: str) -> str:
    r"""Return text for one line of a terminal or a log: `\x1b` for an escape character, `\n` for a line feed.

    All characters that Unicode does not call printable are written so: C0 and C1 controls, bidirectional and
    other invisible format characters, lone surrogates. A command of a CI runner is escaped too.
    """
    if not text.isprintable():
        text = "".join(map(_escaped, text))
    return _COMMAND.sub(_disarmed, text)


def lines(text: str) -> str:
    """Return text of several lines for a terminal or a log, each as `one_line` returns it."""
    return "\n".join(map(one_line, text.split("\n")))


def markdown_text(text: str) -> str:
    """Return text for a line or a table cell of Markdown: no link, image, HTML, mention or other cell."""
    escaped = _MARKUP.sub(r"\\\g<0>", one_line(text).replace("&", "&amp;").replace("<", "&lt;"))
    return escaped.replace("@", "@&#8203;").replace("#", "#&#8203;")  # GitHub looks for mentions in the text


def markdown_code(text: str) -> str:
    """Return text as a code span, in which only backticks and a table's pipes mean anything."""
    return f"`{one_line(text).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def json_text(data: Any, indent: int | None = None) -> str:
    """Return data as JSON; inside its strings, what is not printable is escaped."""
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    printed = (line if line.isprintable() else "".join(map(_json_escaped, line)) for line in text.split("\n"))
    return _LOGGING_COMMAND.sub(r"\\u0023", "\n".join(printed))


def symbols(text: str) -> str:
    """Return text for HTML or XML: a picture for each C0 control, U+FFFD for what else is not printable.

    Line feeds and tabs stay.
    """
    return "".join(_symbol(character) for character in text)


def _escaped(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return character.encode("unicode_escape").decode("ascii")


def _disarmed(command: re.Match[str]) -> str:
    return f"{command[1] or ''}{chr(92)}x{ord(command[0][-1]):02x}"


def _json_escaped(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return json.dumps(character)[1:-1] if character > "\x9f" else f"\\u{ord(character):04x}"


def _symbol(character: str) -> str:
    if character.isprintable() or character in _JOINERS or character in "\n\t":
        return character
    if character < " ":
        return chr(0x2400 + ord(character))
    return "\u2421" if character == "\x7f" else "\ufffd"

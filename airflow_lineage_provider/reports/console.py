"""The console of text reports: coloured on a terminal, plain text in a pipe or a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from rich.console import Console

WIDTH = 100


def console_for(stream: TextIO) -> Console:
    """Return a console that writes to the stream and never wraps a line."""
    from rich.console import Console

    terminal = stream.isatty()
    return Console(
        file=stream,
        width=None if terminal else WIDTH,
        no_color=not terminal or None,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=True,
    )

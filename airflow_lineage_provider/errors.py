"""The base class of the errors that are expected.

A message is one line: what happened, where (file, line, connection, node), and what to do. The command line
and the operators print it without a traceback. Any other exception is a bug in this package and keeps its
traceback.
"""

from __future__ import annotations


class LineageError(Exception):
    """Something that this package expects to go wrong: bad input, a missing file, a store that is away."""


class InputError(LineageError):
    """An argument, an option or a setting that cannot be used."""

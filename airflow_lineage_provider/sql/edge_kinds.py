"""The kinds of an edge from source to field, and how the kinds of two steps combine.

The kinds of all paths from a source to a field are the bits of one int, so that following a column through a
CTE is one table lookup. The low five bits are the kinds, the next five the same kinds masked.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.model import Subtype

if TYPE_CHECKING:
    from collections.abc import Iterator

IDENTITY, TRANSFORMATION, AGGREGATION, CONDITIONAL, WINDOW = range(5)
MASKED = 8  # added to a context under a hash function
KINDS = 5

_SUBTYPES = (
    Subtype.IDENTITY,
    Subtype.TRANSFORMATION,
    Subtype.AGGREGATION,
    Subtype.CONDITIONAL,
    Subtype.WINDOW,
)
COPY = 1 << IDENTITY  # the edge of a base table's column to itself


def deepen(context: int, kind: int) -> int:
    """Return the context inside a node of a `kind` (an aggregate, say) that is itself in `context`.

    CONDITIONAL and WINDOW stay as they are: computation inside them does not change the kind.
    """
    outer = context & 7
    return context if outer >= CONDITIONAL else (context & MASKED) | max(outer, kind)


@cache
def through(context: int, edges: int) -> int:
    """Return the edges of a field used in `context`, given its own."""
    outer, masked = context & 7, bool(context & MASKED)
    result = 0
    for bit in range(2 * KINDS):
        if edges >> bit & 1:
            inner, inner_masked = bit % KINDS, bit >= KINDS
            kind = outer if outer >= CONDITIONAL or (inner < CONDITIONAL and outer > inner) else inner
            result |= 1 << (kind + KINDS * (masked or inner_masked))
    return result


@cache
def subtypes(edges: int) -> tuple[tuple[Subtype, bool], ...]:
    """Return the (subtype, masking) pairs of an edge.

    IDENTITY is left out where the value is also transformed. Masking is true where all paths are masked.
    """
    return tuple(_subtypes(edges))


def _subtypes(edges: int) -> Iterator[tuple[Subtype, bool]]:
    plain, masked = edges & 31, edges >> KINDS
    every = plain | masked
    for kind, subtype in enumerate(_SUBTYPES):
        if every >> kind & 1 and not (kind == IDENTITY and every & 0b110):
            yield subtype, not plain >> kind & 1

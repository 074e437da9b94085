"""How the kinds of two steps combine into one: the algebra of edges.

The kinds of the ways on which a source reaches a field are bits of one int, so that following a column
through a CTE is one table lookup. The low five bits are the kinds, the next five the same kinds masked.
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
    """Return the context of what stands inside a `kind` (an aggregate, say) within `context`.

    What decides (CASE, PARTITION BY) stays what it is, however much is computed inside it.
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
    """Return the (subtype, masking) pairs of an edge; IDENTITY only where nothing computes with the value.

    Masked only where no way is unmasked.
    """
    return tuple(_subtypes(edges))


def _subtypes(edges: int) -> Iterator[tuple[Subtype, bool]]:
    plain, masked = edges & 31, edges >> KINDS
    every = plain | masked
    for kind, subtype in enumerate(_SUBTYPES):
        if every >> kind & 1 and not (kind == IDENTITY and every & 0b110):
            yield subtype, not plain >> kind & 1

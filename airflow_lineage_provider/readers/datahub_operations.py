"""How a column is made, as the text that DataHub keeps of a column edge (`transformOperation`).

This package writes a line for each transformation, by its kind in OpenLineage's terms:

    airflow-lineage DIRECT:AGGREGATION SUM(order_amount)

DataHub's OpenLineage endpoint writes `-- DIRECT:AGGREGATION,INDIRECT:FILTER` above the SQL, and its SQL
parser `COPY: ...` or `SQL: ...`. All three are read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph import Transformation

if TYPE_CHECKING:
    from collections.abc import Sequence

PRODUCER = "airflow-lineage"
_LINE = re.compile(
    rf"{PRODUCER} (?P<type>DIRECT|INDIRECT)(?::(?P<subtype>\w+))?"
    r"(?P<assumed> !assumed)?(?P<masking> !masking)?"
    r"(?: (?P<expression>.*))?"
)
_KIND = re.compile(r"(DIRECT|INDIRECT)(?::(\w+))?")


def operation_text(transformations: Sequence[Transformation]) -> str:
    """Return the text of a column edge; without transformations only who wrote it."""
    return "\n".join(map(_line, transformations)) or PRODUCER


def is_own(operation: str | None) -> bool:
    """Return whether this package wrote a column edge."""
    return (operation or "").partition(" ")[0].partition("\n")[0] == PRODUCER


def read_operation(text: str | None) -> tuple[Transformation, ...]:
    """Return the transformations of a column edge; none where the text does not say."""
    if not text or text == PRODUCER:
        return ()
    if is_own(text):
        return tuple(_own(found) for line in text.split("\n") if (found := _LINE.fullmatch(line)))
    head, _, rest = text.partition("\n")
    if head.startswith("-- "):
        return tuple(Transformation(kind, subtype or "") for kind, subtype in _KIND.findall(head))
    word, colon, rest = text.partition(":")
    if colon and word == "COPY":
        return (Transformation(subtype="IDENTITY"),)
    if colon and word == "SQL":
        return (Transformation(expression=rest.strip()),)
    return ()


def _line(made: Transformation) -> str:
    subtype = f":{made.subtype}" if made.subtype else ""
    flags = " !assumed" * made.assumed + " !masking" * made.masking
    expression = made.expression.replace("\\", "\\\\").replace("\n", "\\n")
    return f"{PRODUCER} {made.type}{subtype}{flags}" + (f" {expression}" if expression else "")


def _own(found: re.Match[str]) -> Transformation:
    expression = re.sub(r"\\(.)", lambda c: "\n" if c[1] == "n" else c[1], found["expression"] or "")
    return Transformation(
        found["type"],
        found["subtype"] or "",
        expression,
        masking=bool(found["masking"]),
        assumed=bool(found["assumed"]),
    )

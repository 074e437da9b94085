"""Lineage of each fixture against the lineage derived by hand. See fixtures/README.md."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from airflow_lineage_provider.sql import Subtype, column_lineage
from airflow_lineage_provider.sql.expressions import same_expression

HERE = Path(__file__).parent / "fixtures"
SHOP = json.loads((HERE / "shop.json").read_text())
LETTERS = {
    Subtype.IDENTITY: "I",
    Subtype.TRANSFORMATION: "T",
    Subtype.AGGREGATION: "A",
    Subtype.CONDITIONAL: "C",
    Subtype.WINDOW: "W",
}


@dataclass
class Case:
    name: str
    exact: bool  # compare output names case-sensitively
    sql: str = ""
    columns: dict = field(default_factory=dict)
    indirect: dict = field(default_factory=dict)
    expressions: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)
    reads: list | None = None
    writes: str | None = None

    @property
    def options(self):
        found = re.search(r"\[(.*)\]$", self.name)
        return [o.strip() for o in found[1].split(",")] if found else []

    @property
    def dialect(self):
        return next((o for o in self.options if o != "no schema"), "")

    @property
    def schema(self):
        return {} if "no schema" in self.options else SHOP


def read(text, *, exact):
    for block in re.split(r"\n\s*\n", text.strip()):
        first, *rest = block.splitlines()
        case = Case(first.removeprefix("-- "), exact=exact)
        for line in rest:
            if not line.startswith("-- "):
                case.sql += line + "\n"
                continue
            mark, _, body = line.removeprefix("-- ").partition(" ")
            if mark == ">":
                out, _, sources = body.partition(":")
                case.columns[out] = dict(s.rsplit(" ", 1) for s in sources.strip().split(", ") if s)
            elif mark == "&":
                subtype, _, sources = body.partition(" ")
                case.indirect[subtype] = set(sources.split(", "))
            elif mark == "=":
                out, _, expression = body.partition(": ")
                case.expressions[out] = expression
            elif mark == "!":
                case.problems.append(body)
            elif mark == "reads":
                case.reads = sorted(filter(None, body.split(", ")))
            elif mark == "writes":
                case.writes = body
            else:
                raise ValueError(line)
        yield case


CASES = [
    pytest.param(case, id=f"{path.stem}: {case.name}")
    for path in sorted(HERE.glob("*.sql"))
    for case in read(path.read_text(), exact=path.stem == "names")
]


def kinds(sources):
    found = {}
    for source in sources:
        letter = LETTERS[source.subtype] + ("*" if source.masking else "")
        found.setdefault(f"{source.table}.{source.column}", set()).add(letter)
    return {column: "".join(sorted(letters, key="ICTAW".find)) for column, letters in found.items()}


def normal(kind):
    return "".join(sorted(re.findall(r"\w\*?", kind), key=lambda k: "ICTAW".find(k[0])))


@pytest.mark.parametrize("case", CASES)
def test_statement(case):
    lineage = column_lineage(case.sql, dialect=case.dialect, schema=case.schema)

    fold = str if case.exact else str.lower
    got = {fold(c.name): kinds(c.sources) for c in lineage.columns}
    assert got == {fold(o): {c: normal(k) for c, k in s.items()} for o, s in case.columns.items()}
    indirect = {}
    for source in lineage.indirect:
        indirect.setdefault(source.subtype.value, set()).add(f"{source.table}.{source.column}")
    assert indirect == case.indirect
    for output, text in case.expressions.items():
        made = next(c.expression for c in lineage.columns if c.name.lower() == output.lower())
        assert same_expression(made, text, case.dialect), made
    problems = [str(p) for p in lineage.problems]
    assert bool(problems) == bool(case.problems), problems
    assert all(any(text in p for p in problems) for text in case.problems), problems
    if case.reads is not None:
        assert sorted(map(str, lineage.reads)) == case.reads
    if case.writes is not None:
        assert str(lineage.writes) == case.writes


def test_there_are_many():
    assert len(CASES) > 150

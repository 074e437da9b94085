"""The quality checks that a map documents against those that ran, or that a dbt project has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from airflow_lineage_provider.graph import Code, Finding
from airflow_lineage_provider.readers.evidence import Checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_lineage_provider.graph import Provenance
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.readers import Evidence

_KIND = re.compile(r"unique|relationships|[a-z]+(?:_[a-z0-9]+)+")
_EXPECTATION = "expect_"
_MOST = 3


class _Documented(NamedTuple):
    check: Checked
    column: str
    where: Provenance

    def __str__(self) -> str:
        return f"{self.check.kind} of {self.check.dataset}{f'.{self.column}' if self.column else ''}"


def check_findings(
    lineage_map: LineageMap, evidence: Evidence, covered: Callable[[str], bool]
) -> Iterator[Finding]:
    """Yield a finding for each documented check that the datasets in scope do not have.

    What a check found is not compared: a test that fails is there. dbt's tests and the expectations of Great
    Expectations are held apart: where none of a sort ran at all, one finding says so of all of them.
    """
    wanted = [
        one
        for one in _documented(lineage_map)
        if covered(one.check.dataset)
        and one.check.dataset in evidence.graph.datasets
        and one.check.dataset not in evidence.unchecked
    ]
    for expectations, tool in ((True, "Great Expectations"), (False, "dbt")):
        of_tool = [one for one in wanted if one.check.kind.startswith(_EXPECTATION) is expectations]
        known = {one.kind.startswith(_EXPECTATION) for one in evidence.checked}
        missing = [one for one in of_tool if one.check not in evidence.checked]
        if expectations in known or (evidence.is_plan and not expectations):
            yield from (_missing(one, evidence) for one in missing)
        elif missing and not evidence.is_plan:
            some = ", ".join(map(str, missing[:_MOST]))
            more = f" and {len(missing) - _MOST} more" if missing[_MOST:] else ""
            message = f"{len(missing)} documented checks of {tool} did not run: {some}{more}"
            yield Finding(Code.CHECK_NOT_RUN, tool, message, (missing[0].where,))


def _missing(documented: _Documented, evidence: Evidence) -> Finding:
    check = documented.check
    subject = f"{check.dataset}.{documented.column}" if documented.column else check.dataset
    there = sorted(one.kind for one in evidence.checked if one[:2] == check[:2])
    found = f"checked by {', '.join(there)} only" if there else "not checked"
    return Finding(
        Code.CHECK_MISSING,
        subject,
        f"{subject} is documented to be checked by {check.kind}, and it is {found}",
        (documented.where,),
        evidence.graph.datasets[check.dataset].provenance,
        was=check.kind,
        now=", ".join(there),
    )


def _documented(lineage_map: LineageMap) -> Iterator[_Documented]:
    for layer, part in lineage_map.content.layers.items():
        for name, table in part.tables.items():
            dataset, path = f"{layer}.{name}", ("layers", layer, "tables", name)
            where = lineage_map.where(*path)
            for kind in filter(_KIND.fullmatch, table.checks):
                yield _Documented(Checked(dataset, "", kind), "", where)
            for column, details in table.columns.items():
                for kind in filter(_KIND.fullmatch, details.checks):
                    where = lineage_map.where(*path, "columns", column)
                    yield _Documented(Checked(dataset, column.casefold(), kind), column, where)

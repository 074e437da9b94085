"""Whether the bindings of a map apply: to its documented datasets, and to what was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.graph import Code, Finding
from airflow_lineage_provider.lineage_map import MapError, MapProblem, bindings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.graph import Graph
    from airflow_lineage_provider.lineage_map import LineageMap


def binding_findings(lineage_map: LineageMap) -> Iterator[Finding]:
    """Yield the environments that bind no table, and the names that two datasets are bound to.

    A map without environments cannot be compared with a run.
    """
    content = lineage_map.content
    tables = [f"{layer}.{table}" for layer in content.layers for table in content.layers[layer].tables]
    if not content.environments and tables:
        message = "the map has no `environments`: their bindings say what its datasets are called in a run"
        yield Finding(Code.NO_ENVIRONMENTS, "environments", message, (lineage_map.where("layers"),))
    for environment in content.environments:
        bindings = bindings_of(lineage_map, environment)
        where = (lineage_map.where("environments", environment),)
        if tables and not any(map(bindings.binds, tables)):
            message = f"no binding of {environment!r} fits a table of the map, such as {tables[0]}"
            yield Finding(Code.NO_BINDINGS, environment, message, where)
        for name, datasets in bindings.ambiguous():
            message = f"{environment} binds {' and '.join(datasets)} to one name: {name}"
            yield Finding(Code.AMBIGUOUS_BINDING, datasets[0], message, where)


def require_bindings(
    lineage_map: LineageMap, expected: Graph, observed: Graph, environment: str | None
) -> None:
    """Raise MapError where not one of the observed datasets has the name of a documented one.

    The cause is the environment or its bindings, and one error says more than a finding for each dataset.
    """
    names = observed.datasets.keys()
    if not names or not names.isdisjoint(expected.datasets):
        return
    example = next(iter(observed.edges), (next(iter(names)),))[-1]
    known = lineage_map.content.environments
    path: tuple[str, ...] = ("environments",)
    if not known:
        cause = "the map has no `environments`; add one whose bindings name the datasets of a run"
        path = ("document",)
    elif environment is None:
        cause = f"no binding of the environments {', '.join(known)} fits; correct `namespace` and `name`"
    else:
        cause = f"no binding of the environment {environment!r} fits; correct `namespace` and `name`"
        path = ("environments", environment)
    message = f"none of the {len(names)} datasets observed is documented, such as {example}: {cause}"
    where = lineage_map.where(*path)
    raise MapError([MapProblem(where.file, where.line, 1, message)])

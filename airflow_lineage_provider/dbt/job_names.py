"""The names of the jobs that a project's nodes are, unique within the project.

A node that makes a relation is `<schema>.<alias>`, such as `silver.stg_orders`. A test is
`<schema of its first input>.<name>`, such as `silver.unique_stg_orders_order_id`, and the freshness check
of a source `<schema>.<identifier>.freshness`. Where that is the name of several nodes of the project:

- of relations that share schema and alias, each gets its database in front: `raw.main.orders`;
- another node gets its resource type behind: `main.orders.test`, then its database in front as well;
- what is still not unique is named by its unique id: `test.shop.orders`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True, slots=True)
class JobParts:
    """The parts of a node's job name; `database` and `schema` are those of its first input for a test."""

    unique_id: str
    resource_type: str
    database: str | None
    schema: str | None
    name: str
    makes_relation: bool


def job_names(nodes: Iterable[JobParts]) -> dict[str, str]:
    """Return the job name of each node by its unique id."""
    found: dict[str, str] = {}
    everything = list(nodes)
    relations = [node for node in everything if node.makes_relation]
    others = [node for node in everything if not node.makes_relation]
    for spelled in (_short, _with_database, _unique_id):
        relations = _take(relations, spelled, found)
    for spelled in (_short, _with_type, _with_database_and_type, _unique_id):
        others = _take(others, spelled, found)
    return found


def _take(nodes: list[JobParts], spelled: Callable[[JobParts], str], found: dict[str, str]) -> list[JobParts]:
    """Give a name to each node that is alone with it; return the other nodes."""
    names = {node.unique_id: spelled(node) for node in nodes}
    counts = Counter((*names.values(), *found.values()))
    alone = {unique_id: name for unique_id, name in names.items() if counts[name] == 1}
    found |= alone
    return [node for node in nodes if node.unique_id not in alone]


def _short(node: JobParts) -> str:
    return _joined(node.schema, node.name)


def _with_database(node: JobParts) -> str:
    return _joined(node.database, node.schema, node.name)


def _with_type(node: JobParts) -> str:
    return _joined(node.schema, node.name, node.resource_type)


def _with_database_and_type(node: JobParts) -> str:
    return _joined(node.database, node.schema, node.name, node.resource_type)


def _unique_id(node: JobParts) -> str:
    return node.unique_id


def _joined(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)

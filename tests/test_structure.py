"""The package's structure: no import circle, short modules and functions, one class for each name.

`python tests/test_structure.py` prints lines of each room without docstrings, and lengths of functions.
"""

import ast
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median, quantiles

import networkx as nx
import pytest

NAME = "airflow_lineage_provider"
ROOT = Path(__file__).parents[1]
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
# The package offers OutboxTransport under a short path, and imports it when it is asked for.
SHORT_PATH = (NAME, f"{NAME}.store.transport")


@dataclass(frozen=True)
class Module:
    """A module of the package; its name is dotted."""

    name: str
    text: str

    @cached_property
    def tree(self):
        return ast.parse(self.text)

    @property
    def room(self):
        return self.name.split(".")[1] if "." in self.name else "."

    def imports(self):
        """Yield what is imported from the package, in functions and under TYPE_CHECKING too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name} has a relative import"
                for imported in node.names:
                    yield f"{node.module}.{imported.name}", node.module
            elif isinstance(node, ast.Import):
                for imported in node.names:
                    yield imported.name, imported.name

    def functions(self):
        return [node for node in ast.walk(self.tree) if isinstance(node, FUNCTION)]

    def public_classes(self):
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name

    def lines_without_docstrings(self):
        docstrings = set()
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTION)):
                for statement in filter(is_string, node.body):
                    docstrings.update(range(statement.lineno, statement.end_lineno + 1))
        return len(self.text.splitlines()) - len(docstrings)


def is_string(statement):
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def read_package():
    modules = []
    for file in sorted(set((ROOT / NAME).rglob("*.py")) - set((ROOT / NAME).glob("ui/node_modules/**/*.py"))):
        parts = file.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules.append(Module(name, file.read_text(encoding="utf-8")))
    return modules


PACKAGE = read_package()


def import_graph(modules):
    names = {module.name for module in modules}
    graph = nx.DiGraph()
    for module in modules:
        for candidates in module.imports():
            imported = next((name for name in candidates if name in names), None)
            if imported and imported != module.name and (module.name, imported) != SHORT_PATH:
                graph.add_edge(module.name, imported)
    return graph


def length(node):
    return node.end_lineno - node.lineno + 1


def test_no_modules_import_each_other_in_a_circle():
    circles = [sorted(c) for c in nx.strongly_connected_components(import_graph(PACKAGE)) if len(c) > 1]
    assert circles == []


def test_a_circle_of_lazy_imports_is_found():
    first = Module("p.a", "def f():\n    from p.b import g\n")
    second = Module("p.b", "import typing\nif typing.TYPE_CHECKING:\n    from p import a\n")
    circles = [c for c in nx.strongly_connected_components(import_graph([first, second])) if len(c) > 1]
    assert circles == [{"p.a", "p.b"}]


@pytest.mark.parametrize("module", PACKAGE, ids=lambda module: module.name)
def test_a_module_and_its_functions_are_short(module):
    assert len(module.text.splitlines()) <= LONGEST_MODULE
    assert [f.name for f in module.functions() if length(f) > LONGEST_FUNCTION] == []


def test_a_public_class_name_stands_for_one_class():
    owners = defaultdict(list)
    for module in PACKAGE:
        for name in module.public_classes():
            owners[name].append(module.name)
    assert {name: found for name, found in owners.items() if len(found) > 1} == {}


def print_figures():
    rooms = Counter()
    for module in PACKAGE:
        rooms[module.room] += module.lines_without_docstrings()
    for room, lines in sorted(rooms.items()):
        print(f"{lines:6} {room}")
    lengths = [length(f) for module in PACKAGE for f in module.functions()]
    ninetieth = quantiles(lengths, n=10)[-1]
    print(
        f"{sum(rooms.values()):6} lines without docstrings; functions: median {median(lengths):.0f}, "
        f"90th percentile {ninetieth:.0f}, longest {max(lengths)}"
    )


if __name__ == "__main__":
    print_figures()

"""The source columns of an expression, found in one walk over its syntax tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.columns import column_field, column_path, field_at, staged_field, value_path
from airflow_lineage_provider.sql.compat import classes, comprehension_variable
from airflow_lineage_provider.sql.edge_kinds import (
    AGGREGATION,
    CONDITIONAL,
    IDENTITY,
    MASKED,
    TRANSFORMATION,
    WINDOW,
    deepen,
)
from airflow_lineage_provider.sql.functions import (
    AGGREGATE_NAMES,
    AGGREGATES,
    COUNT_NAMES,
    COUNTS,
    DATE_PARTS,
    HASH_NAMES,
    HASHES,
    PICKS_A_ROW,
)
from airflow_lineage_provider.sql.rowsets import (
    Definition,
    Edges,
    Field,
    Rowset,
    add,
    merged,
)
from airflow_lineage_provider.sql.structs import row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from airflow_lineage_provider.sql.scope import Scope

_PICKS = classes("Alias", "AnyValue", "ArrayAgg", "Bracket", "First", "Limit", "Order", "Paren")
_COMMANDS = classes("DataType", "Literal", "Null", "Boolean", "Var", "Identifier", "Placeholder")


def sources(
    node: exp.Expr, scope: Scope, context: int = IDENTITY, ignored: Container[int] = frozenset()
) -> Edges:
    """Return the edges to the base columns that the value of `node` depends on.

    `ignored` holds ids of column nodes to leave out.
    """
    return _Walk(scope, ignored).run(node, context)


def field_of(node: exp.Expr, scope: Scope, name: str | None = None, key: str | None = None) -> Field:
    """Return the field that an expression defines."""
    defined = (Definition(node, scope.analysis.resolved),)
    bare = node.unnest() if isinstance(node, exp.Paren) else node
    if isinstance(bare, exp.Column) and not isinstance(bare.this, exp.Star):
        found = column_field(bare, scope)
        if found is not None:
            return Field(name, key, found.edges, defined, found.row, found.windowed)
    walk = _Walk(scope)
    edges = walk.run(node, IDENTITY)
    row = _row(bare, scope)
    if row is None:
        scope.analysis.unknown_star(name for whole in walk.rows for name in whole.unknown())
    return Field(name, key, edges, defined, row, _is_windowed(node))


def _is_windowed(node: exp.Expr) -> bool:
    """Tell whether the expression contains a window function."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, exp.Window):
            return True
        if not isinstance(part, exp.Query):
            stack.extend(part.iter_expressions())
    return False


def _row(node: exp.Expr, scope: Scope) -> Rowset | None:
    """Return the fields of a struct, including an element of an array: `array_agg(t ORDER BY x)[0]`."""
    path, base = value_path(node)
    if path:
        return field_at(field_of(base, scope), path, scope).row
    while isinstance(node, _PICKS):
        node = node.this
    if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
        found = column_field(node, scope)
        return found.row if found is not None else None
    read = next((read for kinds, read in _ROWS if isinstance(node, kinds)), None)
    return read(node, scope) if read is not None else None


def _has_computed_key(pair: exp.Expr) -> bool:
    return isinstance(pair, exp.PropertyEQ) and not isinstance(
        pair.this, (exp.Identifier, exp.Literal, exp.Var)
    )


def _struct_row(struct: exp.Expr, scope: Scope) -> Rowset | None:
    if any(_has_computed_key(part) for part in struct.expressions):
        return None  # the entries of a map
    return Rowset(list(_struct_fields(struct, scope)))


def _array_row(array: exp.Expr, scope: Scope) -> Rowset | None:
    elements = [_element(one, scope) for one in array.expressions]
    row = merged(elements).row if elements else None
    return Rowset(row.fields, repeated=True) if row is not None else None


def _unnested_row(call: exp.Expr, scope: Scope) -> Rowset | None:
    row = _row(call.this or call.expressions[0], scope)
    return Rowset(row.fields, row.rest) if row is not None and row.repeated else None


def _element(node: exp.Expr, scope: Scope) -> Field:
    """Return an element of an array. In BigQuery, ARRAY(SELECT AS STRUCT ...) has structs of all columns."""
    if isinstance(node, exp.Select) and (node.args.get("kind") or "") == "STRUCT":
        return Field(None, None, {}, row=scope.child().read(node))
    return field_of(node, scope)


def _cast_row(cast: exp.Cast, scope: Scope) -> Rowset | None:
    """Return the struct fields of a cast: names of the type, sources by position."""
    value = field_of(cast.this, scope)
    edges: Edges = {}
    add(edges, value.edges, TRANSFORMATION)
    row = row_of(cast.to, edges, scope.analysis.names)
    if row is not None and value.row is not None and len(value.row.fields) == len(row.fields):
        for one, part in zip(row.fields, value.row.fields, strict=True):
            one.edges = part.edges
    return row


def _struct_fields(struct: exp.Expr, scope: Scope) -> Iterator[Field]:
    for part in struct.expressions:
        value = part.expression if isinstance(part, exp.PropertyEQ) else part.unalias()
        name = part.this.name if isinstance(part, exp.PropertyEQ) else part.alias_or_name
        yield field_of(value, scope, name or None, scope.analysis.names.fold(name) if name else None)


_ROWS: tuple[tuple[tuple[type[exp.Expr], ...], Callable[..., Rowset | None]], ...] = (
    ((exp.Struct,), _struct_row),
    ((exp.Array,), _array_row),
    ((exp.Explode, exp.Unnest), _unnested_row),
    ((exp.Cast,), _cast_row),
)


# ---- one method for each kind of node ------------------------------------------------------------


class _Walk:
    """The state of one walk: nodes to visit, and the edges found so far."""

    def __init__(self, scope: Scope, ignored: Container[int] = frozenset()) -> None:
        self.scope = scope
        self.ignored = ignored
        self.todo: list[tuple[exp.Expr, int]] = []  # children of the visited node, in order
        self.edges: Edges = {}
        self.rows: list[Rowset] = []  # used as a whole, as in `to_json(o)`

    def run(self, node: exp.Expr, context: int) -> Edges:
        """Return the edges of everything below `node`."""
        stack = [(node, context)]
        while stack:
            part, inner = stack.pop()
            kind = type(part)
            visit = _VISITS.get(kind)
            if visit is None:
                visit = _VISITS[kind] = _visit_for(kind)
            visit(self, part, inner)
            if self.todo:
                stack.extend(reversed(self.todo))
                self.todo.clear()
        return self.edges

    def column(self, node: exp.Expr, context: int) -> None:
        if isinstance(node.this, exp.Star):
            self.whole_row(node, context)
            return
        if id(node) in self.ignored:
            return
        found = column_field(node, self.scope)  # type: ignore[arg-type]
        if found is not None:
            if found.row is not None and not found.edges:
                self.rows.append(found.row)
            add(self.edges, found.edges, context)

    def star(self, _: exp.Expr, context: int) -> None:
        """Visit `hash(*)`, `object_construct(*)`: every column of the scope."""
        inner = deepen(context, TRANSFORMATION)
        for item in self.scope.items:
            if not item.hidden:
                self.rowset(item.rowset, inner)

    def rowset(self, rowset: Rowset, context: int) -> None:
        """Add all columns of a rowset; note a problem where they are not known."""
        for one in rowset.fields:
            add(self.edges, one.edges, context)
        self.scope.analysis.unknown_star(rowset.unknown())

    def whole_row(self, node: exp.Expr, context: int) -> None:
        """`count(t.*)`, `hash(t.*)`."""
        names = tuple(self.scope.analysis.names.key(p) for p in column_path(node))  # type: ignore[arg-type]
        rowset = self.scope.rowset(names)
        if rowset is not None:
            self.rowset(rowset, deepen(context, TRANSFORMATION))

    def parameter(self, node: exp.Expr, context: int) -> None:
        """Visit `$1` of a staged file; other parameters have no source."""
        found = staged_field(node, self.scope)
        if found is not None:
            add(self.edges, found.edges, context)

    def transparent(self, node: exp.Expr, context: int) -> None:
        self.todo.append((node.this, context))

    def nothing(self, node: exp.Expr, context: int) -> None:
        pass

    def computed(self, node: exp.Expr, context: int) -> None:
        inner = deepen(context, TRANSFORMATION)
        self.todo.extend((child, inner) for child in node.iter_expressions())

    def aggregate(self, node: exp.Expr, context: int) -> None:
        inner = deepen(context, AGGREGATION)
        if isinstance(node, COUNTS):
            inner |= MASKED
        self.todo.extend(
            (child, inner) for child in node.iter_expressions() if not isinstance(child, exp.Star)
        )

    def hash(self, node: exp.Expr, context: int) -> None:
        inner = deepen(context, TRANSFORMATION) | MASKED
        self.todo.extend((child, inner) for child in node.iter_expressions())

    def named_function(self, node: exp.Expr, context: int) -> None:
        """Visit a function for which sqlglot has no class."""
        name = node.name.lower()
        aggregates = name in AGGREGATE_NAMES or name in COUNT_NAMES
        inner = deepen(context, AGGREGATION if aggregates else TRANSFORMATION)
        if name in HASH_NAMES or name in COUNT_NAMES:
            inner |= MASKED
        date = "date" in name or "time" in name or name in {"extract", "last_day", "trunc"}
        for child in node.expressions:
            if not (date and isinstance(child, exp.Column) and child.sql().lower() in DATE_PARTS):
                self.todo.append((child, inner))

    def case(self, node: exp.Expr, context: int) -> None:
        decides, value = deepen(context, CONDITIONAL), deepen(context, TRANSFORMATION)
        if node.args.get("this") is not None:
            self.todo.append((node.this, decides))
        for branch in node.args["ifs"]:
            self.todo += [(branch.this, decides), (branch.args["true"], value)]
        if node.args.get("default") is not None:
            self.todo.append((node.args["default"], value))

    def choice(self, node: exp.Expr, context: int) -> None:
        value = deepen(context, TRANSFORMATION)
        self.todo.append((node.this, deepen(context, CONDITIONAL)))
        self.todo.extend(
            (node.args[key], value) for key in ("true", "false") if node.args.get(key) is not None
        )

    def nullif(self, node: exp.Expr, context: int) -> None:
        self.todo += [
            (node.this, deepen(context, TRANSFORMATION)),
            (node.expression, deepen(context, CONDITIONAL)),
        ]

    def decode(self, node: exp.Expr, context: int) -> None:
        """DECODE(x, key, value, ..., default)."""
        subject, *rest = node.expressions
        decides, value = deepen(context, CONDITIONAL), deepen(context, TRANSFORMATION)
        self.todo.append((subject, decides))
        for i, part in enumerate(rest):
            is_key = i % 2 == 0 and i < len(rest) - 1
            self.todo.append((part, decides if is_key else value))

    def filtered(self, node: exp.Expr, context: int) -> None:
        """SUM(x) FILTER (WHERE y)."""
        self.todo += [(node.this, context), (node.expression, deepen(context, CONDITIONAL))]

    def within_group(self, node: exp.Expr, context: int) -> None:
        self.todo += [(node.this, context), (node.expression, deepen(context, AGGREGATION))]

    def window(self, node: exp.Expr, context: int) -> None:
        inner = deepen(context, WINDOW)
        self.todo.append((node.this, context))
        frame: exp.Expr | None = node
        seen: set[str] = set()
        while frame is not None:
            self.todo.extend((part, inner) for part in frame.args.get("partition_by") or ())
            if frame.args.get("order") is not None:
                self.todo.append((frame.args["order"], inner))
            base = frame.args.get("alias")
            name = self.scope.analysis.names.key(base) if isinstance(base, exp.Identifier) else None
            frame = self.scope.windows.get(name) if name and name not in seen else None
            seen.add(name or "")

    def picked_row(self, node: exp.Expr, context: int) -> None:
        """Visit LAG, FIRST_VALUE and the like, which sqlglot derives from AggFunc."""
        self.computed(node, context)

    def anonymous_function(self, node: exp.Expr, context: int) -> None:
        names = frozenset(self.scope.analysis.names.fold(variable.name) for variable in node.expressions)
        add(self.edges, sources(node.this, self.scope.binding(names), deepen(context, TRANSFORMATION)))

    def comprehension(self, node: exp.Expr, context: int) -> None:
        inner = deepen(context, TRANSFORMATION)
        self.todo.append((node.args["iterator"], inner))
        variable = self.scope.analysis.names.fold(comprehension_variable(node))  # type: ignore[arg-type]
        within = self.scope.binding(frozenset({variable}))
        add(self.edges, sources(node.this, within, inner))
        if node.args.get("condition") is not None:
            add(self.edges, sources(node.args["condition"], within, deepen(context, CONDITIONAL)))

    def query(self, node: exp.Expr, context: int) -> None:
        """Visit a scalar subquery, or that of IN: the value comes from its outputs."""
        for one in self.scope.child().read(node).fields:
            add(self.edges, one.edges, context)

    def exists(self, node: exp.Expr, context: int) -> None:
        """Visit EXISTS: only the predicates matter, and reading the query notes those."""
        if isinstance(node.this, exp.Query):
            self.scope.child().read(node.this)
        else:
            self.computed(node, context)

    def pair(self, node: exp.Expr, context: int) -> None:
        """Visit `name: value`, `name => value`, and the entries of a map, whose keys are expressions."""
        inner = deepen(context, TRANSFORMATION)
        if _has_computed_key(node):
            self.todo.append((node.this, inner))
        self.todo.append((node.expression, inner))

    def dot(self, node: exp.Expr, context: int) -> None:
        """Visit a path into a value: `x.a`, `x['a']`."""
        path, base = value_path(node)
        if not path:
            self.computed(node, context)
        elif not isinstance(base, exp.Identifier):
            add(self.edges, field_at(field_of(base, self.scope), path, self.scope).edges, context)

    def positional(self, node: exp.Expr, context: int) -> None:
        """Visit DuckDB's `#1`."""
        found = self.scope.at_position(int(node.name))
        if found is not None:
            add(self.edges, found.edges, context)

    def columns(self, _: exp.Expr, context: int) -> None:
        if self.scope.matched is not None:
            add(self.edges, self.scope.matched.edges, context)


def _visit_for(kind: type[exp.Expr]) -> Callable[..., None]:
    for classes_, visit in _BY_CLASS:
        if issubclass(kind, classes_):
            return visit
    return _Walk.computed


_BY_CLASS: tuple[tuple[tuple[type[exp.Expr], ...], Callable[..., None]], ...] = (
    (classes("Column"), _Walk.column),
    (classes("Parameter"), _Walk.parameter),
    (classes("PositionalColumn"), _Walk.positional),
    (classes("Star"), _Walk.star),
    (classes("Exists"), _Walk.exists),
    (classes("Query"), _Walk.query),
    (classes("Alias", "Paren", "Aliases", "PivotAlias"), _Walk.transparent),
    (classes("Columns"), _Walk.columns),
    (classes("Case"), _Walk.case),
    (classes("If", "Nvl2"), _Walk.choice),
    (classes("Nullif"), _Walk.nullif),
    (classes("DecodeCase"), _Walk.decode),
    (classes("Filter"), _Walk.filtered),
    (classes("WithinGroup"), _Walk.within_group),
    (classes("Window"), _Walk.window),
    (classes("IgnoreNulls", "RespectNulls"), _Walk.transparent),
    (classes("Lambda"), _Walk.anonymous_function),
    (classes("Comprehension"), _Walk.comprehension),
    (classes("PropertyEQ", "Kwarg"), _Walk.pair),
    (classes("Dot", "Bracket", "StructExtract"), _Walk.dot),
    (HASHES, _Walk.hash),
    (PICKS_A_ROW, _Walk.picked_row),
    (AGGREGATES, _Walk.aggregate),
    (classes("Anonymous"), _Walk.named_function),
    (_COMMANDS, _Walk.nothing),
)
_VISITS: dict[type[exp.Expr], Callable[..., None]] = {}

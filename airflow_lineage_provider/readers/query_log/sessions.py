"""Follows temporary and intermediate tables over the statements of a session."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from airflow_lineage_provider.readers.query_log.analysis import LONGEST_CHAIN, full_name
from airflow_lineage_provider.sql.table_change import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_lineage_provider.readers.query_log.analysis import AnalysedShape, Chain, ShapeAnalysis
    from airflow_lineage_provider.readers.query_log.statement import LoggedStatement

MOST_SESSIONS = 20_000
"""Sessions with tables of their own that are followed at once; the one that was idle longest is forgotten."""
MOST_TABLES = 200
"""Tables of one session that are followed at once."""
MOST_USES = 200_000
_SCHEMA = re.compile(
    r"""(?:set\s+(?:session\s+)?(?:search_path|schema)\s*(?:=|to)?|use\s+(?:schema\s+)?(?:\w+\.)?)\s*["'`]?(\w+)""",
    re.IGNORECASE,
)


class Actor(NamedTuple):
    """Who ran a statement: the user, and dbt's node where the statement says it."""

    user: str
    node: str


class Use(NamedTuple):
    """A chain of statements, as one actor ran it."""

    chain: Chain
    actor: Actor


@dataclass(slots=True)
class Times:
    """How often a chain ran, and when first and last; the times are as in the log."""

    calls: int = 0
    first: str = ""
    last: str = ""


@dataclass(slots=True)
class _Made:
    """A table that a session made: the statements that wrote it, and as what they were counted."""

    chain: Chain
    temporary: bool
    uses: list[Use] = field(default_factory=list)


@dataclass(slots=True)
class _Session:
    made: dict[str, _Made] = field(default_factory=dict)
    transaction: Counter[Use] | None = None
    schema: str = ""


class Sessions:
    """Counts what ran. Tables that a session made and then renamed count under their last name."""

    def __init__(self, analysis: ShapeAnalysis, *, ordered: bool) -> None:
        self.analysis = analysis
        self.ordered = ordered
        self.uses: dict[Use, Times] = {}
        self.statements = 0
        self.forgotten = 0
        self.not_counted = 0
        self.without_session = 0
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def add(self, statement: LoggedStatement) -> None:
        """Count a statement."""
        self.statements += statement.calls
        self._add(statement)

    def _add(self, statement: LoggedStatement, node: str = "") -> None:
        if statement.sql[:4].lower() in {"set ", "use "}:
            self._use(statement)
            return
        followed = self._sessions.get(self._key(statement))
        if followed is not None and followed.schema and not statement.schema:
            statement = statement._replace(schema=followed.schema)
        number, own = self.analysis.number(statement)
        if number < 0:
            return
        shape = self.analysis.shapes[number]
        if shape.idle:
            return
        for part in shape.parts:
            self._add(statement._replace(sql=part), own or node)
        if not shape.parts:
            self._add_single(statement, shape, number, own or node)

    def _add_single(self, statement: LoggedStatement, shape: AnalysedShape, number: int, node: str) -> None:
        session = self._session(statement, shape)
        if shape.transaction:
            self._transaction(session, shape.transaction)
            return
        self._count_writes(session, shape, number, Actor(statement.user, node), statement)

    def _count_writes(
        self,
        session: _Session | None,
        shape: AnalysedShape,
        number: int,
        actor: Actor,
        statement: LoggedStatement,
    ) -> None:
        made = session.made if session else {}
        temporary = (made[name] for name in sorted(shape.names & made.keys()) if made[name].temporary)
        chain = _joined(temporary, number)
        redefines = bool(shape.redefined.difference(made))
        if session is not None:
            chain = self._change(session, shape, chain, statement.calls)
        ended = [one for one in made.values() if one.chain == chain and not one.temporary]
        if not self.ordered and not actor.node:
            # The view splits scripts, and dbt's comment is in front of the first of their statements.
            actor = actor._replace(node=next(filter(None, (self.analysis.shapes[n].node for n in chain)), ""))
        use = Use(chain, actor)
        passing = {full_name(change.table) for change in shape.changes if change.temporary}
        passing |= {name for name, one in made.items() if one.temporary}
        lasting = bool(shape.writes - passing)
        if lasting or (ended and len(chain) > 1) or redefines:
            self._count(use, statement, session)
        for name in shape.writes & made.keys():
            if made[name].chain[-1] != number:
                made[name].chain = _joined([made[name]], number, chain)
            ended.append(made[name])
        for one in ended:
            if not one.temporary and use not in one.uses[-LONGEST_CHAIN:]:
                one.uses.append(use)

    def _session(self, statement: LoggedStatement, shape: AnalysedShape) -> _Session | None:
        key = self._key(statement)
        found = self._sessions.get(key)
        if found is not None:
            self._sessions.move_to_end(key)
            return found
        if not key and any(change.temporary for change in shape.changes):
            self.without_session += statement.calls
        if not (key and (shape.changes or shape.transaction == "begin")):
            return None
        return self._open(key)

    def _key(self, statement: LoggedStatement) -> str:
        return statement.session if self.ordered else f"{statement.user}\n{statement.database}"

    def _use(self, statement: LoggedStatement) -> None:
        """Follow SET search_path and USE, which complete the names of later statements."""
        found = _SCHEMA.match(statement.sql)
        key = self._key(statement)
        if found is not None and key and self.ordered:
            session = self._sessions.get(key) or self._open(key)
            session.schema = found[1]

    def _open(self, key: str) -> _Session:
        found = self._sessions[key] = _Session()
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
            self.forgotten += 1
        return found

    def _transaction(self, session: _Session | None, what: str) -> None:
        if session is None:
            return
        if what == "rollback" and session.transaction:
            for use, calls in session.transaction.items():
                self._subtract(use, calls)
        session.transaction = Counter() if what == "begin" else None

    def _change(self, session: _Session, shape: AnalysedShape, chain: Chain, calls: int) -> Chain:
        """Apply a statement's changes to the session's tables; return the chain that it ends."""
        for change in shape.changes:
            name = full_name(change.table)
            if change.action is Action.CREATE:
                session.made[name] = _Made(chain, change.temporary)
                if len(session.made) > MOST_TABLES:
                    session.made.pop(next(iter(session.made)))
            elif change.action is Action.DROP and name in session.made:
                # A table that was made and dropped again in the session is no write.
                self._discount(session.made.pop(name), calls)
            elif change.action in {Action.RENAME, Action.SWAP} and change.renamed and name in session.made:
                before = session.made.pop(name)
                self._discount(before, calls)
                chain = _joined([before], chain[-1])
                session.made[full_name(change.renamed)] = _Made(chain, before.temporary)
        return chain

    def _count(self, use: Use, statement: LoggedStatement, session: _Session | None) -> None:
        times = self.uses.get(use)
        if times is None:
            if len(self.uses) >= MOST_USES:
                self.not_counted += statement.calls
                return
            times = self.uses[use] = Times(0, statement.at, statement.at)
        times.calls += statement.calls
        if statement.at:
            times.first = min(times.first or statement.at, statement.at)
            times.last = max(times.last, statement.at)
        if session is not None and session.transaction is not None:
            session.transaction[use] += statement.calls

    def _discount(self, made: _Made, calls: int) -> None:
        for use in made.uses:
            self._subtract(use, calls)

    def _subtract(self, use: Use, calls: int) -> None:
        times = self.uses.get(use)
        if times is not None:
            times.calls -= calls
            if times.calls <= 0:
                del self.uses[use]


def _joined(made: Iterable[_Made], number: int, more: Chain = ()) -> Chain:
    """Return the statements that made these tables, in order, and then this one."""
    before = dict.fromkeys(shape for chain in (*(one.chain for one in made), more) for shape in chain)
    before.pop(number, None)
    return (*list(before)[-LONGEST_CHAIN:], number)

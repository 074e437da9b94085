"""The lineage that a Tableau answer shows: published data sources, and dashboards with the fields they use.

A dashboard is a job and a dataset, `<project>/<workbook>/<dashboard>` in `tableau://<host>/<site>`; a sheet
on no dashboard is one too. A published data source is `<project>/<data source>`, an embedded one
`<project>/<workbook>#<data source>`; one that only connects to a published one is not told apart from it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.events.movement import ColumnSource, MovedDataset, MovedField, Movement
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.events.secret_patterns import MASK
from airflow_lineage_provider.events.tags import LAST_REFRESH
from airflow_lineage_provider.plain_json import mapping, mappings, text, texts
from airflow_lineage_provider.systems.answers import Observed
from airflow_lineage_provider.systems.listing import listing
from airflow_lineage_provider.systems.observation import Observation
from airflow_lineage_provider.systems.tableau.fields import Fields
from airflow_lineage_provider.systems.tableau.refresh import NOT_SCHEDULED, last_refresh, refresh_texts
from airflow_lineage_provider.systems.tableau.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from airflow_lineage_provider.systems.saved import SavedAnswer

TOOL = "Tableau"
"""What a map calls the system, in `tool` of a dashboard."""
_GENERATED = frozenset({"Measure Names", "Measure Values", ":Measure Names"})
Columns = dict[str, tuple[ColumnSource, ...]]


def observe_answer(saved: SavedAnswer, now: datetime) -> Observed:
    """Return the data sources, the dashboards and the site itself as jobs, with what is not known."""
    answer = mapping(saved.answer)
    site = _Site(answer, saved.host, now)
    observations = [*site.datasources(), *site.dashboards()]
    observations.append(listing(site.namespace, "TABLEAU", TOOL, now, site.incomplete))
    return Observed(observations, tuple(site.fields.tables.problems))


class _Site:
    """The answer of one site, indexed."""

    def __init__(self, answer: Mapping[str, Any], host: str, now: datetime) -> None:
        self.now = now
        self.host = host.rstrip("/")
        self.site = text(answer, "site")
        self.version = text(answer, "version")
        self.namespace = f"tableau://{urlsplit(self.host).netloc or self.host}/{self.site or 'default'}"
        self.incomplete = [*texts(answer.get("incomplete"))]
        self.workbooks = _by_id(answer, "workbooks")
        self.sheets = _by_id(answer, "sheets")
        self.boards = mappings(answer.get("dashboards"))
        self.sources = _by_id(answer, "publishedDatasources")
        self.embedded = _by_id(answer, "embeddedDatasources")
        self.schedules = refresh_texts(mappings(answer.get("tasks")))
        self.tasks_known = isinstance(answer.get("tasks"), list)
        tables = Tables(_by_id(answer, "databaseTables"), _by_id(answer, "customSQLTables"))
        self.names: set[str] = set()
        self.fields = Fields(tables, dict(self._named_sources()))
        for key, one in (*self.sources.items(), *self.embedded.items()):
            self.fields.add(key, mappings(one.get("fields")))
        for sheet in self.sheets.values():
            self.fields.add(f"sheet {text(sheet, 'id')}", mappings(sheet.get("worksheetFields")))

    def _named_sources(self) -> Iterator[tuple[str, DatasetName]]:
        """Yield the names of published data sources, and of embedded ones with connections of their own."""
        for key, node in self.sources.items():
            yield key, self._name(node, text(node, "projectName"))
        for key, node in self.embedded.items():
            workbook = self._workbook(node)
            if text(workbook, "name") and not node.get("parentPublishedDatasources"):
                book = "/".join((text(workbook, "projectName"), text(workbook, "name")))
                yield key, self._name({**node, "name": f"{book}#{text(node, 'name')}"})

    def datasources(self) -> Iterator[Observation]:
        """Yield a job for each data source that has a name."""
        for key, name in self.fields.sources_by_id.items():
            node = self.sources[key] if key in self.sources else self.embedded[key]
            found = [one for one in mappings(node.get("fields")) if text(one, "name") not in _GENERATED]
            owned = node if key in self.sources else {**node, "luid": text(self._workbook(node), "luid")}
            yield self._job(name, "DATA SOURCE", owned, found, {LAST_REFRESH: last_refresh([node])})

    def dashboards(self) -> Iterator[Observation]:
        """Yield a job for each dashboard, and for each visible sheet that is on none."""
        on_board: set[str] = set()
        for board in self.boards:
            shown = [text(one, "id") for one in mappings(board.get("sheets"))]
            on_board.update(shown)
            yield from self._view(board, [self.sheets[key] for key in shown if key in self.sheets])
        for key, sheet in self.sheets.items():
            if key not in on_board and text(sheet, "luid"):
                yield from self._view(sheet, [sheet])

    def _workbook(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.workbooks.get(text(node, "workbook", "id"), {})

    def _view(self, view: Mapping[str, Any], sheets: list[Mapping[str, Any]]) -> Iterator[Observation]:
        workbook = self._workbook(view)
        if not text(view, "name") or not text(workbook, "name"):
            self._miss("a dashboard or its workbook is not shown to the user")
            return
        used: dict[str, Mapping[str, Any]] = {}
        for sheet in sheets:
            for one in (*mappings(sheet.get("datasourceFields")), *mappings(sheet.get("worksheetFields"))):
                used.setdefault(text(one, "id"), one)
        found = [one for one in used.values() if text(one, "name") not in _GENERATED]
        hidden = any(not text(one, "name") for one in found)
        if hidden:
            self._miss(f"fields of {text(view, 'name')!r} are not shown to the user")
        place = (text(workbook, "projectName"), text(workbook, "name"))
        read = self._datasources(found)
        owned = {**workbook, **{key: text(view, key) for key in ("name", "luid", "path")}}
        tags = {LAST_REFRESH: last_refresh(read)}
        name = self._name(view, *place)
        shown = [one for one in found if text(one, "name")]
        seen = self._job(name, "DASHBOARD", owned, shown, tags, read)
        yield _without_schema(seen) if hidden else seen

    def _job(
        self,
        name: DatasetName,
        kind: str,
        node: Mapping[str, Any],
        found: list[Mapping[str, Any]],
        tags: Mapping[str, str],
        read: Iterable[Mapping[str, Any]] = (),
    ) -> Observation:
        columns, problems = self._columns(found, name)
        inputs = dict.fromkeys(source.dataset for sources in columns.values() for source in sources)
        refresh, url = self._refresh(node, read), self._url(node)
        made = MovedDataset(
            name,
            kind,
            tuple(self._field(one) for one in found),
            description=text(node, "description"),
            owners=_owners(node),
            url=url,
            properties=tuple((key, one) for key, one in (("refresh", refresh), ("url", url)) if one),
        )
        movement = Movement(
            job_namespace=self.namespace,
            job_name=name.name,
            started_at=self.now,
            integration="TABLEAU",
            job_type=kind.replace(" ", "_"),
            inputs=tuple(MovedDataset(one, self._kind(one)) for one in inputs),
            outputs=(made,),
            columns=columns,
            engine=TOOL,
            engine_version=self.version,
            problems=problems,
            tags=tags,
        )
        return Observation(movement, RunState.COMPLETE)

    def _columns(self, found: list[Mapping[str, Any]], where: DatasetName) -> tuple[Columns, tuple[str, ...]]:
        """Return the sources of each field that are known, and a line for each that is not."""
        columns: Columns = {}
        unknown: dict[str, None] = {}
        for one in found:
            name, sources = text(one, "name"), self.fields.read_by(where, text(one, "id"))
            if sources is None:
                unknown[name] = None
            else:
                known = columns.get(name, ())
                columns[name] = (*known, *(source for source in sources if source not in known))
        problems = (f"{where.name}: it is not known what {name!r} is made from" for name in unknown)
        return {name: made for name, made in columns.items() if name not in unknown}, tuple(problems)

    def _datasources(self, found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return the data sources that fields are of, and the published ones behind embedded ones."""
        read: dict[str, Mapping[str, Any]] = {}
        for one in found:
            key = text(one, "datasource", "id")
            node = self.sources.get(key) or self.embedded.get(key)
            if node is not None and key not in read:
                read[key] = node
                for parent in mappings(node.get("parentPublishedDatasources")):
                    if (published := self.sources.get(text(parent, "id"))) is not None:
                        read[text(parent, "id")] = published
        return list(read.values())

    def _refresh(self, node: Mapping[str, Any], read: Iterable[Mapping[str, Any]]) -> str:
        """Return when the extracts behind a data source or a dashboard are refreshed; empty: not known."""
        behind = [node, self.workbooks.get(text(node, "id"), {}), *read]
        luids = [text(one, "luid") for one in behind]
        found = dict.fromkeys(self.schedules[luid] for luid in luids if luid in self.schedules)
        if not found and self.tasks_known and any(one.get("hasExtracts") for one in behind):
            return NOT_SCHEDULED
        return ", ".join(found)

    def _field(self, node: Mapping[str, Any]) -> MovedField:
        known = self.fields.nodes.get(text(node, "id"), node)
        return MovedField(text(node, "name"), text(known, "dataType"), text(known, "description"))

    def _kind(self, name: DatasetName) -> str:
        return "DATA SOURCE" if name.namespace == self.namespace else "TABLE"

    def _url(self, node: Mapping[str, Any]) -> str:
        """Return the page of a view; empty of what has none."""
        path = text(node, "path")
        site = f"site/{quote(self.site)}/" if self.site else ""
        return f"{self.host}/#/{site}views/{quote(path.replace('/sheets/', '/'))}" if path else ""

    def _name(self, node: Mapping[str, Any], *place: str) -> DatasetName:
        """Return the name of a data source or a view; its LUID tells it from another one of that name."""
        name = "/".join((*place, text(node, "name")))
        if name in self.names:
            name = f"{name} ({text(node, 'luid') or text(node, 'id')})"
        self.names.add(name)
        return DatasetName(self.namespace, name)

    def _miss(self, reason: str) -> None:
        if reason not in self.incomplete:
            self.incomplete.append(reason)


def _without_schema(seen: Observation) -> Observation:
    """Return the job without the fields of its output, because a schema lists all of them or none."""
    outputs = tuple(replace(one, fields=()) for one in seen.movement.outputs)
    return replace(seen, movement=replace(seen.movement, outputs=outputs, columns=None))


def _by_id(answer: Mapping[str, Any], key: str) -> dict[str, Mapping[str, Any]]:
    return {text(one, "id"): one for one in mappings(answer.get(key))}


def _owners(node: Mapping[str, Any]) -> tuple[str, ...]:
    owner: Mapping[str, Any] = mapping(node.get("owner"))
    names = (text(owner, key) for key in ("email", "username", "name"))
    return tuple(name for name in names if name and name != MASK)[:1]

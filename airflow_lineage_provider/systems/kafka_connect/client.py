"""Kafka Connect's REST API: connectors, their configuration and their state.

https://docs.confluent.io/platform/current/connect/references/restapi.html. Connect shows passwords in clear.
Of a configuration only the settings that lineage is made of are kept, and the values of the others are masked
where an error message repeats them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_lineage_provider.events.masking import mask_text
from airflow_lineage_provider.events.secret_patterns import MASK
from airflow_lineage_provider.systems.errors import SystemReadError, one_line
from airflow_lineage_provider.systems.jdbc import without_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.systems.http import JsonApi

# Settings that name datasets, columns, transformations and converters; none of them holds a secret.
KEPT = re.compile(
    r"connector\.class|tasks\.max|topics(\.regex|\.dir)?|topic\.prefix|topic\.naming\.strategy"
    r"|database\.(hostname|port|dbname|names|server\.name|(include|exclude)\.list|(white|black)list)"
    r"|(schema|table|column)\.(include|exclude)\.list|(schema|table|column)\.(white|black)list"
    r"|column\.mask\.(with|hash)\..*"
    r"|s3\.bucket\.name|format\.class|partitioner\.class|partition\.field\.name"
    r"|snowflake\.(url\.name|database\.name|schema\.name|topic2table\.map.*|ingestion\.method"
    r"|enable\.schematization|compatibility\..*)"
    r"|connection\.url|(table|collection)\.name\.format|fields\.(whitelist|include\.list)"
    r"|pk\.mode|primary\.key\.mode|pk\.fields|primary\.key\.fields|(catalog|schema)\.pattern|mode|query"
    r"|(key|value)\.converter|transforms|predicates|bootstrap\.servers"
    r"|(producer|consumer)\.override\.bootstrap\.servers"
    r"|schema\.history\.internal\.kafka\.bootstrap\.servers"
    r"|predicates\.[^.]+\.(type|pattern|name)"
    r"|transforms\.[^.]+\.(type|predicate|negate|regex|replacement|fields?|renames|include|exclude"
    r"|whitelist|blacklist|delimiter|spec|(topic|timestamp)\.format|(topic|partition|offset|timestamp)\.field"
    r"|static\.field|target\.type|headers|operation|field\.syntax\.version|add\.fields(\.prefix)?"
    r"|delete(\.tombstone)?\.handling\.mode|route\..*|table\..*|topic\.(regex|replacement))"
)
_SECRET = re.compile(
    r"password|passwd|secret|token|private|credential|api[._-]?key|passphrase|jaas", re.IGNORECASE
)
_SHORTEST_SECRET = 4


@dataclass(frozen=True, slots=True)
class ConnectTask:
    """A task of a connector; `trace` is the first line of its error."""

    id: int
    state: str
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector: `kind` is source or sink, `config` has no secrets."""

    name: str
    kind: str
    state: str
    config: Mapping[str, str]
    tasks: tuple[ConnectTask, ...] = ()
    trace: str = ""
    topics: tuple[str, ...] | None = None
    """The topics that it has used since it began; None where the worker does not track them."""


class KafkaConnectClient:
    """Reads one Connect cluster."""

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    def version(self) -> str:
        """Return the worker's version. Raises SystemReadError."""
        answer = self._mapping(self._api.get(""), "the root")
        if "version" not in answer:
            raise SystemReadError(
                f"{self._api} does not answer as Kafka Connect does: check host, port and path"
            )
        return str(answer["version"])

    def connectors(self, names: tuple[str, ...] = ()) -> tuple[Connector, ...]:
        """Return the connectors of these names, or all. Raises SystemReadError for a name there is not."""
        answer = self._api.get("connectors", {"expand": "info"})
        infos = self._mapping(answer, "connectors")
        states = self._mapping(self._api.get("connectors", {"expand": "status"}), "connectors")
        missing = [name for name in names if name not in infos]
        if missing:
            known = ", ".join(sorted(infos)) or "none"
            raise SystemReadError(f"{self._api} has no connector {', '.join(missing)}; it has {known}")
        wanted = names or tuple(sorted(infos))
        if gone := [name for name in wanted if name not in states]:
            raise SystemReadError(
                f"{self._api} has no status of connector {', '.join(gone)}: "
                "it was created or deleted just now",
                unreachable=True,
            )
        return tuple(self._connector(name, infos[name], states[name]) for name in wanted)

    def _connector(self, name: str, info: Any, state: Any) -> Connector:
        info = self._mapping(self._mapping(info, name).get("info"), f"connector {name}")
        status = self._mapping(self._mapping(state, name).get("status"), f"the status of connector {name}")
        config = {str(key): str(value) for key, value in self._mapping(info.get("config"), name).items()}
        own = self._mapping(status.get("connector"), f"the status of connector {name}")
        tasks = status.get("tasks")
        secrets = [value for key, value in config.items() if _SECRET.search(key)]
        return Connector(
            name=name,
            kind=str(info.get("type") or status.get("type") or ""),
            state=str(own.get("state", "")),
            config={key: _clean(key, value) for key, value in config.items() if _kept(key)},
            tasks=tuple(
                ConnectTask(int(task["id"]), str(task.get("state")), _first_line(task.get("trace"), secrets))
                for task in (tasks if isinstance(tasks, list) else [])
                if isinstance(task, dict) and isinstance(task.get("id"), int)
            ),
            trace=_first_line(own.get("trace"), secrets),
            topics=self._topics(name),
        )

    def _topics(self, name: str) -> tuple[str, ...] | None:
        """Return the topics in use; a worker answers 403 where tracking them is switched off."""
        try:
            answer = self._api.get(f"connectors/{quote(name, safe='')}/topics")
        except SystemReadError as error:
            if error.unreachable:
                raise
            return None
        found = answer.get(name) if isinstance(answer, dict) else None
        topics = found.get("topics") if isinstance(found, dict) else None
        return tuple(sorted(map(str, topics))) if isinstance(topics, list) else None

    def _mapping(self, value: Any, what: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise SystemReadError(
                f"{self._api} does not answer as Kafka Connect does (at {what}): check host, port and path"
            )
        return value


def _kept(key: str) -> bool:
    return KEPT.fullmatch(key) is not None and not _SECRET.search(key)


def _clean(key: str, value: str) -> str:
    return without_credentials(value) if key == "connection.url" else value


def _first_line(trace: Any, secrets: list[str]) -> str:
    """Return the cause of a Java stack trace: its last `Caused by:` line, else its first line."""
    lines = [line.strip() for line in str(trace or "").splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by:")]
    text = (causes or lines or [""])[-1 if causes else 0]
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return one_line(mask_text(text))

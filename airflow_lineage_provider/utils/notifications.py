"""Tell the owners of what findings reach, by Airflow's notifiers."""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, Any, TypeAlias

from airflow_lineage_provider.reports.escape import one_line
from airflow_lineage_provider.utils.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow.sdk import BaseNotifier, Context

    from airflow_lineage_provider.checks.owners import OwnerNotice
    from airflow_lineage_provider.graph import Finding, Graph
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.store.notices import Notices, Told

    Notify: TypeAlias = BaseNotifier | Sequence[BaseNotifier]

log = logging.getLogger(__name__)


def tell_owners(
    notify: Notify | None,
    context: Context,
    findings: Iterable[Finding],
    lineage_map: LineageMap,
    observed: Graph | None = None,
) -> None:
    """Tell each owner once about each error and warning, again when it changes, and when it is gone.

    A notifier gets the task's context with `lineage_owner`, `lineage_message` (all in one text, a line a
    finding) and the lists `lineage_new`, `lineage_changed` and `lineage_gone`. What was told is kept in the
    event store, by task. A notifier or a store that fails is logged and never fails the task: what was not
    told is told the next time.
    """
    if not notify:
        return
    from airflow_lineage_provider.checks.owners import findings_by_owner, owner_notices
    from airflow_lineage_provider.hooks.event_store import EventStoreHook
    from airflow_lineage_provider.store.notices import Notices

    ti: Any = context["ti"]
    store = EventStoreHook().get_conn()
    try:
        kept = Notices(store, f"{ti.dag_id}.{ti.task_id}")
        by_owner = findings_by_owner(findings, lineage_map, observed)
        for notice in owner_notices(by_owner, _told(kept)):
            _tell(notify, context, notice, kept)
    finally:
        store.close()


def _told(kept: Notices) -> list[Told]:
    from airflow_lineage_provider.store import StoreError

    try:
        return kept.told()
    except StoreError as error:
        log.warning("it is not known what owners were told before: %s", error)
        return []


def _tell(notify: Notify, context: Context, notice: OwnerNotice, kept: Notices) -> None:
    from airflow_lineage_provider.store import StoreError

    lists = {
        "lineage_new": list(map(_printed, notice.new)),
        "lineage_changed": list(map(_printed, notice.changed)),
        "lineage_gone": list(map(_printed, notice.gone)),
    }
    words = [f"{name.removeprefix('lineage_')}: {line}" for name, lines in lists.items() for line in lines]
    extended: Any = {
        **context,
        **lists,
        "lineage_owner": notice.owner,
        "lineage_message": "\n".join(words),
    }
    try:
        for one in notify if isinstance(notify, list | tuple) else (notify,):
            notifier: Any = copy.copy(one)  # rendering replaces the attributes
            notifier.render_template_fields(extended)
            notifier.notify(extended)
        kept.replace(notice.owner, notice.standing)
    except StoreError as error:
        log.warning("%s was told, and will be told again: %s", one_line(notice.owner), error)
    except Exception as error:  # noqa: BLE001 - a notifier may raise anything
        log.warning(
            "%s was not told: %s", one_line(notice.owner), _printed(f"{type(error).__name__}: {error}")
        )
    else:
        log.info("told %s of %d findings", one_line(notice.owner) or "the notifier", len(words))


def _printed(text: str) -> str:
    return one_line(redact_text(text))

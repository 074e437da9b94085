"""Who may see what: a DAG's lineage is for users who may read its task instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.models.dag import DagModel

if TYPE_CHECKING:
    from collections.abc import Iterable

may_read_dag = requires_access_dag("GET", DagAccessEntity.TASK_INSTANCE)
"""The dependency of the routes of one DAG: 403 where the user may not read its task instances."""


def readable(dag_ids: Iterable[str], user: Any) -> set[str]:
    """Return which of these DAGs the user may read the task instances of."""
    wanted = sorted(set(dag_ids))
    manager: Any = get_auth_manager()
    # Airflow 3.1 has no teams.
    teams = getattr(DagModel, "get_dag_id_to_team_name_mapping", None)
    team_of: dict[str, str] = teams(wanted) if teams and wanted else {}
    return {dag_id for dag_id in wanted if _may_read(manager, dag_id, team_of.get(dag_id), user)}


def _may_read(manager: Any, dag_id: str, team: str | None, user: Any) -> bool:
    details = DagDetails(id=dag_id, **({"team_name": team} if team else {}))
    for entity in (None, DagAccessEntity.TASK_INSTANCE):
        if not manager.is_authorized_dag(method="GET", access_entity=entity, details=details, user=user):
            return False
    return True

"""What the operators have in common that open the warehouse of a dbt profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence


class WarehouseOperator(BaseOperator):
    """Takes the arguments that name a warehouse and the event store.

    :param project_dir: the dbt project whose profile names the warehouse, as for `DbtLayerOperator`.
    :param profiles_dir: the folder that holds `profiles.yml`.
    :param profile_conn_id: an Airflow connection in place of a `profiles.yml`.
    :param target: the profile's target.
    :param store_conn_id: the event store, a connection of type `lineage_store`.
    """

    template_fields: Sequence[str] = ("project_dir", "profiles_dir", "target")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        project_dir: str,
        profiles_dir: str | None = None,
        profile_conn_id: str | None = None,
        target: str | None = None,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_dir = project_dir
        self.profiles_dir = profiles_dir
        self.profile_conn_id = profile_conn_id
        self.target = target
        self.store_conn_id = store_conn_id

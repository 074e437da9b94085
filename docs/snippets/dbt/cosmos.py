"""Cosmos runs the project, one task a node; each task commits the lineage of its node."""

from cosmos import DbtDag, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import LoadMode

from airflow_lineage_provider.utils.dbt_artifacts import lineage_callback

analytics = DbtDag(
    dag_id="analytics_cosmos",
    project_config=ProjectConfig("/opt/dbt/analytics"),
    profile_config=ProfileConfig("warehouse", "dev", profiles_yml_filepath="/opt/dbt/analytics/profiles.yml"),
    render_config=RenderConfig(load_method=LoadMode.DBT_LS),
    operator_args={"callback": lineage_callback},
)

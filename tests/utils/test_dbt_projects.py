"""Whether a DAG runs several dbt projects, from its definition."""

import pytest
from airflow.sdk import DAG

from airflow_lineage_provider.operators.dbt import DbtLayerOperator
from airflow_lineage_provider.utils.dbt_projects import several_dbt_projects


@pytest.fixture
def project(tmp_path):
    def write(folder, name):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "dbt_project.yml").write_text(f"name: {name}")
        return str(tmp_path / folder)

    return write


def several(*project_dirs):
    with DAG("sales", schedule=None):
        tasks = [
            DbtLayerOperator(task_id=f"t{number}", project_dir=folder, layer="gold")
            for number, folder in enumerate(project_dirs)
        ]
    return several_dbt_projects(tasks[0])


def test_tasks_of_one_project(project):
    shop = project("shop", "shop")
    assert not several(shop, shop + "/")


def test_two_projects(project):
    assert several(project("a", "shop"), project("b", "crm"))


def test_a_template_is_known_by_its_text(project):
    assert not several("{{ var.value.dbt }}", "{{ var.value.dbt }}")
    assert several("{{ var.value.dbt }}", project("a", "shop"))


@pytest.mark.parametrize(
    ("partial", "expanded", "expected"),
    [
        ({"layer": "gold"}, {"project_dir": ["/a", "/b"]}, True),
        ({"project_dir": "/a"}, {"layer": ["silver", "gold"]}, False),
    ],
)
def test_a_mapped_task(partial, expanded, expected):
    with DAG("sales", schedule=None):
        task = DbtLayerOperator.partial(task_id="t", **partial).expand(**expanded)
    assert several_dbt_projects(task) is expected

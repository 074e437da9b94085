"""A map over several files as it was at a git revision."""

import subprocess

import pytest

from airflow_lineage_provider.checks.revisions import map_at, revisions_of
from airflow_lineage_provider.lineage_map import MapError, load_source

MAIN = "document: {}\ninclude: [parts/*.yaml, {dbt: ../dbt}]\n"
PART = "layers: {marts: {tables: {revenue: {from: a.b}}}}\n"
SCHEMA = "models: [{name: stg, meta: {lineage: {from: c.d}}}]\n"


def git(folder, *words):
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false", *words],
        cwd=folder,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def path(tmp_path):
    """A map in a git repository whose included file was changed after the first commit."""
    files = {
        "dags/m.yaml": MAIN,
        "dags/parts/marts.yaml": PART,
        "dbt/dbt_project.yml": "name: x\n",
        "dbt/models/staging/s.yml": SCHEMA,
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    (tmp_path / "dags/parts/marts.yaml").write_text(PART.replace("revenue", "income"))
    git(tmp_path, "commit", "-qam", "second")
    return tmp_path / "dags/m.yaml"


def test_the_included_files_are_of_that_revision(path):
    before, now = map_at(path, "HEAD~1"), map_at(path, "HEAD")
    assert list(before.content.layers["marts"].tables) == ["revenue"]
    assert list(now.content.layers["marts"].tables) == ["income"]
    assert list(now.content.layers["staging"].tables) == ["stg"]
    assert before.where("layers", "marts").file == f"{path.parent / 'parts/marts.yaml'}@HEAD~1"


def test_a_revision_that_changed_an_included_file_is_one_of_the_map(path):
    assert len(revisions_of([path], 10)) == 1
    assert len(revisions_of(load_source(path).texts, 10)) == 2


def test_a_file_that_was_not_there_yet_is_a_problem(path):
    path.write_text("document: {}\ninclude: late.yaml\n")
    (path.parent / "late.yaml").write_text("policy: {}\n")
    git(path.parent, "commit", "-qam", "third")
    with pytest.raises(MapError, match=r"m.yaml:2:1: include: .*late.yaml"):
        map_at(path, "HEAD")

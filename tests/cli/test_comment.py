"""A pull request's comment: what changed, whom it reaches, what differs, what to do."""

import subprocess

import msgspec
import pytest
from click.testing import CliRunner

from airflow_lineage_provider.adoption.first_map import first_map
from airflow_lineage_provider.adoption.seen import seen_in_manifest
from airflow_lineage_provider.cli import main
from tests.adoption.projects import node, project

TABLES = 40


def shop(tables=TABLES, parent="a"):
    nodes = [node("a", folder="staging"), node("b", folder="staging")]
    nodes += [node(f"t{n}", [f"model.p.{parent}"], folder="marts") for n in range(tables)]
    board = {
        "name": "board",
        "type": "dashboard",
        "label": "The <Board>",
        "depends_on": {"nodes": ["model.p.t0"]},
    }
    return project(*nodes, exposures=[board])


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository with the map of a project, in the working directory."""
    monkeypatch.chdir(tmp_path)
    text = first_map(seen_in_manifest(shop(), columns=False)).text
    (tmp_path / "m.yaml").write_text(text)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], check=True, cwd=tmp_path)

    def comment(manifest=None, change=("", "")):
        (tmp_path / "m.yaml").write_text(text.replace(*change))
        arguments = ["comment", "m.yaml", "--from", "HEAD"]
        if manifest is not None:
            (tmp_path / "manifest.json").write_bytes(msgspec.json.encode(manifest))
            arguments += ["--manifest", "manifest.json"]
        return CliRunner().invoke(main, arguments)

    return comment


def test_nothing_changed_is_a_short_comment(repository):
    ran = repository(shop())
    assert ran.exit_code == 0
    assert ran.stdout == "### Lineage: PASS\n"


def test_a_change_of_the_map_reaches_consumers_and_is_folded(repository):
    ran = repository(change=("t0: {from: staging.a}", "t0: {from: staging.b}"))
    assert ran.exit_code == 0
    assert "**Reaches** The &lt;Board\\>" in ran.stdout
    assert "<details><summary>2 changes, reaching 1 consumer</summary>" in ran.stdout
    assert "staging.b -> marts.t0" in ran.stdout


def test_a_drift_says_where_and_what_to_do(repository):
    ran = repository(shop(parent="b"), change=("t1: {from: staging.a}", "t1: {from: staging.b}"))
    assert ran.exit_code == 1
    assert ran.stdout.startswith("### Lineage: DRIFT")
    assert "| error | `edge-missing` | " in ran.stdout
    assert "m.yaml:" in ran.stdout
    assert "and 58 more" in ran.stdout, "39 tables read b, and no longer a"
    assert "`airflow-lineage update m.yaml --manifest target/manifest.json --accept`" in ran.stdout
    assert len(ran.stdout.splitlines()) < 60


def test_an_unknown_revision_is_one_line(repository):
    repository()
    ran = CliRunner().invoke(main, ["comment", "m.yaml", "--from", "nowhere"])
    assert ran.exit_code == 2
    assert len(ran.stderr.splitlines()) == 1

"""The git checkout of a node's file, without credentials of the remote."""

import subprocess
from pathlib import Path

import pytest
from dbt_projects import run, write_project
from event_helpers import events_of

from airflow_lineage_provider.events.source_code import checkout_of, without_credentials


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://ci:hunter2@example.com/team/dbt.git", "https://example.com/team/dbt.git"),
        ("https://hunter2@example.com:8443/team/dbt.git", "https://example.com:8443/team/dbt.git"),
        ("https://example.com/team/dbt.git?private_token=hunter2", "https://example.com/team/dbt.git"),
        ("https://x:hunter2@[::1]:8443/dbt.git", "https://[::1]:8443/dbt.git"),
        ("ssh://git@example.com:team/dbt.git", "ssh://example.com:team/dbt.git"),
        ("ssh://git@example.com:22/team/dbt.git", "ssh://example.com:22/team/dbt.git"),
        ("git@example.com:team/dbt.git", "git@example.com:team/dbt.git"),
        ("/srv/git/dbt.git", "/srv/git/dbt.git"),
    ],
)
def test_a_remote_loses_its_credentials(remote, shown):
    assert without_credentials(remote) == shown


def git(folder, *words):
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)


def test_a_checkout_has_its_revision_and_remote(tmp_path):
    git(tmp_path, "init")
    git(tmp_path, "remote", "add", "origin", "https://ci:hunter2@example.com/team/dbt.git")
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    found = checkout_of(str(tmp_path))
    assert (found.top, found.remote) == (tmp_path, "https://example.com/team/dbt.git")
    assert len(found.revision) == 40


def test_a_checkout_without_commit_and_remote(tmp_path):
    git(tmp_path, "init")
    found = checkout_of(str(tmp_path))
    assert (found.top, found.revision, found.remote) == (tmp_path, None, None)


def test_a_folder_outside_of_git(tmp_path):
    assert checkout_of(str(tmp_path)) is None


def test_a_node_of_a_package_is_in_the_folder_of_the_package(tmp_path):
    """A copied package is in no checkout; a local one is a link into its own."""
    files = {
        "dbt_packages/copied/dbt_project.yml": "name: copied",
        "dbt_packages/copied/models/copied_model.sql": "select 1 as id",
        "packages.yml": "packages: [{local: copied}, {local: libs/linked}]",
        "libs/linked/dbt_project.yml": "name: linked",
        "libs/linked/models/linked_model.sql": "select 1 as id",
        "models/own_model.sql": "select 1 as id",
    }
    project = write_project(tmp_path, files)
    (project / "dbt_packages" / "linked").symlink_to(project / "libs" / "linked")
    git(project, "init")
    locations = {
        event["job"]["name"]: event["job"]["facets"]["sourceCodeLocation"]
        for event in events_of(run(project))
    }
    files = {name: Path(location["url"].removeprefix("file://")) for name, location in locations.items()}
    assert all(file.is_file() for file in files.values())
    kinds = {name: (location["type"], location["path"]) for name, location in locations.items()}
    assert kinds == {
        "main.own_model": ("git", "models/own_model.sql"),
        "main.linked_model": ("git", "libs/linked/models/linked_model.sql"),
        "main.copied_model": ("file", "models/copied_model.sql"),
    }

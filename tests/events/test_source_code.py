"""The git checkout of a node's file, without credentials of the remote."""

import subprocess

import pytest

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

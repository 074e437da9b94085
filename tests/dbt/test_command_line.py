"""Words of dbt's command line as a command, and back to the words that the runner gives to dbt."""

import os

import click
import pytest
from dbt_projects import write_project

from airflow_lineage_provider.dbt import DbtError
from airflow_lineage_provider.dbt.command import QUIET
from airflow_lineage_provider.dbt.command_line import command_of_words


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return str(write_project(tmp_path_factory.mktemp("words"), {}))


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ("build --select a b --exclude c", "build --select a b --exclude c"),
        ("build -s a,b -s c", "build --select a,b c"),
        ("run --full-refresh --threads 3", "run --full-refresh --threads 3"),
        ("test --vars {a:\xa01}", 'test --vars {"a":\xa01}'),
        ("build --target prod --profile p", "build --profile p --target prod"),
        ("build --defer --state /tmp --no-fail-fast", "build --defer --state /tmp --no-fail-fast"),
        ("build -x", "build --fail-fast"),
        ("build --resource-type model seed", "build --resource-types model --resource-types seed"),
        ("build --indirect-selection cautious --empty", "build --indirect-selection cautious --empty"),
        ("build --quiet --log-level debug", "build"),
        ("source freshness -s a", "source freshness --select a"),
        ("run-operation m --args {a:\xa01}", 'run-operation m --args {"a":\xa01}'),
    ],
)
def test_dbt_gets_the_words_that_were_given(project, given, passed):
    words = [word.replace("\xa0", " ") for word in given.split(" ")]
    command = command_of_words([*words, "--project-dir", project, "--profiles-dir", project])
    found = command.argv()[len(QUIET) :]
    for name in ("--project-dir", "--profiles-dir"):
        at = found.index(name)
        del found[at : at + 2]
    expected = [word.replace("\xa0", " ") for word in passed.split(" ")]
    assert sorted(found) == sorted(expected)
    assert found[0] == expected[0]


def test_folders_of_dbts_output_are_those_that_were_given(project, monkeypatch):
    monkeypatch.setenv("DBT_TARGET_PATH", "")
    command_of_words(["build", "--target-path", "/out", "--project-dir", project, "--profiles-dir", project])
    assert os.environ["DBT_TARGET_PATH"] == "/out"


@pytest.mark.parametrize("words", [[], ["deps"], ["docs", "generate"], ["source"], ["--select", "a"]])
def test_a_command_that_runs_no_node_says_so(words):
    with pytest.raises(DbtError, match=r"has no lineage; use dbt itself for it\. Commands are: run, build"):
        command_of_words(words)


def test_an_option_that_dbt_does_not_have_is_dbts_own_error(project):
    with pytest.raises(click.UsageError, match="No such option"):
        command_of_words(["build", "--no-such", "--profiles-dir", project])

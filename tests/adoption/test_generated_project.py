"""A project of 87 models is adopted with no hand edit; five drifts are found and taken into its map."""

import json

import pytest

from airflow_lineage_provider.lineage_map import parse_map
from tests.adoption.trial import COLUMNS, Trial
from tests.support.generated_project import drift

MODELS = 87


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """The project, built once by dbt."""
    made = Trial(tmp_path_factory.mktemp("adopted"), MODELS)
    made.build("before")
    return made


@pytest.fixture(scope="module")
def first_map(trial):
    """The first map of the built project, with the columns of some tables; nobody edits it."""
    file = trial.folder / "first.yaml"
    file.write_text(trial.lineage("init", "--manifest", trial.manifest, "--columns", COLUMNS).stdout)
    return file


def errors_of(trial, lineage_map, run, expected):
    words = ("validate", lineage_map, "--store", trial.store(run), "--run", "all", "--format", "json")
    found = json.loads(trial.lineage(*words, expected=expected).stdout)
    return {(one["code"], one["subject"]) for one in found["findings"] if one["severity"] == "error"}


def test_the_first_map_is_clean_and_the_run_that_was_there_agrees_with_it(trial, first_map):
    linted = json.loads(trial.lineage("lint", first_map, "--format", "json").stdout)
    assert {one["severity"] for one in linted["findings"]} <= {"note"}
    assert errors_of(trial, first_map, "before", expected=0) == set()


def test_at_table_level_a_model_takes_at_most_three_lines(trial):
    text = trial.lineage("init", "--manifest", trial.manifest).stdout
    assert "stg_orders_0: {from: shop_db.orders_0}" in text
    assert len(text.splitlines()) <= 3 * MODELS


def test_columns_of_sources_come_from_the_warehouse(trial):
    """`dbt docs generate` reads them; a `*` over a source is known then."""
    words = ("--project-dir", trial.project, "--profiles-dir", trial.project, "--columns", "staging.*")
    text = trial.lineage("init", *words).stdout
    documented = parse_map(text).content.layers["staging"].tables["stg_orders_0"]
    assert list(documented.columns) == ["id", "customer_id", "status", "country", "amount", "ordered_on"]
    assert documented.columns["amount"].sources == ("shop_db.orders_0.amount_cents",)


@pytest.fixture(scope="module")
def drifted(trial, first_map):
    """What the drifts are, and a copy of the map with a comment on each line, after the operator's run."""
    expected = drift(trial.project)
    trial.operate("after")
    file = trial.folder / "drifted.yaml"
    lines = enumerate(first_map.read_text().splitlines())
    file.write_text("".join(f"{line}  # {number}\n" for number, line in lines))
    return expected, file


def test_each_of_five_drifts_is_found_and_taken_into_the_map(trial, drifted):
    expected, file = drifted
    found = errors_of(trial, file, "after", expected=1)
    for what, (code, part) in expected.items():
        assert any(one == code and part in subject for one, subject in found), what
    before = file.read_text().splitlines()
    evidence = ("--store", trial.store("after"), "--run", "all")
    trial.lineage("update", file, *evidence, "--accept")
    after = file.read_text().splitlines()
    kept = [line for line in before if line in after]
    changed = {line.split(":")[0].strip() for line in before if line not in after}
    assert changed == {"stg_orders_3", "int_joined_1", "int_joined_9", "orders", "revenue"}
    assert [line for line in after if line in before] == kept, "the order stays"
    assert errors_of(trial, file, "after", expected=0) == set()
    trial.lineage("update", file, *evidence)

"""The data generator: deterministic, and with every data flaw that silver must handle."""

import subprocess
import sys
from collections import Counter

import pytest

from .conftest import PROJECT
from .expected import Sources


@pytest.fixture
def generated(source_data, tmp_path):
    """The sources after each of the two batches."""
    source_data.generate(tmp_path, batch=1)
    first = Sources.read(tmp_path)
    source_data.generate(tmp_path, batch=2)
    return first, Sources.read(tmp_path)


def test_the_same_arguments_give_the_same_rows(source_data, generated, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    source_data.generate(elsewhere, batch=1)
    assert Sources.read(elsewhere) == generated[0]
    source_data.generate(elsewhere, batch=2)
    source_data.generate(elsewhere, batch=2)
    assert Sources.read(elsewhere) == generated[1]
    source_data.generate(elsewhere, batch=1)
    assert Sources.read(elsewhere) == generated[0]


def test_another_seed_gives_other_rows(source_data, generated, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    source_data.generate(elsewhere, seed=8)
    assert Sources.read(elsewhere).customers != generated[0].customers


def test_scale_1_is_some_hundred_customers(generated):
    first, _ = generated
    assert (len(first.customers), len(first.orders), len(first.products), len(first.events)) == (
        300,
        2400,
        40,
        6001,
    )


def test_the_data_has_every_flaw_that_silver_must_handle(generated):
    first, _ = generated
    assert {"N/A", "", "12,50", None} < {order["amount"] for order in first.orders}
    emails = [customer["email"] for customer in first.customers]
    assert any(email != email.strip() for email in emails)
    assert {email.strip().isupper() for email in emails} == {True, False}
    assert Counter(Counter(event["event_id"] for event in first.events).values()) == {1: 5999, 2: 1}


def test_batch_2_adds_changes_and_deletes(generated):
    first, second = ({row["customer_id"]: row for row in sources.customers} for sources in generated)
    assert len(second.keys() - first.keys()) == 15
    assert first.keys() - second.keys() == {"C0000003"}
    changed = [key for key in first.keys() & second.keys() if first[key] != second[key]]
    assert len(changed) == 12
    assert min(second[key]["updated_at"] for key in changed) > max(
        row["updated_at"] for row in first.values()
    )
    assert not any(order["customer_id"] == "C0000003" for order in generated[1].orders)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch", "2"], "crm.duckdb is not there: generate batch 1 first"),
        (["--scale", "-1"], "scale -1.0: a number above 0 is needed"),
    ],
)
def test_wrong_arguments_are_a_one_line_error_and_write_nothing(tmp_path, arguments, message):
    command = [sys.executable, PROJECT / "source_data.py", "--directory", tmp_path, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith(message + "\n")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())

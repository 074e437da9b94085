"""`audit`, `approve` and `review` as a person types them."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.command_line import call

ROOT = Path(__file__).resolve().parents[2]
MAP = str(ROOT / "dags/customer_analytics_pipeline.yaml")
ORDERS = "insert into silver.stg_orders (order_id) select order_id from bronze.raw_orders"


@pytest.fixture
def log(tmp_path):
    def write(*rows):
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


def test_an_audit_exits_with_1_for_a_write_outside_of_the_jobs(log):
    path = log(
        {"query": ORDERS + " where order_id = '4711'", "user": "eve", "timestamp": "2026-01-01T00:00:00Z"}
    )
    done = call("audit", MAP, path, "-e", "postgres", "--database", "analytics")
    assert done.exit_code == 1
    assert "2026-01-01T00:00:00 eve " in done.output
    assert "silver.stg_orders <- bronze.raw_orders  1 times" in done.output
    assert "4711" not in done.output
    data = json.loads(
        call("audit", MAP, path, "-e", "postgres", "--database", "analytics", "--format", "json").output
    )
    assert data["outside"][0]["user"] == "eve"


def test_an_audit_reads_the_schema_that_it_is_given(log, tmp_path):
    (tmp_path / "schema.json").write_text('{"bronze.raw_orders": {"order_id": "int"}}')
    path = log({"query": "insert into silver.stg_orders select * from bronze.raw_orders", "user": "eve"})
    words = ("audit", MAP, path, "-e", "postgres", "--database", "analytics", "--format", "markdown")
    assert "columns not known" in call(*words).output
    assert "\\* takes all columns" not in call(*words, "--schema", tmp_path / "schema.json").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("audit", MAP), "name LOG files, or --postgres URL"),
        (("audit", MAP, "/nowhere.csv"), "/nowhere.csv: cannot be read: No such file or directory"),
        (("audit", MAP, "--postgres", "not a url with topsecret"), "--postgres is not a URL"),
        (("review", MAP, "--since", "soon"), "'soon' does not name one duration"),
        (("review", MAP, "-e", "nowhere"), "no environment 'nowhere'"),
        (("impact", MAP), "name a COLUMN, --migration FILE, or --manifest NEW --against OLD"),
        (("impact", MAP, "--migration", "/nowhere.sql"), "/nowhere.sql: cannot be read"),
        (("impact", MAP, "bronze.raw_orders", "--migration", "/nowhere.sql"), "not both"),
    ],
)
def test_bad_input_is_one_line_and_2(words, said):
    done = call(*words)
    assert done.exit_code == 2
    assert said in done.output
    assert "topsecret" not in done.output


def test_a_map_is_approved_reviewed_and_changed(tmp_path):
    path = tmp_path / "map.yaml"
    shutil.copy(MAP, path)
    before = path.read_text()
    done = call("approve", path, "--role", "Data Platform Lead", "--name", "Ann Lee", "--date", "2026-01-31")
    assert done.exit_code == 0
    assert "approved by Ann Lee as Data Platform Lead on 2026-01-31: sha256:" in done.output
    changed = set(path.read_text().splitlines()) ^ set(before.splitlines())
    assert len(changed) == 2
    assert "changed-since-approval" not in call("lint", path).output
    page = call("review", path, "--store", tmp_path / "empty.db", "--format", "html")
    assert page.exit_code == 0
    assert "Nothing changed since the approval by Ann Lee on 2026-01-31" in page.output
    path.write_text(path.read_text().replace("retention: 90 days", "retention: 30 days"))
    assert "changed-since-approval" in call("lint", path).output


def test_an_unknown_role_is_bad_input_and_changes_nothing(tmp_path):
    path = tmp_path / "map.yaml"
    shutil.copy(MAP, path)
    done = call("approve", path, "--role", "Nobody", "--name", "A")
    assert done.exit_code == 2
    assert "it lists Data Platform Lead, Data Governance Committee" in done.output
    assert path.read_text() == Path(MAP).read_text()

"""The workflow and the pre-commit hook of this repository: their commands run, and find what is wrong."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github/workflows/lineage.yml"
MAP = "dags/customer_analytics_pipeline.yaml"
GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")


def steps():
    return yaml.safe_load(WORKFLOW.read_text())["jobs"]["lineage"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A commit of the files as they are here, cloned as a runner does, with its origin's main branch."""
    base = tmp_path_factory.mktemp("ci")
    origin = base / "origin"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    if not listed:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (origin / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, origin / name)
    subprocess.run([*GIT, "init", "-q", "-b", "main"], cwd=origin, check=True)
    subprocess.run([*GIT, "add", "-A"], cwd=origin, check=True)
    subprocess.run([*GIT, "commit", "-qm", "base"], cwd=origin, check=True)
    subprocess.run([*GIT, "clone", "-q", origin, base / "clone"], cwd=base, check=True)
    return base / "clone"


def run_step(name, checkout, summary):
    job = steps()
    (step,) = (one for one in job["steps"] if one.get("name") == name)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DBT_")} | {
        **job["env"],
        "BASE": "origin/main",
        "GITHUB_STEP_SUMMARY": str(summary),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(checkout),
    }
    return subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def compiled(checkout):
    done = run_step("compile", checkout, checkout / "summary.md")
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


def test_the_commands_of_the_workflow_pass_on_this_repository(compiled, tmp_path):
    for name in ("lint", "check", "diff"):
        done = run_step(name, compiled, tmp_path / "summary.md")
        assert done.returncode == 0, done.stdout + done.stderr
    assert "Lineage is the same" in (tmp_path / "summary.md").read_text()


def test_a_change_of_the_map_fails_the_check_and_is_in_the_summary(compiled, tmp_path):
    path = compiled / MAP
    text = path.read_text()
    path.write_text(text.replace("total_revenue: {from: order_amount", "total_income: {from: order_amount"))
    try:
        checked = run_step("check", compiled, tmp_path / "summary.md")
        assert checked.returncode == 1
        assert f"::error file={MAP},line=" in checked.stdout
        run_step("diff", compiled, tmp_path / "summary.md")
        assert "gold.customer_orders_summary.total_revenue" in (tmp_path / "summary.md").read_text()
    finally:
        path.write_text(text)


def test_the_workflow_is_valid():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    done = subprocess.run(
        [*command, "vendor.github-workflows", WORKFLOW], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_workflow_installs_what_the_repository_has():
    (install,) = (one["run"] for one in steps()["steps"] if one.get("name") == "install")
    for file in re.findall(r"-r (\S+)", install):
        assert (ROOT / file).is_file()


@pytest.mark.parametrize("file", [".pre-commit-hooks.yaml", ".pre-commit-config.yaml"])
def test_the_hook_lints_the_maps_that_it_fits(file, tmp_path):
    data = yaml.safe_load((ROOT / file).read_text())
    (hook,) = data if isinstance(data, list) else data["repos"][0]["hooks"]
    assert hook["id"] == "lineage-lint"
    name = MAP if file.endswith("config.yaml") else "docs/orders-lineage.yaml"
    assert re.search(hook["files"], name)
    assert not re.search(hook["files"], "docker-compose.yaml")
    path = tmp_path / "map.yaml"
    path.write_text("document: {title: T}\nlayers: {gold: {tables: {a: {from: silver.b}}}}\n")
    program, *words = hook["entry"].split()
    command = [Path(sys.executable).with_name(program), *words]
    good = subprocess.run([*command, ROOT / MAP], capture_output=True, text=True, check=False)
    bad = subprocess.run([*command, path], capture_output=True, text=True, check=False)
    assert (good.returncode, bad.returncode) == (0, 1), good.stdout + bad.stdout

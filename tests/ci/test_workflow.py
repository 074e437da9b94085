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


SCHEMAS = {
    ".github/workflows/lineage.yml": "vendor.github-workflows",
    "action.yml": "vendor.github-actions",
    "docs/snippets/ci/github.yml": "vendor.github-workflows",
    "docs/snippets/ci/gitlab.yml": "vendor.gitlab-ci",
}


@pytest.mark.parametrize("file", SCHEMAS)
def test_the_files_are_valid(file):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[file], ROOT / file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def compare(checkout, folder, **environment):
    """Run the step of the action that compares, where the package is installed; return its outputs."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    (step,) = (one for one in action["runs"]["steps"] if one.get("id") == "compare")
    (folder / "lineage").mkdir(parents=True)
    (folder / "lineage" / "bin").symlink_to(Path(sys.executable).parent)
    files = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=checkout,
        env=os.environ
        | {"MAP": MAP, "MANIFEST": "", "ENVIRONMENT": "", "FROM": "origin/main", "RUNNER_TEMP": str(folder)}
        | {name: str(file) for name, file in files.items()}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    return outputs | {"log": done.stdout, "summary": files["GITHUB_STEP_SUMMARY"].read_text()}


def test_the_action_passes_where_nothing_changed_and_names_what_did(compiled, tmp_path):
    manifest = {"MANIFEST": "dbt_project/target/manifest.json", "ENVIRONMENT": "dev"}
    path = compiled / MAP
    text = path.read_text()
    assert compare(compiled, tmp_path / "same", **manifest)["status"] == "0"
    path.write_text(text.replace("total_revenue: {from: order_amount", "total_income: {from: order_amount"))
    try:
        found = compare(compiled, tmp_path / "changed", **manifest)
        assert found["status"] == "1"
        assert f"::error file={MAP},line=" in found["log"]
        assert "total_income" in found["summary"] == Path(found["report"]).read_text()
        assert compare(compiled, tmp_path / "unknown", FROM="no-such-revision")["status"] == "2"
    finally:
        path.write_text(text)


def test_the_script_for_gitlab_writes_its_report(compiled, tmp_path):
    job = yaml.safe_load((ROOT / "docs/snippets/ci/gitlab.yml").read_text())["lineage"]
    variables = {"MAP": MAP, "MANIFEST": "dbt_project/target/manifest.json"}
    assert set(variables) == set(job["variables"]) - {"GIT_DEPTH"}
    done = subprocess.run(
        ["bash", "-ec", "\n".join(job["script"])],
        cwd=compiled,
        env=os.environ
        | variables
        | {
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": "HEAD",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = compiled / job["artifacts"]["reports"]["junit"]
    assert "<testsuite" in report.read_text()
    report.unlink()


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

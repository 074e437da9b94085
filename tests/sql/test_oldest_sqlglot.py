"""The oldest sqlglot that pyproject.toml allows gives the same lineage as the one that is installed."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

HERE = Path(__file__).parent
PYPROJECT = HERE.parents[1] / "pyproject.toml"

# Prints the version of sqlglot, then runs pytest.
PYTEST = """
import sys
import pytest, sqlglot
from airflow_lineage_provider.sql.compat import VERSION
print("sqlglot", sqlglot.__version__, VERSION, sqlglot.__file__)
sys.exit(pytest.main(sys.argv[1:]))
"""


def oldest_supported():
    dependencies = map(Requirement, tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"])
    (sqlglot,) = (d for d in dependencies if d.name == "sqlglot")
    (oldest,) = (s.version for s in sqlglot.specifier if s.operator == ">=")
    return oldest


@pytest.fixture(scope="module")
def installed():
    """The folder of the oldest sqlglot with its compiled part, installed once and kept."""
    folder = Path(sys.prefix) / f"sqlglot-{oldest_supported()}"
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--retries=1", "--upgrade"]
        wanted = [f"{name}=={oldest_supported()}" for name in ("sqlglot", "sqlglotc")]
        done = subprocess.run(
            [*pip, "--target", unfinished, *wanted], capture_output=True, text=True, check=False
        )
        if "(from versions: none)" in done.stderr:
            pytest.skip(f"pip reaches no registry that has {' and '.join(wanted)} for {folder}")
        assert done.returncode == 0, done.stderr
        unfinished.rename(folder)
    return folder


@pytest.mark.e2e
def test_the_oldest_supported_sqlglot_gives_the_documented_lineage(installed):
    tests = [HERE / f"test_{name}.py" for name in ("fixtures", "expressions", "datatypes")]
    done = subprocess.run(
        [sys.executable, "-c", PYTEST, "-q", "-p", "no:cacheprovider", *tests],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=PYPROJECT.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    _, ran, told, file = done.stdout.splitlines()[0].split(" ", 3)
    assert Version(ran) == Version(told) == Version(oldest_supported())
    assert Path(file).is_relative_to(installed)

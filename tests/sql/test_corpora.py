"""The score on corpora of statements with known lineage. The corpora are not part of this repository."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared, the corpora of issue 3")
def test_score():
    command = f"{shlex.quote(str(Path(sys.executable).with_name('airflow-lineage')))} sql --batch {{}}"
    corpora = sorted(map(str, SHARED.glob("corpora/*.jsonl")))
    tool = [sys.executable, str(SHARED / "tools/score_columns.py"), *corpora, "--run", command, "--show"]
    core = subprocess.run(tool, capture_output=True, text=True, check=False).stdout
    shares = dict(re.findall(r"(right|subtypes|indirect) (\d+/\d+)", core.splitlines()[-1]))
    assert share(shares["right"]) >= 0.99, core
    assert share(shares["subtypes"]) >= 0.97, core
    assert share(shares["indirect"]) >= 0.93, core
    every = subprocess.run([*tool, "--all-dialects"], capture_output=True, text=True, check=False).stdout
    assert share(re.search(r"all: right (\d+/\d+)", every)[1]) >= 0.95, every


def share(fraction):
    right, total = fraction.split("/")
    return int(right) / int(total)

"""The first afternoon: projects of 87, 150 and 700 models, adopted with no hand edit.

    make bench BENCH=adopt

Each is built by dbt, given a map by `init`, linted, and validated with its run. Then it drifts in five ways
and is built again by `DbtLayerOperator`; `update --accept` takes the drifts into the map, which validates.
Bars: `init` at table level takes less than 10 s as a process of its own, and at most 3 lines a model.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))
from tests.adoption.trial import COLUMNS, Trial
from tests.bench.measured import Measured, progress
from tests.support.generated_project import drift

MODELS = (87, 150, 700)
SECONDS_BAR, LINES_BAR = 10, 3


def main() -> int:
    """Adopt each project, and print its figures."""
    missed = 0
    for models in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            for figure in adopt(Trial(Path(folder), models)):
                print(figure)
                missed += figure.of_bar > 1
    print(f"adopt: {'within every bar' if not missed else f'{missed} missed'}")
    return int(missed > 0)


def adopt(trial: Trial) -> list[Measured]:
    """Adopt a project; return the figures of its first map. Raises AssertionError where a step fails."""
    progress(f"{trial.models} models: dbt build")
    trial.build("before")
    started = time.perf_counter()
    text = trial.lineage("init", "--manifest", trial.manifest).stdout
    seconds = time.perf_counter() - started
    lineage_map = trial.folder / "lineage.yaml"
    lineage_map.write_text(trial.lineage("init", "--manifest", trial.manifest, "--columns", COLUMNS).stdout)
    trial.lineage("lint", lineage_map)
    validate = ("validate", lineage_map, "--run", "all", "--format", "json", "--store")
    trial.lineage(*validate, trial.store("before"))
    drifts = drift(trial.project)
    progress(f"{trial.models} models: the operator")
    trial.operate("after")
    found = json.loads(trial.lineage(*validate, trial.store("after"), expected=1).stdout)["findings"]
    for what, (code, part) in drifts.items():
        assert any(one["code"] == code and part in one["subject"] for one in found), what
    trial.lineage("update", lineage_map, "--run", "all", "--store", trial.store("after"), "--accept")
    trial.lineage(*validate, trial.store("after"))
    name = f"{trial.models} models"
    return [
        Measured(f"{name}, init", seconds, SECONDS_BAR, "s", more_is_better=False),
        Measured(
            f"{name}, lines of the map",
            len(text.splitlines()) / trial.models,
            LINES_BAR,
            "a model",
            more_is_better=False,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())

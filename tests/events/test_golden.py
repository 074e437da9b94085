"""The complete events of a small project, compared with `golden/small.json`.

To renew the file after an intended change (then review the difference):

    RENEW_GOLDEN=1 .venv/bin/python -m pytest tests/events/test_golden.py
"""

import json
import os
import re
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden" / "small.json"
MOMENT = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"


def normalised(events, project):
    """Replace what differs between two runs: ids, times, the project's folder, versions of dependencies."""
    text = json.dumps(events, indent=1, sort_keys=True).replace(str(project), "/project")
    for number, run_id in enumerate(dict.fromkeys(event["run"]["runId"] for event in events), start=1):
        text = text.replace(run_id, f"run-{number}")
    text = re.sub(rf'("eventTime": )"{MOMENT}"', r'\1"now"', text)
    text = re.sub(r'("invocation_id": )"[^"]+"', r'\1"invocation"', text)
    text = re.sub(r'("(?:version|openlineageAdapterVersion)": )"[^"]+"', r'\1"1"', text)
    return re.sub(r"airflow-lineage-provider:[\w.]+", "airflow-lineage-provider:1", text) + "\n"


def test_the_events_are_unchanged(small, small_events):
    found = normalised(small_events, small.invocation.project_dir)
    if os.environ.get("RENEW_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(found, encoding="utf-8")
    assert json.loads(found) == json.loads(GOLDEN.read_text(encoding="utf-8"))

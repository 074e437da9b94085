"""The validation of a run of 20,000 events: 10,000 models of 10 columns, with their column lineage.

Bars: 5 s of the processor and 200 MiB, the reading of the file included. Exits with 1 where one is missed.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS, COLUMNS, SQL_LENGTH = 10_000, 10, 2_000
BARS = {"seconds": 5.0, "peak MiB": 200.0}
WAREHOUSE = "duckdb:///srv/warehouse.duckdb"
MAP = """
document: {}
layers: {layer: {tables: {table_1: {from: layer.table_0}, table_0: }}}
environments:
  dev: {bindings: [{dataset: "{layer}.{table}", namespace: "duckdb://*", name: "warehouse.{layer}.{table}"}]}
policy: {dataset-unexpected: ignore}
"""


def events() -> Iterator[dict[str, Any]]:
    """Yield START and COMPLETE of each model, which reads the model of half its number."""
    schema = {
        "fields": [{"name": f"column_{n}", "type": "VARCHAR", "description": ""} for n in range(COLUMNS)]
    }
    for number in range(MODELS):
        source = {"namespace": WAREHOUSE, "name": f"warehouse.layer.table_{number // 2}"}
        name = f"layer.table_{number}"
        made_from = {
            f"column_{n}": {"inputFields": [source | {"field": f"column_{n}", "transformations": [DIRECT]}]}
            for n in range(COLUMNS)
        }
        output = {"namespace": WAREHOUSE, "name": f"warehouse.{name}"}
        facets = {"schema": schema, "columnLineage": {"fields": made_from}}
        clock = f"{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}"
        for second, kind in enumerate(("START", "COMPLETE")):
            yield {
                "eventType": kind,
                "eventTime": f"2026-01-01T{clock}.{second}Z",
                "run": {"runId": f"00000000-0000-7000-8000-{number:012}", "facets": {}},
                "job": {"namespace": "dbt", "name": name, "facets": {"sql": {"query": "x" * SQL_LENGTH}}},
                "inputs": [source | {"facets": {"schema": schema}}],
                "outputs": [output | {"facets": facets}],
            }


DIRECT = {"type": "DIRECT", "subtype": "IDENTITY", "description": "", "masking": False}


def measure(file: str) -> dict[str, float]:
    """Validate the events in a file; return seconds of the processor and the peak of memory."""
    from airflow_lineage_provider.checks import validate
    from airflow_lineage_provider.lineage_map import parse_map
    from airflow_lineage_provider.readers import read_evidence
    from airflow_lineage_provider.reports.text import validation_text

    lineage_map = parse_map(MAP)
    started = time.process_time()
    with Path(file).open(encoding="utf-8") as lines:
        evidence = read_evidence("event", map(json.loads, lines), lineage_map, "dev")
    validation_text(validate(evidence, lineage_map, environment="dev"))
    return {
        "seconds": time.process_time() - started,
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> int:
    """Write the events, validate them in a separate process, and print the figures with their bars."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        count = 0
        for event in events():
            file.write(json.dumps(event) + "\n")
            count += 1
        file.flush()
        command = [sys.executable, __file__, file.name]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for key, bar in BARS.items():
        print(f"{key:<12}{found[key]:>10.2f}   bar {bar:g}")
    missed = [key for key, bar in BARS.items() if found[key] > bar]
    print(f"validation of {count:,} events: {f'missed: {missed}' if missed else 'within every bar'}")
    return bool(missed)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        sys.exit(main())

"""A million statements of a query log audited, beside sqlglot called one statement at a time.

    make bench BENCH=audit

The log has 500 shapes, each with literals of its own in every statement; one statement in 20 is not of a dbt
job. Bars: 60 s of the processor, in one process, and 1 GiB; the elapsed time beside it is disturbed by other
processes. sqlglot's own lineage of one statement is measured on a sample of 2,000 of the same statements and
extrapolated to all of them.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

STATEMENTS = 1_000_000
SHAPES = 500
ADHOC = 25  # of the shapes: 5 %
SAMPLE = 2_000
BARS = {"cpu seconds": 60.0, "peak MiB": 1024.0}
TABLES = 20


def shape(number: int) -> str:
    """Return a statement with `{0}` where its literals are."""
    source, other, columns = f"bronze.t{number % TABLES}", f"bronze.t{(number + 7) % TABLES}", number % 5 + 2
    listed = ", ".join(f"c{one}" for one in range(columns))
    values = ", ".join(
        f"case when a.c{one} > {{0}} then coalesce(a.c{one}, {{0}}) else b.c{one} end as c{one}"
        for one in range(columns)
    )
    kept = f"a.id = b.id where a.kind = 'k{{0}}' and b.day between {{0}} and {number} + {{0}}"
    target = f"gold.m{number}" if number < ADHOC else f"silver.s{number}"
    return (
        f"insert into {target} (id, {listed}) select a.id, {values} from {source} a join {other} b on {kept}"
    )


def statements(count: int) -> Iterator[dict[str, object]]:
    texts = [shape(number) for number in range(SHAPES)]
    for number in range(count):
        at = number % SHAPES
        sql, user = texts[at].format(number), "loader"
        if at >= ADHOC:
            node = json.dumps({"app": "dbt", "dbt_version": "1.11.0", "node_id": f"model.shop.s{at}"})
            sql, user = f"/* {node} */\n{sql}", "dbt"
        yield {
            "query": sql,
            "timestamp": f"2026-01-01T{number // 41_667:02}:00:00Z",
            "user": user,
            "session": number % 50,
            "database": "shop",
        }


def write_map(path: Path) -> None:
    tables = {f"t{number}": None for number in range(TABLES)}
    silver = {
        f"s{number}": {"from": [f"bronze.t{number % TABLES}", f"bronze.t{(number + 7) % TABLES}"]}
        for number in range(ADHOC, SHAPES)
    }
    layers = {
        "bronze": {"tables": tables},
        "silver": {"tables": silver},
        "gold": {"tables": {"report": None}},
    }
    binding = {"dataset": "{layer}.{table}", "namespace": "postgres://*", "name": "shop.{layer}.{table}"}
    document = {
        "document": {"title": "Bench"},
        "layers": layers,
        "environments": {"prod": {"bindings": [binding]}},
    }
    path.write_text(json.dumps(document), encoding="utf-8")


def ours(folder: Path) -> dict[str, float]:
    from airflow_lineage_provider.checks.audit import audit
    from airflow_lineage_provider.graph import Code
    from airflow_lineage_provider.lineage_map import bindings_of, load_map
    from airflow_lineage_provider.readers.query_log import read_writes
    from airflow_lineage_provider.readers.query_log.files import open_log_files

    started, used = time.perf_counter(), time.process_time()
    documented = load_map(folder / "map.yaml")
    log = open_log_files([folder / "log.jsonl"], dialect="postgres")
    found = audit(read_writes(log, bindings_of(documented)), documented, environment="prod")
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    adhoc = [finding for finding in found.comparison.findings if finding.code is Code.ADHOC_WRITE]
    assert (found.statements, found.shapes, len(adhoc)) == (STATEMENTS, SHAPES, ADHOC)
    assert sum(write.calls for write in found.outside) == STATEMENTS // 20
    assert not found.incomplete
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu seconds": cpu, "elapsed s": seconds, "peak MiB": peak}


def peer(folder: Path) -> dict[str, float]:
    """Measure sqlglot on the first statements: parse each, and ask for the lineage of its columns."""
    import sqlglot
    from sqlglot.lineage import lineage

    del folder
    sample = [str(one["query"]) for one in statements(SAMPLE)]
    columns = dict.fromkeys(("id", "kind", "day", *(f"c{number}" for number in range(8))), "int")
    schema = {"bronze": {f"t{number}": columns for number in range(TABLES)}}
    started, used = time.perf_counter(), time.process_time()
    for sql in sample:
        tree = sqlglot.parse_one(sql, dialect="postgres")
        query = tree.expression
        for column in query.named_selects:
            lineage(column, query.copy(), schema=schema, dialect="postgres")
    times = STATEMENTS / SAMPLE
    seconds, cpu = (time.perf_counter() - started) * times, (time.process_time() - used) * times
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu seconds": cpu, "elapsed s": seconds, "peak MiB": peak}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        print(f"writing a log of {STATEMENTS:,} statements ...", file=sys.stderr, flush=True)
        write_map(Path(folder, "map.yaml"))
        with Path(folder, "log.jsonl").open("w", encoding="utf-8") as log:
            log.writelines(json.dumps(one) + "\n" for one in statements(STATEMENTS))
        results = {}
        for engine in ("ours", "peer"):
            print(f"measuring {engine} ...", file=sys.stderr, flush=True)
            command = [sys.executable, "-P", __file__, engine, folder]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            results[engine] = json.loads(done.stdout)
    mine, theirs = results["ours"], results["peer"]
    print(f"{'':<12}{'ours':>12}{'sqlglot':>14}{'bar':>10}   (of {SAMPLE:,})")
    for key, value in mine.items():
        print(f"{key:<12}{value:>12,.1f}{theirs[key]:>14,.1f}{BARS.get(key, '-'):>10}")
    missed = [key for key, bar in BARS.items() if mine[key] > bar]
    verdict = f"missed: {', '.join(missed)}" if missed else "within every bar"
    ratio = theirs["cpu seconds"] / mine["cpu seconds"]
    print(f"audit: {ratio:.0f} times as fast as sqlglot one by one, {verdict}")
    return bool(missed)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps({"ours": ours, "peer": peer}[sys.argv[1]](Path(sys.argv[2]))))
    else:
        sys.exit(main())

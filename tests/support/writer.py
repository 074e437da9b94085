"""A process that fills a store: writer.py STORE NAME COUNT. Says each number once it is committed."""

import sys

from samples import run_event

from airflow_lineage_provider.store import EventStore

if __name__ == "__main__":
    path, name, count = sys.argv[1:]
    store = EventStore(path)
    for n in range(int(count)):
        store.append(run_event(f"run-{name}", "RUNNING", at=f"2026-11-22T07:28:01.{n:06}Z"))
        sys.stdout.write(f"{n}\n")
        sys.stdout.flush()
    store.close()

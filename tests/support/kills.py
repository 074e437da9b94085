"""How many processes a test kills, and its result: `make soak` kills 1,000 writers and 300 forwarders."""

import multiprocessing
import os
import sys
import time

# A server that has imported everything forks each process, so that a kill costs no new interpreter.
_forkserver = multiprocessing.get_context("forkserver")
_forkserver.set_forkserver_preload(["tests.support.writer"])


def start(target, *arguments):
    """Start a process that a test kills."""
    process = _forkserver.Process(target=target, args=arguments)
    process.start()
    return process


def kills(what, default):
    """Yield the number of each kill; print the progress to stderr for long runs."""
    count = int(os.environ.get(f"SOAK_{what.upper()}_KILLS", default))
    start = time.monotonic()
    for n in range(count):
        if n and n % 25 == 0:
            left = (time.monotonic() - start) / n * (count - n)
            sys.stderr.write(f"{n} of {count} kills of {what}, {left / 60:.0f} minutes to go\n")
        yield n


def print_result(what, store, **figures):
    """Print the figures of a test that killed processes, for `pytest -s`."""
    database = "SQLite" if store.database.is_sqlite else "Postgres"
    text = ", ".join(f"{figure} {name.replace('_', ' ')}" for name, figure in figures.items())
    sys.stdout.write(f"\nkilled {what} on {database}: {text}\n")

"""`python -m airflow_lineage_provider.sql --batch FILE`."""

from __future__ import annotations

import argparse
import sys

from airflow_lineage_provider.sql.command import answer_batch


def main() -> int:
    """Print one JSON line a statement."""
    parser = argparse.ArgumentParser(prog="python -m airflow_lineage_provider.sql")
    parser.add_argument("--batch", required=True, metavar="FILE", help="one statement a line, as JSON")
    for line in answer_batch(parser.parse_args().batch):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

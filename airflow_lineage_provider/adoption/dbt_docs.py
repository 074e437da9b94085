"""Let dbt compile a project, and read the columns of its relations from the warehouse."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN = 3


def generate_docs(project: Path, profiles: Path | None, target: str | None, into: Path) -> tuple[Path, Path]:
    """Run `dbt docs generate`; return the paths of manifest.json and catalog.json in the folder `into`.

    The profile names the warehouse; nothing is built in it. Raises InputError with dbt's last lines where it
    fails.
    """
    options = {
        "--project-dir": project,
        "--profiles-dir": profiles,
        "--target": target,
        "--target-path": into,
    }
    words = [str(word) for pair in options.items() if pair[1] is not None for word in pair]
    command = [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "docs", "generate", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise InputError(f"{project}: `dbt docs generate` failed: {' | '.join(lines[-_SHOWN:])}")
    return into / "manifest.json", into / "catalog.json"

"""Read a file at a git revision."""

from __future__ import annotations

import subprocess
from pathlib import Path

from airflow_lineage_provider.errors import InputError

_SECONDS = 30


def read_revision(path: str | Path, revision: str) -> str:
    """Return the text of a file at a revision. Raises InputError where git cannot give it."""
    file = Path(path).absolute()
    if not revision or revision.startswith("-") or ":" in revision:
        raise InputError(f"{revision!r} is not a git revision; name a branch, a tag or a commit")
    command = ["git", "-C", str(file.parent), "show", "--end-of-options", f"{revision}:./{file.name}"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{path} at {revision}: git failed: {error}") from None
    if done.returncode:
        errors = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"{path} at {revision}: {errors[0] if errors else 'git failed'}")
    return done.stdout.decode(errors="replace")

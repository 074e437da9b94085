"""A file as it was in a git revision."""

from __future__ import annotations

import subprocess
from pathlib import Path

_SECONDS = 30


def read_revision(path: str | Path, revision: str) -> str:
    """Return the text of a file at a revision. Raises ValueError, in one line, where git has none."""
    file = Path(path).absolute()
    if revision.startswith("-") or ":" in revision:
        raise ValueError(f"{revision!r} is no git revision")
    command = ["git", "-C", str(file.parent), "show", "--end-of-options", f"{revision}:./{file.name}"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValueError(f"git could not be asked for {path} at {revision}: {error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(f"{path} at {revision}: {said[0] if said else 'git failed'}")
    return done.stdout.decode(errors="replace")

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
    done = _git(file, "show", "--end-of-options", f"{revision}:./{file.name}")
    if done.returncode:
        errors = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"{path} at {revision}: {errors[0] if errors else 'git failed'}")
    return done.stdout.decode(errors="replace")


def revisions_of(path: str | Path, most: int) -> list[str]:
    """Return the commits that changed a file, the newest first. Raises InputError where git cannot tell."""
    file = Path(path).absolute()
    done = _git(file, "log", f"--max-count={most}", "--format=%H", "--", file.name)
    if done.returncode:
        errors = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"{path}: {errors[0] if errors else 'git failed'}")
    return done.stdout.decode(errors="replace").split()


def _git(file: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(file.parent), *words]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{file}: git failed: {error}") from None

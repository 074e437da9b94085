"""The git checkout of a node's file, for OpenLineage's `sourceCodeLocation`."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class Checkout:
    """A git checkout: its top folder, revision and remote; the last two may be unknown."""

    top: Path
    revision: str | None
    remote: str | None


@lru_cache(maxsize=8)
def checkout_of(folder: str) -> Checkout | None:
    """Return the git checkout of `folder`; None without git or outside of a checkout."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    if not top:
        return None
    remote = _git(folder, "remote", "get-url", "origin")
    revision = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    return Checkout(Path(top), revision, without_credentials(remote) if remote else None)


def without_credentials(remote: str) -> str:
    """Return the URL of a remote without user and token.

    >>> without_credentials("https://ci:token@example.com/team/dbt.git")
    'https://example.com/team/dbt.git'
    """
    url = urlsplit(remote)
    if not url.scheme or not url.netloc:
        return remote
    return urlunsplit((url.scheme, url.netloc.rpartition("@")[2], url.path, "", ""))


def _git(folder: str, *words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", folder, *words],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None

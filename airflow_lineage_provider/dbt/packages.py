"""Install the packages of a project: once, although several tasks run it at a time."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.command import QUIET
from airflow_lineage_provider.dbt.profile import project_settings
from airflow_lineage_provider.dbt.project import one_line
from airflow_lineage_provider.dbt.records import DbtError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_lineage_provider.dbt.command import Command

DECLARED = ("packages.yml", "dependencies.yml", "package-lock.yml")
STAMP = ".installed-for-lineage"


def install_packages(command: Command, log: Callable[[Any], None]) -> None:
    """Run `dbt deps` unless the packages of the files that declare them are installed already.

    `log` receives dbt's events. Raises DbtError where dbt cannot install them.
    """
    from dbt.cli.main import dbtRunner

    project = Path(command.project_dir)
    if not any((project / name).is_file() for name in DECLARED[:2]):
        return
    folder = project / str(
        project_settings(command.project_dir).get("packages-install-path") or "dbt_packages"
    )
    with _locked(project):
        if (folder / STAMP).is_file() and (folder / STAMP).read_text(encoding="utf-8") == _declared(project):
            return
        outcome = dbtRunner(callbacks=[log]).invoke([*QUIET, "deps", *command.project_args])
        if not outcome.success:
            raise DbtError(
                f"dbt deps cannot install the packages of {project}: {one_line(outcome.exception)}"
            )
        folder.mkdir(exist_ok=True)
        (folder / STAMP).write_text(_declared(project), encoding="utf-8")


def _declared(project: Path) -> str:
    files = (project / name for name in DECLARED)
    return sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder against other processes; a file system without locks is used without."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)

"""Airflow's web server with each auth manager."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.environments import python_of

from .serving import WebServer, web_server

if TYPE_CHECKING:
    from collections.abc import Iterator

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"


@pytest.fixture(scope="session")
def simple(tmp_path_factory) -> Iterator[WebServer]:
    """Airflow with the SimpleAuthManager."""
    with web_server(tmp_path_factory.mktemp("simple")) as server:
        yield server


@pytest.fixture(scope="session")
def fab(tmp_path_factory) -> Iterator[WebServer]:
    """Airflow with the FAB auth manager."""
    script = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    found = subprocess.run([python_of("fab"), "-c", script], capture_output=True, text=True, check=True)
    environ = {"AIRFLOW__CORE__AUTH_MANAGER": FAB, "PYTHONPATH": found.stdout.strip()}
    with web_server(tmp_path_factory.mktemp("fab"), **environ) as server:
        yield server

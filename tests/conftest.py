"""What tests of several rooms share."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytest_plugins = ["tests.support.stores"]

# The Airflow of whoever runs the tests is neither asked nor touched.
for _name in [name for name in os.environ if name.startswith("AIRFLOW")]:
    del os.environ[_name]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-of-tests-")
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def postgres():
    """Start a private Postgres server; gives the PG* variables that reach its database `analytics`."""
    binaries = shutil.which("initdb") or next(Path("/usr/lib/postgresql").glob("*/bin/initdb"), None)
    if not binaries:
        pytest.skip("no Postgres: initdb is not on PATH")
    binaries = Path(binaries).parent
    # The server refuses to run as root, and pytest's own folders are closed to everybody else.
    user = "nobody" if os.getuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    password, data = home / "password", home / "data"
    variables = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(free_port()),
        "PGUSER": "analytics",
        "PGPASSWORD": os.urandom(16).hex(),
        "PGDATABASE": "analytics",
    }
    password.write_text(variables["PGPASSWORD"], encoding="utf-8")
    if user:
        shutil.chown(home, user)
        shutil.chown(password, user)

    def run(program, *arguments):
        command = [binaries / program, *arguments]
        log = home / f"{program}.log"
        with log.open("w") as output:  # not a pipe: the server would keep it open
            done = subprocess.run(command, cwd=home, user=user, stdout=output, stderr=output, check=False)
        assert done.returncode == 0, log.read_text()

    try:
        run(
            "initdb",
            "-D",
            data,
            "-U",
            "analytics",
            "-A",
            "scram-sha-256",
            f"--pwfile={password}",
            "-E",
            "UTF8",
            "-N",
        )
        options = f"-p {variables['PGPORT']} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -F"
        run("pg_ctl", "-D", data, "-w", "-o", options, "start")
        try:
            _create_database(variables)
            yield variables
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def schemathesis(tmp_path_factory):
    """Return a function that holds an endpoint to its OpenAPI document, and returns what was found wrong.

    Requests that the document allows, and ones that it forbids, are the same each time.
    """

    def check(url, token, *options):
        command = [
            *(Path(sys.executable).with_name("schemathesis"), "run", url),
            *("--header", f"Authorization: Bearer {token}", "--checks", "all", "--no-color"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "100"),
            *("--generation-deterministic", "--continue-on-failure", *options),
        ]
        folder = tmp_path_factory.mktemp("schemathesis")
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert "Tested: " in done.stdout, done.stdout + done.stderr
        return "" if done.returncode == 0 else done.stdout

    return check


def free_port():
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _create_database(variables):
    import psycopg2

    connection = psycopg2.connect(
        host=variables["PGHOST"],
        port=variables["PGPORT"],
        user=variables["PGUSER"],
        password=variables["PGPASSWORD"],
        dbname="postgres",
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("create database analytics")
    connection.close()

"""A private Postgres server for tests, benchmarks and the stack."""

import os
import random
import shutil
import socket
import subprocess
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

DATABASE = "analytics"


class PostgresMissingError(Exception):
    """Postgres is not installed."""


@contextmanager
def private_postgres(*settings):
    """Run a server with an empty database `analytics`; yield the PG* variables that reach it.

    :param settings: lines of postgresql.conf, beside `wal_level=logical`.
    """
    found = shutil.which("initdb") or next(Path("/usr/lib/postgresql").glob("*/bin/initdb"), None)
    if not found:
        raise PostgresMissingError("no Postgres: install Debian's package postgresql")
    binaries = Path(found).parent
    # The server refuses to run as root, and pytest's own folders are closed to everybody else.
    user = "nobody" if os.getuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    password, data = home / "password", home / "data"
    variables = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(free_port()),
        "PGUSER": "analytics",
        "PGPASSWORD": os.urandom(16).hex(),
        "PGDATABASE": DATABASE,
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
        login = ("-U", variables["PGUSER"], "-A", "scram-sha-256", f"--pwfile={password}")
        run("initdb", "-D", data, *login, "-E", "UTF8", "-N")
        lines = ("listen_addresses=127.0.0.1", "unix_socket_directories=''", "wal_level=logical", *settings)
        options = f"-p {variables['PGPORT']} -F {' '.join(f'-c {line}' for line in lines)}"
        run("pg_ctl", "-D", data, "-w", "-o", options, "start")
        try:
            create_database(variables, DATABASE)
            yield variables
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home)


@contextmanager
def postgres_or_skip(*settings):
    """A private server, as `private_postgres` gives it; the test is skipped where there is none."""
    import pytest

    try:
        with private_postgres(*settings) as variables:
            yield variables
    except PostgresMissingError as error:
        pytest.skip(str(error))


def create_database(variables, name):
    """Create a database on the server that the PG* variables reach."""
    execute(variables | {"PGDATABASE": "postgres"}, f'create database "{name}"')


def connect(variables):
    """Return a psycopg2 connection that commits each statement, to the database of the PG* variables."""
    import psycopg2

    connection = psycopg2.connect(
        host=variables["PGHOST"],
        port=variables["PGPORT"],
        user=variables["PGUSER"],
        password=variables["PGPASSWORD"],
        dbname=variables["PGDATABASE"],
    )
    connection.autocommit = True
    return connection


def execute(variables, *statements):
    """Run statements, and return the rows of the last one."""
    with closing(connect(variables)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def free_port():
    """Find a port that nobody listens on, below those that the system gives to outgoing connections.

    One of those could be taken between the answer and its use.
    """
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port

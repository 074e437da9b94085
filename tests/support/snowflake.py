"""Snowflake's protocol by fakesnow, in an environment of its own that the first use makes."""

import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.connect_worker import cache
from tests.support.postgres_server import free_port

STACK = Path(__file__).parents[1] / "stack"
DEADLINE = 60.0


def python():
    """Return the Python that has fakesnow; the first call installs it."""
    pins = (STACK / "fakesnow.txt").read_text()
    folder = cache() / "fakesnow"
    made_of = folder / "pins.txt"
    found = folder / "bin" / "python"
    if not made_of.exists() or made_of.read_text() != pins:
        sys.stderr.write(f"installing fakesnow into {folder}\n")
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        pip = [found, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "-r", STACK / "fakesnow.txt"], check=True)
        made_of.write_text(pins)
    return found


@contextmanager
def fakesnow(log):
    """Run the server with its output in the file `log`; yield the options of a connection to it."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python(), STACK / "fakesnow_server.py", str(port)], stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + DEADLINE
        while not _answers(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "fakesnow did not start"
            time.sleep(0.1)
        yield {
            "user": "fake",
            "password": "snow",
            "account": "fakesnow",
            "host": "localhost",
            "port": port,
            "protocol": "http",
            "network_timeout": 20,
            "session_parameters": {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False},
        }
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)


def _answers(port):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True

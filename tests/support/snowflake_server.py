"""Snowflake's protocol by fakesnow, in an environment of its own that the first use makes."""

import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.environments import python_of
from tests.support.postgres_server import free_port

STACK = Path(__file__).parents[1] / "stack"
DEADLINE = 60.0


@contextmanager
def fakesnow(log):
    """Run the server with its output in the file `log`; yield the options of a connection to it."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python_of("fakesnow"), STACK / "fakesnow_server.py", str(port)], stdout=output, stderr=output
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
            "network_timeout": 120,
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

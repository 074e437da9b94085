"""Check what an installation talks to: the endpoint for events, and the connections in Airflow."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from airflow_lineage_provider.adoption.installation import Checkup
from airflow_lineage_provider.endpoint.receiver import PATH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS = 10.0
_CONNECTIONS_SECONDS = 180.0
_CHECK = "airflow_lineage_provider.hooks.check"
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _ERROR = 200, 401, 403, 404, 300


def check_endpoint(url: str, token: str) -> Checkup:
    """Send no events to an endpoint as an array, which only tells whether it accepts the token."""
    import requests

    place = f"{url.rstrip('/').removesuffix(PATH)}{PATH}"
    parts = urlsplit(place)
    shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    try:
        status = requests.post(
            place,
            json=[],
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=SECONDS,
            allow_redirects=False,
        ).status_code
    except (requests.RequestException, ValueError) as error:
        message = f"{shown} cannot be reached ({type(error).__name__}): is `airflow-lineage serve` running?"
        return Checkup("endpoint", ok=False, message=message)
    if _OK <= status < _ERROR:
        return Checkup("endpoint", ok=True, message=f"{shown} accepts events with this token")
    if status in {_UNAUTHORIZED, _FORBIDDEN}:
        message = f"{shown} refuses the token: set AIRFLOW_LINEAGE_TOKEN to that of the endpoint"
    elif status == _NOT_FOUND:
        message = f"{shown} answers 404: check host, port and path"
    else:
        message = f"{shown} answers {status}: see the endpoint's log"
    return Checkup("endpoint", ok=False, message=message)


def check_connections(environ: Mapping[str, str]) -> Iterator[Checkup]:
    """Test the connections of this package's types, in a process that imports Airflow, where it is there."""
    if find_spec("airflow") is None:
        return
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter and a module of ours
            [sys.executable, "-m", _CHECK],
            env=dict(environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=_CONNECTIONS_SECONDS,
        )
    except subprocess.TimeoutExpired:
        message = f"no answer in {_CONNECTIONS_SECONDS:.0f} s: test them in Airflow's UI"
        yield Checkup("connections", ok=False, message=message)
        return
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"conn_id"')]
    for one in found:
        yield Checkup(f"connection {one['conn_id']}", ok=bool(one["ok"]), message=str(one["message"]))
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        yield Checkup("connections", ok=False, message=f"Airflow cannot list them: {last}")
    elif not found:
        yield Checkup("connections", ok=True, message="none of this package's types is defined")

"""The cost of storing, receiving and forwarding events.

`python tests/bench/delivery.py [commit] [receive] [forward] [http] [scale] [outage]`
Each part prints what it measured beside its bar; the last line has the worst of them as a ratio, and
the exit status is 1 where a bar is missed. BENCH_STORE_EVENTS makes the store of `scale` smaller.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from airflow_lineage_provider.events.event import parent_and_root
from airflow_lineage_provider.store import EventStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# At the end of the path, or `dbt.py` beside this file would be taken for dbt.
sys.path.append(str(Path(__file__).parent))
from events import many
from measured import Measured, free_port, progress, wait_for
from outage import forwarder, outage

SELF = [sys.executable, "-P", __file__]


def commit(folder: Path) -> Iterator[Measured]:
    """Four processes, each with one store, one event an `append`; the same without flushes to the disk."""
    progress(f"  the disk makes {flushes(folder):,.0f} flushes/s for one process")
    figure = events_a_second(folder / "disk.db", "flush")
    yield Measured("committed to the disk by four processes", figure, 1500, "events/s")
    figure = events_a_second(folder / "memory.db", "no flush")
    yield Measured("committed by four processes, without the flush", figure, 3000, "events/s")


def flushes(folder: Path) -> float:
    """Return how many writes of a small event's size one process can flush in a second."""
    with (folder / "flushes").open("wb", buffering=0) as file:
        start = time.perf_counter()
        for _ in range(200):
            file.write(bytes(20_000))
            os.fdatasync(file.fileno())
        return 200 / (time.perf_counter() - start)


def events_a_second(path: Path, flush: str) -> float:
    each = 3000
    command = [*SELF, "writer", str(path), str(each), flush]
    writers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for writer in writers:
        writer.stdout.readline()
    start = time.perf_counter()
    for writer in writers:
        writer.stdin.close()
    for writer in writers:
        writer.stdout.readline()
    seconds = time.perf_counter() - start
    for writer in writers:
        writer.wait()
    return 4 * each / seconds


def writer(path: str, count: str, flush: str) -> None:
    """Run one of the four writers: print ready, wait for the end of the input, then append at full speed."""
    if flush == "no flush":
        from airflow_lineage_provider.store import database

        database._flush = lambda _: None
    events = list(many(int(count)))
    store = EventStore(path)
    store.append([])
    gc.freeze()  # a worker does not hold thousands of events for the collector to walk through
    print("ready", flush=True)
    sys.stdin.read()
    for event in events:
        store.append(event)
    print("done", flush=True)


def receive(folder: Path) -> Iterator[Measured]:
    """One event a request, 32 connections, in a process of their own; validated and committed."""
    port = free_port()
    server = subprocess.Popen([*SELF, "server", str(folder / "lineage.db"), str(port)])
    try:
        wait_for(port)
        client = subprocess.run([*SELF, "client", str(port)], check=True, capture_output=True, text=True)
    finally:
        server.terminate()
        server.wait()
    yield Measured("received over HTTP", float(client.stdout), 2000, "events/s")


def server(path: str, port: str) -> None:
    """The receiver, as `airflow-lineage serve` runs it."""
    from airflow_lineage_provider.endpoint.receiver import bearer_token, create_app
    from airflow_lineage_provider.endpoint.server import serve

    serve(create_app(EventStore(path), bearer_token("token")), "127.0.0.1", int(port))


def client(port: str) -> None:
    """Send 8,000 events and print how many a second were answered with 201."""
    bodies = [msgspec.json.encode(event) for event in many(8000)]
    count = len(bodies)
    head = "POST /api/v1/lineage HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer token\r\n"
    head += "Content-Type: application/json\r\nContent-Length: "

    async def connection() -> None:
        reader, sender = await asyncio.open_connection("127.0.0.1", int(port))
        while bodies:
            body = bodies.pop()
            sender.write(f"{head}{len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert b" 201 " in answer, answer
        sender.close()

    async def all_connections() -> None:
        await asyncio.gather(*(connection() for _ in range(32)))

    start = time.perf_counter()
    asyncio.run(all_connections())
    print(count / (time.perf_counter() - start))


def forward(folder: Path) -> Iterator[Measured]:
    """One forwarder to an HTTP endpoint that takes one event a request."""
    from airflow_lineage_provider.forwarding.forwarder import Forwarder
    from airflow_lineage_provider.forwarding.targets import open_target

    store = EventStore(str(folder / "lineage.db"))
    store.append(list(many(10_000)))
    port = free_port()
    sink = subprocess.Popen([*SELF, "sink", str(port)])
    try:
        wait_for(port)
        target = open_target({"type": "http", "url": f"http://127.0.0.1:{port}"})
        forwarder = Forwarder(store, "sink", target)
        start = time.perf_counter()
        sent = forwarder.drain().sent
        seconds = time.perf_counter() - start
        forwarder.close()
    finally:
        sink.terminate()
        sink.wait()
    yield Measured("forwarded over HTTP", sent / seconds, 1500, "events/s")


def http(folder: Path) -> Iterator[Measured]:
    """The forwarder's HTTP client against urllib3, both on one thread: events for each processor second.

    Both POST one event a request over connections that are kept open, to the same server; in turns.
    """
    import urllib3
    from openlineage.client.transport.http import HttpConfig

    from airflow_lineage_provider.forwarding.http_client import HttpClient

    bodies = [msgspec.json.encode(event) for event in many(4000)]
    headers = {"Content-Type": "application/json"}
    port = free_port()
    url = f"http://127.0.0.1:{port}/api/v1/lineage"
    ours, pool = HttpClient(HttpConfig.from_dict({"url": url}), url, 4), urllib3.connection_from_url(url)

    def with_ours() -> None:
        for start in range(0, len(bodies), 4):
            for response in ours.post(bodies[start : start + 4], headers):
                assert response.status == 201

    def with_urllib3() -> None:
        for body in bodies:
            assert pool.urlopen("POST", "/api/v1/lineage", body=body, headers=headers).status == 201

    sink = subprocess.Popen([*SELF, "sink", str(port)])
    try:
        wait_for(port)
        ratios = [processor_seconds(with_urllib3) / processor_seconds(with_ours) for _ in range(5)]
    finally:
        sink.terminate()
        sink.wait()
    yield Measured("events for each processor second, by urllib3's", statistics.median(ratios), 1.5, "times")


def processor_seconds(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def sink(port: str) -> None:
    """Answer 201 to every request with as little work as possible."""

    class Sink(asyncio.Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:
            self.transport, self.data = transport, b""

        def data_received(self, data: bytes) -> None:
            self.data += data
            end = self.data.find(b"\r\n\r\n")
            length = self.data.lower().find(b"content-length:")
            if end >= 0 and len(self.data) >= end + 4 + int(self.data[length + 15 :].split(b"\r\n")[0]):
                self.data = b""
                self.transport.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    async def serve() -> None:
        await (await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", int(port))).serve_forever()

    asyncio.run(serve())


def scale(folder: Path) -> Iterator[Measured]:
    """A store of a million events against an empty one, in turns, so that noise hits both."""
    count = int(os.environ.get("BENCH_STORE_EVENTS", "1000000"))
    big, small = EventStore(str(folder / "big.db")), EventStore(str(folder / "small.db"))
    source, roots = many(count), []
    for done in range(0, count, 1000):
        page = list(islice(source, 1000))
        big.append(page)
        if done % 50_000 == 0:
            roots.append(parent_and_root(page[0])[1])
            progress(f"  {done:,} of {count:,} events")
    ratios = [seconds_to_write(big) / seconds_to_write(small) for _ in range(15)]
    reads = [seconds_to_read(big, root) for root in roots]
    what = f"the events of one run out of {count:,}, median of {len(roots)} runs"
    yield Measured(what, statistics.median(reads) * 1000, 50, "ms", more_is_better=False)
    what = f"a write to {count:,} events, by a write to an empty store"
    yield Measured(what, statistics.median(ratios), 1.2, "times", more_is_better=False)


def seconds_to_write(store: EventStore) -> float:
    events = list(many(400))
    start = time.perf_counter()
    for event in events:
        store.append(event)
    return time.perf_counter() - start


def seconds_to_read(store: EventStore, root_run_id: str) -> float:
    start = time.perf_counter()
    for _ in store.events(root_run_id=root_run_id):
        pass
    return time.perf_counter() - start


PARTS: dict[str, Callable[[Path], Iterator[Measured]]] = {
    part.__name__: part for part in (commit, receive, forward, http, scale, outage)
}
HELPERS = {helper.__name__: helper for helper in (writer, server, client, sink, forwarder)}


def main(names: list[str]) -> int:
    if names and names[0] in HELPERS:
        HELPERS[names[0]](*names[1:])
        return 0
    found = []
    for name in names or PARTS:
        progress(name)
        with tempfile.TemporaryDirectory(prefix="lineage-bench-") as folder:
            for measured in PARTS[name](Path(folder)):
                found.append(measured)
                print(measured, flush=True)
    worst = max(found, key=lambda measured: measured.of_bar)
    print(f"delivery: {worst.of_bar:.2f} of its bar at worst ({worst.what})")
    return int(worst.of_bar > 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

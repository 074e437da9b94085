"""The pages with 2,000 tables and 40,000 columns, in Chromium.

Measured are the bundle's size, the first picture after the API's answer, panning of the whole drawing and
of a part whose names can be read, and the time to open a column's path. Answers come from a server in this
process, so that the pages alone are measured.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlparse

REPOSITORY = Path(__file__).parents[2]
sys.path.append(str(REPOSITORY))

from tests.bench.measured import Measured  # noqa: E402
from tests.support.browser import browser  # noqa: E402

UI = REPOSITORY / "airflow_lineage_provider" / "ui"
STATIC = REPOSITORY / "airflow_lineage_provider" / "plugins" / "static"
HOST = REPOSITORY / ".bench" / "ui" / "host.js"
LANES = ("crm", "bronze", "silver", "gold", "mart", "dashboards")
TABLES, COLUMNS = 2_000, 20
SECONDS = 4
MOST_STEPS = 20
STATES = ("verified", "verified", "verified", "undeclared", "missing", "through", "unobserved", "saved")
KNOWN = ("known", "known", "part", "unknown")
PAGE = (
    '<!doctype html><html lang="en"><head><title>Lineage</title>'
    '<link rel="stylesheet" href="/page.css"></head>'
    '<body><div id="root"></div><script type="module" src="/host.js"></script></body></html>'
)
POLICY = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; connect-src 'self'"
FIRST_PICTURE = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('.ln-drawing .ln-far-node, .ln-drawing .ln-node')) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.firstPicture = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""
COUNT_FRAMES = """
window.frames_ = 0;
window.counting = true;
const count = () => { window.frames_ += 1; if (window.counting) requestAnimationFrame(count); };
requestAnimationFrame(count);
"""


def name(index: int) -> str:
    """Return the id of a table; lanes have equal parts of the tables."""
    return f"{LANES[index * len(LANES) // TABLES]}.customer_orders_{index}"


@cache
def graph() -> bytes:
    """Return the answer of `/graph`: each table is made of two of the lane before, some of their own lane."""
    part = TABLES // len(LANES)
    edges = {}
    for index in range(part, TABLES):
        for step, far in ((7, part), (13, part if index % 10 else 5)):
            source = max(0, index - far - index * step % 17)
            edges[name(source), name(index)] = STATES[(index * step) % len(STATES)]
    datasets = [
        {
            "id": name(index),
            "label": name(index),
            "lane": name(index).partition(".")[0],
            "system": "warehouse",
            "layer": name(index).partition(".")[0],
            "kind": "table",
            "columns": COLUMNS,
            "column_lineage": KNOWN[index % len(KNOWN)],
            "state": "ok",
            "findings": int(index % 50 == 0),
            "description": None,
            "owners": [],
            "tags": [],
        }
        for index in range(TABLES)
    ]
    run = {"run_id": "run", "state": "success", "started": None, "ended": None}
    return json.dumps(
        {
            "run": {**run, "outcome": "DRIFT", "errors": 1, "warnings": 0},
            "complete": True,
            "notes": [],
            "lanes": [
                {"id": one, "label": one, "kind": "layer", "order": at} for at, one in enumerate(LANES)
            ],
            "datasets": datasets,
            "edges": [
                {"source": source, "target": target, "state": state, "claims": ["dbt"], "columns": COLUMNS}
                for (source, target), state in edges.items()
            ],
        }
    ).encode()


def columns(dataset: str) -> dict[str, object]:
    """Return the answer of `/columns`."""
    one = {
        "type": "BIGINT",
        "documented_type": "BIGINT",
        "description": None,
        "lineage": "known",
        "findings": 0,
    }
    items = [{"name": f"column_{at}", **one} for at in range(COLUMNS)]
    return {"columns": {"dataset": dataset, "items": items}, "edges": []}


def path(dataset: str, column: str) -> dict[str, object]:
    """Return the answer of `/path`: a column of each table above, through all lanes."""
    edges = json.loads(graph())["edges"]
    upstream, border = [], [dataset]
    while border:
        found = [edge for edge in edges if edge["target"] in border][:12]
        upstream += [
            {
                "source": {"dataset": edge["source"], "column": column},
                "target": {"dataset": edge["target"], "column": column},
                "kind": "identity",
                "state": edge["state"],
                "expression": None,
            }
            for edge in found
        ]
        border = [edge["source"] for edge in found]
    return {"upstream": upstream, "downstream": [], "truncated": False}


class Answers(BaseHTTPRequestHandler):
    """The bundle, the page around it, and the API's answers."""

    def do_GET(self) -> None:
        url = urlparse(self.path)
        asked = dict(parse_qsl(url.query))
        last = url.path.rsplit("/", 1)[-1]
        if url.path.startswith("/lineage/static/"):
            self.answer((STATIC / last).read_bytes(), "text/javascript")
        elif last == "host.js":
            self.answer(HOST.read_bytes(), "text/javascript")
        elif last == "page.css":
            self.answer(b"html,body{margin:0;height:100%}#root{height:100%}", "text/css")
        elif last == "graph":
            self.answer(graph())
        elif last == "columns":
            self.answer(json.dumps(columns(asked["dataset"])).encode())
        elif last == "path":
            self.answer(json.dumps(path(asked["dataset"], asked["column"])).encode())
        elif last == "runs":
            self.answer(b'{"items": [], "total": 0}')
        elif url.path == "/":
            self.answer(PAGE.encode(), "text/html")
        else:
            self.answer(b'{"error": "not in this benchmark"}', status=404)

    def answer(self, body: bytes, kind: str = "application/json", status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the terminal for the figures."""


def pan(page, seconds: float) -> float:
    """Drag the canvas to and fro; return the frames per second."""
    box = page.get_by_test_id("lineage-canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(COUNT_FRAMES)
    start = time.perf_counter()
    step = 0
    while time.perf_counter() - start < seconds:
        step += 1
        swing = abs(step % 120 - 60)
        page.mouse.move(x - 5 * swing, y + 6 * swing)
    frames = page.evaluate("window.counting = false, window.frames_") / (time.perf_counter() - start)
    page.mouse.up()
    return frames


def measure(page, url: str) -> list[Measured]:
    """Open the graph, pan it far and near, and open a column's path."""
    page.add_init_script(FIRST_PICTURE)
    page.goto(url)
    while not page.evaluate("window.firstPicture"):  # the page's policy forbids wait_for_function's eval
        page.wait_for_timeout(50)
    answered = "performance.getEntriesByType('resource').find(one => one.name.endsWith('/graph')).responseEnd"
    first = page.evaluate(f"window.firstPicture - {answered}") / 1000
    far = pan(page, SECONDS)
    page.get_by_label("Fit the graph to the page").click()  # the drag has left the drawing elsewhere
    for _ in range(MOST_STEPS):
        if page.locator(".ln-node").count() >= 50:
            break
        page.get_by_label("Zoom in").click()
        page.wait_for_timeout(300)
    nodes = page.locator(".ln-node").count()
    near = pan(page, SECONDS)
    start = time.perf_counter()
    page.evaluate(f"location.hash = '#dataset={name(TABLES - 1)}&column=column_3'")
    page.locator(".ln-column-edge").first.wait_for(state="attached")
    opened = time.perf_counter() - start
    return [
        Measured(
            f"first picture of {TABLES:,} tables after the API's answer", first, 2, "s", more_is_better=False
        ),
        Measured("panning the whole drawing", far, 30, "frames/s"),
        Measured(f"panning {nodes} readable nodes", near, 30, "frames/s"),
        Measured("a column's path after its link", opened, 2, "s", more_is_better=False),
    ]


def main() -> int:
    """Print the figures; 1 where one misses its bar."""
    subprocess.run(["make", "-s", "ui"], cwd=REPOSITORY, check=True)
    subprocess.run(["npx", "vite", "build", "--mode", "host", "--logLevel", "warn"], cwd=UI, check=True)
    size = len(gzip.compress((STATIC / "lineage.js").read_bytes())) / 1000
    workers = [len(gzip.compress(one.read_bytes())) / 1000 for one in STATIC.glob("layout.worker-*.js")]
    print(f"layout, a file of its own: {sum(workers):.1f} kB gzipped; answer: {len(graph()) / 1e6:.1f} MB")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(60_000)
        figures = measure(page, f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()
    bundle = Measured("lineage.js, gzipped", size, 600, "kB", more_is_better=False)
    missed = [one for one in (bundle, *figures) if one.of_bar > 1]
    for one in (bundle, *figures):
        print(one)
    worst = max(one.of_bar for one in (bundle, *figures))
    print(f"ui_pages: {worst:.2f} of its tightest bar{', missed' if missed else ''}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())

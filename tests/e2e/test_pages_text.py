"""Hostile names in Airflow's pages; and the reports, which draw the graph from a file, offline."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.plugins.seeds import map_text
from tests.plugins.serving import web_server
from tests.plugins.web_server import HOSTILE, hostile
from tests.support.browser import PATIENCE, require_bundle, require_chromium

from .conftest import SIZE, log_in

pytestmark = pytest.mark.e2e

RUN = "/dags/hostile/runs/hostile-run-0/plugin/lineage_run"
OVERLAPS = """() => {
  const cards = [...document.querySelectorAll(".ln-node")].map((node) => {
    const card = node.querySelector(".ln-node-card").getBoundingClientRect();
    const name = node.querySelector("[data-node]").dataset.node.slice(0, 40);
    const outside = [...node.querySelectorAll("text")].filter((text) => {
      const box = text.getBoundingClientRect();
      const badge = text.classList.contains("ln-node-badge-text");
      const beside = box.left < card.left - 1 || box.right > card.right + 1;
      return !badge && (beside || box.bottom > card.bottom + 1);
    });
    return { card, name, outside: outside.map((text) => text.textContent.slice(0, 40)) };
  });
  const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
  const found = cards.flatMap(({ name, outside }) => outside.map((text) => `${text} leaves ${name}`));
  cards.forEach((one, index) => {
    const under = cards.slice(index + 1).filter((other) => !apart(one.card, other.card));
    found.push(...under.map((other) => `${one.name} on ${other.name}`));
  });
  return found;
}"""
"""Names nodes that lie on each other, and texts that leave their node."""
WIDER = """(selector) => [...document.querySelectorAll(`${selector}, ${selector} *`)].filter((part) => {
  const { overflowX } = getComputedStyle(part);
  return part.clientWidth > 0 && overflowX === "visible" && part.scrollWidth > part.clientWidth + 1;
}).map((part) => part.outerHTML.slice(0, 200))"""
"""Names the parts whose content is wider than they are, and that neither cut nor scroll it."""

CUT = """(selector) => [...document.querySelectorAll(`${selector} table`)].filter((table) =>
  table.scrollWidth > table.parentElement.clientWidth + 1).map((table) => table.textContent.slice(0, 200))"""
"""Names the tables of which a part is seen only after scrolling to the side."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Airflow's web server with a run of hostile names."""
    require_chromium()
    require_bundle()
    with web_server(tmp_path_factory.mktemp("hostile"), "hostile") as running:
        yield running


@pytest.fixture(scope="module")
def page(server, chromium):
    """Return a page that is logged in."""
    page = chromium.new_page(viewport=SIZE, base_url=server.url)
    log_in(page, "admin", "admin")
    yield page
    page.close()


def open_run(page, view=""):
    """Open a view of the run anew."""
    page.goto("about:blank")
    page.goto(f"{RUN}{view}", wait_until="domcontentloaded")


def harmless(page):
    """Fail where a name was executed, or became an element."""
    assert page.evaluate("window.executed") is None
    assert page.locator("img[src=x]").count() == 0


def test_hostile_names_in_the_graph(page, screenshots):
    open_run(page)
    for name in HOSTILE:
        for layer in ("silver", "gold"):
            found = node(page, f"{layer}.{name}").locator("> title")
            found.wait_for(state="attached")
            assert found.text_content() == f"{layer}.{name}"
    page.screenshot(path=screenshots / "hostile-graph.png")
    assert page.evaluate(OVERLAPS) == []
    harmless(page)


def node(page, name):
    """Return the node of a dataset."""
    text = name.replace("\\", "\\\\").replace("'", "\\'")
    return page.locator(f"[data-node='{text}']").first


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_name_in_the_search_and_the_panel(page, screenshots, number):
    name = HOSTILE[number]
    open_run(page)
    box = page.get_by_role("combobox", name="Find a dataset or column")
    box.fill(f"gold.{name}"[:60])
    option = page.get_by_role("option").filter(has_text=f"gold.{name}").first
    option.wait_for()
    page.screenshot(path=screenshots / f"hostile-search-{number}.png")
    assert page.evaluate(WIDER, ".ln-found") == []
    option.click()
    panel = page.locator(".ln-panel").first
    for column in HOSTILE:
        panel.get_by_text(column, exact=True).first.wait_for()
    page.screenshot(path=screenshots / f"hostile-panel-{number}.png")
    assert f"gold.{name}" in panel.inner_text()
    assert page.evaluate(WIDER, ".ln-panel") == []
    harmless(page)


COMMANDS = {"render": (), "validate": ("--environment", "dev", "--store", "lineage.db")}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_report_draws_hostile_names_from_a_file_offline(command, server, chromium, screenshots, tmp_path):
    lineage_map = tmp_path / "map.yaml"
    lineage_map.write_text(map_text("hostile", hostile()[:-1]))
    written = airflow_lineage(server.home, command, lineage_map, "--format", "html", *COMMANDS[command])
    report = tmp_path / "report.html"
    report.write_bytes(written.stdout)
    context = chromium.new_context(viewport=SIZE, offline=True)
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        errors = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", lambda request: errors.append(request.url))
        page.goto(report.as_uri())
        for name in HOSTILE[:-1]:
            node(page, f"gold.{name}").wait_for(state="attached")
        page.screenshot(path=screenshots / f"report-{command}.png", full_page=True)
        assert page.evaluate(OVERLAPS) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        node(page, f"gold.{HOSTILE[0]}").press("Enter")
        page.locator(".ln-panel").get_by_text(HOSTILE[1], exact=True).first.wait_for()
        page.screenshot(path=screenshots / f"report-{command}-panel.png")
        assert page.evaluate(CUT, ".ln-panel") == []
        harmless(page)
        assert errors == [], written.stderr
    finally:
        context.close()


def airflow_lineage(folder, *arguments):
    """Run the command in a folder; status 1 is drift."""
    command = [sys.executable, "-m", "airflow_lineage_provider.cli", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=300)
    assert done.returncode in {0, 1}, done.stderr.decode()
    return done

"""Accessibility of the pages in Chromium, by axe, and the pictures that they export."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.support.browser import REPOSITORY, require_node

pytestmark = pytest.mark.e2e

AXE = REPOSITORY / "airflow_lineage_provider" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
SVG = "{http://www.w3.org/2000/svg}"
TABS = {
    "graph": ("", "[data-node='gold.customer_behavior']"),
    "panel": ("#dataset=gold.customer_behavior", ".ln-panel [role='tabpanel']"),
    "runs": ("#tab=runs", "text=raw_orders"),
    "findings": ("#tab=findings", "text=gold.customer_behavior.total_orders"),
    "impact": ("#tab=impact&dataset=bronze.raw_orders&column=amount", "text=Executive KPI Report"),
    "home": (None, "text=customer_analytics_pipeline"),
}
CHECK = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const { violations } = await axe.run(".ln-root", { runOnly: { type: "tag", values: rules } });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`));
}"""
PIXELS = """async (bytes) => {
  const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const counts = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const colour = `${data[at]},${data[at + 1]},${data[at + 2]},${data[at + 3]}`;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const black = (counts.get("0,0,0,255") ?? 0) / (data.length / 4);
  return { width: picture.width, colours: counts.size, black };
}"""
"""The width of a picture, how many colours it has, and which part of it is black."""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(ended, theme):
    require_node()
    page = ended.open(ended.run_path())
    page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
    found = []
    try:
        for name, (fragment, sign) in TABS.items():
            page.goto("about:blank")
            ended.open("/plugin/lineage" if fragment is None else ended.run_path(fragment))
            page.locator(".ln-root").locator(sign).first.wait_for(state="attached")
            page.evaluate(AXE.read_text())
            found += [f"{name}: {one}" for one in page.evaluate(CHECK)]
            ended.keep(f"axe-{theme}-{name}")
    finally:
        page.evaluate("localStorage.setItem('theme', 'light')")
    assert not found, "\n".join(found)


def test_exported_pictures_show_the_graph(ended):
    page = ended.open(ended.run_path())
    page.locator("[data-node='gold.customer_behavior']").first.wait_for(state="attached")
    svg = exported(ended, "SVG")
    root = ET.fromstring(svg)
    # A long name is cut in the drawing; its title has all of it.
    titles = {(title.text or "").splitlines()[0] for title in root.iter(f"{SVG}title")}
    assert {"silver.stg_customers", "gold.customer_orders_summary"} <= titles
    assert "silver.stg_customers" in {text.text for text in root.iter(f"{SVG}text")}
    assert painted_black(root) == []
    colours = {part.get(name, "none") for part in root.iter() for name in ("fill", "stroke")}
    assert [one for one in colours if not re.fullmatch(r"none|rgb\(\d+, \d+, \d+\)", one)] == []

    picture = page.evaluate(PIXELS, list(exported(ended, "PNG")))
    assert picture["width"] > 1000
    assert picture["colours"] > 50
    assert picture["black"] < 0.02


def exported(site, kind):
    """Return the file that a button of the toolbar exports."""
    toolbar = site.page.get_by_role("toolbar", name="Graph")
    with site.page.expect_download() as download:
        toolbar.get_by_role("button", name=re.compile(kind)).click()
    content = Path(download.value.path()).read_bytes()
    (site.folder / f"exported.{kind.lower()}").write_bytes(content)
    return content


def painted_black(root):
    """Return the rectangles and paths that are black by their fill, or for want of one."""
    shapes = [shape for tag in ("rect", "path", "circle") for shape in root.iter(f"{SVG}{tag}")]
    assert shapes
    black = {None, "", "black", "#000", "#000000", "rgb(0, 0, 0)"}
    return [json.dumps(shape.attrib) for shape in shapes if shape.get("fill") in black]

"""The documentation as pages: `make docs` builds it without a warning, and its links lead somewhere."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")]


class Page(HTMLParser):
    """The links, the anchors and the assets of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.assets = [], set(), []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors.add(given.get("id"))
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag in {"script", "img", "iframe"} and "src" in given:
            self.assets.append(given["src"])
        elif tag == "link" and given.get("rel") in {"stylesheet", "icon", "preconnect", "preload"}:
            self.assets.append(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        ["make", "docs", f"SITE={folder}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {path: Page(path) for path in folder.rglob("*.html")}


def test_every_page_is_built(site):
    built = {path.parent.name if path.name == "index.html" else path.stem for path in site}
    assert {page.stem for page in PAGES} - {"index"} <= built


def test_no_page_loads_anything_from_another_host(site):
    for path, page in site.items():
        assert not [asset for asset in page.assets if re.match(r"(https?:)?//", asset)], path
        assert "fonts.googleapis" not in path.read_text(), path


def test_links_and_anchors_within_the_site_exist(site):
    for path, page in site.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or not link or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), f"{path}: {link}"
            if parts.fragment and target in site:
                assert unquote(parts.fragment) in site[target].anchors, f"{path}: {link}"


@pytest.mark.usefixtures("site")
def test_a_broken_link_fails_the_build(tmp_path):
    """The settings of `mkdocs.yml` make a warning an error."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[nowhere](nowhere.md)\n")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path / "base.yml")
    (tmp_path / "mkdocs.yml").write_text("INHERIT: base.yml\nnav: [index.md]\n")
    done = subprocess.run(
        [ROOT / ".venv-docs" / "bin" / "python", "-m", "mkdocs", "build", "--site-dir", tmp_path / "site"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "nowhere.md" in done.stderr

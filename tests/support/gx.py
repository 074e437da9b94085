"""Great Expectations beside the environment of the tests: a folder for PYTHONPATH, from pins of its own."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.connect_worker import cache

PINS = Path(__file__).with_name("great_expectations.txt")


def gx_path():
    """Return the folder that Great Expectations is installed in; the first call installs it."""
    folder = cache() / f"gx-{hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        sys.stderr.write(f"installing Great Expectations into {folder}\n")
        partial = folder.with_suffix(f".{os.getpid()}")
        command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--target", partial, "-r", PINS], check=True)
        try:
            partial.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(partial)
    return folder

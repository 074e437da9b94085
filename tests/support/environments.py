"""Python environments of their own, from pin files, for what cannot share one with Airflow."""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.support.connect_worker import cache, locked


def python_of(name):
    """Return the Python of the environment that `<name>.txt` beside this file pins; the first call makes it.

    It is used as `python -m ...`: the folder may have been made by another checkout.
    """
    pins = Path(__file__).with_name(f"{name}.txt")
    folder = cache() / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        with locked():
            if not folder.exists():
                sys.stderr.write(f"installing {name} into {folder}\n")
                partial = folder.with_suffix(".part")
                shutil.rmtree(partial, ignore_errors=True)
                venv.create(partial)
                pip = [sys.executable, "-m", "pip", "--python", partial / "bin" / "python"]
                options = ["-q", "--disable-pip-version-check", "--no-deps"]
                subprocess.run([*pip, "install", *options, "-r", pins], check=True)
                partial.rename(folder)
    return str(folder / "bin" / "python")

"""DataHub's SDK and its sources in an environment of their own, from pins of their own."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.connect_worker import cache

PINS = Path(__file__).with_name("datahub.txt")
ROOT = Path(__file__).parents[2]


def datahub_python():
    """Return the Python of the environment; the first call makes it, in about a minute."""
    folder = cache() / f"datahub-{hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        sys.stderr.write(f"installing DataHub's SDK into {folder}\n")
        partial = folder.with_suffix(f".{os.getpid()}")
        subprocess.run([sys.executable, "-m", "venv", partial], check=True)
        command = [partial / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*command, "--no-deps", "--no-compile", "-r", PINS], check=True)
        try:
            partial.rename(folder)  # Python finds its packages by pyvenv.cfg, wherever that is
        except OSError:  # another process was faster
            shutil.rmtree(partial)
    return folder / "bin" / "python"


def run(*arguments, environment=None, cwd=None):
    """Run the environment's Python with this checkout on its path, and return what it printed."""
    done = subprocess.run(
        [datahub_python(), *map(str, arguments)],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "DATAHUB"))},
            "PYTHONPATH": str(ROOT),
            "DATAHUB_TELEMETRY_ENABLED": "false",
            **(environment or {}),
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def publish(*arguments, environment=None):
    """Run `airflow-lineage publish datahub` there."""
    command = ("-m", "airflow_lineage_provider.cli", "publish", "datahub")
    return run(*command, *arguments, environment=environment)

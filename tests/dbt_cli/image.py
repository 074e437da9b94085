"""An image that runs `airflow-lineage-dbt`, as an environment without Airflow."""

import os
import subprocess
import sys
import venv
from pathlib import Path

from tests.support.environments import python_of

PACKAGE = Path(__file__).parents[2] / "packages" / "airflow-lineage-dbt"


def make_image(folder):
    """Install the wheel of airflow-lineage-dbt beside dbt, and return the folder of the commands."""
    libraries = Path(python_of("dbt-image")).parents[1]
    venv.create(folder / "image", symlinks=True)
    (site,) = (folder / "image").glob("lib/python*/site-packages")
    (there,) = libraries.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(f"{there}\n")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, PACKAGE]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = folder.glob("*.whl")
    python = folder / "image" / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--no-index", wheel], check=True)
    return python.parent


def environment(bin_folder, **variables):
    """Return all that a container gets: the variables of its image, and those that the operator gives it."""
    return {"PATH": f"{bin_folder}{os.pathsep}/usr/bin{os.pathsep}/bin", "HOME": "/tmp"} | variables


def run_command(bin_folder, project, *words, **variables):
    """Run the command in a project, as the entry point of a container does."""
    command = [str(bin_folder / "airflow-lineage-dbt"), *map(str, words)]
    return subprocess.run(
        command,
        cwd=project,
        env=environment(bin_folder, DBT_PROFILES_DIR=str(project), **variables),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

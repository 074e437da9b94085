"""The pages' own checks: TypeScript's types, eslint, and vitest's tests."""

import subprocess

from tests.support.browser import REPOSITORY, require_bundle, require_node

SOURCES = REPOSITORY / "airflow_lineage_provider" / "ui"


def test_types_eslint_and_vitest():
    require_node()
    require_bundle()
    command = ["npm", "run", "--silent", "check"]
    done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr

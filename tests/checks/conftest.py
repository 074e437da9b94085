import sys
from pathlib import Path

import pytest

from airflow_lineage_provider.lineage_map import load_map

sys.path.insert(0, str(Path(__file__).parents[1] / "readers"))

from pipeline_run import MAP


@pytest.fixture(scope="session")
def pipeline_map():
    return load_map(MAP)

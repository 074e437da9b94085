import importlib.util
import sys
from pathlib import Path

import pytest

from .dbt import Dbt

PROJECT = Path(__file__).parents[2] / "dbt_project"


@pytest.fixture(scope="session")
def source_data():
    """The data generator, imported from the project folder."""
    spec = importlib.util.spec_from_file_location("source_data", PROJECT / "source_data.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def dbt(tmp_path_factory):
    """Real dbt on a copy of the project without data."""
    return Dbt.copy_of(PROJECT, tmp_path_factory.mktemp("project"))

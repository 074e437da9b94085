import importlib.util
import sys
from pathlib import Path

import pytest

from .dbt import Dbt

PROJECT = Path(__file__).parents[2] / "dbt_project"


@pytest.fixture(scope="session")
def source_data():
    """The generator, a script beside the models."""
    spec = importlib.util.spec_from_file_location("source_data", PROJECT / "source_data.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def dbt(tmp_path_factory):
    """Real dbt in a copy of the project that has no data yet."""
    return Dbt.copy_of(PROJECT, tmp_path_factory.mktemp("project"))

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from shop import build_twice


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """Two builds of the shop in one process, with changed orders in between."""
    return build_twice(tmp_path_factory.getbasetemp())

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "dbt"))
sys.path.insert(0, str(Path(__file__).parent))

from dbt_projects import run, write_project
from event_helpers import SMALL, events_of
from shop import build_twice


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """The shop of `tests/dbt`, built twice."""
    return build_twice(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def shop_events(shop):
    return events_of(shop.first)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A project of a few nodes, of which one fails and one is skipped."""
    return run(write_project(tmp_path_factory.mktemp("small"), SMALL))


@pytest.fixture(scope="session")
def small_events(small):
    return events_of(small)

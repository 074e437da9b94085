import sys
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dbt_projects import Told, run
from shop import change_orders, write_shop


class ShopRuns(NamedTuple):
    project: Path
    first: Told
    second: Told


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """The shop is built twice in one process; in between its orders change."""
    project = write_shop(tmp_path_factory.mktemp("shop"))
    first = run(project)
    change_orders(project)
    return ShopRuns(project, first, run(project))

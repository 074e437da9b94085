"""`make stack`, as a test: the whole path on real servers."""

from __future__ import annotations

import pytest

from tests.stack.__main__ import run
from tests.support.connect_worker import MissingError

pytestmark = pytest.mark.e2e


def test_every_edge_from_the_sources_to_gold_is_verified_on_real_servers(tmp_path):
    lines: list[str] = []
    try:
        outcome = run(tmp_path, lines.append)
    except MissingError as error:
        pytest.skip(str(error))
    assert outcome.states == ["success", "success"], "\n".join(lines) + outcome.report
    assert outcome.differences == {}
    assert "13 edges and 57 column edges verified, 4 not in this run" in outcome.report

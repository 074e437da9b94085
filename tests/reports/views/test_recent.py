"""The cache of views: one maker for each value, and a bounded size."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_lineage_provider.reports.views.recent import Recent


def test_a_value_that_many_ask_for_at_once_is_made_once():
    cache, made, together = Recent(8), [], threading.Barrier(20)

    def make():
        made.append(1)
        return object()

    def ask():
        together.wait(60)
        return cache.get("names", make)

    with ThreadPoolExecutor(20) as pool:
        values = {future.result(60) for future in [pool.submit(ask) for _ in range(20)]}
    assert len(values) == len(made) == 1


def test_the_values_used_last_are_kept_up_to_a_weight():
    cache = Recent(10, len)
    for key in "abc":
        cache.put(key, key * 4)
    assert cache.get("c", lambda: "made") == "cccc"
    assert cache.get("b", lambda: "made") == "bbbb"
    assert cache.get("a", lambda: "made") == "made"
    cache.put("large", "x" * 100)
    assert cache.get("large", lambda: "made") == "x" * 100
    assert cache.get("b", lambda: "again") == "again"


def test_a_maker_that_fails_leaves_the_key_to_the_next():
    cache = Recent(8)
    with pytest.raises(ZeroDivisionError):
        cache.get("key", lambda: 1 / 0)
    assert cache.get("key", lambda: 2) == 2

"""HTTP APIs that are down, slow, rate-limited or that answer nonsense: one line, and whether to try again."""

import itertools

import pytest
from http_stub import http_server

from airflow_lineage_provider.systems import http
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.http import JsonApi

NAME = "Kafka Connect (connection 'connect')"


def failing(answer, **login):
    """Return the error of a request that `answer` is given to."""
    with http_server(answer) as url, pytest.raises(SystemReadError) as found:
        JsonApi(url, NAME, **login).get("connectors")
    message = str(found.value)
    assert message.startswith(f"{NAME} at {url} ")
    assert "\n" not in message
    assert len(message) < 500
    return message.removeprefix(f"{NAME} at {url} "), found.value.unreachable


@pytest.mark.parametrize(
    ("answer", "said", "unreachable"),
    [
        ((500, {"message": "boom\nat x"}), "answers 500 (boom at x): see its log", True),
        ((503, "<html>" + "x" * 10_000), "answers 503: see its log", True),
        (
            (409, {"message": "a rebalance is in process"}),
            "answers 409 for now (a rebalance is in process): try again",
            True,
        ),
        ((408, ""), "answers 408 for now: try again", True),
        ((400, {"message": "x" * 10_000}), "answers 400 (xxx", False),
        ((401, ""), "refuses the login (401): check login and password", False),
        ((403, ""), "refuses the login (403): check login and password", False),
        ((302, "", {"Location": "http://example.com"}), "answers 302: check host, port and path", False),
        ((200, "<html>hello</html>"), "does not answer with JSON: check host, port and path", False),
        ((200, "[" * 100_000), "does not answer with JSON", False),
        ((200, b"\xff\xfe\x00"), "does not answer with JSON", False),
        ((429, "", {"Retry-After": "3600"}), "answers 429: see its log", True),
    ],
)
def test_a_bad_answer_is_one_line(answer, said, unreachable):
    message, again = failing(lambda *_: answer)
    assert message.startswith(said)
    assert again is unreachable


def test_a_rate_limit_is_waited_for_and_the_answer_taken(monkeypatch):
    waits = []
    monkeypatch.setattr(http.time, "sleep", waits.append)
    answers = iter([(429, "", {"Retry-After": "2"}), (429, ""), (200, ["a"])])
    with http_server(lambda *_: next(answers)) as url:
        assert JsonApi(url, NAME).get("connectors") == ["a"]
    assert waits == [2.0, 1.0]


def test_a_rate_limit_that_does_not_end_is_left_to_airflows_retries(monkeypatch):
    monkeypatch.setattr(http.time, "sleep", lambda _: None)
    asked = itertools.count()
    message, again = failing(lambda *_: (429, f"{next(asked)}", {"Retry-After": "1"}))
    assert (message, again) == ("answers 429: see its log", True)
    assert next(asked) == http.TRIES


def test_nothing_is_there():
    with http_server(lambda *_: (404, {"message": "no"})) as url:
        assert JsonApi(url, NAME).get("connectors") is None


def test_nobody_listens():
    with pytest.raises(
        SystemReadError, match=r"cannot be reached \(.*Connection refused\): check its server"
    ) as found:
        JsonApi("http://127.0.0.1:9", NAME).get("connectors")
    assert found.value.unreachable


def test_a_server_that_is_slow_is_given_up(monkeypatch):
    monkeypatch.setattr(http, "WHOLE_SECONDS", -1.0)
    message, again = failing(lambda *_: (200, "[]"))
    assert "has not answered within" in message
    assert again


def test_an_answer_without_end_is_not_read(monkeypatch):
    monkeypatch.setattr(http, "LARGEST_ANSWER", 1 << 20)
    message, _ = failing(lambda *_: (200, "x" * (2 << 20)))
    assert message == "answers with more than 1 MiB"


def test_login_goes_with_each_request_and_is_not_printed():
    seen = []
    with http_server(lambda *_: (200, []), seen) as url:
        JsonApi(url, NAME, user="u", password="s3cret").get("a")
        JsonApi(url, NAME, token="t0ken").get("a")
    assert [authorization for *_, authorization in seen] == ["Basic dTpzM2NyZXQ=", "Bearer t0ken"]
    api = JsonApi("http://u:s3cret@h/x", NAME, password="s3cret", token="t0ken")
    assert "s3cret" not in f"{api} {api!r}".replace(repr(api.url), "")
    assert str(api) == f"{NAME} at http://h/x"

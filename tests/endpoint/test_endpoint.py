"""Hostile requests to a running `airflow-lineage serve`: rejected or stored; the server keeps running."""

import gzip
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from airflow_lineage_provider.endpoint.receiver import bearer_token, create_app
from airflow_lineage_provider.store import EventStore
from tests.support.endpoint import TOKEN, chunked, receive, send_all, serving, serving_here, wait_for
from tests.support.endpoint import json as encoded
from tests.support.samples import run_event

MIB = 2**20
GZIP = "Content-Encoding: gzip"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("endpoint")


@pytest.fixture(scope="module")
def running(folder):
    with serving(folder / "lineage.db", folder / "log") as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(running):
    """Start the server; it must still run and have logged no error at the end of the test."""
    yield running
    assert running.status(b"[]") == 201
    assert "Traceback" not in running.log.read_text()


def stored(folder, **wanted):
    return list(EventStore(str(folder / "lineage.db")).events(**wanted))


def with_facet(text, name):
    """Return an event as JSON text, with this text as a value in a facet."""
    event = run_event(name=name)
    event["run"]["facets"]["x"] = {"_producer": "https://x", "_schemaURL": "https://x", "value": "VALUE"}
    return json.dumps(event).replace('"VALUE"', text).encode("utf-8", "surrogatepass")


def mebibytes(count):
    return (b" " * MIB for _ in range(count))


@pytest.mark.parametrize("token", [TOKEN, "", "wrong"])
@pytest.mark.parametrize("coding", ["length", "chunked", "gzip"])
def test_a_hundred_megabytes_are_rejected_and_not_buffered(endpoint, token, coding):
    if coding == "length":
        status = endpoint.status(mebibytes(100), length=100 * MIB, token=token)
    elif coding == "chunked":
        status = endpoint.status(chunked(mebibytes(100)), CHUNKED, length="", token=token)
    else:
        status = endpoint.status(gzip.compress(bytes(100 * MIB), 1), GZIP, token=token)

    assert status == (413 if token == TOKEN else 401)
    assert endpoint.most_memory() < 300 * MIB


def test_a_client_that_reads_late_gets_the_error_response(endpoint):
    request = Request(f"{endpoint.url}/api/v1/lineage", bytes(100 * MIB), method="POST")
    request.add_header("Authorization", f"Bearer {TOKEN}")
    request.add_header("Content-Type", "application/json")
    with pytest.raises(HTTPError) as refused:
        urlopen(request, timeout=60)
    assert refused.value.code == 413
    assert "at most 16777216 bytes" in refused.value.read().decode()


def test_concurrent_large_bodies_share_one_limit(endpoint):
    # as JSON 12 MiB, in Python over 300
    objects = with_facet("[" + "{}," * (4 * MIB) + "{}]", "large")
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: endpoint.status(objects), range(8)))

    assert set(statuses) <= {201, 503}
    assert endpoint.status(objects) == 201
    assert endpoint.most_memory() < 1100 * MIB


def test_buffered_bytes_are_released(store):
    body = encoded(run_event())
    with serving_here(create_app(store, bearer_token(TOKEN), largest_body=len(body) + 100)) as endpoint:
        for _ in range(5):
            assert endpoint.status(body + b" " * 101) == 413
            assert endpoint.status(gzip.compress(body + b" " * 101), GZIP) == 413
            assert endpoint.status(gzip.compress(body), GZIP) == 201
            assert endpoint.status(b"{") == 400


def test_requests_over_the_limit_get_retry_after(store):
    body = encoded(run_event())
    with serving_here(create_app(store, bearer_token(TOKEN), largest_body=len(body))) as endpoint:
        slow = [begin(endpoint, body[:-1], len(body)) for _ in range(2)]
        wait_for(lambda: endpoint.status(body) == 503)
        assert "try again" in endpoint.send(body)[1]
        assert endpoint.status(body * 8) == 413
        for connection in slow:
            connection.sendall(body[-1:])
            assert b" 201 " in receive(connection)
            connection.close()
        assert endpoint.status(body) == 201


def begin(endpoint, part, length):
    """Send a request's head and the first part of its body."""
    connection = endpoint.connect()
    head = f"POST /api/v1/lineage HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += f"Connection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    connection.sendall(head.encode() + part)
    return connection


def test_a_missing_body_times_out(store):
    with serving_here(create_app(store, bearer_token(TOKEN), patience=0.2)) as endpoint:
        connection = begin(endpoint, b"{", 100)
        answer = receive(connection)
        connection.close()

    assert b" 408 " in answer
    assert b"did not arrive" in answer


def test_a_client_that_disconnects_during_the_body_stores_nothing(endpoint, folder):
    body = encoded(run_event(name="hung up"))
    for end in (1, len(body) // 2, len(body) - 1):
        connection = begin(endpoint, body[:end], len(body))
        connection.close()
        connection = begin(endpoint, body[:end], len(body))
        connection.shutdown(socket.SHUT_WR)
        assert receive(connection) == b""
        connection.close()
    endpoint.status(b"[]")
    assert stored(folder, job_name="hung up") == []


@pytest.mark.parametrize(
    ("length", "headers"),
    [
        ("-1", []),
        ("many", []),
        ("1, 2", []),
        ("9" * 30, []),
        ("0x10", []),
        (10, []),
        (0, []),
        (5, ["Content-Length: 6"]),
        (5, [CHUNKED]),
        ("", [CHUNKED, "X: \0"]),
    ],
)
def test_a_wrong_content_length_is_rejected(endpoint, folder, length, headers):
    status = endpoint.status(encoded(run_event(name="wrong length")), *headers, length=length)

    assert status in {400, 413}
    assert stored(folder, job_name="wrong length") == []


def test_a_chunked_body_is_accepted(endpoint, folder):
    event = run_event(name="chunked")
    body = encoded(event)
    parts = [body[n : n + 7] for n in range(0, len(body), 7)]

    assert endpoint.status(chunked(parts), CHUNKED, length="") == 201
    assert stored(folder, job_name="chunked") == [event]


@pytest.mark.parametrize(
    "text",
    [
        *('"\\ud800"', '"\\udc00 \\ud800"', '{"\\ud800": 1}', '"\ud800"', '"\\ud800\\u0041"'),
        *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" * 5000, "01", "1.", "+1", "0x1", ".5"),
        *("'a'", '"\t"', '"\0"', "[1,]", "{1: 2}", "undefined", "/* */ 1", "True", "", '"\\x41"'),
        "[" * 64 + "]" * 64,
        '{"a":' * 5000 + "1" + "}" * 5000,
        "[" * 2_000_000,
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_rejected_values(endpoint, folder, text):
    assert endpoint.status(with_facet(text, "refused")) in {400, 422}
    assert stored(folder, job_name="refused") == []


@pytest.mark.parametrize(
    "body", [b"\xff", b'"\xc0\x80"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf[]", b"\xff\xfe[\0]\0"]
)
def test_a_body_that_is_not_utf_8_is_rejected(endpoint, body):
    assert endpoint.status(body) == 400


@pytest.mark.parametrize(
    "text",
    [
        *("1" * 400, "-1" + "0" * 4000, str(2**63), str(2**64), "-0.0", "5e-324", "1.7976931348623157e308"),
        *(
            "0.1",
            "1.0",
            "1E5",
            "true",
            "null",
            '""',
            "[]",
            "{}",
            '{"": {"": ""}}',
            '"\\u0000"',
            '"\\ud83d\\ude00"',
        ),
        *('"\\u202e\\u2028\\ufeff\\uffff"', "[" * 58 + "]" * 58),
    ],
    ids=lambda text: text[:20],
)
def test_unusual_values_are_stored_unchanged(endpoint, folder, text):
    name = f"kept {text[:20]} {len(text)}"
    assert endpoint.status(with_facet(text, name)) == 201

    (event,) = stored(folder, job_name=name)
    assert repr(event["run"]["facets"]["x"]["value"]) == repr(json.loads(text))


def test_the_last_of_two_equal_keys_is_checked_and_stored(endpoint, folder):
    event = encoded(run_event(name="twice"))
    assert endpoint.status(event.replace(b'"job":', b'"job":7,"job":')) == 201
    assert endpoint.status(event[:-1] + b',"job":7}') == 422
    assert stored(folder, job_name="twice") == [run_event(name="twice")]


HOSTILE_NAMES = [
    "'; DROP TABLE event; --",
    '" OR ""="',
    "%s %(x)s :name ? $1 {0} ${jndi:ldap://x}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "../../../etc/passwd\0.txt",
    "\r\nSet-Cookie: a=b\r\n\r\n",
    "\x1b[2J\x07\x7f",
    "\u202eevil\u2066\ufeff",
    "__import__('os').system('id')",
    "=cmd|' /C calc'!A0",
    " ",
    "",
    "😀" * 300,
    "".join(chr(0x10000 + 7919 * n % 0xFFFFF) for n in range(400)),
    "n" * 100_000,
]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name)[:20])
def test_any_name_in_any_field_is_stored_and_found(endpoint, folder, name):
    facet = {"_producer": "https://x", "_schemaURL": "https://x", name: name, "more": {name: [name]}}
    dataset = {"namespace": name, "name": name, "facets": {name: facet}}
    event = run_event() | {
        "job": {"namespace": name, "name": name, "facets": {name: facet}},
        "inputs": [dataset | {"inputFacets": {name: facet}}],
        "outputs": [dataset | {"outputFacets": {name: facet}}],
        f"x{name}": name,
    }
    event["run"]["facets"] = {name: facet, "parent": facet | {"run": {"runId": name}, "job": name}}
    named = {"job_name": name, "job_namespace": name, "dataset": name, "dataset_namespace": name}

    assert endpoint.status(encoded(event)) == 201
    assert event in stored(folder, **named)


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name)[:20])
def test_every_store_indexes_any_name(any_store, name):
    event = run_event(name=name, inputs=[name]) | {"job": {"namespace": name, "name": name}}
    event["inputs"][0]["namespace"] = name

    assert any_store.append(event) == 1
    assert list(any_store.events(dataset=name, dataset_namespace=name, job_name=name)) == [event]


def test_a_batch_with_one_invalid_event_is_rejected_as_a_whole(endpoint, folder):
    good = [run_event(name="batch", at=f"2026-11-22T07:28:{n:02}Z") for n in range(50)]
    bad = run_event(name="batch", event_type="DONE")

    status, said = endpoint.send(encoded([*good, bad]))

    assert status == 422
    assert "event 50: Invalid enum value 'DONE' - at `$.eventType`" in said
    assert stored(folder, job_name="batch") == []
    assert endpoint.status(encoded(good)) == 201
    assert stored(folder, job_name="batch") == good


def test_the_response_to_many_invalid_events_is_short(endpoint):
    status, said = endpoint.send(b"[" + b"1," * MIB + b"1]")
    assert status == 422
    assert len(said) < 2000


def test_concurrent_requests_get_their_own_responses(endpoint, folder):
    def send(n):
        event = run_event(name="parallel", at=f"2026-11-22T07:{n // 60:02}:{n % 60:02}Z")
        return endpoint.status(encoded(event) if n % 3 else b"{")

    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(send, range(300)))

    assert statuses == [201 if n % 3 else 400 for n in range(300)]
    assert len(stored(folder, job_name="parallel")) == 200


def test_pipelined_requests(endpoint, folder):
    with endpoint.connect() as connection:
        head = f"POST /api/v1/lineage HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        bodies = [encoded(run_event(name="pipelined", event_type=kind)) for kind in ("START", "COMPLETE")]
        requests = [
            f"{head}{more}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
            for body, more in zip(bodies, ["", "Connection: close\r\n"], strict=True)
        ]
        send_all(connection, [requests[0] + requests[1]])
        answer = receive(connection)

    assert answer.count(b" 201 ") == 2
    assert [event["eventType"] for event in stored(folder, job_name="pipelined")] == ["START", "COMPLETE"]

"""The forwarder's HTTP client: concurrent requests, connection reuse, TLS, proxies."""

import base64
import json
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress

import pytest

from airflow_lineage_provider.forwarding.target import TargetConfigError
from airflow_lineage_provider.forwarding.targets import open_target
from tests.support.forwarding import wait_until
from tests.support.samples import run_event

EVENTS = {n: json.dumps(run_event(f"run-{n}")).encode() for n in range(4)}


@contextmanager
def opened(config):
    target = open_target(config)
    yield target
    target.close()


def test_requests_are_sent_concurrently(backend):
    """The backend answers none before all have arrived."""
    together = threading.Barrier(len(EVENTS))
    backend.answer = lambda event: 201 + 0 * together.wait(10)

    with opened(backend.target | {"timeout": 10}) as target:
        assert target.send(EVENTS) == {}
    assert len(backend.received) == 4


def test_an_unanswered_request_does_not_delay_the_others(backend):
    backend.answer = lambda event: "hang" if event["run"]["runId"] == "run-1" else 201

    with opened(backend.target) as target:
        failures = target.send(EVENTS)

    assert [(at, failure.fault) for at, failure in failures.items()] == [(1, "target")]
    assert len(backend.received) == 3


def test_connections_are_reused_and_reopened_after_the_server_closed_them(backend):
    with opened(backend.target) as target:
        assert target.send(EVENTS) == {}
        backend.answer = lambda event: "close"
        assert target.send(EVENTS) == {}
        wait_until(lambda: backend.closed == 4)
        backend.answer = lambda event: 201
        assert target.send(EVENTS) == {}
    assert len(backend.received) == 12
    assert backend.connections == 8


def test_an_endless_response_is_read_up_to_a_limit(backend):
    backend.body = b"x" * 3_000_000
    with opened(backend.target) as target:
        assert target.send(EVENTS) == {}
        assert target.send(EVENTS) == {}
    assert len(backend.received) == 8


def test_api_key_and_compression_follow_openlineage(backend):
    config = {
        "auth": {"type": "api_key", "apiKey": "a-key"},
        "compression": "gzip",
        "custom_headers": {"X-A": "b"},
    }
    with opened(backend.target | config) as target:
        assert target.send({1: EVENTS[1]}) == {}
    (sent,) = backend.sent_headers
    assert sent["Authorization"] == "Bearer a-key"
    assert (sent["Content-Encoding"], sent["Content-Type"], sent["X-A"]) == ("gzip", "application/json", "b")
    assert backend.received == [run_event("run-1")]


def test_an_api_key_is_not_printed_by_http_debugging(backend, monkeypatch, capfd):
    monkeypatch.setattr("http.client.HTTPConnection.debuglevel", 1)
    with opened(backend.target | {"auth": {"type": "api_key", "apiKey": "a-key"}}) as target:
        assert target.send({1: EVENTS[1]}) == {}
    assert "a-key" not in "".join(capfd.readouterr())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return the files of a self-signed certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key]
    subprocess.run([*command, "-out", certificate, *subject], check=True, capture_output=True)
    return key, certificate


@pytest.fixture
def tls_backend(backend, certificate):
    key, file = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    backend.socket = context.wrap_socket(backend.socket, server_side=True)
    return backend


def https(backend, **more):
    return backend.target | {"url": f"https://127.0.0.1:{backend.server_port}"} | more


def test_an_untrusted_certificate_is_rejected(tls_backend):
    with opened(https(tls_backend)) as target:
        failures = target.send(EVENTS)
    assert {failure.fault for failure in failures.values()} == {"target"}
    assert "self-signed certificate" in failures[0].message.replace("self signed", "self-signed")
    assert tls_backend.received == []


def test_a_certificate_is_trusted_by_its_file_or_without_verification(tls_backend, certificate):
    for more in ({"sslContext": {"caCertPath": str(certificate[1])}}, {"verify": False}):
        with opened(https(tls_backend, **more)) as target:
            assert target.send(EVENTS) == {}
    assert len(tls_backend.received) == 8


def test_http_uses_the_proxy_of_the_environment(backend, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://me:a%20secret@127.0.0.1:{backend.server_port}")
    monkeypatch.setenv("no_proxy", "")
    with opened({"type": "http", "url": "http://marquez.invalid:5000"}) as target:
        assert target.send({1: EVENTS[1]}) == {}
    assert backend.paths == ["http://marquez.invalid:5000/api/v1/lineage"]
    (sent,) = backend.sent_headers
    assert base64.b64decode(sent["Proxy-Authorization"].removeprefix("Basic ")) == b"me:a secret"
    assert sent["Host"] == "marquez.invalid:5000"


def test_https_uses_a_proxy_tunnel(tls_backend, certificate, monkeypatch):
    with tunnel(tls_backend.server_port) as (port, asked):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        with opened(https(tls_backend, sslContext={"caCertPath": str(certificate[1])})) as target:
            assert target.send({1: EVENTS[1]}) == {}
    assert asked[0].startswith(f"CONNECT 127.0.0.1:{tls_backend.server_port} ")
    assert len(tls_backend.received) == 1


@contextmanager
def tunnel(to):
    """Serve a proxy that accepts one CONNECT request."""
    asked = []

    def pump(source, sink):
        while data := source.recv(65536):
            sink.sendall(data)
        with suppress(OSError):  # it has closed already
            sink.shutdown(socket.SHUT_WR)

    def serve():
        client, _ = listening.accept()
        with client, socket.create_connection(("127.0.0.1", to)) as server:
            asked.append(client.recv(65536).decode())
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pump, args=(server, client))
            back.start()
            pump(client, server)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], asked
        thread.join(10)


def test_an_unsupported_proxy_is_named(monkeypatch):
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(TargetConfigError, match="the proxy for https is not http://HOST:PORT"):
        open_target({"type": "http", "url": "https://marquez"})

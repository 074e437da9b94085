"""How a Snowflake account is logged in to, by dbt's credentials. `make stack` moves rows by its protocol."""

import pytest
import snowflake.connector
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dbt.adapters.snowflake.connections import SnowflakeCredentials

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.ingest.model import IngestError
from airflow_lineage_provider.ingest.targets import open_target

PASSPHRASE = "the-passphrase"


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def key_file(key, tmp_path):
    path = tmp_path / "key.p8"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSPHRASE.encode()),
        )
    )
    return str(path)


@pytest.fixture
def connected(monkeypatch):
    """Open a target with a connector that only keeps what it is given; gives a function."""

    def run(**credentials):
        given = {}
        monkeypatch.setattr(snowflake.connector, "connect", lambda **options: given.update(options))
        target = open_target(
            SnowflakeCredentials(**{"database": "SHOP", "schema": "GOLD", "user": "etl", **credentials})
        )
        return given, target

    return run


def test_a_key_pair_is_the_login(connected, key, key_file):
    given, _ = connected(account="acme-emea", private_key_path=key_file, private_key_passphrase=PASSPHRASE)
    plain = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert given["private_key"] == plain
    assert (given["account"], given["user"]) == ("acme-emea", "etl")
    assert "password" not in given


def test_host_port_and_protocol_are_passed_on(connected):
    where = {"host": "127.0.0.1", "port": 8084, "protocol": "http"}
    given, _ = connected(account="acme-emea", password="p", **where)
    assert {name: given[name] for name in where} == where


@pytest.mark.parametrize("passphrase", ["wrong", None])
def test_a_key_that_cannot_be_read_is_one_line(connected, key_file, passphrase):
    with pytest.raises(
        InputError, match="the login of Snowflake account acme-emea cannot be made: "
    ) as caught:
        connected(account="acme-emea", private_key_path=key_file, private_key_passphrase=passphrase)
    assert "\n" not in str(caught.value)


def test_a_key_that_is_not_there_is_one_line(connected):
    with pytest.raises(InputError, match=r"cannot be made: .*no-such-key"):
        connected(account="acme-emea", private_key_path="/no-such-key.p8")


def test_an_account_that_does_not_answer_is_one_line_that_names_it(monkeypatch):
    def refuse(**_options):
        raise snowflake.connector.OperationalError("could not\nconnect")

    monkeypatch.setattr(snowflake.connector, "connect", refuse)
    with pytest.raises(
        IngestError, match=r"Snowflake account acme-emea cannot be reached: .*could not connect"
    ) as caught:
        open_target(
            SnowflakeCredentials(account="acme-emea", user="etl", password="p", database="S", schema="G")
        )
    assert caught.value.unreachable


@pytest.mark.parametrize("account", ["acme-emea", "acme-emea.privatelink"])
def test_a_table_is_named_by_the_account(connected, account):
    _, target = connected(account=account, password="p")
    assert target.dataset("bronze.raw_orders").namespace == "snowflake://acme-emea"
    assert target.dataset("bronze.raw_orders").name == "SHOP.BRONZE.RAW_ORDERS"

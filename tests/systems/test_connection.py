"""Connections from the environment, as Airflow reads them."""

import json

import pytest
from airflow.models.connection import Connection as AirflowConnection

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.systems.connection import environment_connection

URIS = [
    "tableau://user:p%40ss@bi.example.com:8443/https?site_id=sales&verify=false",
    "tableau://:secret@bi.example.com/https?__extra__=%7B%22site_id%22%3A+%22sales%22%7D",
    "tableau://bi.example.com",
    "mlflow://https://me:secret@mlflow.example.com:443/path",
    "tableau://https://bi.example.com",
]


@pytest.mark.parametrize("uri", URIS)
def test_a_uri_is_read_as_airflow_reads_it(uri):
    found = environment_connection("bi", {"AIRFLOW_CONN_BI": uri})
    airflow = AirflowConnection(uri=uri)
    theirs = (airflow.host, airflow.schema, airflow.login, airflow.password)
    assert (found.host, found.schema, found.login, found.password) == tuple(one or "" for one in theirs)
    assert found.port == airflow.port
    assert found.extra == airflow.extra_dejson
    assert "secret" not in repr(found)


def test_json_is_read_as_airflow_reads_it():
    fields = {"conn_type": "tableau", "host": "bi", "login": "u", "password": "p", "port": 80}
    text = json.dumps(fields | {"extra": {"site_id": "sales"}})
    found = environment_connection("bi", {"AIRFLOW_CONN_BI": text})
    assert (found.host, found.login, found.password, found.port) == ("bi", "u", "p", 80)
    assert found.extra == {"site_id": "sales"}


@pytest.mark.parametrize("text", ["", "nonsense", "{", '{"port": "x"}', '{"extra": 3}'])
def test_what_is_no_connection_names_the_variable(text):
    with pytest.raises(InputError, match="AIRFLOW_CONN_BI"):
        environment_connection("bi", {"AIRFLOW_CONN_BI": text})

"""The demo's CRM in Postgres, with Debezium in front of it and a bucket behind it.

    python crm.py --connector crm-connector.json --connect http://connect:8083 --bucket data-lake

Writes the demo's rows into the tables of the database that the PG* variables name, creates the connector, and
the bucket on the S3 server of AWS_ENDPOINT_URL. A second call changes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.request
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from source_data import Sizes, Source

if TYPE_CHECKING:
    from source_data import Batch

KEYS = {"customers": "customer_id", "orders": "order_id", "products": "product_id"}
TIMEOUT = 90.0


def connected() -> Any:
    """Return an open connection to the database that the PG* variables name."""
    import psycopg2

    connection = psycopg2.connect("")
    connection.autocommit = True
    return connection


def write_batch(connection: Any, batch: Batch) -> Counter[str]:
    """Insert, update and delete rows; return how many rows of each table changed."""
    changes: Counter[str] = Counter()
    with connection.cursor() as cursor:
        for table, key in KEYS.items():
            for row in map(asdict, getattr(batch, table)):
                names, values = ", ".join(row), ", ".join(["%s"] * len(row))
                sets = ", ".join(f"{name} = excluded.{name}" for name in row)
                cursor.execute(
                    f"insert into public.{table} ({names}) values ({values}) "
                    f"on conflict ({key}) do update set {sets}",
                    tuple(row.values()),
                )
                changes[table] += 1
        if batch.deleted_customer:
            for table in ("orders", "customers"):
                cursor.execute(
                    f"delete from public.{table} where customer_id = %s", (batch.deleted_customer,)
                )
                changes[table] += cursor.rowcount
    return changes


def create_connector(connect: str, file: Path, more: dict[str, str]) -> None:
    """Create Debezium's connector, or change it; `more` are settings beside those of the file."""
    body = json.dumps(json.loads(file.read_text()) | more).encode()
    request = urllib.request.Request(  # noqa: S310 - http, by the caller
        f"{connect}/connectors/{file.stem}/config", body, {"Content-Type": "application/json"}, method="PUT"
    )
    urllib.request.urlopen(request, timeout=TIMEOUT).close()  # noqa: S310


def create_bucket(name: str, endpoint: str, access_key: str, secret_key: str) -> None:
    """Create a bucket where it is not there."""
    from pyarrow.fs import S3FileSystem

    url = urlsplit(endpoint)
    S3FileSystem(
        access_key=access_key,
        secret_key=secret_key,
        endpoint_override=url.netloc,
        scheme=url.scheme,
        region="us-east-1",
        allow_bucket_creation=True,
    ).create_dir(name)


def database_settings(environ: dict[str, str]) -> dict[str, str]:
    """Return Debezium's settings for the database that the PG* variables name."""
    return {
        "database.hostname": environ["PGHOST"],
        "database.port": environ["PGPORT"],
        "database.user": environ["PGUSER"],
        "database.password": environ["PGPASSWORD"],
        "database.dbname": environ["PGDATABASE"],
    }


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Fill the CRM, create its connector and the lake's bucket.")
    parser.add_argument("--connect", required=True, help="URL of Kafka Connect")
    parser.add_argument("--connector", type=Path, required=True, help="its configuration; the file names it")
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    with connected() as connection:
        changes = write_batch(connection, Source(options.seed, Sizes.of(options.scale)).batch_1())
    environ = dict(os.environ)
    create_bucket(
        options.bucket,
        environ["AWS_ENDPOINT_URL"],
        environ["AWS_ACCESS_KEY_ID"],
        environ["AWS_SECRET_ACCESS_KEY"],
    )
    create_connector(options.connect, options.connector, database_settings(environ))
    sys.stdout.write("".join(f"{count:>9,} rows of {table}\n" for table, count in changes.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Make the source systems of the demo: a CRM database and the landing files of a Kafka topic.

Every row is a pure function of the seed and of the row's number, so the same arguments always give
the same rows, and batch 2 can change rows of batch 1 without reading them.

    crm.duckdb                              public.customers, public.orders, public.products
    landing/customer_events/batch-N.parquet what Kafka Connect wrote, offsets included
    events/batch-N.parquet                  with --topic, in place of it: what event_stream.py produces
"""

from __future__ import annotations

import argparse
import csv
import math
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed import DataclassInstance

# Times are UTC without a time zone, as in `timestamp` columns.
START, BATCH_1_ENDS, BATCH_2_ENDS = map(datetime.fromisoformat, ("2025-07-01", "2025-10-01", "2025-10-02"))

FIRST_NAMES = ("Ada", "Björn", "Chloë", "Dmitri", "Elif", "Femi", "Grace", "Hiroshi", "Inés", "José")
LAST_NAMES = ("Abara", "Brandt", "Costa", "D'Angelo", "Eriksen", "Fischer", "García", "Haddad", "Jones")
MAIL_DOMAINS = ("example.com", "Example.org", "mail.example.net")
CATEGORIES = ("audio", "garden", "kitchen", "office", "sport")
STATUSES = ("placed", "shipped", "completed", "returned")
EVENT_TYPES = ("page_view", "page_view", "page_view", "search", "add_to_cart", "purchase", "support_ticket")
CHANNELS = ("web", "ios", "android")
BAD_AMOUNTS = ("N/A", "", "12,50", None)
DELETED_CUSTOMER = 3
WORSE_ORDER = 20  # batch 2 turns its good amount into a bad one
PARTITIONS = 3
NULL = r"\N"  # in a CSV file, where an empty field is an empty text


@dataclass(frozen=True, slots=True)
class Customer:
    """A row of the CRM's public.customers."""

    customer_id: str
    email: str
    first_name: str
    last_name: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Product:
    """A row of the CRM's public.products."""

    product_id: str
    product_name: str
    category: str
    unit_price: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """A row of the CRM's public.orders; `amount` is free text."""

    order_id: str
    customer_id: str
    product_id: str
    amount: str | None
    status: str
    ordered_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """A message of the topic customer-events-prod, with partition and offset."""

    event_id: str
    customer_id: str
    event_type: str
    event_timestamp: datetime
    channel: str
    page_url: str
    kafka_partition: int
    kafka_offset: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows batch 1 has, and how many of each kind batch 2 adds."""

    customers: int
    products: int
    orders: int
    events: int

    @classmethod
    def of(cls, scale: float) -> Sizes:
        """Scale 1 is 300 customers; at least a dozen of them, so that every case of batch 2 occurs."""
        customers = max(12, round(300 * scale))
        return cls(customers, max(10, round(40 * math.sqrt(scale))), customers * 8, customers * 20)

    def added(self) -> Sizes:
        """Batch 2 adds a twentieth, and one product."""
        return Sizes(max(1, self.customers // 20), 1, max(4, self.orders // 20), max(4, self.events // 20))


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of both batches for one seed and scale."""

    seed: int
    size: Sizes

    def batch_1(self) -> Batch:
        """Return all rows up to the end of batch 1, with one event delivered twice."""
        size = self.size
        delivered = chain(range(size.events), (0,))
        return Batch(
            customers=(self.customer(n) for n in range(size.customers)),
            products=(self.product(n) for n in range(size.products)),
            orders=(self.order(n) for n in range(size.orders)),
            events=_offsets(map(self.event, delivered), first=0),
        )

    def batch_2(self) -> Batch:
        """Return the rows of batch 2: new and changed rows, a deletion, a late and a redelivered event."""
        size, added = self.size, self.size.added()
        first_offset = size.events + 1  # more than any partition can hold after batch 1
        new_events = map(self.event, range(size.events, size.events + added.events))
        late = replace(
            self.event(size.events + added.events), event_timestamp=START + timedelta(days=20, hours=5)
        )
        redelivered = self.event(size.events - 1)
        return Batch(
            customers=chain(
                map(self.moved_customer, range(1, size.customers, 25)),
                map(self.customer, range(size.customers, size.customers + added.customers)),
            ),
            products=map(self.product, range(size.products, size.products + added.products)),
            orders=chain(
                map(self.changed_order, range(0, size.orders, 20)),
                map(self.order, range(size.orders, size.orders + added.orders)),
            ),
            events=_offsets(chain(new_events, (late, redelivered)), first=first_offset),
            deleted_customer=_id("C", DELETED_CUSTOMER),
        )

    def customer(self, number: int) -> Customer:
        """Make a customer with random case and padding in the email."""
        rng = self._random("customer", number)
        first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
        created = _moment(rng, *self._period(number, self.size.customers))
        return Customer(_id("C", number), _email(rng, first, last, number), first, last, created, created)

    def moved_customer(self, number: int) -> Customer:
        """Return a customer of batch 1 with another email address."""
        rng = self._random("moved customer", number)
        before = self.customer(number)
        email = _email(rng, before.first_name, before.last_name, number).replace("@", ".new@")
        return replace(before, email=email, updated_at=_moment(rng, BATCH_1_ENDS, BATCH_2_ENDS))

    def product(self, number: int) -> Product:
        """Make a product."""
        rng = self._random("product", number)
        category = rng.choice(CATEGORIES)
        created = _moment(rng, *self._period(number, self.size.products))
        price = f"{rng.randint(199, 49_999) / 100:.2f}"
        return Product(
            _id("P", number), f"{category.title()} {number:03d}", category, price, created, created
        )

    def order(self, number: int) -> Order:
        """Make an order; one in 97 has an amount that is no number."""
        rng = self._random("order", number)
        begins, ends = self._period(number, self.size.orders)
        customer = self._buyer(rng, number, self.size.orders)
        product = _id("P", rng.randrange(self.size.products))
        amount = BAD_AMOUNTS[number // 97 % 4] if number % 97 == 0 else _amount(rng)
        ordered = _moment(rng, begins, ends)
        return Order(_id("O", number), customer, product, amount, rng.choice(STATUSES), ordered, ordered)

    def changed_order(self, number: int) -> Order:
        """Return an order of batch 1 as completed, with a new amount that may be good or bad."""
        rng = self._random("changed order", number)
        amount = "N/A" if number == WORSE_ORDER else _amount(rng)
        changed = _moment(rng, BATCH_1_ENDS, BATCH_2_ENDS)
        return replace(self.order(number), status="completed", amount=amount, updated_at=changed)

    def event(self, number: int) -> Event:
        """Make a message without its offset."""
        rng = self._random("event", number)
        begins, ends = self._period(number, self.size.events)
        customer = self._buyer(rng, number, self.size.events)
        kind, channel = rng.choice(EVENT_TYPES), rng.choice(CHANNELS)
        url = f"https://shop.example.com/{kind.replace('_', '-')}/{rng.randrange(self.size.products)}"
        return Event(
            _id("E", number), customer, kind, _moment(rng, begins, ends), channel, url, number % PARTITIONS, 0
        )

    def _buyer(self, rng: random.Random, number: int, last_of_batch_1: int) -> str:
        buyer = rng.randrange(self.size.customers)
        if number >= last_of_batch_1 and buyer == DELETED_CUSTOMER:
            buyer += 1
        return _id("C", buyer)

    def _period(self, number: int, last_of_batch_1: int) -> tuple[datetime, datetime]:
        return (START, BATCH_1_ENDS) if number < last_of_batch_1 else (BATCH_1_ENDS, BATCH_2_ENDS)

    def _random(self, kind: str, number: int) -> random.Random:
        return random.Random(f"{self.seed} {kind} {number}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to be written, made one at a time as they are read."""

    customers: Iterable[Customer]
    products: Iterable[Product]
    orders: Iterable[Order]
    events: Iterable[Event]
    deleted_customer: str | None = None


def generate(
    directory: Path | str,
    *,
    scale: float = 1,
    seed: int = 7,
    batch: Literal[1, 2] = 1,
    topic: bool = False,
    echo: Callable[[str], object] = lambda _line: None,
) -> dict[str, int]:
    """Write one batch into `directory` and return how many rows of each table it holds.

    Batch 1 makes the sources anew. Batch 2 is applied on top of batch 1 of the same scale and seed, with
    the same result if it is applied again. A batch that fails leaves the sources as they were.

    Raises ValueError for a scale that is no positive number, FileNotFoundError for batch 2 without batch 1.
    """
    if not 0 < scale < math.inf:
        raise ValueError(f"scale {scale}: a number above 0 is needed")
    directory = Path(directory)
    crm = directory / "crm.duckdb"
    landing = directory / ("events" if topic else "landing/customer_events")
    source = Source(seed, Sizes.of(scale))
    rows = source.batch_1() if batch == 1 else source.batch_2()
    if batch != 1 and not crm.exists():
        raise FileNotFoundError(f"{crm} is not there: generate batch 1 first")
    landing.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=".generating-") as work:
        new_crm, new_events = Path(work) / "crm.duckdb", Path(work) / "events.parquet"
        if batch == 1:
            stale = set(landing.glob("*.parquet"))
        else:
            stale = set()
            shutil.copy(crm, new_crm)
        counts = _write(rows, new_crm, new_events, echo)
        for file in stale:
            file.unlink()
        new_events.replace(landing / f"batch-{batch}.parquet")
        new_crm.replace(crm)
    return counts


def _write(rows: Batch, crm: Path, events: Path, echo: Callable[[str], object]) -> dict[str, int]:
    import duckdb

    file = crm.with_name("rows.csv")
    counts = {}
    with duckdb.connect(str(crm)) as connection:
        connection.execute("create schema if not exists public")
        for table, kind, values in (
            ("customers", Customer, rows.customers),
            ("products", Product, rows.products),
            ("orders", Order, rows.orders),
        ):
            counts[table] = _csv(file, kind, values, echo)
            columns = ", ".join(f"{name} {sql}" for name, sql in _columns(kind).items())
            key = fields(kind)[0].name
            connection.execute(f"create table if not exists public.{table} ({columns}, primary key ({key}))")
            connection.execute(f"insert or replace into public.{table} {_select(file, kind)}")
        counts["customer_events"] = _csv(file, Event, rows.events, echo)
        connection.execute(f"copy ({_select(file, Event)}) to {_literal(events)} (format parquet)")
        connection.execute("delete from public.orders where customer_id = ?", [rows.deleted_customer])
        connection.execute("delete from public.customers where customer_id = ?", [rows.deleted_customer])
    return counts


def _columns(kind: type[DataclassInstance]) -> dict[str, str]:
    types = {"str": "varchar", "str | None": "varchar", "int": "bigint", "datetime": "timestamp"}
    return {field.name: types[str(field.type)] for field in fields(kind)}


def _csv(
    path: Path,
    kind: type[DataclassInstance],
    rows: Iterable[DataclassInstance],
    echo: Callable[[str], object],
) -> int:
    table, values = f"{kind.__name__.lower()}s", attrgetter(*_columns(kind))
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for count, row in enumerate(rows, start=1):
            writer.writerow([NULL if value is None else value for value in values(row)])
            if count % 100_000 == 0:
                echo(f"{count:>9,} {table} ...")
    echo(f"{count:>9,} {table}")
    return count


def _select(path: Path, kind: type[DataclassInstance]) -> str:
    columns = ", ".join(f"{name}: '{sql}'" for name, sql in _columns(kind).items())
    dialect = f"""header = false, delim = ',', quote = '"', escape = '"', nullstr = '{NULL}'"""
    return f"from read_csv({_literal(path)}, auto_detect = false, {dialect}, columns = {{{columns}}})"


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _offsets(events: Iterable[Event], *, first: int) -> Iterator[Event]:
    offsets = dict.fromkeys(range(PARTITIONS), first)
    for event in events:
        yield replace(event, kafka_offset=offsets[event.kafka_partition])
        offsets[event.kafka_partition] += 1


def _id(kind: str, number: int) -> str:
    return f"{kind}{number:07d}"


def _moment(rng: random.Random, begins: datetime, ends: datetime) -> datetime:
    return begins + timedelta(seconds=rng.randrange(1, int((ends - begins).total_seconds())))


def _amount(rng: random.Random) -> str:
    amount = f"{rng.randint(100, 99_999) / 100:.2f}"
    return rng.choice((amount, amount, amount, f" {amount}", amount.removesuffix("0")))


def _email(rng: random.Random, first: str, last: str, number: int) -> str:
    ascii_letters = (letter for letter in f"{first}.{last}" if letter.isascii() and letter != "'")
    email = f"{''.join(ascii_letters)}{number}@{rng.choice(MAIL_DOMAINS)}"
    return rng.choice((email, email.lower(), email.upper(), f"  {email}", f"{email} "))


def main() -> int:
    """Command line of `generate`."""
    parser = argparse.ArgumentParser(description="Generate the source systems of the demo.")
    parser.add_argument("--directory", type=Path, required=True, help="where crm.duckdb and landing/ go")
    parser.add_argument(
        "--scale", type=float, default=1, help="1 is 300 customers, 2,400 orders, 6,000 events"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--topic", action="store_true", help="leave the events to event_stream.py")
    parser.add_argument("--batch", type=int, default=1, choices=(1, 2), help="2 is applied on top of 1")
    options = parser.parse_args()
    try:
        generate(**vars(options), echo=lambda line: sys.stdout.write(line + "\n"))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

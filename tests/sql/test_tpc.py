"""Lineage against DuckDB over the shapes of TPC-H and TPC-DS: no influence that lineage denies.

Each statement runs on random data, then again with new values in all columns that are neither sources of an
output nor indirect columns of the statement. The values of the output must be the same.
"""

import random
from pathlib import Path

import duckdb
import pytest

from airflow_lineage_provider.sql import column_lineage

HERE = Path(__file__).parent / "tpc"
TABLES = {
    "tpch": """
        lineitem: l_orderkey l_partkey l_suppkey l_quantity l_extendedprice l_discount l_tax l_returnflag
            l_linestatus l_shipdate l_commitdate l_receiptdate l_shipmode
        orders: o_orderkey o_custkey o_totalprice o_orderdate o_orderpriority o_shippriority o_comment
        customer: c_custkey c_name c_nationkey c_phone c_acctbal c_mktsegment
        part: p_partkey p_name p_brand p_type p_size
        partsupp: ps_partkey ps_suppkey ps_availqty ps_supplycost
        supplier: s_suppkey s_name s_address s_nationkey s_acctbal s_comment
        nation: n_nationkey n_name n_regionkey
        region: r_regionkey r_name
    """,
    "tpcds": """
        sales: ss_date ss_item ss_customer ss_store ss_demo ss_house ss_addr ss_promo ss_ticket ss_qty
            ss_price ss_cost
        web: ws_date ws_item ws_customer ws_addr ws_order ws_qty ws_price
        catalog: cs_date cs_item cs_customer cs_store cs_order cs_qty cs_price
        returns: sr_date sr_item sr_customer sr_store sr_order sr_qty sr_amt
        inventory: inv_date inv_item inv_wh inv_qty
        item: i_item i_id i_brand i_class i_category i_manu i_manager i_price
        customer: c_customer c_id c_address c_demo
        address: ca_address ca_state ca_zip
        dates: d_date d_year d_moy d_qoy d_week d_dow
        store: s_store s_id s_name s_state s_zip
        demo: cd_demo cd_gender cd_dep
        house: h_house h_dep h_veh
        promo: p_promo p_email p_event
    """,
}
SCHEMAS = {
    suite: {
        name: columns.split()
        for table in text.replace("\n            ", " ").strip().splitlines()
        for name, columns in [table.strip().split(":")]
    }
    for suite, text in TABLES.items()
}
CASES = [
    pytest.param(suite, sql.strip(), id=f"{suite}-{number}")
    for suite in SCHEMAS
    for number, sql in enumerate(
        (HERE / f"{suite}.sql").read_text().strip().removesuffix(";").split(";\n"), 1
    )
]
ROUNDS = 5


def test_all_shapes_are_there():
    assert [len([c for c in CASES if c.values[0] == suite]) for suite in SCHEMAS] == [22, 44]


@pytest.fixture
def engine():
    with duckdb.connect() as connection:
        yield connection


def values(dice, rows):
    return [dice.choice([0, 1, 1, 1, 1, 2, 2, 2, 3, None]) for _ in range(rows)]


def data(dice, schema):
    rows = {table: dice.randint(6, 9) for table in schema}
    return {table: {c: values(dice, rows[table]) for c in columns} for table, columns in schema.items()}


def run(engine, tables, sql):
    statements = []
    for table, columns in tables.items():
        rows = ", ".join(map(str, zip(*columns.values(), strict=True))).replace("None", "null")
        names = ", ".join(f"{c} int" for c in columns)
        statements += [f"create or replace table {table} ({names})", f"insert into {table} values {rows}"]
    engine.execute("; ".join(statements))
    found = engine.execute(sql)
    names = [column[0] for column in found.description]
    rows = [[round(v, 6) if isinstance(v, float) else v for v in row] for row in found.fetchall()]
    return {name: sorted((row[i] for row in rows), key=repr) for i, name in enumerate(names)}, names


@pytest.mark.parametrize(("suite", "sql"), CASES)
def test_only_sources_matter(engine, suite, sql):
    schema = SCHEMAS[suite]
    lineage = column_lineage(sql, dialect="duckdb", schema=schema)
    assert lineage.problems == ()
    used = {table.name for table in lineage.reads}
    decide = {(s.table.name, s.column) for s in lineage.indirect}
    dice = random.Random(sql)
    returned = 0
    for _ in range(ROUNDS):
        before = data(dice, {table: columns for table, columns in schema.items() if table in used})
        result, names = run(engine, before, sql)
        assert [c.name for c in lineage.columns] == names
        returned += len(result[names[0]])
        for output in lineage.columns:
            kept = decide | {(s.table.name, s.column) for s in output.sources}
            after = {
                table: {
                    c: cells if (table, c) in kept else values(dice, len(cells))
                    for c, cells in columns.items()
                }
                for table, columns in before.items()
            }
            assert run(engine, after, sql)[0][output.name] == result[output.name], output
    assert returned > 0

# ruff: noqa: E501 - SQL
"""The audit of a query log: whose writes are findings, which documented edges no statement shows."""

import json

import pytest

from airflow_lineage_provider.checks.audit import audit
from airflow_lineage_provider.graph import Code, Verdict
from airflow_lineage_provider.lineage_map import MapError, bindings_of, parse_map
from airflow_lineage_provider.readers.query_log import LoggedStatement, QueryLog, read_writes
from airflow_lineage_provider.reports.audit import (
    audit_data,
    audit_json,
    audit_markdown,
    audit_outcome,
    audit_text,
)

MAP = """
document: {title: T}
sources: {crm: {type: postgres, datasets: {orders: bronze.orders}}}
layers:
  bronze: {tables: [orders]}
  silver: {tables: {orders: {from: bronze.orders, columns: {id: , paid: amount}}}}
  gold: {tables: {revenue: {from: silver.orders}}}
dashboards: {Board: {from: gold.revenue}}
environments: {prod: {bindings: [{dataset: "{layer}.{table}", namespace: "postgres://*", name: "shop.{layer}.{table}"}]}}
"""
ORDERS = "insert into silver.orders (id, paid) select id, amount from bronze.orders"
REVENUE = "insert into gold.revenue (total) select paid from silver.orders"


def dbt(sql):
    return f'/* {{"app": "dbt", "node_id": "model.shop.x"}} */ {sql}'


def audited(*statements, more="", problems=(), **options):
    given = [(sql, "") if isinstance(sql, str) else sql for sql in statements]
    rows = [
        LoggedStatement(sql, f"2026-01-0{n + 1}", user, "s", "shop") for n, (sql, user) in enumerate(given)
    ]
    documented = parse_map(MAP + more)
    log = QueryLog(rows, "postgres", problems=list(problems))
    return audit(read_writes(log, bindings_of(documented)), documented, **options)


def found(result):
    return sorted((str(one.code), one.subject) for one in result.comparison.findings)


def test_a_log_of_the_documented_jobs_passes():
    result = audited(dbt(ORDERS), dbt(REVENUE))
    assert (audit_outcome(result), found(result), result.outside) == ("PASS", [], ())
    verdicts = {str(one.edge): one.verdict for one in result.comparison.edges}
    assert verdicts["silver.orders -> gold.revenue"] is Verdict.VERIFIED
    assert verdicts["crm.orders -> bronze.orders"] is Verdict.UNOBSERVED


def test_a_write_of_a_person_into_gold_is_an_error_that_says_who_when_and_from_what():
    result = audited(
        dbt(ORDERS),
        dbt(REVENUE),
        ("insert into gold.revenue (total) select id from bronze.orders where id = 7", "eve"),
    )
    (finding,) = result.comparison.findings
    assert (finding.code, finding.subject) == (Code.ADHOC_WRITE, "gold.revenue")
    assert "by eve from bronze.orders, 1 time, last at 2026-01-03" in finding.message
    assert "id = ?" in finding.message
    assert not result.comparison.agreed
    assert str(finding).endswith("run by eve)")


@pytest.mark.parametrize("verb", ["truncate", "drop table", "alter table", "delete from"])
def test_what_a_person_does_to_a_documented_table_itself_is_a_finding(verb):
    rest = " drop column total" if verb == "alter table" else ""
    statements = [(f"{verb} gold.revenue{rest}", "eve"), (f"{verb} scratch.mine{rest}", "eve")]
    result = audited(dbt(ORDERS), dbt(REVENUE), *statements, dbt(f"{verb} gold.revenue__dbt_backup{rest}"))
    assert ("adhoc-write", "gold.revenue") in found(result)
    assert not result.comparison.agreed


def test_writes_of_one_person_into_one_table_are_one_finding():
    writes = [
        (f"insert into gold.revenue (total) select {one} from bronze.orders", "eve")
        for one in ("id", "amount")
    ]
    result = audited(dbt(ORDERS), dbt(REVENUE), *writes)
    assert found(result) == [("adhoc-write", "gold.revenue")]
    assert len(result.outside) == 2


def test_a_copy_of_documented_data_is_a_warning_and_other_tables_are_none():
    result = audited(
        dbt(ORDERS),
        dbt(REVENUE),
        ("create table scratch.mine as select total from gold.revenue", "eve"),
        ("create table scratch.other as select 1 as a", "eve"),
    )
    assert found(result) == [("undocumented-copy", "scratch.mine")]
    assert result.comparison.agreed
    assert len(result.outside) == 2


def test_an_undocumented_write_of_a_job_is_a_finding_of_the_comparison():
    result = audited(
        dbt(ORDERS), dbt(REVENUE), dbt("insert into gold.revenue (total) select amount from bronze.orders")
    )
    assert found(result) == [("edge-unexpected", "bronze.orders -> gold.revenue")]


def test_a_documented_edge_that_no_statement_shows():
    result = audited(
        dbt("insert into silver.orders (id) select id from bronze.orders"),
        dbt("insert into gold.revenue values (1)"),
    )
    assert found(result) == [
        ("not-queried", "bronze.orders.amount -> silver.orders.paid"),
        ("not-queried", "silver.orders -> gold.revenue"),
    ]
    assert result.comparison.agreed


def test_columns_that_are_not_known_are_no_missing_columns():
    result = audited(dbt("insert into silver.orders select * from bronze.orders"), dbt(REVENUE))
    assert found(result) == []
    assert len(result.gaps) == 1


def test_the_users_of_the_map_decide_where_it_names_them():
    users = "pipeline: {users: [dbt, load_*]}"
    result = audited((ORDERS, "load_7"), (dbt(REVENUE), "eve"), more=users)
    assert found(result) == [("adhoc-write", "gold.revenue")]


def test_a_log_without_users_and_nodes_is_not_clean():
    result = audited(ORDERS, REVENUE)
    assert audit_outcome(result) == "INCOMPLETE"
    assert "neither users nor dbt nodes" in result.incomplete[0]
    assert result.outside == ()


def test_an_incomplete_log_is_never_clean():
    result = audited(dbt(ORDERS), dbt(REVENUE), problems=["q.csv: half-written"])
    assert audit_outcome(result) == "INCOMPLETE"
    assert "half-written" in audit_text(result)
    assert "half-written" in audit_markdown(result)
    ignored = audited(dbt(ORDERS), dbt(REVENUE), problems=["x"], more="policy: {incomplete: ignore}")
    assert audit_outcome(ignored) == "INCOMPLETE"


def test_the_policy_and_what_is_accepted_decide():
    write = ("insert into gold.revenue (total) select paid from silver.orders", "eve")
    assert audited(dbt(ORDERS), write, more="policy: {adhoc-write: note}").comparison.agreed
    until = 'accepted: [{finding: adhoc-write, subject: "gold.*", reason: backfill, until: 2999-01-01}]'
    assert audited(dbt(ORDERS), write, more=until).comparison.agreed


def test_a_scope_limits_the_audit():
    assert found(audited(dbt(ORDERS), scope=["silver"])) == []


def test_names_that_fit_no_binding_are_an_error():
    with pytest.raises(MapError, match="none of the 2 datasets observed is documented"):
        audited(dbt("insert into x.t (a) select a from x.s"))


def test_the_reports_have_no_literal_and_escape_names():
    result = audited(
        dbt(ORDERS),
        dbt(REVENUE),
        ("insert into gold.\"a|b\u202e\" (t) select 'topsecret' from gold.revenue", "e|ve\x1b[1m"),
    )
    data = audit_data(result)
    assert data["outside"][0]["user"] == "e|ve\x1b[1m"
    for text in (audit_text(result), audit_markdown(result), audit_json(result)):
        assert "topsecret" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert json.loads(audit_json(result))["statements"] == 3

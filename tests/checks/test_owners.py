"""Findings by the owners of the consumers that they reach."""

from airflow_lineage_provider.checks.owners import findings_by_owner, owner_notices
from airflow_lineage_provider.graph import Code, Finding, Severity
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.store.notices import Notices

MAP = parse_map(
    """
    document: {title: Sales, owner: Platform}
    layers:
      silver: {tables: {orders: {columns: [amount, note]}, lonely: {owners: Finance}}}
      gold:
        tables:
          sales: {from: silver.orders, columns: {total: {from: amount, expression: SUM(amount)}, note: }}
    dashboards:
      Sales Board: {from: gold.sales, fields: {Total: total}, owners: Sales}
      Notes: {from: gold.sales, fields: [note], owners: Support}
    """
)


def finding(subject, code=Code.TYPE_CHANGED, severity=Severity.ERROR, message="it differs"):
    return Finding(code, subject, message, severity=severity)


def owners(*findings):
    found = findings_by_owner(findings, MAP)
    return {owner: [one.subject for one in of_owner] for owner, of_owner in found.items()}


def test_a_column_is_of_those_whose_consumers_it_reaches():
    assert owners(finding("silver.orders.amount")) == {"Sales": ["silver.orders.amount"]}
    assert owners(finding("silver.orders.note")) == {"Support": ["silver.orders.note"]}


def test_a_table_and_an_edge_into_it_are_of_the_owners_of_all_its_consumers():
    assert owners(finding("silver.orders")).keys() == {"Sales", "Support"}
    assert owners(finding("silver.other -> gold.sales")).keys() == {"Sales", "Support"}
    assert owners(finding("silver.orders.note -> gold.sales.total")).keys() == {"Sales"}


def test_a_consumer_is_of_its_own_owners():
    assert owners(finding("Sales Board")).keys() == {"Sales"}
    assert owners(finding("Sales Board.Total")).keys() == {"Sales"}


def test_what_reaches_no_consumer_is_of_the_owner_of_its_dataset_or_of_the_map():
    assert owners(finding("silver.lonely")).keys() == {"Finance"}
    assert owners(finding("tableau://example.com", Code.SAVED_ANSWER_OLD)).keys() == {"Platform"}


def test_notes_are_nobodys():
    assert owners(finding("silver.orders", severity=Severity.NOTE)) == {}


def test_two_properties_of_one_dashboard_are_two_findings(store):
    kept = Notices(store, "sales.validate")
    address, owner = (
        Finding(Code.PROPERTY_CHANGED, "Sales Board", f"it is documented as {was}", was=was, now="other")
        for was in ("https://bi.example.com/1", "Sales")
    )
    by_owner = findings_by_owner([address, owner], MAP)
    (notice,) = owner_notices(by_owner, kept.told())
    kept.replace(notice.owner, notice.standing)

    assert notice.new == (str(address), str(owner))
    (notice,) = owner_notices(findings_by_owner([owner], MAP), kept.told())
    assert (notice.new, notice.changed, notice.gone) == ((), (), (str(address),))


def test_each_is_told_once_and_again_when_it_changes_or_is_gone(store):
    kept = Notices(store, "sales.validate")

    def told(*findings):
        notices = owner_notices(findings_by_owner(findings, MAP), kept.told())
        for notice in notices:
            kept.replace(notice.owner, notice.standing)
        return {notice.owner: (notice.new, notice.changed, notice.gone) for notice in notices}

    first, changed = finding("silver.orders.amount"), finding("silver.orders.amount", message="it is text")
    text, text_changed = str(first), str(changed)
    late = [
        finding("silver.orders.note", Code.SLA_MISSED, message=f"it is {seconds} s late")
        for seconds in (301, 302)
    ]

    assert told(first, late[0]) == {"Sales": ((text,), (), ()), "Support": ((str(late[0]),), (), ())}
    assert told(first, late[1]) == {}  # a measured time differs in every run
    assert told(changed, late[1]) == {"Sales": ((), (text_changed,), ())}
    assert told(late[1]) == {"Sales": ((), (), (text_changed,))}
    assert told(late[1]) == {}
    assert Notices(store, "another.task").told() == []

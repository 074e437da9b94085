"""`update` takes what evidence shows into a map, and leaves every other line as it is."""

import copy
import datetime as dt
from itertools import cycle

import pytest

from airflow_lineage_provider.adoption.accept import accepted as accepted_in
from airflow_lineage_provider.adoption.first_map import first_map
from airflow_lineage_provider.adoption.seen import seen_in_manifest
from airflow_lineage_provider.adoption.update import update as update_files
from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map import MapSource, parse_map
from airflow_lineage_provider.readers import read_evidence
from tests.adoption.projects import node, project, random_project, source

ORDERS = node(
    "stg_orders", ["source.p.orders"], folder="staging", sql="select id, amount, note from db.raw.orders"
)
CUSTOMERS = node(
    "stg_customers", ["source.p.customers"], folder="staging", sql="select id from db.raw.customers"
)
REVENUE = node(
    "revenue",
    ["model.p.stg_orders"],
    folder="marts",
    sql="select id, sum(amount) as total from db.analytics.stg_orders group by 1",
)
TOP = node("top", ["model.p.revenue"], folder="marts", sql="select id, total from db.analytics.revenue")
SOURCES = [source("orders"), source("customers")]
BOARD = {"name": "board", "type": "dashboard", "label": "The Board", "depends_on": {"nodes": ["model.p.top"]}}


def shop(*nodes, exposures=(BOARD,)):
    return project(*(nodes or (ORDERS, CUSTOMERS, REVENUE, TOP)), sources=SOURCES, exposures=exposures)


def changed(one, **keys):
    return {**copy.deepcopy(one), **keys}


def the_map():
    """A first map with columns, and with a comment on every line."""
    made = first_map(seen_in_manifest(shop(), columns=True), columns=["*"]).text
    return "".join(f"{line}  # {n}\n" for n, line in enumerate(made.splitlines()))


def evidence_of(manifest):
    return lambda documented: read_evidence("manifest", manifest, documented)


def update(text, read, **options):
    return update_files(MapSource("m.yaml", text), read, **options)


def accepted(text, *what):
    return accepted_in(MapSource("m.yaml", text), *what).text


def findings(text, manifest):
    documented = parse_map(text)
    return validate(evidence_of(manifest)(documented), documented).comparison.findings


NEW = node("refunds", ["model.p.stg_orders"], folder="marts", sql="select id from db.analytics.stg_orders")
DRIFTS = {
    "a new table": shop(ORDERS, CUSTOMERS, REVENUE, TOP, NEW),
    "a table is gone": shop(ORDERS, REVENUE, TOP),
    "a table reads another one": shop(
        ORDERS,
        CUSTOMERS,
        changed(REVENUE, depends_on={"nodes": ["model.p.stg_orders", "model.p.stg_customers"]}),
        TOP,
    ),
    "a table no longer reads one": shop(
        changed(ORDERS, depends_on={"nodes": []}, compiled_code="select 1 as id, 2 as amount, 3 as note"),
        CUSTOMERS,
        REVENUE,
        TOP,
    ),
    "a new column": shop(
        ORDERS,
        CUSTOMERS,
        changed(
            REVENUE,
            compiled_code="select id, sum(amount) as total, max(note) as last "
            "from db.analytics.stg_orders group by 1",
        ),
        TOP,
    ),
    "a column is gone": shop(
        changed(ORDERS, compiled_code="select id, amount from db.raw.orders"), CUSTOMERS, REVENUE, TOP
    ),
    "a column is made from another": shop(
        ORDERS,
        CUSTOMERS,
        changed(
            REVENUE, compiled_code="select id, count(note) as total from db.analytics.stg_orders group by 1"
        ),
        TOP,
    ),
    "a table between two others": shop(
        ORDERS,
        CUSTOMERS,
        NEW,
        changed(
            REVENUE,
            depends_on={"nodes": ["model.p.refunds"]},
            compiled_code="select id, 1 as total from db.analytics.refunds",
        ),
        TOP,
    ),
    "a dashboard reads another table": shop(
        exposures=[{**BOARD, "depends_on": {"nodes": ["model.p.revenue"]}}],
    ),
    "a table whose columns others name is renamed": shop(
        changed(ORDERS, alias="stg_sales"),
        CUSTOMERS,
        changed(REVENUE, compiled_code=REVENUE["compiled_code"].replace("stg_orders", "stg_sales")),
        TOP,
    ),
    "the columns of a new table": shop(
        ORDERS,
        CUSTOMERS,
        changed(REVENUE, alias="income"),
        changed(TOP, compiled_code="select 1 as id, 2 as total"),
    ),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_drift_is_found_then_taken_into_the_map_and_other_lines_stay(drift):
    before, manifest = the_map(), DRIFTS[drift]
    assert [f for f in findings(before, manifest) if f.severity == "error"]
    done = update(before, evidence_of(manifest))
    assert not done.left, [str(f) for f in done.left]
    assert not [f for f in findings(done.source.text, manifest) if f.severity == "error"]
    old = before.splitlines()
    kept = [line for line in done.source.text.splitlines() if "  # " in line]
    assert len(old) - len([line for line in kept if line in old]) <= 8
    assert [line for line in kept if line in old] == [line for line in old if line in kept], "the order stays"


def test_properties_and_owners_of_a_consumer_are_taken():
    there = {**BOARD, "url": "https://bi/new", "owner": {"name": "Grace"}}
    text = first_map(seen_in_manifest(shop(), columns=False)).text
    text = text.replace(
        "  The Board:\n", "  The Board:\n    url: 'https://bi/old'  # the page\n    owners: [Ada, Alan]\n"
    )
    manifest = shop(exposures=[there])
    assert {f.code for f in findings(text, manifest)} == {"property-changed"}
    done = update(text, evidence_of(manifest))
    assert not done.left
    assert "    url: https://bi/new  # the page\n    owners: Grace\n" in done.source.text


def test_a_map_that_agrees_is_not_touched():
    text = the_map()
    assert update(text, evidence_of(shop())).source.text == text


def test_evidence_that_never_settles_is_refused():
    states = cycle([DRIFTS["a table is gone"], shop()])
    with pytest.raises(InputError, match="does not settle in 6 rounds; choose findings with --only"):
        update(the_map(), lambda documented: read_evidence("manifest", next(states), documented))


def test_only_takes_what_is_named():
    manifest = shop(ORDERS, REVENUE, TOP, NEW)
    done = update(the_map(), evidence_of(manifest), only=["marts.*"])
    assert "refunds" in done.source.text
    assert {f.subject for f in done.left} == {"staging.stg_customers"}


def test_what_the_map_has_no_layer_for_is_left_and_said():
    manifest = shop(ORDERS, CUSTOMERS, REVENUE, TOP, node("x", ["model.p.top"], schema="elsewhere"))
    done = update(the_map(), evidence_of(manifest))
    assert [f.subject for f in done.left] == ["elsewhere.x"]


@pytest.mark.parametrize("seed", range(20))
def test_any_project_can_be_taken_into_the_map_of_another_state_of_it(seed):
    manifest = random_project(seed)
    text = first_map(seen_in_manifest(manifest, columns=False)).text
    for key in list(manifest.nodes)[::3]:  # every third node loses its parents
        manifest.nodes[key].depends_on.nodes = []
    done = update(text, evidence_of(manifest))
    assert not done.left, [str(f) for f in done.left]


def test_an_acceptance_is_written_and_renewed():
    day = dt.date(2099, 1, 31)
    manifest = DRIFTS["a column is gone"]
    text = the_map()
    (finding,) = {f.subject: f for f in findings(text, manifest) if f.severity == "error"}.values()
    once = accepted(text, finding.code, finding.subject, day, "gone in v2: 'note'")
    twice = accepted(once, finding.code, finding.subject, day.replace(month=2, day=1), "later")
    assert not [f for f in findings(once, manifest) if f.severity == "error"]
    assert [(one.reason, one.until.month) for one in parse_map(twice).content.accepted] == [("later", 2)]
    assert once.startswith(text)


def test_a_code_that_no_finding_has_is_refused():
    with pytest.raises(InputError, match="no finding has the code 'nonsense'"):
        accepted(the_map(), "nonsense", "a.b", dt.date(2099, 1, 1), "why")

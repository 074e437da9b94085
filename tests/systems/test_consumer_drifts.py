"""Drifts of the consumers from the shipped map, seeded into the saved answers that ship with the DAGs.

Each is found through the whole way: answer, observation, events, evidence, comparison; alone, and with a
message that says where both sides stand.
"""

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from openlineage.client.serde import Serde

from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.checks.reconcile import ComparedSource, reconcile
from airflow_lineage_provider.events.context import RunContext
from airflow_lineage_provider.events.movement import movement_event
from airflow_lineage_provider.graph import Code, Dataset, Edge, Graph, Provenance, Severity, Verdict
from airflow_lineage_provider.lineage_map import load_map, parse_map
from airflow_lineage_provider.readers import Evidence, read_evidence, read_map
from airflow_lineage_provider.systems.answers import observe_answer
from airflow_lineage_provider.systems.saved import load_answer
from tests.readers.pipeline_run import MAP, run_events

NOW = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
SYSTEMS = ("tableau", "tecton", "sagemaker")
DASHBOARD, REPORT = "Customer Analytics Dashboard", "Executive KPI Report"
VIEW, MODEL = "customer_engagement_features", "churn_prediction_model"


@pytest.fixture(scope="module")
def answers():
    return {system: load_answer(MAP.parent / "saved_answers", system) for system in SYSTEMS}


def evidence_of(answers, lineage_map, now=NOW):
    seen = [one for saved in answers.values() for one in observe_answer(saved, now).observations]
    events = [Serde.to_dict(movement_event(o.movement, o.state, now, RunContext(), o.error)) for o in seen]
    return read_evidence("event", [*run_events(), *events], lineage_map, "dev")


def compared(answers, text=None, now=NOW):
    lineage_map = parse_map(text or MAP.read_text(), str(MAP))
    evidence = evidence_of(answers, lineage_map, now)
    return validate(evidence, lineage_map, environment="dev", now=now).comparison


def serious(comparison):
    return [finding for finding in comparison.findings if finding.severity is not Severity.NOTE]


def test_the_saved_answers_agree_with_the_map(answers):
    comparison = compared(answers)
    consumers = {DASHBOARD, REPORT, VIEW, MODEL}
    assert serious(comparison) == []
    assert {(e.edge.target, e.verdict) for e in comparison.edges if e.edge.target in consumers} == {
        (name, Verdict.VERIFIED) for name in consumers
    }
    assert {e.edge.target for e in comparison.edges if e.saved} == consumers


def node(answer, kind, name):
    (found,) = [one for one in answer[kind] if one["name"] == name]
    return found


def rename_field(answer):
    text = json.dumps(answer).replace('"name": "Total Revenue"', '"name": "Revenue, total"')
    answer |= json.loads(text)


def move_dashboard(answer):
    table = answer["databaseTables"][0]
    table |= {"name": "CUSTOMER_ORDERS_SUMMARY", "fullName": "[GOLD].[CUSTOMER_ORDERS_SUMMARY]"}


def drop_dashboard(name):
    def seed(answer):
        answer["dashboards"] = [one for one in answer["dashboards"] if one["name"] != name]

    return seed


def rename_dashboard(answer):
    node(answer, "dashboards", REPORT)["name"] = "Board Report"


def add_dashboard(answer):
    board = copy.deepcopy(node(answer, "dashboards", DASHBOARD))
    answer["dashboards"].append(board | {"id": "d9", "luid": "luid-d9", "name": "Churn Watch"})


def owner_of_workbook(answer):
    answer["workbooks"][0]["owner"] = {"name": "Finance", "username": "", "email": ""}


def address(answer):
    node(answer, "dashboards", DASHBOARD)["path"] = "CustomerAnalytics/Old"


def late_refresh(answer):
    for source in answer["publishedDatasources"]:
        for key in ("extractLastRefreshTime", "extractLastUpdateTime", "extractLastIncrementalUpdateTime"):
            source[key] = "2026-11-22T06:04:00Z"


def schedule(answer):
    for task in answer["tasks"]:
        task |= {"start": "09:30:00", "next_run_at": "2026-11-26T09:30:00+00:00"}


def definition(answer, kind):
    (found,) = [one[kind] for one in answer["definitions"] if kind in one]
    return found


def aggregation(number):
    def seed(change):
        def apply(answer):
            arguments = definition(answer, "featureView")["materializedFeatureViewArgs"]
            change(arguments["aggregations"][number])

        return apply

    return seed


def set_window(one):
    one["timeWindow"]["windowDuration"] = "1209600s"


def set_function(one):
    one["function"] = "count"


def set_name(one):
    one["name"] = "10_day_event_count"


def set_column(one):
    one["column"] = "total_revenue"


def move_view(answer):
    definition(answer, "virtualDataSource")["snowflakeDsConfig"]["table"] = "CUSTOMER_ORDERS_SUMMARY"


def owner_of_view(answer):
    definition(answer, "featureView")["info"]["owner"] = "Growth Team"


def drop_view(answer):
    answer["definitions"] = [one for one in answer["definitions"] if "featureView" not in one]


def entity(answer):
    definition(answer, "entity")["joinKeys"][0]["name"] = "account_id"


def train_on(uri):
    def seed(answer):
        answer["training_jobs"][0]["InputDataConfig"][0]["Uri"] = uri
        sets = answer["data_sets"]
        answer["data_sets"] = {key: [uri] if value else [] for key, value in sets.items()}

    return seed


def drop_model(answer):
    answer |= {"groups": [], "models": []}


def approval(answer):
    answer["groups"][0]["packages"][0]["ModelApprovalStatus"] = "Rejected"


UNDOCUMENTED = {Code.DATASET_UNEXPECTED, Code.EDGE_UNEXPECTED}
DRIFTS = {
    "a field renamed": ("tableau", rename_field, [(Code.COLUMN_MISSING, f"{DASHBOARD}.Total Revenue")]),
    "a dashboard on another table": (
        "tableau",
        move_dashboard,
        [(Code.EDGE_MISSING, f"gold.customer_behavior -> {DASHBOARD}")],
    ),
    "a dashboard that is gone": ("tableau", drop_dashboard(REPORT), [(Code.DATASET_MISSING, REPORT)]),
    "the dashboard that another stands on is gone": (
        "tableau",
        drop_dashboard(DASHBOARD),
        [(Code.DATASET_MISSING, DASHBOARD)],
    ),
    "a dashboard renamed": (
        "tableau",
        rename_dashboard,
        [(Code.DATASET_MISSING, REPORT), (Code.DATASET_UNEXPECTED, "Board Report")],
    ),
    "an undeclared dashboard on gold": ("tableau", add_dashboard, [(Code.DATASET_UNEXPECTED, "Churn Watch")]),
    "a dashboard with another owner": ("tableau", owner_of_workbook, [(Code.PROPERTY_CHANGED, DASHBOARD)]),
    "a dashboard at another address": ("tableau", address, [(Code.PROPERTY_CHANGED, DASHBOARD)]),
    "a refresh that is late": ("tableau", late_refresh, [(Code.REFRESH_LATE, DASHBOARD)]),
    "a refresh at another time": ("tableau", schedule, [(Code.PROPERTY_CHANGED, DASHBOARD)]),
    "a window changed": (
        "tecton",
        aggregation(0)(set_window),
        [(Code.PROPERTY_CHANGED, f"{VIEW}.7_day_event_count")],
    ),
    "an aggregation changed": (
        "tecton",
        aggregation(1)(set_function),
        [(Code.PROPERTY_CHANGED, f"{VIEW}.30_day_purchase_amount")],
    ),
    "a feature renamed": (
        "tecton",
        aggregation(0)(set_name),
        [(Code.COLUMN_MISSING, f"{VIEW}.7_day_event_count")],
    ),
    "a feature of another column": (
        "tecton",
        aggregation(0)(set_column),
        [(Code.COLUMN_EDGE_MISSING, f"gold.customer_behavior.event_count -> {VIEW}.7_day_event_count")],
    ),
    "a feature view on another table": (
        "tecton",
        move_view,
        [(Code.EDGE_MISSING, f"gold.customer_behavior -> {VIEW}")],
    ),
    "a feature view with another owner": ("tecton", owner_of_view, [(Code.PROPERTY_CHANGED, VIEW)]),
    # The model was trained on it, so it is seen, and nothing makes it.
    "a feature view that is gone": (
        "tecton",
        drop_view,
        [(Code.EDGE_MISSING, f"gold.customer_behavior -> {VIEW}")],
    ),
    "a feature view of another entity": ("tecton", entity, [(Code.PROPERTY_CHANGED, VIEW)]),
    "a model trained on another view": (
        "sagemaker",
        train_on("s3://analytics-ml/feature-exports/payment_features/2026-11-20/"),
        [(Code.EDGE_MISSING, f"{VIEW} -> {MODEL}")],
    ),
    "a model that is gone": ("sagemaker", drop_model, [(Code.DATASET_MISSING, MODEL)]),
    "a model that was rejected": ("sagemaker", approval, [(Code.PROPERTY_CHANGED, MODEL)]),
}


@pytest.mark.parametrize(("system", "seed", "expected"), DRIFTS.values(), ids=DRIFTS)
def test_a_drift_is_found_alone_and_says_where_both_sides_stand(answers, system, seed, expected):
    drifted = copy.deepcopy(answers)
    seed(drifted[system].answer)
    found = serious(compared(drifted))

    assert [(f.code, f.subject) for f in found] == expected
    for finding in found:
        stands = [*finding.documented, *finding.observed]
        assert any(one.file == str(MAP) and one.line for one in stands) or finding.code in UNDOCUMENTED
        assert any(one.saved for one in stands) or finding.code is Code.DATASET_MISSING


def test_a_saved_answer_that_is_older_than_the_map_allows(answers):
    text = MAP.read_text().replace(
        "  classification: Internal\n", "  classification: Internal\n  saved_answers: at most 30 days\n", 1
    )
    assert serious(compared(answers, text)) == []
    found = serious(compared(answers, text, NOW + timedelta(days=31)))
    assert {f.code for f in found} >= {Code.SAVED_ANSWER_OLD}


def test_the_map_and_what_the_consumers_answer_reconcile(answers):
    lineage_map = load_map(MAP)
    emitted = evidence_of(answers, lineage_map)
    sources = [ComparedSource("map", read_map(lineage_map)), ComparedSource("event", emitted)]
    found = reconcile(sources, lineage_map, environment="dev").comparison.findings
    assert [one for one in found if one.severity is Severity.ERROR] == []


def test_an_exposure_of_dbt_that_differs_from_what_tableau_answers_is_found_by_reconciling(answers):
    lineage_map = load_map(MAP)
    emitted = evidence_of(answers, lineage_map)
    exposure = Dataset(
        DASHBOARD,
        kind="dashboard",
        owners=("Finance",),
        provenance=(Provenance("manifest", "exposures.yml"),),
    )
    project = Evidence(
        Graph([exposure], [Edge("gold.customer_behavior", DASHBOARD)]), lists_consumers=False, is_plan=True
    )
    sources = [ComparedSource("manifest", project), ComparedSource("event", emitted)]
    found = reconcile(sources, lineage_map, environment="dev").comparison.findings

    (finding,) = [one for one in found if one.code is Code.PROPERTY_CHANGED]
    assert finding.message == (
        f"{DASHBOARD}: owner is Finance in the dbt project, emitted as Customer Analytics Team"
    )

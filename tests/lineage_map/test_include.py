"""A map over several files: merged, each part with its own file and line, and bounded."""

import os

import pytest

from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.lineage_map import MapError, bindings_of, include, load_map
from airflow_lineage_provider.lineage_map.approval import digest_of

MAIN = """\
document: {title: Shop}
include: [domains/*.yaml, bindings.yaml]
layers:
  staging:
    title: Staging
    tables: [stg_orders]
accepted:
- {finding: not-read, subject: a.b, reason: r, until: 2099-01-01}
"""
CRM = """\
sources:
  crm: {type: table, datasets: {customers: }}
layers:
  staging:
    tables:
      stg_customers: {from: crm.customers}
accepted:
- {finding: not-fed, subject: staging.stg_orders, reason: r, until: 2099-01-01}
"""
MARTS = """\
layers:
  marts:
    tables:
      revenue: {from: [staging.stg_orders, staging.stg_customers]}
dashboards:
  Board: {from: marts.revenue}
"""
BINDINGS = """\
document: {title: only of this file}
environments:
  dev: {bindings: [{dataset: "{layer}.{table}", namespace: "*", name: "db.{layer}.{table}"}]}
"""


@pytest.fixture
def folder(tmp_path):
    """The folder of a map of four files."""
    write(
        tmp_path,
        {
            "m.yaml": MAIN,
            "domains/crm.yaml": CRM,
            "domains/marts.yaml": MARTS,
            "bindings.yaml": BINDINGS,
        },
    )
    return tmp_path


def write(folder, files):
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def problem(path):
    with pytest.raises(MapError) as caught:
        load_map(path)
    return str(caught.value)


def test_the_files_are_one_map(folder):
    found = load_map(folder / "m.yaml")
    content = found.content
    assert content.document.title == "Shop"
    assert list(content.layers["staging"].tables) == ["stg_orders", "stg_customers"]
    assert content.layers["staging"].title == "Staging"
    assert content.dashboards["Board"].sources == ("marts.revenue",)
    assert [one.finding for one in content.accepted] == ["not-read", "not-fed"]
    assert bindings_of(found, "dev").logical("x", "db.marts.revenue") == "marts.revenue"


def test_each_part_has_its_own_file_and_line(folder):
    found = load_map(folder / "m.yaml")
    places = {
        ("layers", "staging", "tables", "stg_orders"): ("m.yaml", 6),
        ("layers", "staging", "tables", "stg_customers"): ("domains/crm.yaml", 6),
        ("layers", "marts", "tables", "revenue", "from", 1): ("domains/marts.yaml", 4),
        ("accepted", 1): ("domains/crm.yaml", 8),
        ("environments", "dev", "bindings", 0): ("bindings.yaml", 3),
    }
    for path, (file, line) in places.items():
        where = found.where(*path)
        assert (where.file, where.line) == (str(folder / file), line)


def test_findings_name_the_file_of_what_they_are_about(folder):
    write(folder, {"domains/marts.yaml": MARTS.replace("staging.stg_orders", "staging.stg_order")})
    (finding,) = [f for f in lint(load_map(folder / "m.yaml")).findings if f.code == "unknown-dataset"]
    assert finding.documented[0].file == str(folder / "domains/marts.yaml")
    assert finding.documented[0].line == 4


def test_a_problem_of_an_included_file_names_it(folder):
    write(folder, {"domains/marts.yaml": MARTS + "      nonsense: 1\n"})
    assert f"{folder / 'domains/marts.yaml'}:7" in problem(folder / "m.yaml")


@pytest.mark.parametrize(
    ("text", "subject", "first"),
    [
        (
            "layers: {staging: {tables: {stg_orders: }}}",
            "layers.staging.tables.stg_orders is defined in ",
            "m.yaml:6",
        ),
        (
            "layers: {staging: {tables: [stg_customers]}}",
            "layers.staging.tables.stg_customers is",
            "crm.yaml:6",
        ),
        ("layers: {staging: {title: Other}}", "layers.staging.title is defined in ", "m.yaml:5"),
        ("dashboards: {Board: {from: a.b}}", "dashboards.Board is defined in ", "marts.yaml:6"),
        ("sources: {crm: {datasets: {customers: }}}", "sources.crm.datasets.customers is", "crm.yaml:2"),
    ],
)
def test_a_second_definition_is_refused_with_both_places(folder, text, subject, first):
    write(folder, {"domains/other.yaml": text})
    message = problem(folder / "m.yaml")
    assert str(folder / "domains/other.yaml:1") in message
    assert subject in message
    assert f"{first} already; remove one" in message


def test_what_is_about_the_whole_map_stands_in_its_own_file(folder):
    write(folder, {"domains/crm.yaml": "scope: [a.*]\n"})
    assert "'scope' belongs in " in problem(folder / "m.yaml")


def test_included_files_include_others_and_one_that_two_name_counts_once(folder):
    write(folder, {"domains/crm.yaml": f"include: marts.yaml\n{CRM}"})
    assert "Board" in load_map(folder / "m.yaml").content.dashboards


def test_a_circle_is_refused(folder):
    write(folder, {"domains/crm.yaml": "include: ../m.yaml\n"})
    assert "crm.yaml:1:1: include: the files include each other in a circle: " in problem(folder / "m.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nowhere.yaml", "cannot be read: No such file"),
        ("none/*.yaml", "'none/*.yaml' fits no file"),
        ("/etc/*.yaml", "is absolute; write it relative to this file"),
        ("{dbt: domains}", "'domains' has no dbt_project.yml"),
        ("{other: domains}", "is a path, a glob, or {dbt: the folder of a dbt project}"),
        ("link.yaml", "leads out of the folder"),
        ("linked/*.yaml", "leads out of the folder"),
        ("domains/up.yaml", "leads out of the folder"),
        ("'**/**/**/*/*/*.yaml'", "has more than 8 wildcards"),
        ("pipe.yaml", "not a file"),
        ("[[a]]", "is a path, a glob, or {dbt: the folder of a dbt project}"),
    ],
)
def test_what_cannot_be_included_is_a_problem_with_its_line(tmp_path, text, message):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    write(
        tmp_path,
        {
            "inside/m.yaml": f"document: {{}}\ninclude: {text}\n",
            "outside/o.yaml": "policy: {}\n",
            "inside/domains/up.yaml": "include: ../../outside/o.yaml\n",
        },
    )
    (inside / "link.yaml").symlink_to(outside / "o.yaml")
    (inside / "linked").symlink_to(outside)
    os.mkfifo(inside / "pipe.yaml")
    said = problem(inside / "m.yaml")
    assert message in said
    assert ".yaml:" in said


def test_a_folder_outside_may_be_named_by_the_maps_own_file(tmp_path):
    write(
        tmp_path,
        {
            "inside/m.yaml": "document: {}\ninclude: ../outside/*.yaml\n",
            "outside/o.yaml": "dashboards: {A: {from: a.b}}\n",
        },
    )
    assert "A" in load_map(tmp_path / "inside/m.yaml").content.dashboards
    (tmp_path / "outside" / "p.yaml").symlink_to(tmp_path / "inside/m.yaml")
    assert "leads out of the folder" in problem(tmp_path / "inside/m.yaml")


def test_number_size_and_depth_are_bounded(folder, monkeypatch):
    monkeypatch.setattr(include, "MAX_FILES", 2)
    assert "more than 2 files or 16 MiB are included" in problem(folder / "m.yaml")
    monkeypatch.setattr(include, "MAX_FILES", 9)
    monkeypatch.setattr(include, "MAX_BYTES", len(MAIN) + 10)
    assert "are included" in problem(folder / "m.yaml")
    monkeypatch.undo()
    for number in range(include.MAX_NESTED + 2):
        write(folder, {f"domains/deep/{number}.yaml": f"include: {number + 1}.yaml\n"})
    write(folder, {"domains/crm.yaml": "include: deep/0.yaml\n"})
    assert "nested more than 5 levels deep" in problem(folder / "m.yaml")


def test_a_hidden_folder_and_the_map_itself_are_not_found_by_a_glob(folder):
    write(
        folder, {"m.yaml": MAIN.replace("[domains/*.yaml, bindings.yaml]", "'**/*.yaml'"), ".git/x.yaml": "["}
    )
    assert "Board" in load_map(folder / "m.yaml").content.dashboards


def test_a_relative_path_names_relative_files(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert load_map("m.yaml").where("dashboards", "Board").file == "domains/marts.yaml"


def test_the_digest_that_is_approved_does_not_depend_on_the_files(folder):
    one = load_map(folder / "m.yaml")
    write(
        folder, {"all.yaml": MAIN.replace("domains/*.yaml, bindings.yaml", "bindings.yaml, domains/*.yaml")}
    )
    assert digest_of(load_map(folder / "all.yaml").content) == digest_of(one.content)

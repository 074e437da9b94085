"""The errors of a wrong map: one line for each problem, with its position and what to do."""

import pytest

from airflow_lineage_provider.lineage_map import MapError, load_map, parse_map

WRONG = {
    "a typo in a key": ("document:\n  titel: x\n", "m.yaml:2:3: unknown key 'titel'; did you mean 'title'?"),
    "a typo deep inside": (
        "document: {}\nlayers:\n  gold:\n    tables:\n      t:\n        colums: [a]\n",
        "m.yaml:6:9: unknown key 'colums'; did you mean 'columns'?",
    ),
    "a key that is missing": ("layers: {}\n", "m.yaml:1:1: the map needs the key 'document'"),
    "a duplicate key": (
        "document: {}\nlayers: {}\nlayers: {}\n",
        "m.yaml:3:1: the key 'layers' is already on line 2; remove one",
    ),
    "the wrong shape": (
        "document: {}\nlayers: gold\n",
        "m.yaml:2:1: layers: a mapping is needed here, not 'gold'",
    ),
    "an unknown code": (
        "document: {}\npolicy: {edge-mising: error}\n",
        "m.yaml:2:10: unknown finding 'edge-mising'; did you mean 'edge-missing'?",
    ),
    "an unknown severity": (
        "document: {}\npolicy: {edge-missing: fatal}\n",
        "m.yaml:2:10: edge-missing: 'fatal' is none of 'error', 'warning', 'note' or 'ignore'",
    ),
    "an alias": (
        "document: &a {}\nlayers: *a\n",
        "m.yaml:1:11: anchors and aliases are not supported; write the value out",
    ),
    "a tag": (
        "document: !!python/object:os.system {}\n",
        "m.yaml:1:11: the tag 'tag:yaml.org,2002:python/object:os.syst is not supported; remove it",
    ),
    "no YAML": ("document: [\n", "m.yaml:2:1: not YAML: did not find expected node content"),
    "nothing": ("", "m.yaml:1:1: empty; a lineage map starts with `document:`"),
    "a list": ("- a\n", "m.yaml:1:1: a lineage map is a mapping that starts with `document:`"),
    "a second document": (
        "document: {}\n---\na: b\n",
        "m.yaml:2:1: a second YAML document; one file holds one map",
    ),
    "a date that is none": (
        "document: {}\naccepted:\n  - {finding: edge-missing, subject: a, reason: b, until: soon}\n",
        "m.yaml:3:52: until: input should be a valid date or datetime, input is too short, not 'soon'",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_map_raises_an_error_with_position_and_hint(text, message):
    with pytest.raises(MapError) as error:
        parse_map(text, "m.yaml")
    assert str(error.value) == message


def test_problems_are_in_the_order_of_the_file():
    with pytest.raises(MapError) as error:
        parse_map("document: {a: 1}\nsources: {crm: {}}\n", "m.yaml")
    assert [(p.line, p.column) for p in error.value.problems] == [(1, 12), (2, 11)]


def test_depth_is_bounded():
    with pytest.raises(MapError, match="nested more than 24 levels deep"):
        parse_map("document: " + "[" * 100_000, "m.yaml")


def test_a_missing_file(tmp_path):
    with pytest.raises(MapError, match=r"none.yaml: cannot be read: No such file or directory"):
        load_map(tmp_path / "none.yaml")


def test_a_file_in_another_encoding(tmp_path):
    (tmp_path / "m.yaml").write_bytes("document: {title: é}".encode("latin-1"))
    with pytest.raises(MapError, match="not UTF-8"):
        load_map(tmp_path / "m.yaml")


def test_text_stays_as_written():
    document = parse_map("document: {version: 1.0, status: no, last_updated: 2025-10-26}").content.document
    assert (document.version, document.status, document.last_updated) == ("1.0", "no", "2025-10-26")

# ruff: noqa: E501 - a case is a row
"""An approval in a map's file: which lines change, what is approved, and when it no longer holds."""

import datetime as dt

import pytest

from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.errors import LineageError
from airflow_lineage_provider.graph import Code
from airflow_lineage_provider.lineage_map import load_map, parse_map
from airflow_lineage_provider.lineage_map.approval import Signature, digest_of
from airflow_lineage_provider.lineage_map.files import approve_file

SIGNATURE = Signature("Lead", "Ann O'Lee: #1", dt.date(2026, 11, 25))
DIGEST = "sha256:[0-9a-f]{64}"
HEAD = "# head\ndocument: {title: T}   # kept\n"


def approved(tmp_path, text, signature=SIGNATURE):
    path = tmp_path / "map.yaml"
    path.write_bytes(text.encode())
    approve_file(path, signature)
    return path.read_bytes().decode()


def signed(text):
    return [(one.role, one.name, one.date) for one in parse_map(text).content.approvals]


@pytest.mark.parametrize(
    "text",
    [
        HEAD
        + "approvals:\n  # who\n  - role: Lead   # one\n    name: ''\n    date: ''\n  # next\n  - role: Committee\n# end\n",
        HEAD + "approvals:\n  - {role: Lead}  # one\n  - role: Committee\n",
        HEAD + "approvals: [{role: Lead}, {role: Committee}]  # all\n",
        HEAD + "approvals:\n- role: Lead\n- role: Committee\n\npolicy: {}  # after\n",
        HEAD.replace("\n", "\r\n") + "approvals:\r\n  - role: Lead\r\n  - role: Committee\r\n",
        "\ufeff" + HEAD + "approvals:\n  - role: Lead\n  - role: Committee",
        HEAD
        + "approvals:\n  - {role: Lead, name: Bob, date: 2020-01-01, digest: sha256:0}\n  - role: Committee\n",
    ],
)
def test_only_the_lines_of_the_approval_change(tmp_path, text):
    after = approved(tmp_path, text)
    assert signed(after.removeprefix("\ufeff")) == [
        ("Lead", "Ann O'Lee: #1", "2026-11-25"),
        ("Committee", "", ""),
    ]
    gone = [line for line in text.splitlines() if line not in after.splitlines()]
    assert all("Lead" in line or line.strip() in {"name: ''", "date: ''"} for line in gone)
    comments = [
        line.split("#")[1] for line in text.splitlines() if "#" in line and "role: Lead   #" not in line
    ]
    assert all(f"#{comment}" in after for comment in comments)
    assert ("\r\n" in after) == ("\r\n" in text)


@pytest.mark.parametrize("text", [HEAD, HEAD.rstrip("\n"), HEAD + "approvals: []  # none\n"])
def test_a_map_without_approvals_gets_its_first(tmp_path, text):
    assert signed(approved(tmp_path, text)) == [("Lead", "Ann O'Lee: #1", "2026-11-25")]


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        (Signature("Nobody", "A", dt.date(2026, 1, 1)), "has no approval by 'Nobody'; it lists Lead"),
        (Signature("Lead", " ", dt.date(2026, 1, 1)), "the name of the approver"),
        (Signature("Lead", "A\nB", dt.date(2026, 1, 1)), "the name of the approver"),
    ],
)
def test_what_cannot_be_recorded_leaves_the_file_as_it_is(tmp_path, signature, said):
    text = HEAD + "approvals: [{role: Lead}]\n"
    with pytest.raises(LineageError, match=said):
        approved(tmp_path, text, signature)
    assert (tmp_path / "map.yaml").read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["map.yaml"]


def test_the_digest_is_of_the_content_and_not_of_its_layout_or_approvals():
    one = parse_map("document: {title: T}\nscope: [a]\napprovals: [{role: R}]").content
    two = parse_map("# other\nscope:\n  - a\ndocument:\n  title: T\napprovals: [{role: S, name: N}]").content
    assert digest_of(one) == digest_of(two)
    assert digest_of(one) != digest_of(parse_map("document: {title: T}\nscope: [b]").content)


def test_lint_says_when_an_approved_map_was_changed(tmp_path):
    text = approved(tmp_path, HEAD + "approvals: [{role: Lead}, {role: Committee}]\n")
    path = tmp_path / "map.yaml"
    assert Code.CHANGED_SINCE_APPROVAL not in {finding.code for finding in lint(load_map(path)).findings}
    path.write_text(text.replace("title: T", "title: Other"))
    (finding,) = (f for f in lint(load_map(path)).findings if f.code is Code.CHANGED_SINCE_APPROVAL)
    assert "changed after its approval by Ann O'Lee: #1 on 2026-11-25" in finding.message
    assert finding.documented[0].line == 3

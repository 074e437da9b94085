# ruff: noqa: E501 - a case is a row
"""Log files as they are found: half-written, rotated, compressed, huge, in other encodings, of no known form."""

import bz2
import gzip
import json
import os

import pytest

from airflow_lineage_provider.lineage_map import Bindings
from airflow_lineage_provider.readers.query_log import lines, read_writes
from airflow_lineage_provider.readers.query_log.files import open_log_files
from airflow_lineage_provider.readers.query_log.lines import QueryLogError

SQL = "insert into gold.t (a) select a from silver.s"


def row(sql=SQL, **more):
    return json.dumps({"query": sql, **more}, ensure_ascii=False) + "\n"


def csv_row(message, at="2026-01-01 00:00:00.000 UTC", session="1.1", severity="LOG"):
    quoted = message.replace('"', '""')
    fields = [
        at,
        "ann",
        "shop",
        "1",
        "",
        session,
        "1",
        "",
        "",
        "",
        "0",
        severity,
        "0",
        f'"{quoted}"',
        *[""] * 12,
    ]
    return ",".join(fields) + "\n"


def read(tmp_path, content, name="log", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_writes(open_log_files([path], **{"dialect": "postgres", **options}), Bindings())


def test_what_a_json_line_may_say(tmp_path):
    said = {
        "timestamp": 1_700_000_000,
        "user": "ann",
        "session": 7,
        "database": "shop",
        "schema": "gold",
        "calls": 3,
    }
    (write,) = read(
        tmp_path, row("insert into t (a) select a from silver.s", **said, other={"x": [1]})
    ).writes
    assert (write.target, write.user, write.calls) == ("gold.t", "ann", 3)
    assert write.last == "2023-11-14T22:13:20+00:00"


def test_failed_and_truncated_statements(tmp_path):
    found = read(tmp_path, row(failed=True) + row("insert into gold.t sel", truncated=True))
    assert found.writes == ()
    assert "cut it off" in found.problems[0]


@pytest.mark.parametrize(
    "tail", ['{"query": "insert in', "[]\n", "null\n", '{"sql": 1}\n', "\x00\n", "[" * 100_000 + "\n"]
)
def test_a_line_that_is_no_record_is_said(tmp_path, tail):
    found = read(tmp_path, row() + tail)
    assert len(found.writes) == 1
    assert found.problems == ("log: 1 lines are no JSON objects with a `query`",)


def test_a_line_longer_than_the_limit_is_left_out_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_RECORD", 10_000)
    found = read(tmp_path, row(f"select '{'x' * 50_000}'") + row())
    assert len(found.writes) == 1
    assert "1 lines longer than" in found.problems[0]


@pytest.mark.parametrize("before", ["", "select 1,\n"])
def test_a_record_of_a_csvlog_with_a_line_that_is_too_long_is_left_out_as_a_whole(
    tmp_path, monkeypatch, before
):
    monkeypatch.setattr(lines, "LONGEST_RECORD", 10_000)
    long = f"{before}insert into gold.wrong (a)\nselect '{'x' * 50_000}' as b,\na from silver.s"
    text = csv_row(f"duration: 1.0 ms  statement: {long}") + csv_row(f"duration: 1.0 ms  statement: {SQL}")
    found = read(tmp_path, text)
    assert [write.target for write in found.writes] == ["gold.t"]
    assert found.problems == ("log: 1 lines longer than 0 MiB were left out",)


def test_a_record_of_many_lines_that_is_too_long_is_left_out_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_RECORD", 10_000)
    long = "insert into gold.wrong (a)\n" + "-- x\n" * 5_000 + "select a from silver.s"
    text = csv_row(f"duration: 1.0 ms  statement: {long}") + csv_row(f"duration: 1.0 ms  statement: {SQL}")
    found = read(tmp_path, text)
    assert [write.target for write in found.writes] == ["gold.t"]
    assert "a record longer than" in found.problems[0]


def test_gzip_and_a_gzip_file_that_ends_early(tmp_path):
    packed = gzip.compress(
        ("".join(row(f"select '{os.urandom(40).hex()}'") for _ in range(500)) + row()).encode()
    )
    assert read(tmp_path, packed).problems == ()
    found = read(tmp_path, packed[: len(packed) // 2])
    assert any("the compressed file ends early" in problem for problem in found.problems)


def test_gzip_files_that_are_appended_to_each_other(tmp_path):
    assert read(tmp_path, gzip.compress(row().encode()) * 3).writes[0].calls == 3


def test_a_damaged_gzip_file_is_said(tmp_path):
    packed = bytearray(
        gzip.compress(("".join(row(f"select '{os.urandom(40).hex()}'") for _ in range(500))).encode())
    )
    packed[len(packed) // 2 :] = bytes(100)
    found = read(tmp_path, bytes(packed))
    assert any("the compressed file" in problem for problem in found.problems)


def test_other_compression_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(QueryLogError, match="compressed by bzip2; decompress it"):
        read(tmp_path, bz2.compress(row().encode()))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path, encoding):
    found = read(tmp_path, row("insert into gold.tür (a) select a from s").encode(encoding))
    assert [write.target for write in found.writes] == ["gold.tür"]


def test_another_encoding_can_be_named_and_is_said_otherwise(tmp_path):
    content = row("insert into gold.tür (a) select a from s").encode("latin-1")
    assert read(tmp_path, content, encoding="latin-1").problems == ()
    assert read(tmp_path, content).problems == ("log: 1 lines are not utf-8; they were read as Latin-1",)


def test_a_csvlog_that_ends_in_the_middle_of_a_record(tmp_path):
    whole = csv_row(f"duration: 1.0 ms  statement: {SQL}")
    found = read(tmp_path, whole + whole[:-30])
    assert len(found.writes) == 1
    assert "half-written" in found.problems[0]


def test_a_csvlog_that_begins_in_the_middle_of_a_record(tmp_path):
    found = read(
        tmp_path, 'from t where x = 1",,,\n' + csv_row(f"duration: 1.0 ms  statement: {SQL}"), kind="csvlog"
    )
    assert len(found.writes) == 1
    assert found.problems == ("log: 1 lines are no records of a csvlog",)


def test_a_statement_cannot_forge_a_record(tmp_path):
    forged = csv_row(f"duration: 1.0 ms  statement: {SQL}").strip()
    found = read(tmp_path, csv_row(f"duration: 1.0 ms  statement: select '\n{forged}\n'"))
    assert found.writes == ()


def test_statements_that_failed_are_no_writes_where_only_errors_say_so(tmp_path):
    text = csv_row(f"statement: {SQL}") + csv_row("relation does not exist", severity="ERROR")
    assert read(tmp_path, text).writes == ()
    assert len(read(tmp_path, csv_row(f"statement: {SQL}") + csv_row("duration: 1.0 ms")).writes) == 1


def test_prepared_statements_are_read_once_they_are_executed(tmp_path):
    text = csv_row(f"duration: 0.1 ms  parse s1: {SQL}") + csv_row(f"duration: 0.1 ms  bind s1: {SQL}")
    assert read(tmp_path, text).writes == ()
    (write,) = read(tmp_path, text + csv_row(f"duration: 0.1 ms  execute s1: {SQL}")).writes
    assert write.calls == 1


@pytest.mark.parametrize("content", ["", "hello\nworld\n", "a,b,c\n1,2,3\n"])
def test_files_of_no_known_form_are_an_error(tmp_path, content):
    with pytest.raises(QueryLogError, match="no query log of a known form"):
        read(tmp_path, content)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(QueryLogError, match="no such file"):
        open_log_files([tmp_path / "*.csv"])
    with pytest.raises(QueryLogError, match="cannot be read: No such file"):
        open_log_files([tmp_path / "nowhere.csv"])


def test_rotated_files_are_read_from_the_oldest_on(tmp_path):
    (tmp_path / "b.log").write_text(row("create temp table x as select a from silver.s", session=1))
    (tmp_path / "a.log").write_text(row("insert into gold.t (a) select a from x", session=1))
    os.utime(tmp_path / "b.log", (1, 1))
    found = read_writes(open_log_files([tmp_path / "*.log"], dialect="postgres"), Bindings())
    assert [(write.target, write.sources) for write in found.writes] == [("gold.t", ("silver.s",))]

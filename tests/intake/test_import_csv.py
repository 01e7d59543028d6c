"""CSV: nothing is guessed, and what a row means never depends on other rows."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from taking import JOBS, loaded, refusal, taken, written

from runlake.errors import ImportFailed, UsageError
from runlake.sandbox.sources import Reading, check

HEAD = "job,state,began,ended\n"
NAMES = ["18446744073709551614", "18446744073709551615", "4103.1", "4103.10", "1e3", "1000", "007", "7", "+5", "5"]
NAMES += ["9007199254740992", "9007199254740993", "1.5", "41_10_1", "4102_[3-10%4]", "true", "NULL", "nan", "1_000"]


def line(job: str, state: str = "OK") -> str:
    return f"{job},{state},2026-01-01,2026-01-02\n"


def test_keys_are_text(tmp_path: Path) -> None:
    """Numbers of any size and look stay as they were written, quoted or not."""
    rows = taken(written(tmp_path / "a.csv", HEAD + "".join(map(line, NAMES))))
    assert [row["job"] for row in rows] == NAMES
    quoted = written(tmp_path / "b.csv", HEAD + "".join(line(f'"{name}"') for name in NAMES))
    assert taken(quoted) == rows


def test_a_file_that_has_grown_adds_what_is_new(tmp_path: Path) -> None:
    """Ids of old rows do not change when rows of another look come along, before or behind them."""
    old = ["4101", "4102"]
    file = written(tmp_path / "day.csv", HEAD + "".join(map(line, old)))
    assert loaded(tmp_path / "lake", file, select=JOBS).stored == 2
    written(file, HEAD + "".join(map(line, ["4103.1", *old, "4103.10", "Unknown"])))
    totals = loaded(tmp_path / "lake", file, select=JOBS)
    assert (totals.stored, totals.duplicates) == (3, 2)


def test_text_is_text_at_any_line(tmp_path: Path) -> None:
    """Also behind all that a reader might look at to find out types."""
    late = ["211999_4", "211999.7", "00211999", "#c"]
    many = "".join(line(str(i)) for i in range(210_000))
    file = written(tmp_path / "a.csv", HEAD + many + "".join(f"{job},OK,2026-01-01,Unknown\n" for job in late))
    query = "SELECT job, TRY_CAST(ended AS TIMESTAMP) IS NULL AS open FROM source WHERE ended = 'Unknown'"
    assert taken(file, select=query) == [{"job": job, "open": True} for job in late]


def test_nothing_is_a_comment_and_nothing_is_skipped(tmp_path: Path) -> None:
    assert [r["a"] for r in taken(written(tmp_path / "a.csv", "a,b\n# note,x\n#c,3\n"))] == ["# note", "#c"]
    for text in ("a,b\n# note\n1,2\n", "My title\na,b\n1,2\n"):
        with pytest.raises(ImportFailed, match="Line: 2"):
            taken(written(tmp_path / "b.csv", text))
    assert taken(written(tmp_path / "c.csv", "1,2\n3,4\n")) == [{"1": "3", "2": "4"}]  # the first line is the header


@pytest.mark.parametrize("row", ["1", "1,2,3", '1,2,""', '"x"y,2', '1,"2', "1,2,", "1,2,,", ",,", '"1,\n","2",'])
def test_a_row_that_does_not_fit(tmp_path: Path, row: str) -> None:
    """Of another length, or with quotes that are none: an error with the line."""
    file = written(tmp_path / "a.csv", f"a,b\n1,2\n{row}\n3,4\n")
    with pytest.raises(ImportFailed, match="Line: 3"):
        taken(file)


@settings(max_examples=60)
@given(st.data())
def test_empty_fields_behind_the_others(data: st.DataObject) -> None:
    """DuckDB reads such a row as if they were not there: it is found wherever separators and quotes are."""
    mark, end = data.draw(st.sampled_from(",;\t|")), data.draw(st.sampled_from(["\n", "\r\n"]))
    width = data.draw(st.integers(1, 4))
    field = st.text(f'ab"{mark}\n ', max_size=4)
    table = data.draw(st.lists(st.lists(field, min_size=width, max_size=width), min_size=1, max_size=6))
    names = [f"{place}{mark if data.draw(st.booleans()) else ''}" for place in range(width)]
    lines = [mark.join(map(data.draw(st.sampled_from([quoted, bare])), row)) for row in [names, *table]]
    longer, more = data.draw(st.integers(1, len(table))), data.draw(st.integers(1, 3))
    with TemporaryDirectory() as folder:
        file = written(Path(folder) / "a.csv", end.join(lines))
        expected = [dict(zip(names, row, strict=True)) for row in table]
        found = [
            {name: value or "" for name, value in row.items()} for row in taken(file, reading=Reading(separator=mark))
        ]
        blank = dict.fromkeys(names, "")
        assert [row for row in found if row != blank] == [row for row in expected if row != blank]
        lines[longer] += mark * more
        before = end.join(lines[:longer]) + end
        with pytest.raises(
            ImportFailed, match=f"a.csv: CSV Error on Line: {before.count(chr(10)) + 1}: .*: {width + more}$"
        ):
            taken(written(file, end.join(lines)), reading=Reading(separator=mark))


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def bare(text: str) -> str:
    """Without quotes, if it can be written so."""
    return quoted(text) if set(text) & set('",;\t|\n') else text


@pytest.mark.parametrize("row", ["1", "1,2,3", "1,2,", '"x"y,2', '1,"2'])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("many", [1, 60_000])
def test_a_line_is_a_line_of_the_file(tmp_path: Path, row: str, end: str, many: int) -> None:
    """Also behind rows that have several."""
    rows = ["a,b", f'"1{end}2{end}3","{end}"', *["1,2"] * many, row, "3,4", ""]
    file = written(tmp_path / "a.csv", end.join(rows))
    with pytest.raises(ImportFailed, match=f"Line: {6 + many}(?![0-9])"):
        taken(file)


def test_quotes_that_come_late(tmp_path: Path) -> None:
    text = "a,b\n" + "1,2\n" * 50_000 + '"x,""y""\nz",2\n'
    assert taken(written(tmp_path / "a.csv", text))[-1] == {"a": 'x,"y"\nz', "b": "2"}


def test_null_and_the_empty_text(tmp_path: Path) -> None:
    assert taken(written(tmp_path / "a.csv", 'a,b\n,""\nNULL,null\n')) == [
        {"a": None, "b": ""},
        {"a": "NULL", "b": "null"},
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_separators_and_ends_of_lines(tmp_path: Path, mark: str, end: str) -> None:
    """What separates is what the header shows outside of quotes; a mark before it counts for nothing."""
    text = "\ufeff" + end.join([f'"x,;|y"{mark}b', f"1,5{mark}2" if mark != "," else f'"1,5"{mark}2', ""])
    assert taken(written(tmp_path / "a.csv", text)) == [{"x,;|y": "1,5", "b": "2"}]


def test_the_separator_is_asked_for_when_the_header_shows_two(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", "Elapsed (h,m);b\n1;2\n")
    assert "--delimiter" in refusal(file)
    assert taken(file, reading=Reading(separator=";")) == [{"Elapsed (h,m)": "1", "b": "2"}]


def test_lines_that_end_in_different_ways(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", "a,b\r\n1,2\r\n3,4\n5,6\r\n")
    assert "do all lines end in the same way" in refusal(file)


def test_names_of_columns(tmp_path: Path) -> None:
    """Names that are there twice are numbered, as SQL knows no case; the first nameless one is pandas' index."""
    rows = taken(written(tmp_path / "a.csv", ",a,A,a_1,\n1,2,3,4,5\n"))
    assert list(rows[0]) == ["__index_level_0__", "a", "A_2", "a_1", "column4"]
    with pytest.raises(ImportFailed, match="first line is empty"):
        taken(written(tmp_path / "b.csv", "\na,b\n"))
    assert taken(written(tmp_path / "c.csv", "")) == []
    assert taken(written(tmp_path / "d.csv", "a,b\n")) == []


def test_several_files_are_put_together_by_name(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a.csv", "a,b\n1,2\n"), written(tmp_path / "b.csv", "c;B\n4;3\n")
    assert taken(first, second, first) == [
        {"a": "1", "b": "2", "c": None},
        {"a": "1", "b": "2", "c": None},
        {"a": None, "b": "3", "c": "4"},
    ]


@pytest.mark.parametrize("time", ["03/04/2026 10:00:00", "04/13/2026", "04.03.2026", "2026-03-04 24:00:00", "now"])
def test_times_are_read_by_one_rule(tmp_path: Path, time: str) -> None:
    file = written(tmp_path / "a.csv", f"job,state,began,ended\n1,OK,{time},2026-04-04\n")
    with pytest.raises(ImportFailed, match=f'started_at: expected an ISO 8601 time .*strptime.*, not "{time}"'):
        loaded(tmp_path / "lake", file, select=JOBS)


def test_booleans_and_whole_numbers(tmp_path: Path) -> None:
    """1 and 0, 1.0 and what pandas and `runlake sql` add are understood; the rest is refused row by row."""
    ids = "00000000-0000-0000-0000-00000000000"
    head = ",id,task_id,finished_at,success,attempt,run_at,__index_level_1__\n"
    good = "".join(
        f"{i},{ids}{i},{ids}0,2026-01-01,{value},{attempt},2026-01-01,x\n"
        for i, (value, attempt) in enumerate([("1", "1.0"), ("0", "2"), ("True", ""), ("FALSE", "3.00")], 1)
    )
    assert loaded(tmp_path / "lake", written(tmp_path / "a.csv", head + good)).stored == 4
    for field, value, attempt in (("success", "yes", "1"), ("success", "t", "1"), ("attempt", "1", "1.5")):
        bad = f"9,{ids}9,{ids}0,2026-01-01,{value},{attempt},,\n"
        shown = value if field == "success" else attempt
        with pytest.raises(ImportFailed, match=f'row 5: {field}: expected .*, not "{shown}"'):
            loaded(tmp_path / "other", written(tmp_path / "b.csv", head + good + bad))


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("kind", ["csv", "log"])
def test_a_file_that_is_not_utf_8(tmp_path: Path, encoding: str, kind: str) -> None:
    file = written(tmp_path / f"a.{kind}", "näme,b\n1,2\n".encode(encoding))
    if (encoding, kind) == ("utf-16-le", "log"):
        pytest.skip("valid UTF-8, with NUL characters")
    assert re.search(r"(?i)utf-8.*iconv", refusal(file))
    late = written(tmp_path / f"b.{kind}", b"a,b\n1,2\n3,\xe9\n")
    assert re.search(r"(?i)line:? 3.*utf-8.*iconv", refusal(late))


@pytest.mark.parametrize(("head", "what"), [(b"BZh91AY", "bzip2"), (b"PK\x03\x04", "zip"), (b"\xfd7zXZ\0", "xz")])
def test_other_containers_are_named(tmp_path: Path, head: bytes, what: str) -> None:
    with pytest.raises(ImportFailed, match=f"this is an? {what}"):
        taken(written(tmp_path / "a.csv", head + b"123"))


def test_sources_that_cannot_be(tmp_path: Path) -> None:
    for files, reading in (([Path("-")], Reading()), ([Path("-"), Path("-")], Reading("csv")), ([tmp_path], Reading())):
        with pytest.raises(UsageError):
            check(files, reading)

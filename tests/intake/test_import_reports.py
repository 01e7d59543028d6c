"""What users of other programs lost on the way in, tried here: all of it is read, or refused with a reason."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from taking import refusal, taken, written, zstd


def test_a_row_of_another_length_late_in_a_file(tmp_path: Path) -> None:
    """duckdb/duckdb#25827: the reader took another dialect, and the header and every row before it were gone."""
    for text in ("a,b\n1,2\n3,4,5\n", "c0,c1\n" + "1,2\n" * 1000 + "1,2,3\n" * 29_000):
        line = text.count("\n", 0, text.index(",5" if ",5" in text else ",3")) + 1
        assert f"Line: {line} " in refusal(written(tmp_path / "a.csv", text))


@pytest.mark.parametrize("code", ["NA", "N/A", "NULL", "None", "nan", "-", "?"])
def test_words_that_mean_nothing_elsewhere(tmp_path: Path, code: str) -> None:
    """wireservice/csvkit#968 and kuzudb/kuzu#1323: NA, for Namibia or North America, was read as no value."""
    assert taken(written(tmp_path / "a.csv", f"code\nMZ\n{code}\nNE\n"))[1] == {"code": code}


def test_zeros_in_front(tmp_path: Path) -> None:
    """mapbox/geojson.io#324: 01730 became 1730, but not where 01730-2603 stood in the column."""
    found = taken(written(tmp_path / "a.csv", "zip\n01730\n02138\n"))
    assert [row["zip"] for row in found] == ["01730", "02138"]
    assert taken(written(tmp_path / "b.csv", "zip\n01730\n01730-2603\n"))[0] == found[0]


def test_columns_in_another_order(tmp_path: Path) -> None:
    """dask/dask#2053: of a second file with the same columns the values landed in the wrong ones."""
    first, second = written(tmp_path / "1.csv", "d,ue,w\n1,2,3\n"), written(tmp_path / "2.csv", "d,w,ue\n1,3,2\n")
    assert taken(first, second) == [{"d": "1", "ue": "2", "w": "3"}] * 2


def test_names_that_differ_in_case_only(tmp_path: Path) -> None:
    """duckdb/duckdb#7956: UserUPN and UserUpn in records of one file. Which one a query means cannot be said."""
    text = '[{"Id":"1"},{"Id":"1","UserUPN":"abc"},{"Id":"1","UserUpn":"efg"}]'
    line = refusal(written(tmp_path / "a.json", text))
    assert "UserUPN" in line
    assert "UserUpn" in line


def test_several_members_of_gzip(tmp_path: Path) -> None:
    """oven-sh/bun#31522: only the first was read, and no error came."""
    packed = b"".join(gzip.compress(f"line {i}\n".encode()) for i in range(5))
    found = taken(written(tmp_path / "a.log.gz", packed))
    assert [row["line"] for row in found] == [f"line {i}" for i in range(5)]


def test_several_frames_of_zstd(tmp_path: Path) -> None:
    """LibtraceTeam/wandio#19: the end of the first frame was taken for the end of the file."""
    packed = b"".join(zstd(f'{{"n":{i}}}\n'.encode()) for i in range(5))
    assert [row["n"] for row in taken(written(tmp_path / "a.ndjson.zst", packed))] == [*"01234"]


def test_large_integers_of_json(tmp_path: Path) -> None:
    """rhysd/fixjson#19: 3791411052119578828 came out as 3791411052119578600."""
    file = written(tmp_path / "a.json", '{"id":3791411052119578828,"in":{"id":3791411052119578829}}')
    assert taken(file, select='SELECT id, "in" FROM source') == [
        {"id": "3791411052119578828", "in": '{"id":3791411052119578829}'}
    ]


def test_a_mark_before_the_first_name(tmp_path: Path) -> None:
    """dbeaver/dbeaver#10994: it became a part of the name, so that the column fitted nothing."""
    assert taken(written(tmp_path / "a.csv", '\ufeff"id",b\r\n1,2\r\n')) == [{"id": "1", "b": "2"}]


def test_the_empty_text_is_not_null(tmp_path: Path) -> None:
    """rdagumampan/yuniql#284: both lines were loaded as NULL."""
    text = '"Id","testdata"\n"1",""\n"2",\n'
    assert [row["testdata"] for row in taken(written(tmp_path / "a.csv", text))] == ["", None]


def test_one_line_that_ends_in_another_way(tmp_path: Path) -> None:
    """AIObjectives/tttc-light-js#567: the last line of a file with CRLF ended in LF; it broke the whole file."""
    assert "a.csv: " in refusal(written(tmp_path / "a.csv", "a,b\r\n1,2\r\n3,4\n"))


@pytest.mark.parametrize("name", ["a.ndjson", "a.json", "a.log", "a.csv"])
def test_a_last_line_without_its_end(tmp_path: Path, name: str) -> None:
    """circonus-labs/nad#23: what was not followed by a line break was not there."""
    text = "a\n1\n2" if name == "a.csv" else '{"a":1}\n{"a":2}'
    assert len(taken(written(tmp_path / name, text))) == 2


def test_a_line_that_was_cut(tmp_path: Path) -> None:
    """mbostock/ndjson-cli#16: a wish to pass over such lines, and why not to. Here --rejects keeps them, by record."""
    for text in ('aofa": 1}\n{"five": 1}', '{"five": 1}\n{"wa'):
        assert "Malformed JSON" in refusal(written(tmp_path / "a.ndjson", text))

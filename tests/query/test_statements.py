"""Every answer is a few statements over rollups and exact files; docs/design.md shows which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from pyarrow import parquet
from statements import DESIGN, RUNS, Line, Watch, questions, watching, with_table

from runlake.errors import LakeDamaged
from runlake.model import RunsQuery
from runlake.query import pages, queries

QUARTER: Final = timedelta(minutes=15)

Lines = Sequence[Line]


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    with watching(tmp_path_factory.mktemp("statements")) as made:
        yield made


@pytest.fixture(scope="module")
def lines(watch: Watch) -> Lines:
    return questions(watch)


def test_the_page_shows_the_statements_that_ran(lines: Lines) -> None:
    """Run `python tests/helpers/statements.py` when this fails and the new table is right."""
    shown = DESIGN.read_text(encoding="utf-8")
    assert with_table(shown, lines) == shown


def test_no_answer_takes_more_statements_than_it_may(lines: Lines) -> None:
    """Planning is half of each: one more is noticed."""
    assert {f"{one.route} {one.what}": len(one.seen) for one in lines if not 0 < len(one.seen) <= one.most} == {}


def test_rows_come_from_the_files_of_their_day(lines: Lines) -> None:
    """Pages and details open one file of four, and what stands around a run those of its neighbours."""
    opened = {
        f"{line.route} {line.what}": {scan.files for one in line.seen for scan in one.scans if scan.files}
        for line in lines
    }
    scans = ("GET /runs of an owner", "GET /runs the longest", "GET /errors/{group} ")  # of all the window
    some = {asked: files for asked, files in opened.items() if files and asked not in scans}
    assert len(some) >= 6  # or nothing was looked at
    assert {asked: files for asked, files in some.items() if [len(paths) for paths in files] != [1]} == {}


def test_statistics_open_no_file(lines: Lines) -> None:
    """Windows of the newest days are answered from the serving database alone."""
    statistics = [line.seen for line in lines if "/stats" in line.route]
    assert len(statistics) == 8
    assert not [scan for seen in statistics for one in seen for scan in one.scans if scan.files]


def test_other_row_groups_than_those_of_the_answer_are_not_decoded(watch: Watch) -> None:
    """With the values of all row groups of other times made unreadable, pages and details are what they were."""
    submit = watch.store.engine.submit
    half_way = RunsQuery(offset=RUNS // 2)
    page = submit(pages.page, half_way).result(60)
    times_ = [run.started_at or run.created_at for run in page.items]
    spoilt = sum(_spoil(file, min(times_) - QUARTER, max(times_) + QUARTER) for file in watch.files)
    assert spoilt > len(watch.files)
    assert submit(pages.page, half_way).result(60) == page
    assert submit(queries.detail, page.items[0].id).result(60).started_at == page.items[0].started_at
    with pytest.raises(LakeDamaged):
        submit(pages.page, RunsQuery(offset=RUNS // 3)).result(60)


def _spoil(file: Path, low: datetime, high: datetime) -> int:
    """Overwrite the values of each row group that holds no run of these times; returns how many there were."""
    metadata, spoilt = parquet.read_metadata(file), 0
    with file.open("r+b") as out:
        for number in range(metadata.num_row_groups):
            columns = [metadata.row_group(number).column(i) for i in range(metadata.num_columns)]
            ran = next(column.statistics for column in columns if column.path_in_schema == "run_at")
            if ran.max < low or ran.min > high:
                spoilt += 1
                for column in columns:
                    out.seek(column.dictionary_page_offset or column.data_page_offset)
                    out.write(b"\xff" * column.total_compressed_size)
    return spoilt

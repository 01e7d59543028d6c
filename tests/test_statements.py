"""Every answer is a few statements over rollups and exact files; docs/design.md shows which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from statements import DAYS, DESIGN, RUNS, Seen, Watch, questions, watching, with_table

Lines = Sequence[tuple[str, str, int, list[Seen]]]


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    with watching(tmp_path_factory.mktemp("statements")) as made:
        yield made


@pytest.fixture(scope="module")
def lines(watch: Watch) -> Lines:
    return questions(watch)


def test_the_page_shows_the_statements_that_ran(lines: Lines) -> None:
    """Run `python tests/statements.py` when this fails and the new table is right."""
    shown = DESIGN.read_text(encoding="utf-8")
    assert with_table(shown, lines) == shown


def test_no_answer_takes_more_statements_than_it_may(lines: Lines) -> None:
    """Planning is half of each: one more is noticed."""
    assert {f"{route} {what}": len(seen) for route, what, most, seen in lines if not 1 < len(seen) <= most} == {}


def test_rows_come_from_the_files_of_their_day_and_from_some_of_its_row_groups(lines: Lines) -> None:
    """Pages and details open one file, and decode less than half of its rows."""
    read = 0
    for route, what, _, seen in lines:
        for scan in (scan for one in seen for scan in one.scans if scan.files):
            read += 1
            assert len(scan.files) == 1, (route, what, scan)
            assert 0 < scan.rows < RUNS // DAYS // 2, (route, what, scan)
    assert read >= 6  # or nothing was looked at


def test_statistics_open_no_file(lines: Lines) -> None:
    """Windows of the newest days are answered from the serving database alone."""
    statistics = [seen for route, _, _, seen in lines if "/stats" in route]
    assert len(statistics) == 2
    assert not [scan for seen in statistics for one in seen for scan in one.scans if scan.files]

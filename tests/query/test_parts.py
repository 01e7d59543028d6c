"""Each part of an answer is exact for the time that has been read, the newest days first, and the last one is plain."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any, Final

import histories
import msgspec
import pytest
from asking import SECONDS, ask, instants, query_of
from hypothesis import given
from hypothesis import strategies as st
from in_parts import answered, found_page
from loading import append, opened_store
from oracle import DAY, Row, text_of

from runlake.errors import TooLong
from runlake.model import BreakdownQuery, DurationsQuery, ErrorsQuery, HistogramQuery, RunPage
from runlake.query import breakdown, errors, growing, pages, parts
from runlake.query.durations import durations
from runlake.query.engine import Session
from runlake.query.histogram import histogram
from runlake.query.parts import Part
from runlake.serving.counting import State
from runlake.settings import Settings
from runlake.store import Store


@contextmanager
def month(settings: Settings, **fields: Any) -> Iterator[tuple[Store, list[Row]]]:
    """A store with three runs on each of 30 days, the newest first."""
    rng = random.Random(4)
    rows = [histories.made(rng, histories.NOON - i * DAY // 3, **fields) for i in range(90)]
    with opened_store(msgspec.structs.replace(settings, inline_rows=0, rollup_rows=1, hot_days=9)) as store:
        append(store, rows[1:])
        append(store, rows[:1])  # those before are counted now
        yield store, rows


WINDOW: Final = {"start_time": histories.MIDNIGHT - 29 * DAY, "end_time": histories.MIDNIGHT + DAY}


@pytest.mark.parametrize(
    ("asked", "at_least"),
    [
        ({"error": "boom"}, 8),
        ({"attempt_min": 1}, 6),
        ({"attempt_min": 1, "order": "duration"}, 2),
        ({"attempt_min": 1, "offset": 50}, 6),
    ],
    ids=str,
)
def test_the_first_part_of_a_list_is_the_newest_day(settings: Settings, asked: dict[str, Any], at_least: int) -> None:
    """Both where narrow rows answer and where files do; then come more days at once."""
    with month(settings, error="Boom", success=False) as (store, _):
        found = answered(store, partial(found_page, query_of(**asked, **WINDOW)))
    (first, _), *rest = found.parts
    assert (first.done, first.since) == (1, histories.MIDNIGHT)
    assert len(rest) + 1 >= at_least
    assert rest[0][0].done in (3, 4)


@pytest.mark.parametrize("by", ["outcome", "owner", "task", "error_group"])
def test_the_parts_of_a_histogram(settings: Settings, by: Any) -> None:
    with month(settings, error="Boom", success=False) as (store, _):
        query = HistogramQuery(**instants({**WINDOW, "error": "boom", "by": by}))
        found = answered(store, partial(histogram, query=query))
    totals = [answer["total"] for _, answer in found.parts]
    assert totals == sorted(set(totals)) and len(totals) >= 2
    assert len({tuple(answer["edges"]) for _, answer in found.parts}) == 1


def test_a_part_of_a_density_never_cuts_a_column(settings: Settings) -> None:
    """Percentiles of a column do not add up: with columns of 7 days a part is some of them."""
    with month(settings) as (store, _):
        query = DurationsQuery(**instants({**WINDOW, "attempt_min": 1, "columns": 6, "points": 0}))
        found = answered(store, partial(durations, query=query))
    assert found.parts
    for part, answer in found.parts:
        assert answer["column_seconds"] == 7 * 86_400
        assert part.since % (7 * DAY) == 0


def test_a_page_by_cursor_comes_in_parts(settings: Settings) -> None:
    """The page is empty until it is reached, and its offset is that of the whole list."""
    with month(settings) as (store, _):
        query = query_of(attempt_min=1, limit=40, **WINDOW)
        second = store.engine.scan(partial(pages.find, query=query)).result(SECONDS).next
        found = answered(store, partial(found_page, msgspec.structs.replace(query, cursor=second)))
    sizes = [len(answer["items"]) for _, answer in found.parts]
    assert sizes[0] == 0 and sizes == sorted(sizes) and sizes[-1] > 0
    assert {answer["offset"] for _, answer in found.parts} == {40}
    assert found.last == found.plain


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        (errors.errors, ErrorsQuery(error="boom")),
        (breakdown.breakdown, BreakdownQuery(error="boom", against="rest")),
        (breakdown.breakdown, BreakdownQuery(attempt_min=1, against="previous")),
    ],
    ids=["errors", "breakdown", "breakdown beside the time before"],
)
def test_parts_that_are_answers_to_shorter_windows(settings: Settings, question: Any, asked: Any) -> None:
    query = msgspec.structs.replace(asked, **instants(WINDOW))
    with month(settings, error="Boom", success=False) as (store, _):
        found = answered(store, partial(growing.asked, question=question, query=query, check=lambda _: None))
        assert [part.done for part, _ in found.parts] == [1, 4]
        for part, answer in found.parts:
            assert answer == ask(store, question, msgspec.structs.replace(query, start_time=part.since))
    assert found.last == found.plain


def test_what_needs_no_scan_has_no_parts(settings: Settings) -> None:
    with month(settings) as (store, rows):
        for asked in ({}, {"success": True}, {"task_id": [rows[0]["task_id"]]}):
            assert answered(store, partial(found_page, query_of(**asked, **WINDOW))).parts == []
            chart = instants({**WINDOW, **asked})
            assert answered(store, partial(histogram, query=HistogramQuery(**chart, buckets=30))).parts == []
            assert answered(store, partial(durations, query=DurationsQuery(**chart))).parts == []


def test_a_scan_that_is_ended_says_how_far_its_parts_came(settings: Settings) -> None:
    """The limit falls after the second part."""
    with month(settings, error="Boom", success=False) as (store, _):
        found: list[Part] = []

        def asked(session: Session) -> RunPage:
            def report(part: Part, _: Callable[[], object]) -> None:
                found.append(part)
                if len(found) == 2:
                    session.cancel()

            session.report = report
            return pages.page(session, query_of(error="boom", **WINDOW))

        with pytest.raises(TooLong, match="read back to") as ended:
            store.engine.scan(asked).result(SECONDS)
    assert len(found) == 2
    assert f"it was read back to {text_of(found[1].since)}" in ended.value.detail


@given(st.integers(0, 400 * DAY), st.integers(1, 4_000 * DAY), st.sampled_from([1, 2, 7, 28]))
def test_pieces_are_the_window(low: int, length: int, unit: int) -> None:
    """Side by side, the newest first, cut at multiples of the unit, not too many."""
    high = low + length
    found = list(parts.pieces(low, high, in_parts=True, unit=unit * DAY))
    ends = [high, *(start for _, (start, _) in found)]
    assert [(end, start) for _, (start, end) in found] == list(pairwise(ends))
    assert ends[-1] == low and all(end % (unit * DAY) == 0 for end in ends[1:-1])
    assert [part.since for part, _ in found] == ends[1:]
    assert [part.done for part, _ in found] == sorted({part.done for part, _ in found})
    assert (found[-1][0].done, len(found) <= 40) == (found[-1][0].of, True)


@given(st.integers(0, 400 * DAY), st.integers(1, 4_000 * DAY), st.integers(-1, 100), st.integers(-1, 5_000 * DAY))
def test_windows_that_grow(low: int, length: int, first_day: int, newest: int) -> None:
    """All that is read before the whole window is less than it once more."""
    high = low + length
    found = list(parts.growing(low, high, State(1, first_day, 0, [], newest), in_parts=True))
    sinces = [part.since for part in found]
    assert sinces == sorted(set(sinces), reverse=True) and sinces[-1] == low
    assert sum(part.done for part in found[:-1]) <= found[-1].of == found[-1].done

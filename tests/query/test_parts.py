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
from asking import SECONDS, allowed, asked_for, instants, now, query_of
from charts import assert_durations_of, assert_histogram_of, densities, histograms
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from loading import append, loaded, opened_store
from oracle import DAY, Json, Oracle, Row, assert_same, run_at, text_of

from runlake.errors import TooLong
from runlake.model import DurationsQuery, HistogramQuery, RunPage, RunsQuery
from runlake.query import pages, parts
from runlake.query.durations import durations
from runlake.query.engine import Session
from runlake.query.histogram import histogram
from runlake.query.parts import Part
from runlake.serving.counting import State
from runlake.settings import Settings
from runlake.store import Store

Question = Callable[[Session], Any]
CHART: Final = ("by", "tz", "buckets", "width", "columns", "points")  # parameters that are no filters


class Answered(msgspec.Struct):
    """Parts with their answers, and the answer that was not asked for in parts."""

    parts: list[tuple[Part, Json]]
    last: bytes
    plain: bytes


def in_parts(store: Store, question: Question) -> Answered:
    """A question asked both ways, each time in the lane of scans."""
    found: list[tuple[Part, Json]] = []

    def report(part: Part, answer: Callable[[], object]) -> None:
        found.append((part, msgspec.json.decode(msgspec.json.encode(answer()))))

    def asked(session: Session) -> Any:
        session.report = report
        return question(session)

    last, plain = (msgspec.json.encode(store.engine.scan(one).result(SECONDS)) for one in (asked, question))
    return Answered(found, last, plain)


def assert_order(answered: Answered, low: int, high: int) -> None:
    """They come farther and farther back, and none is nothing or all."""
    dones = [part.done for part, _ in answered.parts]
    sinces = [part.since for part, _ in answered.parts]
    assert dones == sorted(dones) and sinces == sorted(sinces, reverse=True)
    assert len({part.of for part, _ in answered.parts}) <= 1
    assert all(0 < part.done < part.of and low <= part.since < high for part, _ in answered.parts)
    assert answered.last == answered.plain


def filters_of(question: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in question.items() if name not in CHART}


def read(oracle: Oracle, part: Part) -> Oracle:
    """The history, as far as a part goes."""
    return Oracle(row for row in oracle.rows if run_at(row) >= part.since)


def found_page(query: RunsQuery, session: Session) -> RunPage:
    """As the route answers: a part of it, too, is only a page."""
    report = session.report
    if report is not None:
        session.report = lambda part, answer: report(part, lambda: answer().page)  # type: ignore[attr-defined]
    return pages.find(session, query).page


def assert_lists(store: Store, oracle: Oracle, rng: random.Random, questions: int) -> int:
    """Lists, compared; returns how many parts there were."""
    number = 0
    for _ in range(questions):
        page: dict[str, Any] = {"limit": rng.choice([1, 7, 200]), "offset": rng.choice([0, 0, 3, 40])}
        asked = allowed(asked_for(oracle.rows, rng) | {"order": rng.choice(["started", "started", "duration"])})
        answered = in_parts(store, partial(found_page, query_of(**asked, **page)))
        assert_order(answered, asked.get("start_time", 0), asked.get("end_time", histories.LAST + 1))
        for part, answer in answered.parts:
            assert_same(answer, read(oracle, part).page(now=now(), **asked, **page), f"{part} of {asked} {page}")
        number += len(answered.parts)
    return number


def assert_charts(store: Store, oracle: Oracle, rng: random.Random, questions: int) -> int:
    """Histograms and densities, compared; returns how many parts there were."""
    number = 0
    for _ in range(questions):
        of_time, of_durations = histograms(oracle.rows, rng), densities(oracle.rows, rng)
        asked: list[tuple[Json, Question, Callable[[Json, list[Row], Json], None]]] = [
            (of_time, partial(histogram, query=HistogramQuery(**instants(of_time))), assert_histogram_of),
            (of_durations, partial(durations, query=DurationsQuery(**instants(of_durations))), assert_durations_of),
        ]
        for question, ask, check in asked:
            answered = in_parts(store, ask)
            assert_order(answered, question["start_time"], question["end_time"])
            for part, answer in answered.parts:
                check(answer, read(oracle, part).selected(now(), **filters_of(question)), question)
            number += len(answered.parts)
    return number


@pytest.mark.parametrize("name", [name for name in histories.NAMES if name != "thin"])
def test_each_history(settings: Settings, name: str) -> None:
    rng = random.Random(name)
    oracle = Oracle(histories.history(name))
    with loaded(settings, oracle.rows, rng) as store:
        assert_lists(store, oracle, rng, 8)
        assert_charts(store, oracle, rng, 4)


def test_all_histories_under_any_settings(any_settings: Settings) -> None:
    """In the catalog, in files, in hot_run, in none of them."""
    rng = random.Random(17)
    oracle = Oracle(histories.together())
    with loaded(any_settings, oracle.rows, rng) as store:
        assert assert_lists(store, oracle, rng, 20) > 3
        assert assert_charts(store, oracle, rng, 15) > 3


@options(max_examples=6, suppress_health_check=list(HealthCheck))
@given(rows=histories.small(), seed=st.integers(0, 2**16))
def test_any_small_history(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int) -> None:
    rng = random.Random(seed)
    folder = str(tmp_path_factory.mktemp("parts") / "lake")
    settings = Settings(data=folder, hot_days=rng.choice([1, 5, 62]), rollup_rows=rng.choice([1, 20, 4096]))
    oracle = Oracle(rows)
    with loaded(settings, oracle.rows, rng) as store:
        assert_lists(store, oracle, rng, 8)
        assert_charts(store, oracle, rng, 4)


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
        answered = in_parts(store, partial(found_page, query_of(**asked, **WINDOW)))
    (first, _), *rest = answered.parts
    assert (first.done, first.since) == (1, histories.MIDNIGHT)
    assert len(rest) + 1 >= at_least
    assert rest[0][0].done in (3, 4)


@pytest.mark.parametrize("by", ["outcome", "owner", "task", "error_group"])
def test_the_parts_of_a_histogram(settings: Settings, by: Any) -> None:
    with month(settings, error="Boom", success=False) as (store, _):
        query = HistogramQuery(**instants({**WINDOW, "error": "boom", "by": by}))
        answered = in_parts(store, partial(histogram, query=query))
    totals = [answer["total"] for _, answer in answered.parts]
    assert totals == sorted(set(totals)) and len(totals) >= 2
    assert len({tuple(answer["edges"]) for _, answer in answered.parts}) == 1


def test_a_part_of_a_density_never_cuts_a_column(settings: Settings) -> None:
    """Percentiles of a column do not add up: with columns of 7 days a part is some of them."""
    with month(settings) as (store, _):
        query = DurationsQuery(**instants({**WINDOW, "attempt_min": 1, "columns": 6, "points": 0}))
        answered = in_parts(store, partial(durations, query=query))
    assert answered.parts
    for part, answer in answered.parts:
        assert answer["column_seconds"] == 7 * 86_400
        assert part.since % (7 * DAY) == 0


def test_a_page_by_cursor_comes_in_parts(settings: Settings) -> None:
    """The page is empty until it is reached, and its offset is that of the whole list."""
    with month(settings) as (store, _):
        query = query_of(attempt_min=1, limit=40, **WINDOW)
        second = store.engine.scan(partial(pages.find, query=query)).result(SECONDS).next
        answered = in_parts(store, partial(found_page, msgspec.structs.replace(query, cursor=second)))
    sizes = [len(answer["items"]) for _, answer in answered.parts]
    assert sizes[0] == 0 and sizes == sorted(sizes) and sizes[-1] > 0
    assert {answer["offset"] for _, answer in answered.parts} == {40}
    assert answered.last == answered.plain


def test_what_needs_no_scan_has_no_parts(settings: Settings) -> None:
    with month(settings) as (store, rows):
        for asked in ({}, {"success": True}, {"task_id": [rows[0]["task_id"]]}):
            assert in_parts(store, partial(found_page, query_of(**asked, **WINDOW))).parts == []
            chart = instants({**WINDOW, **asked})
            assert in_parts(store, partial(histogram, query=HistogramQuery(**chart, buckets=30))).parts == []
            assert in_parts(store, partial(durations, query=DurationsQuery(**chart))).parts == []


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

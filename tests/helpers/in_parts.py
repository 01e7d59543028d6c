"""Answers in parts, compared with the oracle of what has been read so far, and the last ones with the plain answers."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import densities
import histories
import msgspec
import over_time
from asking import SECONDS, allowed, asked_for, instants, now, query_of
from oracle import Json, Oracle, Row, assert_same, run_at

from runlake.model import DurationsQuery, HistogramQuery, RunPage, RunsQuery
from runlake.query import pages
from runlake.query.durations import durations
from runlake.query.engine import Session
from runlake.query.histogram import histogram
from runlake.query.parts import Part
from runlake.store import Store

Question = Callable[[Session], Any]
CHART: Final = ("by", "tz", "buckets", "width", "columns", "points")  # parameters that are no filters


class Answered(msgspec.Struct):
    """Parts with their answers, and the answer that was not asked for in parts."""

    parts: list[tuple[Part, Json]]
    last: bytes
    plain: bytes


def answered(store: Store, question: Question) -> Answered:
    """A question asked both ways, each time in the lane of scans."""
    found: list[tuple[Part, Json]] = []

    def report(part: Part, answer: Callable[[], object]) -> None:
        found.append((part, msgspec.json.decode(msgspec.json.encode(answer()))))

    def asked(session: Session) -> Any:
        session.report = report
        return question(session)

    last, plain = (msgspec.json.encode(store.engine.scan(one).result(SECONDS)) for one in (asked, question))
    return Answered(found, last, plain)


def assert_order(found: Answered, low: int, high: int) -> None:
    """They come farther and farther back, and none is nothing or all."""
    dones = [part.done for part, _ in found.parts]
    sinces = [part.since for part, _ in found.parts]
    assert dones == sorted(dones) and sinces == sorted(sinces, reverse=True)
    assert len({part.of for part, _ in found.parts}) <= 1
    assert all(0 < part.done < part.of and low <= part.since < high for part, _ in found.parts)
    assert found.last == found.plain


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
        found = answered(store, partial(found_page, query_of(**asked, **page)))
        assert_order(found, asked.get("start_time", 0), asked.get("end_time", histories.LAST + 1))
        for part, answer in found.parts:
            assert_same(answer, read(oracle, part).page(now=now(), **asked, **page), f"{part} of {asked} {page}")
        number += len(found.parts)
    return number


def assert_charts(store: Store, oracle: Oracle, rng: random.Random, questions: int) -> int:
    """Histograms and densities, compared; returns how many parts there were."""
    number = 0
    for _ in range(questions):
        of_time, of_durations = over_time.questions(oracle.rows, rng), densities.questions(oracle.rows, rng)
        asked: list[tuple[Json, Question, Callable[[Json, list[Row], Json], None]]] = [
            (of_time, partial(histogram, query=HistogramQuery(**instants(of_time))), over_time.assert_holds),
            (of_durations, partial(durations, query=DurationsQuery(**instants(of_durations))), densities.assert_holds),
        ]
        for question, ask, check in asked:
            found = answered(store, ask)
            assert_order(found, question["start_time"], question["end_time"])
            for part, answer in found.parts:
                check(answer, read(oracle, part).selected(now(), **filters_of(question)), question)
            number += len(found.parts)
    return number

"""Groups of errors, lease owners, breakdowns and the context of a run, compared with brute force."""

from __future__ import annotations

import random
from typing import Any

import histories
import pytest
from asking import ask
from loading import loaded, opened_store
from oracle import DAY, Row, group_of, text_of

from runlake.errors import BadInput, NotFound
from runlake.model import (
    BreakdownQuery,
    ContextQuery,
    ErrorsQuery,
    Filter,
    Instant,
    OwnersQuery,
)
from runlake.query import breakdown, context, errors, owners
from runlake.settings import Settings

UNKNOWN = "v1:0123456789abcdef"


def tries(*steps: tuple[int, int, bool | None], task: Any = histories.TASKS[0]) -> list[Row]:
    """Runs of a task: second of the start, attempt, result. Each takes a second; unfinished ones have a lease of a
    minute.
    """
    rng = random.Random(task.int)
    rows = []
    for second, attempt, success in steps:
        at = histories.NOON + second * 10**6
        row = histories.made(rng, at, 10**6, task_id=task, attempt=attempt, success=success, error=None)
        if success is None:
            row |= {"finished_at": None, "output": None, "leased_until": at + 60 * 10**6}
        rows.append(row)
    return rows


@pytest.mark.parametrize(
    ("steps", "of", "chain", "candidates"),
    [
        pytest.param([(0, 1, False), (2, 2, False), (4, 3, True)], 1, [0, 1, 2], 1, id="three tries"),
        pytest.param([(0, 1, False), (2, 2, True), (4, 1, False), (6, 2, True)], 3, [2, 3], 1, id="two works"),
        pytest.param([(0, 1, False), (1, 1, False), (4, 2, True)], 2, [1, 2], 2, id="either of two"),
        pytest.param([(0, 1, True), (2, 2, True)], 1, [1], 1, id="a success is not tried again"),
        pytest.param([(0, 1, False), (90_000, 2, True)], 1, [1], 1, id="a day later"),
        pytest.param([(0, 1, False), (2, 3, True)], 0, [0], 1, id="a gap"),
        pytest.param([(n * 80_000, n + 1, n == 11) for n in range(12)], 0, [*range(12)], 1, id="days of retries"),
        pytest.param([(n * 80_000, n + 1, n == 11) for n in range(12)], 11, [*range(12)], 1, id="days before"),
        pytest.param([(n * 80_000, n + 1, n == 11) for n in range(12)], 5, [*range(12)], 1, id="days on both sides"),
        pytest.param([(0, 1, None), (61, 2, None), (122, 3, True)], 0, [0, 1, 2], 1, id="lost ones"),
        pytest.param([(0, 1, None), (61, 2, None), (122, 3, True)], 2, [0, 1, 2], 1, id="lost ones before"),
        pytest.param([(0, 1, None), (59, 2, True)], 1, [1], 1, id="its lease goes on"),
    ],
)
def test_the_tries_of_one_work(
    settings: Settings, steps: list[tuple[int, int, bool | None]], of: int, chain: list[int], candidates: int
) -> None:
    rows = tries(*steps) + tries((1, 2, False), (3, 3, True), task=histories.TASKS[1])
    with loaded(settings, rows, random.Random(1)) as store:
        answer = ask(store, context.context, rows[of]["id"], ContextQuery())
    assert [run["id"] for run in answer["attempts"]] == [str(rows[at]["id"]) for at in chain]
    assert (answer["inferred"], answer["candidates"]) == (True, candidates)


def test_attempts_that_took_days_or_never_started(settings: Settings) -> None:
    """One ended long after it began, one before it had started, and one waits."""
    rng, noon = random.Random(3), histories.NOON
    one: dict[str, Any] = {"task_id": histories.TASKS[0], "success": False, "error": None}
    long = histories.made(rng, noon, 6 * DAY, **one, attempt=1)
    expired = histories.never_started(rng, noon + 6 * DAY, **one | {"attempt": 2})
    expired["finished_at"] = noon + 8 * DAY
    waiting = histories.opened(rng, noon + 8 * DAY + 5, **one | {"attempt": 3, "success": None})
    waiting |= {"started_at": None, "leased_until": None}
    rows = [long, expired, waiting]
    with loaded(settings, rows, rng) as store:
        for row in rows:
            answer = ask(store, context.context, row["id"], ContextQuery())
            assert [run["id"] for run in answer["attempts"]] == [str(run["id"]) for run in rows]


def test_no_more_than_a_hundred_attempts_on_each_side(settings: Settings) -> None:
    rows = tries(*((second, second + 1, False) for second in range(300)))
    with loaded(settings, rows, random.Random(1)) as store:
        answer = ask(store, context.context, rows[150]["id"], ContextQuery())
    assert [run["attempt"] for run in answer["attempts"]] == list(range(51, 252))


def test_runs_that_never_started_are_known_of_a_group(settings: Settings) -> None:
    """Both of all groups and of one: the window holds none of them, but they say since when a group is known."""
    rng, noon = random.Random(8), histories.NOON
    failed: dict[str, Any] = {"task_id": histories.TASKS[0], "success": False}
    early = histories.never_started(rng, noon - 3 * DAY, **failed, error="KeyError: part 1")
    rows = [early, histories.made(rng, noon, **failed, error="KeyError: part 2")]
    rows += [histories.never_started(rng, noon, **failed, error="x")]
    window: dict[str, Any] = {"start_time": Instant(noon - DAY), "end_time": Instant(noon + DAY)}
    with loaded(settings, rows, rng) as store:
        (listed,) = ask(store, errors.errors, ErrorsQuery(**window))["groups"]
        assert (listed["runs"], listed["first_seen"], listed["is_new"]) == (1, text_of(noon - 3 * DAY), False)
        one = ask(store, errors.error_group, listed["id"], Filter(**window))
        assert {name: one[name] for name in listed} == listed
        group_x = str(group_of(rows[2]))
        x = ask(store, errors.error_group, group_x, Filter(**window))
        assert (x["runs"], x["first_seen"], x["is_new"], x["samples"]) == (0, text_of(noon), True, [])
        other = ask(store, errors.error_group, group_x, Filter(**window, error_group=listed["id"]))
        assert (other["kind"], other["runs"], other["samples"]) == ("x", 0, [])
        assert [day["runs"] for day in other["daily"]] == [0, 0, 0]


def test_words_and_orders_of_groups(settings: Settings) -> None:
    """`q` looks into kind, message and frame; each order has its first one."""
    rng = random.Random(5)
    noon = histories.NOON
    failed: dict[str, Any] = {"success": False, "task_id": histories.TASKS[0]}
    rows = [histories.made(rng, noon - i * 10**6, **failed, error=f"KeyError: part {i}") for i in range(4)]
    rows += [histories.made(rng, noon - 5 * 10**6 - i, **failed, error="TimeoutError: late") for i in range(2)]
    rows += [histories.made(rng, noon - 30 * DAY, **failed, error="TimeoutError: late")]
    rows += [histories.made(rng, noon - 29 * DAY, **failed, error="KeyError: part 8")]
    rows += [histories.made(rng, noon - 10 * DAY, **failed, error="KeyError: part 9")]
    rows += [histories.made(rng, noon + i, **failed | {"task_id": t}, error="x") for i, t in enumerate(histories.TASKS)]
    with loaded(settings, rows, rng) as store:

        def asked(**more: Any) -> list[tuple[str, str, int]]:
            query = ErrorsQuery(start_time=Instant(noon - DAY), end_time=Instant(noon + DAY), **more)
            found = ask(store, errors.errors, query)["groups"]
            return [(group["kind"], group["message"], group["runs"]) for group in found]

        parts, late, x = ("KeyError", "part <n>", 4), ("TimeoutError", "late", 2), ("x", "", 4)
        assert sorted(asked(sort="count")[:2]) == sorted([parts, x])
        assert asked(sort="last")[0] == asked(sort="tasks")[0] == asked(sort="first")[0] == x
        assert asked(sort="new") == [x, late, parts]  # late was there 30 days before, and not since
        assert asked(q="TIMEOUT") == asked(q="ate") == [late]
        assert asked(q="no such word") == []


def window_of(days: int) -> dict[str, Any]:
    return {"start_time": Instant(0), "end_time": Instant(days * DAY)}


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ((errors.errors, ErrorsQuery(end_time=Instant(DAY))), "start_time"),
        ((errors.errors, ErrorsQuery(**window_of(40), error="abc")), "error"),
        ((owners.owners, OwnersQuery(start_time=Instant(0))), "end_time"),
        ((breakdown.breakdown, BreakdownQuery(**window_of(32))), "start_time"),
        ((breakdown.breakdown, BreakdownQuery(**window_of(1), against="2025-01-01")), "against"),
        ((breakdown.breakdown, BreakdownQuery(**window_of(1), against="2025-01-02,2025-01-01")), "against"),
    ],
)
def test_what_is_refused(settings: Settings, question: Any, field: str) -> None:
    with opened_store(settings) as store, pytest.raises(BadInput) as refused:
        ask(store, *question)
    assert [error.field for error in refused.value.errors] == [field]


def test_an_unknown_group(settings: Settings) -> None:
    with opened_store(settings) as store, pytest.raises(NotFound):
        ask(store, errors.error_group, UNKNOWN, Filter(start_time=Instant(0), end_time=Instant(DAY)))

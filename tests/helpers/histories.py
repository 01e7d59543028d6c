"""Named histories that tend to break things, a strategy for small random ones, and a big generated one."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

import pyarrow as pa
from hypothesis import strategies as st
from oracle import DAY, TIMES, Row

from runlake import generate

SECOND: Final = 1_000_000
NOON: Final = 20_100 * DAY + DAY // 2  # a noon of January 2025: the histories' present
MIDNIGHT: Final = NOON - DAY // 2
LAST: Final = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z
TASKS: Final = [uuid.UUID(int=i * 0x5555_5555_5555_5555_5555_5555_5555_5555) for i in range(4)]
TEXTS: Final = ("", "boom", "Zeile 1\nZeile 2", "日本 🦆", 'quote " and \\', "\u2028x\x7f")
OUTPUTS: Final = (None, "{}", "[]", '{"rows":12}', '"text"', "0", "false", '{"a":[1,{"b":null}],"ü":"🦆"}', "[1.5,-2]")


def new_id(rng: random.Random) -> uuid.UUID:
    """Any UUID at all, high ones as often as low ones."""
    return uuid.UUID(int=rng.getrandbits(128))


def made(rng: random.Random, at: int, took: int | None = None, **fields: Any) -> Row:
    """A finished run that started at `at`; without `took` it takes any time, heavy-tailed."""
    took = int(10 ** rng.uniform(0, 10)) if took is None else took
    success = rng.random() < 0.7
    return {
        "id": new_id(rng),
        "task_id": rng.choice(TASKS),
        "lease_owner": rng.choice([None, "worker-1", "Ω"]),
        "leased_until": rng.choice([None, min(at + 30 * SECOND, LAST)]),
        "started_at": at,
        "finished_at": min(at + took, LAST),
        "success": success,
        "error": None if success else rng.choice(TEXTS),
        "attempt": rng.choice([1, 1, 1, 2, 3, 2_147_483_647]),
        "output": rng.choice(OUTPUTS),
        "created_at": max(at - rng.randrange(10 * SECOND), 0),
        **fields,
    }


def opened(rng: random.Random, at: int, **fields: Any) -> Row:
    """An open run dated `at`: queued, running or lost."""
    queued = rng.random() < 0.4
    unset = {"finished_at": None, "success": None, "error": None, "output": None}
    started = {"started_at": None, "leased_until": None} if queued else {"leased_until": max(0, at - SECOND)}
    return made(rng, at, created_at=at) | unset | started | fields


def never_started(rng: random.Random, at: int, **fields: Any) -> Row:
    """A run cancelled while it was queued: finished, with no start."""
    return made(rng, at, started_at=None, created_at=at, finished_at=at + rng.randrange(SECOND), **fields)


def random_mixed(rng: random.Random) -> list[Row]:
    kinds = [made] * 8 + [opened, never_started]
    return [rng.choice(kinds)(rng, MIDNIGHT + rng.randrange(-20 * DAY, DAY)) for _ in range(400)]


def ties(rng: random.Random) -> list[Row]:
    """Few different times, so that the ids decide; whole pages of the same microsecond."""
    moments = [NOON, NOON + 1, MIDNIGHT, MIDNIGHT - 1, MIDNIGHT - DAY]
    kinds = [made] * 8 + [opened, never_started]
    return [rng.choice(kinds)(rng, rng.choice(moments)) for _ in range(300)]


def across_midnight(rng: random.Random) -> list[Row]:
    return [made(rng, MIDNIGHT - rng.randrange(SECOND), took=rng.randrange(2 * SECOND)) for _ in range(120)]


def unstarted(rng: random.Random) -> list[Row]:
    kinds = [never_started, never_started, made]
    return [rng.choice(kinds)(rng, NOON - rng.randrange(3 * DAY)) for _ in range(150)]


def future(rng: random.Random) -> list[Row]:
    """Runs dated after the present, as far as the last microsecond there is."""
    near = [made(rng, NOON + rng.randrange(-DAY, 40 * DAY)) for _ in range(60)]
    far = [made(rng, LAST - rng.randrange(3 * DAY)) for _ in range(40)]
    edge = [made(rng, 65_535 * DAY + rng.randrange(-2 * DAY, 4 * DAY)) for _ in range(60)]
    last = [made(rng, LAST, took=0), made(rng, LAST, took=0), opened(rng, LAST), opened(rng, NOON + 400 * DAY)]
    return [*near, *far, *edge, *last]


def retries(rng: random.Random) -> list[Row]:
    rows = []
    for _ in range(60):
        at, task = NOON - rng.randrange(5 * DAY), rng.choice(TASKS)
        for attempt in range(1, rng.randrange(2, 5)):
            rows.append(made(rng, at, took=3 * SECOND, task_id=task, attempt=attempt, success=attempt == 3))
            at += 4 * SECOND
    return rows


def chains(rng: random.Random) -> list[Row]:
    """Attempts that fail, or are lost, for hours and days, some at once with others of their task."""
    rows = []
    for _ in range(25):
        at, task, last = NOON - rng.randrange(20 * DAY), rng.choice(TASKS[:2]), rng.randrange(2, 8)
        for attempt in range(1, last + 1):
            end = at + rng.choice([SECOND, SECOND, DAY // 2, 3 * DAY])
            make = made if rng.random() < 0.8 else never_started
            row = make(rng, at, task_id=task, attempt=attempt, success=attempt == last and rng.random() < 0.7)
            row |= {"finished_at": end, "leased_until": end}
            if rng.random() < 0.2:
                row |= {"finished_at": None, "success": None, "error": None, "output": None}
            rows.append(row)
            at = end + rng.choice([0, 0, 1, SECOND, DAY // 3, DAY, DAY + 1])
    return rows


def nulls(rng: random.Random) -> list[Row]:
    """Nothing but what must be."""
    bare = {"lease_owner": None, "leased_until": None, "error": None, "attempt": 1, "output": None}
    done = [never_started(rng, NOON - i * 3_600 * SECOND, **bare) for i in range(60)]
    return done + [opened(rng, NOON - i * SECOND, started_at=None, **bare) for i in range(20)]


def edges(rng: random.Random) -> list[Row]:
    """One microsecond around what windows of 1, 7 and 30 days up to noon and midnight begin and end with."""
    moments = [end - days * DAY for end in (NOON, MIDNIGHT) for days in (0, 1, 2, 7, 14, 30, 60)]
    kinds = [made, made, opened, never_started]
    return [rng.choice(kinds)(rng, at + step) for at in moments for step in (-1, -1, 0, 0, 1)]


def epoch(rng: random.Random) -> list[Row]:
    """From the first microsecond there is; the windows begin before it."""
    return [made(rng, at) for at in (0, 0, 1, DAY - 1, DAY, DAY + 1, 9 * DAY)] + [never_started(rng, 0)]


def short(rng: random.Random) -> list[Row]:
    """Durations of no and of few microseconds, and two of years."""
    rows = [made(rng, NOON - rng.randrange(DAY), took=rng.choice([0, 0, 1, 2, 3, 49, 50, 51])) for _ in range(90)]
    return [*rows, made(rng, NOON - 1, took=400 * DAY), made(rng, NOON - 2, took=LAST)]


def thin(rng: random.Random) -> list[Row]:
    """Ten years, one run every third day."""
    return [made(rng, MIDNIGHT - day * DAY + rng.randrange(DAY), task_id=TASKS[day % 2]) for day in range(0, 3_653, 3)]


def only_open(rng: random.Random) -> list[Row]:
    return [opened(rng, NOON - rng.randrange(2 * DAY)) for _ in range(120)]


def skewed(rng: random.Random) -> list[Row]:
    """Clocks that disagree: created days after the start."""
    return [made(rng, at := NOON - rng.randrange(9 * DAY), created_at=at + rng.randrange(9 * DAY)) for _ in range(120)]


def many_tasks(rng: random.Random) -> list[Row]:
    """More tasks than a ranking shows, with equal averages and equal failures."""
    tasks = [new_id(rng) for _ in range(40)]
    return [
        made(rng, NOON - rng.randrange(14 * DAY), took=rng.choice([1, 2]) * SECOND, task_id=rng.choice(tasks))
        for _ in range(400)
    ]


def none_at_all(rng: random.Random) -> list[Row]:
    del rng
    return []


_MAKERS: Final[tuple[Callable[[random.Random], list[Row]], ...]] = (
    random_mixed,
    ties,
    across_midnight,
    unstarted,
    future,
    retries,
    chains,
    nulls,
    edges,
    epoch,
    short,
    thin,
    only_open,
    skewed,
    many_tasks,
    none_at_all,
)
NAMES: Final = [maker.__name__ for maker in _MAKERS]


@cache
def history(name: str) -> tuple[Row, ...]:
    """The rows of a named history, the same at each call."""
    maker = next(maker for maker in _MAKERS if maker.__name__ == name)
    return tuple(maker(random.Random(name)))


@cache
def together() -> tuple[Row, ...]:
    """All named histories but the long thin one as one."""
    return tuple(row for name in NAMES if name != "thin" for row in history(name))


@cache
def generated(runs: int = 20_000) -> tuple[Row, ...]:
    """What `runlake generate` makes, as rows."""
    tables = generate.history(runs=runs, days=30, tasks=50, seed=7, until=NOON)
    return tuple(row for table in tables for row in rows_of(table))


def rows_of(table: pa.Table) -> list[Row]:
    """The rows of an Arrow table of runs."""
    columns = {name: table[name] for name in table.column_names}
    for name in TIMES:
        columns[name] = columns[name].cast(pa.int64())
    lists = {name: column.to_pylist() for name, column in columns.items()}
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def moments(rows: Sequence[Row], rng: random.Random, count: int) -> list[int]:
    """Times worth asking about: those of runs, the midnights near them, and one microsecond beside both."""
    known = [value for row in rng.sample(list(rows), min(len(rows), count)) if (value := row["started_at"]) is not None]
    known += [value // DAY * DAY + rng.choice([0, DAY]) for value in known] + [NOON, MIDNIGHT]
    return [min(max(rng.choice(known) + rng.choice([-1, 0, 0, 1]), 0), LAST) for _ in range(count)]


_NEAR: Final = st.builds(
    lambda day, step: MIDNIGHT + day * DAY + step,
    st.integers(-9, 2),
    st.sampled_from([-SECOND, -1, 0, 1, SECOND, DAY // 2]),
)
_MAKER: Final = st.sampled_from([made, made, made, opened, never_started])


@st.composite
def small(draw: st.DrawFn) -> list[Row]:
    """Up to 30 runs near midnights; equal times and equal tasks are likely."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    task = st.sampled_from(TASKS[:2])
    return [make(rng, at, task_id=draw(task)) for make, at in draw(st.lists(st.tuples(_MAKER, _NEAR), max_size=30))]

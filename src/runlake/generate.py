"""A synthetic run history of realistic shape, made from a seed.

Rows are made in blocks of fixed size, each with a random generator of its own: so memory does not grow with the
history, and the rows do not depend on the size of the tables. The times are quantiles of a curve of the load by hour,
which gives exactly the number of rows wanted, in ascending order. Another numpy version may give other bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from runlake import times
from runlake.columns import ARROW, NAMED
from runlake.errors import UsageError
from runlake.incidents import LEAST_TASKS, NAMED_TASKS, fail, moved, name_of, slowed, texts

_Array = NDArray[Any]
BLOCK_ROWS: Final = 50_000
CANCELLED_ERROR: Final = "cancelled before start"
_FINISHED, _QUEUED, _RUNNING, _LOST, _CANCELLED = range(5)
_BURST_SHARE: Final = 0.022
_RETRY_SHARES: Final = (0.04, 0.012, 0.004)  # of the rows, offered to be attempt 2, 3 and 4

# A '#' is replaced by a value, in this order: rows, bytes, a decimal, a checksum.
_OUTPUTS: Final = (
    '{"status":"ok","rows":#,"bytes":#,"seconds":#,"checksum":"#","table":"orders_daily","warnings":[]}',
    '{"rows_read":#,"bytes_written":#,"ratio":#,"etag":"#","target":"s3://warehouse/clicks","compacted":true}',
    '{"invoices":#,"amount_cents":#,"tax_percent":#,"run":"#","currency":"EUR","country":"Österreich",'
    '"ledger":"2200","posted":true,"rejected":[],"approved_by":"auto","period":{"open":true,"locked":false}}',
    '{"files":#,"bytes":#,"dedup":#,"snapshot":"#","retention":[7,30,365],"verified":true,"by":"\\"db-1\\"",'
    '"steps":[{"name":"freeze","ok":true},{"name":"copy","ok":true},{"name":"thaw","ok":true}]}',
)
_PLACES: Final = (
    ("orders", 88, "load_rows", "rows = source.fetch(batch)"),
    ("invoices", 241, "post", "ledger.append(entry)"),
    ("mailing", 57, "send", "client.deliver(message)"),
    ("scoring", 132, "predict", "frame = model.transform(frame)"),
    ("backup", 310, "copy", "target.upload(path, part)"),
    ("crm_sync", 19, "pull", "page = session.get(url).json()"),
    ("crawler", 404, "render", "return parse(body)"),
    ("warehouse", 76, "compact", "writer.close()"),
)
_CAUSES: Final = (
    "TimeoutError: no answer from 10.2.4.17:5432 after # ms",
    "ConnectionResetError: [Errno 104] Connection reset by peer (connection #)",
    "KeyError: 'customer_id' in record #",
    "ValueError: row #: could not convert string to float: 'Zürich'",
    "MemoryError: Unable to allocate # bytes",
)
_TRACE: Final = (
    'Traceback (most recent call last):\n  File "/app/worker/runner.py", line 212, in execute\n'
    "    result = task.run(context)\n             ^^^^^^^^^^^^^^^^^\n"
    '  File "/app/tasks/{}.py", line {}, in {}\n    {}\n{}'
)


def _segments(templates: Iterable[str]) -> list[pa.Array]:
    return [pa.array(column) for column in zip(*(t.split("#") for t in templates), strict=True)]


_OUTPUT_PARTS: Final = _segments(_OUTPUTS)
_ERROR_PARTS: Final = _segments(_TRACE.format(*place, cause) for place in _PLACES for cause in _CAUSES)
_OWNERS: Final = pa.array([f"worker-{n:03d}" for n in range(200)])
# json() keeps 12.5 and 12.0 but would rewrite 12.50.
_DECIMALS: Final = pa.array([f"{n // 10}.{n % 10}" for n in range(10_000)])


class _Tasks(NamedTuple):
    """Arrays with an entry for each task.

    share       cumulated weights by which tasks are drawn; steady: the same without tasks that fall silent
    median_us   median duration in microseconds
    failing     rate of failures outside of bursts
    silence     middle of the silent time, as a share of the window; 9 for never
    """

    ids: _Array
    share: _Array
    steady: _Array
    median_us: _Array
    failing: _Array
    silence: _Array


class _Plan(NamedTuple):
    """The parameters of all blocks. `curve` has the hours of the window (µs) and the share of runs before each; `draw`
    goes into every random number of a row.
    """

    runs: int
    open_runs: int
    seed: int
    draw: tuple[int, ...]
    begin: int
    until: int
    curve: tuple[_Array, _Array]
    tasks: _Tasks
    incidents: bool


class _Rows(NamedTuple):
    """Arrays with an entry for each row of a block; `at` is the run time and `took` the duration, both in µs."""

    at: _Array
    took: _Array
    task: _Array
    attempt: _Array
    state: _Array
    fails: _Array


def _uuid4(rng: np.random.Generator, count: int) -> _Array:
    """Random version 4 UUIDs, as a (count, 2) array of words in memory order."""
    words = rng.integers(0, 2**64, size=(count, 2), dtype="<u8")
    octets = words.view(np.uint8)
    octets[:, [6, 8]] = octets[:, [6, 8]] & [0x0F, 0x3F] | [0x40, 0x80]
    return words


def _make_tasks(seed: int, count: int) -> _Tasks:
    rng = np.random.default_rng([seed, 0])
    weights = 1.0 / np.arange(1, count + 1) ** 1.1
    # The largest tenth never falls silent, so there is always a task to run instead.
    quiet = (rng.random(count) < 0.4) & (np.arange(count) >= max(1, count // 10))
    return _Tasks(
        ids=_uuid4(np.random.default_rng([seed, 1]), count),
        share=np.cumsum(weights),
        steady=np.cumsum(np.where(quiet, 0.0, weights)),
        median_us=np.clip(np.exp(rng.normal(np.log(3e6), 2.0, count)), 50e3, 600e6),
        failing=np.clip(np.exp(rng.normal(np.log(0.013), 0.6, count)), 0.002, 0.05),
        silence=np.where(quiet, rng.random(count), 9.0),  # 9 is outside of every window
    )


def _busy_hours(seed: int, begin: int, until: int) -> tuple[_Array, _Array]:
    hours = np.append(np.arange(begin, until, times.HOUR_US), until)
    middle = (hours[:-1] + hours[1:]) // 2
    day = middle // times.DAY_US
    rhythm = 1.0 + 0.6 * np.cos((middle % times.DAY_US / times.HOUR_US - 14.0) * np.pi / 12.0)
    weekend = (day + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    mood = np.exp(np.random.default_rng([seed, 2]).normal(0.0, 0.15, int(day[-1] - day[0]) + 1))
    mass = rhythm * np.where(weekend, 0.55, 1.0) * mood[day - day[0]] * np.diff(hours)
    return hours, np.append(0.0, np.cumsum(mass))


def _pick_tasks(plan: _Plan, rng: np.random.Generator, at: _Array) -> _Array:
    share, steady = plan.tasks.share, plan.tasks.steady
    task: _Array = np.searchsorted(share[:-1], rng.random(len(at)) * share[-1], side="right")
    silent = np.abs((at - plan.begin) / (plan.until - plan.begin) - plan.tasks.silence[task]) < 0.2
    task[silent] = np.searchsorted(steady[:-1], rng.random(int(silent.sum())) * steady[-1], side="right")
    return task


def _failing(plan: _Plan, rng: np.random.Generator, task: _Array, at: _Array) -> _Array:
    """Flags of the runs that fail: few, but many during a burst of their task. A hash of task and time decides that."""
    mixed = task.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + plan.tasks.ids[task, 1]
    mixed ^= (at // (3 * times.HOUR_US)).astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    level = mixed / (2.0**64 * _BURST_SHARE)
    rate = np.where(level < 1.0, 0.5 + 0.45 * level, plan.tasks.failing[task])
    return np.less(rng.random(len(task)), rate)


def _durations(plan: _Plan, rng: np.random.Generator, task: _Array, at: _Array, fails: _Array) -> _Array:
    """The duration of each run in microseconds. A run that would outlast the window takes a part of the rest."""
    count = len(task)
    took = plan.tasks.median_us[task] * np.exp(0.8 * rng.standard_normal(count))
    took *= np.where(fails, rng.uniform(0.05, 1.0, count), 1.0)
    rare = rng.random(count)
    took[rare < 0.001] *= 60.0
    took[rare > 0.998] = 0.0
    room = np.minimum(plan.until - at, times.DAY_US)
    return np.where(took > room, room * rng.random(count), took).astype(np.int64)


def _retry(plan: _Plan, rng: np.random.Generator, rows: _Rows, attempt: int, share: float) -> None:
    """Turn some rows into attempt number `attempt` of a failed run, and move them to shortly after that run."""
    finished = rows.state == _FINISHED
    source = np.flatnonzero(finished & rows.fails & (rows.attempt == attempt - 1))
    # Only successful rows are turned, because another retry may follow a failed one.
    offered = rng.random(len(finished)) < share
    chosen = np.flatnonzero(offered & finished & ~rows.fails & (rows.attempt == 1))
    ready = (rows.at + rows.took)[source] + rng.exponential(8e6, len(source)).astype(np.int64)
    order = np.argsort(ready, kind="stable")
    latest = np.searchsorted(ready[order], rows.at[chosen], side="right") - 1
    once = np.diff(latest, prepend=-1) > 0
    chosen, latest = chosen[once], order[latest[once]]
    rows.attempt[chosen] = attempt
    rows.task[chosen] = task = rows.task[source[latest]]
    rows.at[chosen] = at = ready[latest]
    rows.fails[chosen] = fails = _failing(plan, rng, task, at)
    rows.took[chosen] = _durations(plan, rng, task, at, fails)


def _make_rows(plan: _Plan, rng: np.random.Generator, first: int, count: int) -> _Rows:
    hours, before = plan.curve
    quantile = (first + np.sort(rng.random(count)) * count) / plan.runs * before[-1]
    at = plan.begin + np.interp(quantile, before, hours - plan.begin).astype(np.int64)
    task = _pick_tasks(plan, rng, at)
    fails = _failing(plan, rng, task, at)
    # Every fourth of the last rows is open, in turn queued, running and lost.
    left = plan.runs - 1 - np.arange(first, first + count)
    is_open = (left % 4 == 0) & (left < 4 * plan.open_runs)
    state = np.where(is_open, left // 4 % 3 + _QUEUED, _FINISHED).astype(np.int8)
    state[~is_open & (rng.random(count) < 1 / 2_000)] = _CANCELLED
    took, attempt = _durations(plan, rng, task, at, fails), np.ones(count, dtype=np.int32)
    rows = _Rows(at, took, task, attempt, state, fails & (state == _FINISHED))
    for number, share in enumerate(_RETRY_SHARES, start=2):
        _retry(plan, rng, rows, number, share)
    rows.fails[state == _CANCELLED] = True
    order = np.argsort(at, kind="stable")
    return _Rows(*(values[order] for values in rows))


def _outputs(rng: np.random.Generator, rows: _Rows) -> pa.Array:
    count = len(rows.at)
    read = np.exp(rng.uniform(0.0, 13.0, count)).astype(np.int64)
    size = read * rng.integers(20, 400, count)
    slots = [pa.array(v).cast(pa.string()) for v in (read, size, rng.integers(0, 2**32, count))]
    slots.insert(2, _DECIMALS.take(pa.array(rng.integers(0, len(_DECIMALS), count))))
    shape = pa.array(rows.task % len(_OUTPUTS), mask=rows.fails | (rows.state != _FINISHED))
    first, *later = (part.take(shape) for part in _OUTPUT_PARTS)
    pieces = [piece for pair in zip(slots, later, strict=True) for piece in pair]
    text = pc.binary_join_element_wise(first, *pieces, "")
    empty = rows.fails & (rows.state == _FINISHED) & (rng.random(count) < 0.2)
    return pc.replace_with_mask(text, pa.array(empty), pa.scalar("{}"))


def _errors(rng: np.random.Generator, rows: _Rows) -> pa.Array:
    count = int(rows.fails.sum())
    shape = pa.array(rng.integers(0, len(_ERROR_PARTS[0]), count))
    number = pa.array(np.exp(rng.uniform(0.0, 16.0, count)).astype(np.int64)).cast(pa.string())
    head, tail = (part.take(shape) for part in _ERROR_PARTS)
    where = pa.array(np.cumsum(rows.fails) - 1, mask=~rows.fails)
    text = pc.binary_join_element_wise(head, number, tail, "").take(where)
    return pc.replace_with_mask(text, pa.array(rows.state == _CANCELLED), pa.scalar(CANCELLED_ERROR))


def _uuids(words: _Array) -> pa.Array:
    storage = pa.Array.from_buffers(pa.binary(16), len(words), [None, pa.py_buffer(words)])
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def _instants(values: _Array, null: _Array | None = None) -> pa.Array:
    return pa.array(values, mask=null).view(pa.timestamp("us", "UTC"))


def _block(plan: _Plan, first: int) -> pa.Table:
    count = min(BLOCK_ROWS, plan.runs - first)
    rng = np.random.default_rng([plan.seed, 3, first, *plan.draw])
    rows = _make_rows(plan, rng, first, count)
    state = rows.state
    unstarted = (state == _QUEUED) | (state == _CANCELLED)
    unfinished = (state != _FINISHED) & (state != _CANCELLED)
    lease = rng.integers(30_000_000, 600_000_000, count)
    delay = np.exp(rng.uniform(np.log(1e3), np.log(1e7), count)).astype(np.int64)
    ids, owner = _uuids(_uuid4(rng, count)), rng.integers(0, len(_OWNERS), count)
    happened = None
    if plan.incidents:
        other = np.random.default_rng(
            [plan.seed, 4, first, *plan.draw]
        )  # the rest of the history stays as it is without them
        rows = rows._replace(task=moved(rows.task, rows.at, plan.until))
        rows = rows._replace(took=slowed(rows.task, rows.at, rows.took, plan.until))
        happened = fail(rows, np.where(unstarted, -1, owner), state == _FINISHED, plan.until, other)
    at, errors = rows.at, _errors(rng, rows)
    if happened is not None:
        errors = texts(errors, happened, other)
    # A lost run's lease has passed at `until`, a running one's has not.
    until = np.minimum(at + lease, np.where(state == _LOST, (at + plan.until) // 2, plan.until))
    until = np.where(state == _RUNNING, np.minimum(plan.until + lease, times.MAX_US), until)
    columns = {
        "id": ids,
        "task_id": _uuids(plan.tasks.ids[rows.task]),
        "lease_owner": _OWNERS.take(pa.array(owner, mask=unstarted)),
        "leased_until": _instants(until, unstarted),
        "started_at": _instants(at, unstarted),
        "finished_at": _instants(at + rows.took, unfinished),
        "success": pa.array(~rows.fails, mask=unfinished),
        "error": errors,
        "attempt": pa.array(rows.attempt),
        "output": _outputs(rng, rows),
        "created_at": _instants(np.where(unstarted, at, np.maximum(at - delay, plan.begin))),
    }
    return pa.Table.from_pydict(columns, schema=ARROW)


def _cut(blocks: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    for block in blocks:
        table = pa.concat_tables([*held, block])
        whole = table.num_rows // size * size
        yield from (table.slice(start, size) for start in range(0, whole, size))
        held = [table.slice(whole)] if whole < table.num_rows else []
    yield from held


def history(  # noqa: PLR0913 - one argument per option of the command
    *,
    runs: int,
    days: int,
    tasks: int,
    seed: int,
    until: int,
    batch_rows: int = 250_000,
    incidents: bool = False,
    draw: tuple[int, ...] = (),
) -> Iterator[pa.Table]:
    """Tables in columns.ARROW's schema (finished runs plus a few open), time ascending, `runs` rows in all.

    `until` is the end of the history in microseconds since the epoch; it begins `days` days before. Only the lease of a
    running run reaches past `until`. With `incidents` something is wrong at its end (incidents.py). Another `draw`
    gives other runs of the same tasks. Every table but the last has `batch_rows` rows. Raises UsageError at the call
    for counts below 1, a negative seed and a window not within 1970 to 9999.
    """
    counts = {"runs": runs, "days": days, "tasks": tasks, "batch_rows": batch_rows, "seed": seed + 1}
    if wrong := [name for name, count in counts.items() if count < 1]:
        raise UsageError(f"too small: {', '.join(wrong)}", hint="the seed may be 0, others at least 1")
    begin = until - days * times.DAY_US
    if begin < 0 or until > times.MAX_US:
        raise UsageError(f"{days} days up to {until} µs since the epoch are not within 1970 to 9999")
    open_runs = max(runs // 10_000, min(3, runs // 300))  # a history of some hundred rows shows a few too
    curve, each = _busy_hours(seed, begin, until), _make_tasks(seed, tasks)
    with_incidents = incidents and tasks >= LEAST_TASKS
    plan = _Plan(runs, open_runs, seed, draw, begin, until, curve, each, with_incidents)
    return _cut((_block(plan, first) for first in range(0, runs, BLOCK_ROWS)), batch_rows)


def names(tasks: int, seed: int) -> pa.Table:
    """Names of the tasks with the most runs, with the schema columns.NAMED."""
    count = min(tasks, NAMED_TASKS)
    words = [name_of(task) for task in range(count)]
    columns = {
        "task_id": _uuids(_make_tasks(seed, tasks).ids[:count]),
        "name": words,
        "tags": [[word.rpartition("_")[2]] for word in words],
        "url": [None] * count,
    }
    return pa.Table.from_pydict(columns, schema=NAMED)

"""The figures as Markdown: the whole report, and the short table of docs/benchmarks.md."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.comparison import goals
from benchmarks.comparison.figures import NAMES, OURS, Results, Size, Table, Timing

_NOTES: Final = """\
Milliseconds over HTTP, one connection (`wrk -t1 -c1`), each request another path. In brackets the median inside the
engine. Ratio is the peer's p50 over runlake's: above 1 runlake is faster; for the mix it is runlake's rate over the
peer's. † is of at most 20 requests, for what is slow; its p99 is the slowest. Peers leave out `current_streak` and
`retried_runs`, which favours them; their percentiles are exact, runlake's within 1 %. Where a peer has no figure, it
cannot be asked the same. All systems run, one at a time is asked. What each figure is: [README.md](README.md)."""
_PLACE: Final = re.compile(r"<!-- benchmark -->\n.*?<!-- end benchmark -->", re.DOTALL)
_SHORT: Final = {
    "detail, any id": "detail by a random id",
    "first page": "first page, with its total",
    "page of failures": "page of failures",
    "page at half the history": "page at half the history",
    "page in 30 days": "page in a window of 30 days",
    "page of a frequent task": "page of a frequent task",
    "page of a rare task": "page of a rare task",
    "latest of a frequent task": "latest run of a frequent task",
    "task stats, 30 days": "statistics of a task, 30 days",
    "task stats, 365 days": "statistics of a task, 365 days",
    "summary, 7 days": "summary, 7 days",
    "summary, 365 days": "summary, 365 days",
}


def text(results: Results) -> str:
    """The whole report."""
    versions = ", ".join(f"{name} {v}" for name, v in {"runlake": results.commit, **results.versions}.items())
    parts = ["# runlake beside others", f"{results.date}, {results.machine}. {versions}.", _NOTES]
    for size in results.sizes:
        parts += [f"## {size.shape.name}", _questions(size), _resources(size), _parts(size)]
        if size.writes:
            parts += [_appends(size.writes.alone, "append of"), _appends(size.writes.clients, "appends at once")]
            parts += [_beside(size)]
    if results.imported:
        parts += ["## Bulk import", _import(results)]
    if len(results.dense()) > 1:
        parts += ["## Flatness", _flatness(results.dense())]
    parts += list(_goals(results))
    return "\n\n".join(parts) + "\n"


def into(page: Path, results: Results) -> None:
    """Write the short table between its markers; raises SystemExit where a page has none."""
    before = page.read_text(encoding="utf-8")
    after, found = _PLACE.subn(lambda _: f"<!-- benchmark -->\n{short(results)}\n<!-- end benchmark -->", before)
    if not found:
        raise SystemExit(f"{page} has no <!-- benchmark --> ... <!-- end benchmark -->")
    page.write_text(after, encoding="utf-8")


def short(results: Results) -> str:
    """Medians in milliseconds: runlake at every size, each peer at the largest that it was asked at."""
    sizes = results.dense()
    columns = [(f"runlake, {_runs(size)}", size, OURS) for size in sizes]
    for peer in (name for name in NAMES if name != OURS):
        asked = [size for size in sizes if peer in size.systems]
        columns += [(f"{NAMES[peer]}, {_runs(asked[-1])}", asked[-1], peer)] if asked else []
    rows = [
        [label, *(_number(size.questions[kind][system].p50) for _, size, system in columns)]
        for kind, label in _SHORT.items()
    ]
    return _table(["question", *(title for title, _, _ in columns)], rows)


def _runs(size: Size) -> str:
    runs = size.shape.runs
    return f"{runs // 1_000_000}M" if runs % 1_000_000 == 0 else f"{runs:,}"


def _questions(size: Size) -> str:
    peers = [name for name in size.systems if name != OURS]
    titles = (title for peer in peers for title in (f"{NAMES[peer]} p50 [engine]", "ratio"))
    rows = []
    for question, by_system in size.questions.items():
        ours = by_system[OURS]
        cells = [question, _ms(ours), _number(ours.p99), _number(ours.rate)]
        for peer in peers:
            theirs = by_system.get(peer)
            if theirs is None:
                cells += ["", ""]
                continue
            inside = "" if theirs.engine is None else f" [{_number(theirs.engine)}]"
            cells += [f"{_ms(theirs)}{inside}", _ratio(theirs.p50, ours.p50)]
        rows.append(cells)
    ours = size.mixed[OURS]
    cells = ["all kinds mixed, 16 connections", _number(ours.p50), _number(ours.p99), _number(ours.rate)]
    for peer in peers:
        cells += [f"{_number(size.mixed[peer].rate)} req/s", _ratio(ours.rate, size.mixed[peer].rate)]
    rows.append(cells)
    if same := size.unchanged:
        rows.append(["nothing new (304), 16 connections", _number(same.p50), _number(same.p99), _number(same.rate)])
        rows[-1] += [""] * 2 * len(peers)
    return _table(["question", "runlake p50", "p99", "req/s", *titles], rows)


def _resources(size: Size) -> str:
    rows = []
    for name in size.systems:
        seconds = ", ".join(f"{what} {_number(s)}" for what, s in size.seconds[name].items())
        per_run = size.disk[name] / size.shape.runs
        moments = [
            f"{moment.removeprefix(name).removeprefix(', ') or 'asked'} {peak >> 20:,}"
            for moment, peak in size.memory.items()
            if moment.partition(",")[0] == name
        ]
        rows.append([NAMES[name], ", ".join(moments), f"{per_run:.1f}", seconds])
    # PostgreSQL has no one peak: its shared buffers, and what each of its processes has now, beside the handler's.
    return _table(["system", "peak memory, MiB", "bytes per run on disk", "seconds"], rows)


def _parts(size: Size) -> str:
    parts = [f"{name} {taken / size.shape.runs:.1f}" for name, taken in size.parts.items()]
    return f"runlake's bytes per run: {', '.join(parts)}."


def _appends(table: Table, title: str) -> str:
    systems = [name for name in NAMES if any(name in row for row in table.values())]
    heads = (head for name in systems for head in (f"{NAMES[name]} p50", "p99", "runs/s"))
    rows = [[q, *(cell for name in systems for cell in _three(by_system.get(name)))] for q, by_system in table.items()]
    return _table([title, *heads], rows)


def _three(timing: Timing | None) -> tuple[str, str, str]:
    if timing is None:
        return "", "", ""
    return _number(timing.p50), _number(timing.p99), _number(timing.rate)


def _beside(size: Size) -> str:
    assert size.writes is not None
    rows = [
        [kind, *_three(b.quiet), *_three(b.loaded), _ratio(b.loaded.p50, b.quiet.p50)]
        for kind, b in size.writes.beside.items()
    ]
    title = f"Of runlake while nothing is written, and while {_number(size.writes.arrived)} runs/s arrive:\n\n"
    return title + _table(["question", "p50", "p99", "req/s", "p50", "p99", "req/s", "ratio"], rows)


def _import(results: Results) -> str:
    assert results.imported is not None
    found = results.imported
    return (
        f"A Parquet file of {found.runs:,} runs over {found.days} days: {found.ours:,.0f} runs/s by `runlake import`, "
        f"{found.plain:,.0f} by plain DuckDB, which checks nothing and looks no id up. "
        f"Peak memory of the import: {found.peak >> 20:,} MiB."
    )


def _flatness(sizes: Sequence[Size]) -> str:
    """p50 at the largest size over p50 at the smallest."""
    small, large = sizes[0], sizes[-1]
    systems = [name for name in small.systems if name in large.systems]
    rows = [
        [q, *(_ratio(goals.p50(large, q, name), goals.p50(small, q, name)) for name in systems)]
        for q in small.questions
    ]
    title = f"p50 at {large.shape.runs:,} runs over p50 at {small.shape.runs:,}:\n\n"
    return title + _table(["question", *(NAMES[name] for name in systems)], rows)


def _goals(results: Results) -> Iterator[str]:
    dense, peers = results.dense(), goals.peer_size(results)
    if dense:
        yield from _reached(f"What we want at {goals.SIZE:,} runs", goals.alone(results), dense[-1], goals.SIZE)
    if peers:
        title = f"What we want beside others at {goals.PEER_SIZE:,} runs"
        yield from _reached(title, goals.beside(results), peers, goals.PEER_SIZE)


def _reached(title: str, found: Sequence[goals.Goal], size: Size, wanted: int) -> Iterator[str]:
    runs = size.shape.runs
    at = "" if runs == wanted else f" They are for another size: these figures are of {runs:,} runs."
    yield f"## {title}"
    yield f"{sum(goal.verdict == 'met' for goal in found)} of {len(found)} are met.{at}"
    yield _verdicts(found)


def _verdicts(found: Iterable[goals.Goal]) -> str:
    rows = [
        [
            goal.what,
            f"{'at most' if goal.most else 'at least'} {_number(goal.wanted)} {goal.unit}".rstrip(),
            _number(goal.measured) + (f" ({goal.note})" if goal.note else ""),
            goal.verdict,
        ]
        for goal in found
    ]
    return _table(["what", "wanted", "measured", ""], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])


def _ms(timing: Timing) -> str:
    return _number(timing.p50) + ("†" if timing.few else "")


def _ratio(one: float, other: float) -> str:
    return "" if math.isnan(one) or math.isnan(other) or not other else f"{one / other:.2f}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

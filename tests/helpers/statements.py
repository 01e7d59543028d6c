"""Which statements an answer is made of: seen by DuckDB's own profiling, and shown in docs/design.md.

`python tests/helpers/statements.py` writes the table into the page; `test_statements.py` compares.
"""

from __future__ import annotations

import itertools
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import histories
from loading import opened_store
from oracle import DAY
from support import HERE, post

from runlake import generate
from runlake.lake import bulk
from runlake.model import (
    BreakdownQuery,
    ContextQuery,
    DurationsQuery,
    ErrorsQuery,
    Filter,
    HistogramQuery,
    Instant,
    OwnersQuery,
    RunsQuery,
    SummaryQuery,
    TasksQuery,
    TaskStatsQuery,
)
from runlake.query import (
    breakdown,
    context,
    durations,
    errors,
    histogram,
    owners,
    pages,
    queries,
    statistics,
    tasks,
)
from runlake.query.engine import Session
from runlake.query.sql import SQL
from runlake.settings import Settings
from runlake.store import Store

DESIGN: Final = HERE.parent / "docs" / "design.md"
END: Final = histories.MIDNIGHT
DAYS: Final = 4
RUNS: Final = 24_000
# The file of each block.
FILES: Final = {
    name: path.name
    for path in (HERE.parent / "src" / "runlake" / "query" / "sql").glob("*.sql")
    for name in re.findall(r"^-- name: (\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
}
_TABLE: Final = re.compile(r"<!-- statements -->\n.*?<!-- end -->", re.DOTALL)


class Scan(NamedTuple):
    """A table, or Parquet files by their paths, as one statement read them."""

    table: str
    files: tuple[str, ...]


class Seen(NamedTuple):
    """A statement that ran: the name of its block, and what it read."""

    name: str
    scans: tuple[Scan, ...]


class Watch:
    """A history of four days in files of several row groups, and the statements of each question."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self._out = store, folder / "profile.json"
        page = store.engine.submit(pages.page, RunsQuery(offset=RUNS // 2, limit=1)).result(60)
        self.run = page.items[0]
        window = ErrorsQuery(start_time=Instant(END - DAYS * DAY), end_time=Instant(END))
        self.group = store.engine.submit(errors.errors, window).result(60).groups[0].id

    @property
    def files(self) -> list[Path]:
        """The files of the finished runs."""
        return [Path(file.path) for file in self.store.stored.files]

    def watched(self, question: Callable[..., Any], *args: Any) -> list[Seen]:
        """Ask, and return the statements in their order."""
        seen: list[Seen] = []
        rows = Session.rows

        def profiled(
            session: Session, statement: str, parameters: Mapping[str, Any] | None = None
        ) -> list[tuple[Any, ...]]:
            cursor = session._cursor
            cursor.execute("PRAGMA enable_profiling = 'json'")
            cursor.execute(f"PRAGMA profiling_output = '{self._out}'")
            answer = rows(session, statement, parameters)
            cursor.execute("PRAGMA disable_profiling")
            seen.append(Seen(name_of(statement), tuple(_scans(json.loads(self._out.read_text())))))
            return answer

        Session.rows = profiled  # type: ignore[method-assign,assignment]
        try:
            self.store.engine.submit(question, *args).result(60)
        finally:
            Session.rows = rows  # type: ignore[method-assign]
        return seen


def name_of(statement: str) -> str:
    """The block that a statement was made from: the one with the same beginning, up to its first place to fill in."""
    begins = {name: re.split(r"[{$]", text)[0] for name, text in SQL.items()}
    fitting = [name for name, begin in begins.items() if begin.strip() and statement.startswith(begin)]
    return max(fitting, key=lambda name: len(begins[name]), default="?")


def _by_file(names: Sequence[str]) -> str:
    """Blocks with the files that they are in, as in `runs.sql`: page."""
    of_file = itertools.groupby(names, key=lambda name: FILES.get(name, "?"))
    return "; ".join(f"`{file}`: {', '.join(f'`{name}`' for name in blocks)}" for file, blocks in of_file)


def _scans(node: dict[str, Any]) -> Iterator[Scan]:
    if node.get("operator_type") == "TABLE_SCAN":
        extra = node["extra_info"]
        files = extra.get("Filename(s)", "")
        paths = files if isinstance(files, list) else [file for file in files.split(", ") if file]
        name = extra.get("Table", "").rpartition(".")[2].strip('"') or extra.get("Function", "").lower()
        yield Scan(name, tuple(paths))
    for child in node.get("children", []):
        yield from _scans(child)


@contextmanager
def watching(folder: Path) -> Iterator[Watch]:
    """A store to watch: everything is in files, merged and counted, but for one open run."""
    settings = Settings(data=str(folder / "lake"), row_group_rows=2048, rollup_rows=1)
    with opened_store(settings) as store:
        store.writer.close()
        tables = generate.history(runs=RUNS, days=DAYS, tasks=20, seed=3, until=END, batch_rows=RUNS)
        pieces = (bulk.Chunk("generated", 1, rows) for rows in tables)
        bulk.BulkLoad(store.lake, store.stored, store.serving.locate, store.serving.remember).run(pieces)
    with opened_store(settings) as store:
        post(store, {"task_id": str(histories.TASKS[1]), "created_at": "2025-01-12T00:00:00Z"})
        store.writer.close()
        maintenance = store.writer.maintenance
        maintenance.run(maintenance.pending_steps())
        store.serving.run_one_step()
        yield Watch(store, folder)


class Line(NamedTuple):
    """A line of the table: route, what is asked, the function that answers, the most statements it may take, and those
    that were seen."""

    route: str
    what: str
    function: str
    most: int
    seen: list[Seen]


def questions(watch: Watch) -> Sequence[Line]:
    """Each line of the table."""
    run_id, task_id = watch.run.id, watch.run.task_id
    until = Instant(END - DAY // 3 - 1234)
    early = Instant(END - 2 * DAY - DAY // 3 - 777)
    window: dict[str, Any] = {"start_time": early, "end_time": until}
    asked: list[tuple[str, str, int, Callable[..., Any], tuple[Any, ...]]] = [
        ("GET /runs", "the first page", 4, pages.page, (RunsQuery(),)),
        ("GET /runs", "failures", 4, pages.page, (RunsQuery(success=False),)),
        ("GET /runs", "half-way", 4, pages.page, (RunsQuery(offset=RUNS // 2),)),
        ("GET /runs", "a window", 4, pages.page, (RunsQuery(start_time=early, end_time=until),)),
        ("GET /runs", "first page of a task", 4, pages.page, (RunsQuery(task_id=[task_id]),)),
        ("GET /runs", "a task, deep", 6, pages.page, (RunsQuery(task_id=[task_id], offset=300),)),
        ("GET /runs/{run_id}", "", 3, queries.detail, (run_id,)),
        ("GET /task/{task_id}/latest", "", 3, queries.latest, (task_id,)),
        ("GET /task/{task_id}/stats", "two days", 4, statistics.task_stats, (task_id, TaskStatsQuery(2, until))),
        ("GET /stats/summary", "two days", 5, statistics.summary, (SummaryQuery(2, until),)),
        ("GET /runs", "of an owner", 6, pages.page, (RunsQuery(**window, lease_owner="worker-001"),)),
        ("GET /runs", "the longest", 14, pages.page, (RunsQuery(**window, order="duration"),)),
        ("GET /stats/histogram", "", 5, histogram.histogram, (HistogramQuery(**window),)),
        ("GET /stats/durations", "", 7, durations.durations, (DurationsQuery(**window, points=0),)),
        ("GET /stats/histogram", "tasks", 4, histogram.histogram, (HistogramQuery(**window, by="task"),)),
        ("GET /stats/tasks", "", 5, tasks.tasks, (TasksQuery(**window),)),
        ("GET /stats/owners", "", 4, owners.owners, (OwnersQuery(**window),)),
        ("GET /stats/breakdown", "failures", 4, breakdown.breakdown, (BreakdownQuery(**window, success=False),)),
        ("GET /errors", "", 2, errors.errors, (ErrorsQuery(**window),)),
        ("GET /errors/{group}", "", 10, errors.error_group, (watch.group, Filter(**window))),
        ("GET /runs/{run_id}/context", "", 14, context.context, (run_id, ContextQuery(days=1))),
    ]
    return [
        Line(route, what, f"{ask.__module__.rpartition('.')[2]}.{ask.__name__}", most, watch.watched(ask, *args))
        for route, what, most, ask, args in asked
    ]


def table(lines: Sequence[Line]) -> str:
    """The table of the page."""
    rows = ["| route | asked | function | files and blocks of its statements, in their order | tables and files read |"]
    rows.append("|---|---|---|---|---|")
    for route, what, function, _, seen in lines:
        names = _by_file([one.name for one in seen])
        scans = [scan for one in seen for scan in one.scans]
        tables = sorted({scan.table for scan in scans if not scan.files})
        files = {file for scan in scans for file in scan.files}
        read = [*tables, *([f"{len(files)} of {DAYS} files"] if files else [])]
        rows.append(f"| `{route}` | {what} | `{function}` | {names} | {', '.join(read)} |")
    return "\n".join(rows)


def with_table(text: str, lines: Sequence[Line]) -> str:
    """The page with a fresh table."""
    return _TABLE.sub(lambda _: f"<!-- statements -->\n{table(lines)}\n<!-- end -->", text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary, watching(Path(temporary)) as watch:
        DESIGN.write_text(with_table(DESIGN.read_text(encoding="utf-8"), questions(watch)), encoding="utf-8")

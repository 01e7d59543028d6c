"""The statements of this room, with the columns of the schema in their places."""

from __future__ import annotations

from typing import Final

from runlake import macros, statements, times
from runlake.columns import NAMES, RUN_AT, ddl, select_list

LAYOUT: Final = f"6, {macros.MARK}"  # groups of errors are stored
RECENT: Final = 100  # runs of a task that task_recent holds: two default pages
_WIDE: Final = 4096  # bytes of `error` and `output`


def _narrowed() -> str:
    wide = f"coalesce(strlen(error), 0) + coalesce(strlen(output), 0) > {_WIDE}"
    return ", ".join(
        f'CASE WHEN NOT ({wide}) THEN "{name}" END' if name in ("error", "output") else f'"{name}"' for name in NAMES
    )


_SCHEMA: Final = statements.blocks("runlake.serving", "schema.sql")
_PARTS: Final = {
    "select": select_list(),
    "whole": f"coalesce(strlen(error), 0) + coalesce(strlen(output), 0) <= {_WIDE}",
    "narrowed": _narrowed(),
    "recent": str(RECENT),
    # Of a task that was pruned, older runs are not taken any more.
    "above_floor": """NOT EXISTS (
        SELECT 1 FROM recent_floor AS floor WHERE floor.task = task.task
        AND (run.run_at < floor.run_at OR (run.run_at = floor.run_at AND run.id < floor.id))
    )""",
    "run": ddl(RUN_AT),
    "failed": statements.plain(statements.blocks("runlake.serving", "apply.sql")["failed"]),
    **{
        name: statements.plain(_SCHEMA[name])
        for name in ("sums", "durations", "quarters", "percentile_of_day", "histogram", "of_owner")
    },
}


def filled(text: str, **parts: str) -> str:
    """A statement with its constants in their places."""
    for name, value in {**_PARTS, **parts}.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _of(file: str) -> dict[str, str]:
    return {name: filled(text) for name, text in statements.blocks("runlake.serving", file).items()}


TABLES: Final = "; ".join([filled(_SCHEMA["tables"]), *macros.definitions(), _SCHEMA["macros"]])
APPLY: Final = _of("apply.sql")
COUNT: Final = _of("count.sql")
_MONTH: Final = {"unit": "month", "also": "", "order": "month, task", "summed": COUNT["summed"]}
SETTLE: Final = filled(COUNT["settle_task_month"], figures=filled(COUNT["cell_figures"], **_MONTH))
REBUILD: Final = _of("rebuild.sql")
_ROLLUP: Final = statements.blocks("runlake.serving", "rollups.sql")


# Each statement of rollups.sql, and the columns of count.sql that add up its rows.
_SUMS: Final = {
    "counts": "counts",
    "of_task": "cell_figures",
    "histogram": "runs",
    "of_owner": "owners",
    "of_attempt": "runs",
}


class Rollup:
    """A table that is made by one GROUP BY: its column of time, its keys, the statement, and the one that adds up."""

    def __init__(self, table: str, unit: str, keys: str, name: str, *, also: str = "") -> None:
        self.table, self.unit, self.keys = table, unit, keys
        self.grouped = filled(_ROLLUP[name], unit=unit, also=_ROLLUP[also] if also else "")
        parts = {"unit": unit, "keys": keys, "also": COUNT[f"summed_{also}"] if also else "", "order": keys}
        self.summed = filled(COUNT[_SUMS[name]], **parts, summed=COUNT["summed"])

    def statement(self, name: str) -> str:
        """A statement of count.sql for this table."""
        return filled(COUNT[name], table=self.table, unit=self.unit, keys=self.keys)


_UNITS: Final = {"quarter": times.QUARTER_US, "hour": times.HOUR_US, "day": times.DAY_US}
TASK_DAY: Final = Rollup("task_day", "day", "day, task", "of_task", also="of_day")
ROLLUPS: Final = (
    Rollup("quarter", "quarter", "quarter, success, started", "counts"),
    Rollup("day_count", "day", "day, success, started", "counts"),
    Rollup("task_hour", "hour", "hour, task", "of_task"),
    TASK_DAY,
    Rollup("hour_histogram", "hour", "hour, success, bucket", "histogram"),
    Rollup("day_histogram", "day", "day, success, bucket", "histogram"),
    Rollup("owner_hour", "hour", "hour, lease_owner", "of_owner"),
    Rollup("owner_day", "day", "day, lease_owner", "of_owner"),
    Rollup("attempt_hour", "hour", "hour, attempt, seconds", "of_attempt"),
)
# The tables of finished runs: their column of time, and its microseconds.
FINISHED: Final = (
    *((rollup.table, rollup.unit, _UNITS[rollup.unit]) for rollup in ROLLUPS),
    ("day_of_task", "day", times.DAY_US),
    ("day_figure", "day", times.DAY_US),
    ("hot_run", "run_at", 1),
    ("failed_run", "run_at", 1),
    ("task_sequence", "day", times.DAY_US),
    ("unsettled_day", "day", times.DAY_US),
)
HOT_RUN: Final = _ROLLUP["hot_run"]
_STORED: Final = "(95)"  # the percents of a day that are kept: `p95` of the schema
_PERCENTILE: Final = statements.blocks("runlake.serving", "percentile.sql")["percentile"]
RANK: Final = filled(COUNT["add_ranked"], percentile=filled(_PERCENTILE, key="task, day", percents=_STORED))
SEQUENCE: Final = statements.plain(statements.blocks("runlake.serving", "sequence.sql")["sequence"])
SETTLE_SEQUENCES: Final = {
    name: filled(f"INSERT INTO task_sequence {SEQUENCE}", piece="(run_at // 86400000000)::INTEGER", rows=rows)
    for name, rows in (
        ("hot", COUNT["hot_of_day"]),
        ("cold", statements.plain(COUNT["cold_of_day"])),
        ("counting", "(SELECT * FROM counting WHERE started)"),
    )
}
_DAY_FIGURES: Final = filled(
    f"INSERT INTO day_figure {_ROLLUP['day_figure']}", percentile=filled(_PERCENTILE, key="day", percents=_STORED)
)
DAY_FIGURES: Final = filled(_DAY_FIGURES, days="(SELECT day FROM day_count)")
DAY_FIGURES_COUNTED: Final = filled(_DAY_FIGURES, days="(SELECT DISTINCT day FROM counting)")

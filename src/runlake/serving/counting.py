"""Counting: runs go from `uncounted_run` into the rollups, and months that are over are settled."""

from __future__ import annotations

from collections.abc import Collection
from datetime import MAXYEAR, date
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runlake import times
from runlake.serving.database import Database
from runlake.serving.sql import (
    APPLY,
    COUNT,
    DAY_FIGURES_COUNTED,
    HOT_RUN,
    RANK,
    ROLLUPS,
    SETTLE,
    SETTLE_SEQUENCES,
    TASK_DAY,
)

_MONTHS: Final = 12
_SEQUENCES: Final = 4  # days of one step: appends wait meanwhile


class State(Struct, frozen=True):
    """The row of the table `state`."""

    snapshot: int
    first_day: int
    hot_from: int
    months: list[int]
    newest: int = -1

    def counted_until(self, high: int) -> int:
        """Where a window that ends before `high` may end for what is counted: after the newest counted run its last day
        is as good as whole.
        """
        return high if high <= self.newest else (self.newest // times.DAY_US + 1) * times.DAY_US


def state(database: Database) -> State:
    """The row of `state` as it is now."""
    return State(*database.execute(APPLY["state"])[0])


def set_state(database: Database, new: State) -> None:
    """Replace the row of `state`. Inside the transaction."""
    database.execute(APPLY["remove_state"])
    add_state(database, new)


def removed_state(database: Database) -> State:
    """The row of `state`, which goes until `add_state`. Inside the transaction."""
    return State(*database.execute(APPLY["remove_state"])[0])


def add_state(database: Database, new: State) -> None:
    """Add the row of `state`. Inside the transaction."""
    database.execute(APPLY["add_state"], {name: getattr(new, name) for name in new.__struct_fields__})


def set_snapshot(database: Database, snapshot: int) -> None:
    """The tables are of this snapshot of the lake. Inside the transaction."""
    add_state(database, replace(removed_state(database), snapshot=snapshot))


def count(database: Database) -> set[int]:
    """Count the finished runs of `uncounted_run`; returns the months they began in. Inside the transaction."""
    database.execute(COUNT["counting"])
    runs, newest, *spans, months = database.execute(COUNT["span"])[0]
    if not runs:
        return set()
    bounds = dict(zip(("quarter", "hour", "day"), zip(spans[::2], spans[1::2], strict=True), strict=True))
    for rollup in ROLLUPS:
        first, last = bounds[rollup.unit]
        within = {"first": first, "last": last}
        database.execute(f"CREATE OR REPLACE TEMP TABLE folded AS {rollup.grouped}")
        database.execute(rollup.statement("add_old"), within)
        database.execute(rollup.statement("remove_old"), within)
        database.execute(f"CREATE OR REPLACE TEMP TABLE summed AS {rollup.summed}")
        database.execute(f"INSERT INTO {rollup.table} FROM summed")
        if rollup is TASK_DAY:
            database.execute(rollup.statement("remove_old").replace(rollup.table, "day_of_task"), within)
            database.execute("INSERT INTO day_of_task FROM summed ORDER BY task, day")
    database.execute(COUNT["remove_days"])
    database.execute(DAY_FIGURES_COUNTED)
    database.execute(f"INSERT INTO hot_run {HOT_RUN}")
    for name in ("unsettle_sequences", "add_unsettled", "remove_counted"):
        database.execute(COUNT[name])
    for name in ("prune_recent", "remove_floors", "add_floors"):
        database.execute(COUNT[name])
    unsettle(database, months)
    now = state(database)
    set_state(database, replace(now, newest=max(now.newest, newest)))
    return set(months)


def unsettle(database: Database, months: Collection[int]) -> None:
    """Drop the sums of these months: runs were added to them, or went. Inside the transaction."""
    now = state(database)
    gone = sorted(set(months).intersection(now.months))
    if gone:
        for name in ("unsettle_task_month", "unsettle_month_histogram"):
            database.execute(COUNT[name], {"months": gone})
        set_state(database, replace(now, months=[month for month in now.months if month not in gone]))


def forget_before(database: Database, day: int) -> None:
    """Whole days before this one are gone. Inside the transaction."""
    now = state(database)
    unsettle(database, [month for month in now.months if first_day(month) < day])
    set_state(database, replace(state(database), first_day=day))


def settle(database: Database, busy: Collection[int]) -> bool:
    """Add up one month that is over and not `busy`; returns whether there was one. Inside the transaction."""
    counted = [month for (month,) in database.execute(COUNT["counted_months"])]
    now = state(database)
    wanted = [month for month in counted[:-1] if month not in now.months and month not in busy]
    if not wanted:
        return False
    month = wanted[-1]
    bounds = {"month": month, "first": first_day(month), "last": first_day(month + 1) - 1}
    for statement in (SETTLE, COUNT["settle_month_histogram"]):
        database.execute(statement, bounds)
    set_state(database, replace(now, months=sorted([*now.months, month])))
    return True


def settle_sequences(database: Database) -> bool:
    """Find how runs followed each other on a few days that are over; returns whether there were any. Inside the
    transaction.
    """
    wanted = {"today": times.now() // times.DAY_US, "most": _SEQUENCES}
    days = [day for (day,) in database.execute(COUNT["days_to_settle"], wanted)]
    hot_from = state(database).hot_from
    for day in days:
        window: dict[str, object] = {"low": day * times.DAY_US, "high": (day + 1) * times.DAY_US}
        if day * times.DAY_US >= hot_from:
            database.execute(SETTLE_SEQUENCES["hot"], window)
        else:
            files = [path for (path,) in database.execute(COUNT["files_of_day"], {"day": day})]
            database.execute(SETTLE_SEQUENCES["cold"], window | {"files": files})
        database.execute(COUNT["remove_unsettled"], {"day": day})
    return bool(days)


def rank(database: Database) -> None:
    """Make the percentiles of task days that are over and were counted more than once. Inside the transaction."""
    today = {"today": times.now() // times.DAY_US}
    for name in ("unranked", "remove_unranked"):
        database.execute(COUNT[name], today)
    database.execute(RANK)


def first_day(month: int) -> int:
    """The first day (since the epoch) of a month (since 1970-01)."""
    year, rest = divmod(month, _MONTHS)
    if 1970 + year > MAXYEAR:
        return times.MAX_US // times.DAY_US + 1
    return date(1970 + year, rest + 1, 1).toordinal() - times.EPOCH.toordinal()


def cool(database: Database, hot_days: int) -> None:
    """Let the rows of `hot_run` that are no longer recent go. Inside the transaction."""
    (newest,) = database.execute(COUNT["newest_day"], {"today": times.now() // times.DAY_US})[0]
    now = state(database)
    hot_from = 0 if newest is None else (newest - hot_days) * times.DAY_US
    if hot_from > now.hot_from:
        database.execute(COUNT["cool"], {"hot_from": hot_from})
        set_state(database, replace(now, hot_from=hot_from))

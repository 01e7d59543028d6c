"""Runs of the serving database: those of a commit come in and move, those of old days go.

All of this is done inside the transaction.
"""

from __future__ import annotations

import pyarrow as pa

from runlake import times
from runlake.lake.commit import Commit
from runlake.serving import counting, failures
from runlake.serving.database import Database, closed_rows
from runlake.serving.sql import APPLY, FINISHED


def add(database: Database, rows: pa.Table, *, inlined: bool) -> None:
    """Runs of columns.ARROW that came in: into files, or `inlined`."""
    if rows.num_rows:
        with database.given(incoming=rows):
            database.execute(APPLY["add_tasks"])
            database.execute(APPLY["add_uncounted"])
            database.execute(APPLY["add_inlined" if inlined else "add_recent"])
            failures.add(database, rows)


def apply(database: Database, commit: Commit) -> None:
    """What a commit changed."""
    if commit.closed:
        with database.given(closed=closed_rows(commit.closed)):
            database.execute(APPLY["close_inlined"])
            database.execute(APPLY["close_uncounted"])
    if commit.flushed:
        database.execute(APPLY["flush_recent"])
        database.execute(APPLY["remove_flushed"])
    if commit.in_files:
        add(database, commit.finished, inlined=False)
        add(database, commit.opened, inlined=True)
    else:
        add(database, pa.concat_tables([commit.finished, commit.opened]), inlined=True)


def retain(database: Database, horizon: int) -> None:
    """Finished runs of days before `horizon` are gone."""
    for table, column, unit in FINISHED:
        first = horizon * times.DAY_US // unit
        database.execute(APPLY["retain"].replace("{table}", table).replace("{column}", column), {"first": first})
    database.execute(APPLY["retain_finished"], {"first": horizon * times.DAY_US})
    database.execute(APPLY["retain_recent"], {"first": horizon * times.DAY_US})
    database.execute(APPLY["remove_floors"])
    counting.forget_before(database, horizon)
    database.execute(APPLY["remove_idle_tasks"])
    database.execute(APPLY["remove_idle_groups"])

"""Questions about single runs. Each takes a session, which is one read transaction of the serving database."""

from __future__ import annotations

import uuid
from typing import Final

from runlake import times
from runlake.errors import NotFound
from runlake.model import Run
from runlake.query.engine import Session
from runlake.query.files import every, files
from runlake.query.filters import RunFilter
from runlake.query.rows import Reader, columns, run_of, run_time
from runlake.query.sql import SQL, Union

_LAST_DAY: Final = times.MAX_US // times.DAY_US


def detail(session: Session, run_id: uuid.UUID) -> Run:
    """GET /runs/{run_id}. Raises NotFound; only ever after an exact answer."""
    union = Union({"run_id": run_id})
    union.add("id_inlined")
    for quarter in session.quarters(run_id):
        low = quarter * times.QUARTER_US
        high = times.quarter_end(quarter)
        of_days = files(session, low // times.DAY_US, (high - 1) // times.DAY_US)
        if of_days:
            union.add("id_in_files", low=low, high=high, files=every(of_days))
    rows = session.rows(*union.within("with_id"))
    if not rows:
        session.require_readable(0, _LAST_DAY)  # or it might be there
        raise NotFound(f"there is no run {run_id}")
    return run_of(rows[0])


def latest(session: Session, task_id: uuid.UUID) -> Run | None:
    """GET /task/{task_id}/latest."""
    found = session.rows(SQL["task_number"], {"task_id": task_id})
    reader = Reader(session, RunFilter(task_ids=(task_id,), tasks=found[0] if found else ()), columns())
    rows = reader.recent(0, 1) if found else []
    session.require_readable(run_time(rows[0]) // times.DAY_US if rows else 0, _LAST_DAY)
    return run_of(reader.whole(rows)[0]) if rows else None

"""Questions about what people named, and about the lake as a whole."""

from __future__ import annotations

from runlake.errors import LakeDamaged, NotFound
from runlake.model import Span, TaskName, TaskNames, View, Views
from runlake.query.engine import Session
from runlake.query.files import every, files
from runlake.query.sql import SQL
from runlake.times import to_datetime


def task_names(session: Session) -> TaskNames:
    """GET /tasks/names."""
    return TaskNames({task: TaskName(*values) for task, *values in session.rows(SQL["task_names"])})


def views(session: Session) -> Views:
    """GET /views."""
    return Views([View(*row) for row in session.rows(SQL["shared_views"])])


def view(session: Session, name: str) -> View:
    """GET /views/{name}. Raises NotFound."""
    found = session.rows(SQL["shared_view"], {"name": name})
    if not found:
        raise NotFound(f"there is no view {name!r}")
    return View(*found[0])


def span(session: Session) -> Span:
    """The run times of the oldest and the newest run; the oldest is null, too, while its file cannot be read."""
    ((low, high),) = session.rows(SQL["span_outside"])
    counted = session.state.newest
    oldest, newest = [low], [high, counted if counted >= 0 else None]
    ((first,),) = session.rows(SQL["first_day"])
    if first is not None:
        try:
            session.require_readable(0, first)
            if paths := every(files(session, first, first)):
                oldest += session.rows(SQL["oldest_in_files"], {"files": paths})[0]
        except LakeDamaged:
            oldest = []
    ends = [end for end in oldest if end is not None], [end for end in newest if end is not None]
    return Span(
        oldest=to_datetime(min(ends[0])) if ends[0] else None, newest=to_datetime(max(ends[1])) if ends[1] else None
    )

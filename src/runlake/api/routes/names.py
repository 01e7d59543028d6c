"""What people named: tasks, and views of the page that a team shares."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec
from litestar import HttpMethod

from runlake.api import tags
from runlake.api.answers import Answer, Req, answer_with, as_json, service_of
from runlake.api.events import Shown
from runlake.api.openapi import Body
from runlake.api.routing import BODIES, STARTING, question, write
from runlake.errors import BadInput, Busy, Changed, DiskFull, NotFound
from runlake.intake import names as intake
from runlake.intake.bodies import decoded
from runlake.lake.names import NamesChange, ViewChange
from runlake.model import (
    MAX_NAMES,
    NamesStored,
    TaskNames,
    TaskNamesChange,
    View,
    ViewName,
    ViewQuery,
    Views,
)
from runlake.query import names
from runlake.query.engine import Session

_CHANGED: Final = Changed("the names are not those that If-Match names any more")
_WRITING: Final = (Busy("too many changes wait to be written"), STARTING, DiskFull("commit: the disk is full"))
_NO_VIEW: Final = NotFound("there is no view 'nightly'")


@question("/tasks/names")
async def get_task_names(request: Req) -> Answer[TaskNames]:
    """Names of tasks.

    The names, tags and links of all tasks that have some, whether the tasks have runs or not. They are kept in the
    lake: analysts join the relation `task_names`, and backups have it. The `ETag` is that of the names alone.
    """
    return await _tagged(request, names.task_names)


@write(
    HttpMethod.PUT,
    "/tasks/names",
    body=Body(TaskNamesChange, f"At most {MAX_NAMES:,} names, each of the task whose UUID is its key."),
    failures=(BadInput.of("names.7", "is not a UUID"), _CHANGED, *BODIES, *_WRITING),
    headers=("ETag",),
)
async def put_task_names(request: Req) -> Answer[NamesStored]:
    """Name tasks.

    An entry replaces the one of its task as a whole, `null` removes it, and names of other tasks stay. Nothing is
    written when nothing changes. With `If-Match`, and the `ETag` of the names, it is refused (412) when somebody else
    changed them meanwhile; without it the last one wins.
    """
    body = await service_of(request).bodies.json(request)
    named = await asyncio.to_thread(intake.decode, body, MAX_NAMES)  # a large one would hold up all other requests
    change = NamesChange(named, tags.expected(request))
    await service_of(request).change(change)
    stored = NamesStored(named.num_rows, change.changed)
    return as_json(msgspec.json.encode(stored), {"ETag": tags.quoted(change.tag)})


@question("/views")
async def get_views(request: Req) -> Answer[Views]:
    """Shared views.

    All views that were stored here, in the order of their names. The `ETag` is that of the views alone.
    """
    return await _tagged(request, names.views)


@question("/views/{name:str}", failures=(_NO_VIEW,))
async def get_view(request: Req, name: ViewName) -> Answer[View]:
    """One shared view.

    A name, and the query string that shows it. The `ETag` is that of the view.
    """
    return await _tagged(request, partial(names.view, name=name))


@write(
    HttpMethod.PUT,
    "/views/{name:str}",
    body=Body(ViewQuery, "The query string of the view."),
    failures=(BadInput.of("query", "Expected `str`, got `int`"), _CHANGED, *BODIES, *_WRITING),
    headers=("ETag",),
    scope="read",
)
async def put_view(request: Req, name: ViewName) -> Answer[View]:
    """Share a view.

    Stores a view in place of the one of its name. With `If-Match`, and the `ETag` of that view, it is refused (412)
    when somebody else changed it meanwhile. A key of scope `read` is enough.
    """
    body = await service_of(request).bodies.json(request)
    view = View(name, decoded(body, ViewQuery, 'expected {"query": "range=24h"}').query)
    await service_of(request).change(ViewChange(name, view, tags.expected(request)))
    return as_json(msgspec.json.encode(view), {"ETag": tags.quoted(view.tag)})


@write(
    HttpMethod.DELETE,
    "/views/{name:str}",
    failures=(_NO_VIEW, _CHANGED, *_WRITING),
    scope="read",
)
async def delete_view(request: Req, name: ViewName) -> Answer[View]:
    """Forget a view.

    The answer is the view that was removed. `If-Match` counts as for `PUT`. A key of scope `read` is enough.
    """
    change = ViewChange(name, None, tags.expected(request))
    await service_of(request).change(change)
    return as_json(msgspec.json.encode(change.stored))


async def _tagged(request: Req, asked: Callable[[Session], Any]) -> Answer[Any]:
    """An answer whose tag is of what it holds: it changes with that and with nothing else."""
    whole: Shown[Any] = Shown(lambda found: found)
    answered = await answer_with(request, asked, whole, ages=None)
    assert isinstance(answered, tuple)  # noqa: S101 - without a tag of the snapshot there is no 304 yet
    found, response = answered
    return tags.with_tag(request, response, found.tag)


HANDLERS: Final = [get_task_names, put_task_names, get_views, get_view, put_view, delete_view]

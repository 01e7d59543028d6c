"""Reading runs: lists, one run, the latest run of a task."""

from __future__ import annotations

from functools import partial
from typing import Final

from litestar import Response
from msgspec import UNSET

from runlake.api import params
from runlake.api.answers import Answer, Req, answer, answer_with
from runlake.api.events import Shown
from runlake.api.routing import question
from runlake.errors import BadInput, NotFound
from runlake.model import EXAMPLE_RUN, Context, ContextQuery, Run, RunId, RunPage, RunsQuery, TaskId
from runlake.query import context, filters, pages, queries


@question("/runs", scans=True, parts=True, headers=("Link",))
async def list_runs(request: Req, query: RunsQuery) -> Answer[RunPage]:
    """List runs, most recent first.

    One page of runs, most recent first: by run time (`started_at`, or `created_at` while a run has not started), then
    by `id`, both descending. The order is total, so pages neither overlap nor skip while the data stays the same.

    - Filters combine: a run must match all that are given.
    - The window is half open, `start_time` <= `started_at` < `end_time`, so adjoining windows share no run and miss
      none. A run that has not started matches neither bound. `start_time` after `end_time` is a 400.
    - `success` matches finished runs only; leave it out to see open runs too.
    - `total` is the exact number of matching runs, of the same snapshot as the page. An `offset` past the end gives an
      empty page with the right `total`.
    - `error` is null in every item unless `include_errors=true`; `GET /runs/{run_id}` always has it.
    - `lease_owner`, `attempt_min`, `duration_min`, `duration_max`, `error` and `order=duration` make the service read
      run by run: they need `start_time` and `end_time` at most 31 days apart, or one `task_id`. Such questions wait for
      each other, never for the rest; 429 when too many wait, and 503 of type `urn:runlake:too-long` past the time
      limit.
    - `fields` leaves all other fields out of the items.
    - While `has_more` is true, the `Link` header holds the address of the next page: by `offset` if the request has
      one, else by `cursor`, and then also of the page before, as `prev`. Pages by cursor neither repeat nor skip a run
      while others are appended; `offset` in the answer is then the number of runs before the page. Answered as events,
      the `id` of `done` is the `cursor` of the next page.
    """
    raw = request.scope["query_string"]
    by_offset = "offset" in params.names(raw)
    if by_offset and query.cursor is not UNSET:
        raise BadInput.of("cursor", "cannot be given beside offset")
    answered = await answer_with(
        request,
        partial(pages.find, query=query),
        Shown(lambda found: found.page, following=lambda found: found.next),
        scan=pages.is_scan(query),
        ages=filters.ages(query),
    )
    if isinstance(answered, Response):
        return answered
    found, response = answered
    if links := _links(found, by_offset=by_offset):
        targets = {rel: params.with_parameters(raw, **changed) for rel, changed in links.items()}
        response.headers["Link"] = ", ".join(f'<{request.url.path}?{to}>; rel="{rel}"' for rel, to in targets.items())
    return response


def _links(found: pages.Found, *, by_offset: bool) -> dict[str, dict[str, object]]:
    """The parameters of the page after one, and by cursor of the one before, in the style of the request."""
    page = found.page
    if by_offset:
        return {"next": {"limit": page.limit, "offset": page.offset + page.limit}} if page.has_more else {}
    cursors = {"next": found.next, "prev": found.previous}
    return {rel: {"limit": page.limit, "cursor": token} for rel, token in cursors.items() if token}


@question("/runs/{run_id:str}", failures=(NotFound(f"there is no run {EXAMPLE_RUN}"),))
async def get_run(request: Req, run_id: RunId) -> Answer[Run]:
    """Read one run in full.

    One run with its full `output` and `error`, open or finished. 404 when no run has this id, 400 when it is not a
    UUID.
    """
    return await answer(request, partial(queries.detail, run_id=run_id))


@question("/task/{task_id:str}/latest", "/runs/task/{task_id:str}/latest")
async def get_latest_run(request: Req, task_id: TaskId) -> Answer[Run | None]:
    """Read the latest run of a task.

    The run of the task with the latest run time (of equal ones the higher `id`), with its full `output` and `error`.
    Open runs count. The answer is `null`, with status 200, when the task has never run.
    """
    return await answer(request, partial(queries.latest, task_id=task_id))


@question("/runs/{run_id:str}/context", failures=(NotFound(f"there is no run {EXAMPLE_RUN}"),))
async def get_run_context(request: Req, run_id: RunId, query: ContextQuery) -> Answer[Context]:
    """What stands around one run.

    Its other attempts, the runs of its task before and after, the last success before it and the next one after it, and
    how unusual its duration and its error are.
    """
    return await answer(request, partial(context.context, run_id=run_id, query=query))


HANDLERS: Final = [list_runs, get_run, get_run_context, get_latest_run]

"""Groups of alike errors."""

from __future__ import annotations

from functools import partial
from typing import Final

from runlake.api.answers import Answer, Req, answer
from runlake.api.routing import question
from runlake.errors import NotFound
from runlake.model import ErrorGroupDetail, ErrorGroupId, Errors, ErrorsQuery, Filter
from runlake.query import errors, filters, growing

_ALGORITHM: Final = """

How errors are grouped (`v1`): the last exception line counts, else the first line; of a text of more than 16,384
characters, of its first 4,096 and last 12,288. Its kind is the name before the colon. In the rest these are replaced,
in this order: UUIDs, URLs, times, addresses, hexadecimals of 8 digits and more, paths (by their base name), numbers. Of
a Python traceback the file and function of the innermost frame that is not of a library count, too. The macro
`lake.error_group(error)` gives analysts the same."""


@question("/errors", scans=True, parts=True, description=_ALGORITHM)
async def get_errors(request: Req, query: ErrorsQuery) -> Answer[Errors]:
    """Groups of alike errors.

    Failed runs of the window, grouped by what went wrong, under the same filters as `GET /runs`. `start_time` and
    `end_time` are required, at most 3,650 days apart.

    - `total_failed` is what `GET /runs?success=false` counts for the same window and filters.
    - Equal ones in an order come by `id`.
    - `previous_runs` counts under the same filters. `first_seen` and `is_new` are of all runs of the group that are
      kept, whatever the filters.
    """
    scan = errors.is_scan(query)
    asked = partial(errors.errors, query=query)
    if scan:
        asked = partial(growing.asked, question=errors.errors, query=query, check=errors.check)
    return await answer(request, asked, scan=scan, ages=filters.ages(query))


@question("/errors/{group:str}", scans=True, failures=(NotFound("there is no group of errors v1:0123456789abcdef"),))
async def get_error_group(request: Req, group: ErrorGroupId, query: Filter) -> Answer[ErrorGroupDetail]:
    """One group of alike errors.

    What `GET /errors` says of the group, with runs of it, and how it spreads over tasks, lease owners and days. 404
    when no run that is kept belongs to it.
    """
    asked = partial(errors.error_group, group=group, query=query)
    return await answer(request, asked, scan=errors.is_scan(query), ages=filters.ages(query))


HANDLERS: Final = [get_errors, get_error_group]

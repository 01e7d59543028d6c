"""The prose of the OpenAPI document. The README says the same at greater length."""

from __future__ import annotations

from typing import Final

from runlake.columns import COLUMNS
from runlake.model import MAX_BATCH, MAX_DEPTH, MAX_RECORD_BYTES

INFO: Final = """\
The run history of a task system: append runs, list them, read statistics of them.

- **Exact.** Every answer is of one snapshot: `total` and the page agree, statistics and lists agree. Only the
  percentiles of execution times are estimates, within 1 %.
- **Times.** ISO 8601 with any offset; without an offset they are UTC, a bare date is midnight UTC, digits beyond
  microseconds are cut off. Answers are in UTC with `Z`. In a query string an unescaped `+` is understood.
- **Run time.** `started_at`, or `created_at` while a run has not started. Order and statistics windows use it.
- **Open and finished.** A run is open until `finished_at` is set, then finished. Finished runs never change.
- **Parameters.** Booleans are `true`, `false`, `1` or `0` in any case. An empty value, a repeated parameter and an
  unknown parameter are each a 400 that names it: a misspelt filter never returns everything.
- **Errors.** Always `application/problem+json` (RFC 9457). Bad input is 400, and `errors` names each field.
- **Keys.** Where the service has keys, send `Authorization: Bearer` and one of them.
- **Browsers.** A web page of another origin gets 403 unless the service allows it (`RUNLAKE_CORS_ORIGINS`); then CORS
  lets it read every answer, errors included, and `ETag`, `Link`, `Retry-After` and `X-Request-ID` with it. While there
  are no keys, a request for a name that is not the service's own gets 421 (`RUNLAKE_ALLOWED_HOSTS`).
- Every answer carries `X-Request-ID`: the caller's own (up to 64 letters, digits and `._:-`), else a new one. The log
  of the service names it.
- `GET /metrics` is for Prometheus, in its text format.
- A trailing slash is ignored, and HEAD works as GET.
"""

KEY: Final = """\
Made by `runlake keys create`. Needed once the service has a key; `/health` needs none. GET and HEAD need the scope
`read`, POST needs `write`; neither includes the other.
"""

TAGS: Final = {
    "runs": "Append runs and read them back.",
    "statistics": "Figures over a rolling window.",
    "service": "For whoever operates the service.",
}

LIST_RUNS: Final = """\
One page of runs, most recent first: by run time (`started_at`, or `created_at` while a run has not started), then by
`id`, both descending. The order is total, so pages neither overlap nor skip while the data stays the same.

- Filters combine: a run must match all that are given.
- The window is half open, `start_time` <= `started_at` < `end_time`, so adjoining windows share no run and miss none.
  A run that has not started matches neither bound. `start_time` after `end_time` is a 400.
- `success` matches finished runs only; leave it out to see open runs too.
- `total` is the exact number of matching runs, of the same snapshot as the page. An `offset` past the end gives an
  empty page with the right `total`.
- `error` is null in every item unless `include_errors=true`; `GET /runs/{run_id}` always has it.
- `lease_owner`, `attempt_min`, `duration_min`, `duration_max`, `error` and `order=duration` make the service read run
  by run: they need `start_time` and `end_time` at most 31 days apart, or one `task_id`. Such questions wait for each
  other, never for the rest; 429 when too many wait, and 503 of type `urn:runlake:too-long` past the time limit.
- `fields` leaves all other fields out of the items.
- While `has_more` is true, the `Link` header holds the address of the next page: by `offset` if the request has one,
  else by `cursor`, and then also of the page before, as `prev`. Pages by cursor neither
  repeat nor skip a run while others are appended; `offset` in the answer is then the number of runs before the page.
"""

_ACCEPTED: Final = {
    "UUID": "UUID, 16-byte binary, or text",
    "TIMESTAMPTZ": "timestamp of any unit (without a zone: UTC), date, or ISO 8601 text",
    "VARCHAR": "text",
    "BOOLEAN": "boolean, or text",
    "INTEGER": "any integer type, or text",
}
_ABSENT: Final = {
    "id": "a UUIDv7 is minted",
    "task_id": "an error: it is required",
    "attempt": "1",
    "created_at": "`started_at`, else `finished_at`, else the time of receipt",
}


def arrow_columns() -> str:
    """The columns of an Arrow body as a Markdown table, from the schema runs are stored in."""
    rows = ["| column | type | absent or null |", "|---|---|---|"]
    for column in COLUMNS:
        accepted = "JSON text" if column.name == "output" else _ACCEPTED[column.sql]
        rows.append(f"| `{column.name}` | {accepted} | {_ABSENT.get(column.name, 'null')} |")
    return "\n".join(rows)


BODY: Final = """\
The runs, in one of three types, as they are or with `Content-Encoding: gzip`. Several gzip members are one body; the
limits are for what is unpacked.
"""
JSON_BODY: Final = "One object with the records in `runs`; a bare record or array is a 400."
NDJSON_BODY: Final = "One `Record` as a JSON object on each line; blank lines do not count."
ARROW_BODY: Final = f"""\
An Arrow IPC stream, one row a run, with columns named as the fields of `Record`, in any order. Only `task_id` is
required; a column by any other name is an error.

{arrow_columns()}
"""

APPEND_RUNS: Final = f"""\
Stores 1 to {MAX_BATCH:,} runs, at most 64 MiB, in one transaction: all of them or none. The answer comes once the batch
is durable and visible to every later read.

- Records apply in order, as if each had been posted alone. A record replaces the whole stored **open** run of its
  `id`: fields left out take their defaults, nothing is merged. With `finished_at` and `success` set it finishes the
  run, and a finished run never changes.
- **Safe to repeat.** A record equal to what is stored counts as `duplicates`; an open record for a run that has
  finished arrives late and counts as `stale`. `received` = `stored` + `duplicates` + `stale`. So give each run an
  `id`: a record without one is a new run each time.
- A finished run sent again with other content is a 409; its `errors` name index and id of every such record.
- A bad record is a 400 that names its index and field, such as `runs[17].attempt`. After 400, 409, 413, 415, 503 and
  507 nothing of the batch is stored.
- A record is at most {MAX_RECORD_BYTES:,} bytes; its `output` nests at most {MAX_DEPTH} levels. `finished_at` before
  `started_at` is an error, and so is an unknown field.

Three types of body are read, each also with `Content-Encoding: gzip`; a body without `Content-Type` is a 415:

- `application/json`: {JSON_BODY}
- `application/x-ndjson`: {NDJSON_BODY}
- `application/vnd.apache.arrow.stream`: {ARROW_BODY}"""

GET_RUN: Final = """\
One run with its full `output` and `error`, open or finished. 404 when no run has this id, 400 when it is not a UUID.
"""

LATEST_RUN: Final = """\
The run of the task with the latest run time (of equal ones the higher `id`), with its full `output` and `error`.
Open runs count. The answer is `null`, with status 200, when the task has never run.
"""

_WINDOW: Final = """\
The window is rolling, to the microsecond: `until - days` <= run time <= `until`, both ends included. `until` is now
unless given; give it for figures that can be repeated. Runs dated after `until` do not count.

- Rates are over finished runs, 0.0 when there are none.
- Execution time is `finished_at - started_at` of finished runs that have both. Averages are 0.0 and percentiles null
  when there are none. Percentiles are within 1 %; everything else is exact.
- `daily` has one entry for each UTC day the window touches, oldest first, days without runs included: n days touch
  n + 1. The `_7d` figures cover the entry and up to six before it in the same answer, weighted by runs.
"""

TASK_STATS: Final = f"""\
Figures of one task over the last `days` days. An unknown task gives zeros, not a 404.

{_WINDOW}\
- `current_streak` is how many of the newest finished runs of the window ended alike.
"""

SUMMARY: Final = f"""\
Figures of all tasks over the last `days` days, beside those of the period of equal length before.

{_WINDOW}\
- `previous` covers `window_start - days` <= run time < `window_start`.
- `top_failing_tasks` (by `failed_runs`) and `slowest_tasks` (by average execution time) hold up to ten tasks each,
  highest first, equal ones by `task_id`. A task without failures, or without durations, is left out.
"""

HISTOGRAM: Final = """\
Runs over time, under the same filters as `GET /runs`: the sum of all series is the `total` of that list.
`start_time` and `end_time` are required, at most 3,650 days apart.

- Without `width` the buckets are the narrowest of these that make at most `buckets`: 1s, 5s, 15s, 30s, 1m, 5m, 15m,
  30m, 1h, 3h, 6h, 12h, 1d, 1w, 1month; months when nothing is wide enough. Those below a day are aligned in UTC.
  Days, weeks (from Monday) and months begin as they do in `tz`: a day may have 23 or 25 hours.
- Bucket n holds the runs that started at or after `edges[n]` and before `edges[n + 1]`, as far as the window goes.
- `by=outcome` gives the series `success`, `failed` and `open`. `by=task` and `by=owner` give the ten with the most
  runs, the largest first, and all other runs, those without an owner among them, in a series whose `key` is null.
- `timed` counts the runs with a duration, and `seconds` adds these up. `queued` runs have not started: they lie in no
  window, and are those that match all other filters.
- `by=owner` needs what the filters that are read run by run need: a window of at most 31 days, or one task.
"""

DURATIONS: Final = """\
When runs began and how long they took, under the same filters as `GET /runs`: `timed` and `open` add up to the `total`
of that list. `start_time` and `end_time` are required, at most 3,650 days apart.

- Columns are of the narrowest width that makes at most `columns`: from 1 second to 28 days. They are aligned to 1970:
  the first one begins at the start, cut down to a multiple of `column_seconds`.
- Rows are 17 % high: eight neighbouring buckets of the histograms. Below 50 microseconds a row is 8 microseconds high.
- `success` and `failed` list the cells that hold runs, each by its column `x`, its row `y` and its number of runs `n`.
- `p50_seconds` and `p95_seconds` are those of a column, within 1 %; null where no run of it has a duration.
- Up to `points` runs with a duration are answered one by one, in `points`, and then there are no cells.
"""

HEALTH: Final = "200 as long as the process answers. For a liveness probe; it says nothing of the data."

READY: Final = """\
200 once the lake is attached and the serving database has caught up; until then 503 with the reason. For a
readiness probe.
"""

METRICS: Final = """\
Counters, histograms and gauges in the text format of Prometheus (`text/plain; version=0.0.4`); the README has a table
of them. It answers also while the serving database is made, without what it does not know yet.
"""

SCHEMA: Final = "This document: OpenAPI 3.1 as JSON. `/docs` shows it to people. Both work with no internet."

OLDER: Final = "\n\nThe same as `GET {path}`, at the address where older clients look; it stays."

INTERNAL: Final = "something went wrong inside; the log of the service says what"
TAG: Final = "Of this answer and snapshot; send it back as If-None-Match. None where the window ends now."
LINK: Final = "The next page, while `has_more` is true; by cursor also the one before, as `prev`."

ERRORS: Final = {
    400: "The input is wrong; `errors` names each field and says why.",
    401: "The service has keys, and the request came without one that is known; `/health` alone needs none.",
    403: "The key is known but does not have the scope the method needs (`read` for GET and HEAD, `write` for POST), "
    "or the request is from a web page of an origin that is not allowed.",
    404: "No run has this id.",
    405: "The path does not take this method; `Allow` lists those it takes.",
    408: "The body did not arrive in time. Nothing was stored, and the connection ends.",
    409: "Finished runs exist with other content; `errors` names each. Nothing of the batch was stored.",
    413: "The body is too large, as it came or unpacked. Nothing was stored; send smaller batches.",
    415: "The body is of a type, or in an encoding, that is not read here, or it has no type. Nothing was stored.",
    421: "The service does not go by the name in `Host`; only while there are no keys.",
    429: "Too many questions of this kind wait. Try again after as many seconds as `Retry-After` says.",
    500: "Something went wrong inside; the log of the service says what.",
    503: "Busy, still starting, or out of time. Try again after as many seconds as `Retry-After` says.",
    507: "The disk is full. Nothing of the batch was stored; try again once there is room.",
}

CHALLENGES: Final = {
    401: "What the service wants to see.",
    403: "The scope that is missing; not sent when the request is refused for its origin.",
}

_COUNTS: Final = {
    "total_runs": "Runs with a run time in the period, open ones included.",
    "successful_runs": "Finished runs that succeeded.",
    "failed_runs": "Finished runs that failed.",
    "open_runs": "Runs that have not finished.",
    "retried_runs": "Runs with an `attempt` above 1.",
    "total_tasks_executed": "Different tasks among the runs.",
    "success_rate": "Succeeded share of the finished runs, 0 to 1; 0.0 when none finished.",
    "failure_rate": "Failed share of the finished runs, 0 to 1; 0.0 when none finished.",
    "runs_per_day": "`total_runs` / `period_days`.",
    "success_rate_7d": "Succeeded share over this entry and up to six before it, by finished runs.",
    "avg_execution_time_seconds": "Mean execution time; 0.0 when no run has one.",
    "avg_execution_time_seconds_7d": "Mean execution time over this entry and up to six before it, by runs.",
    "min_execution_time_seconds": "Shortest execution time; null when no run has one.",
    "p50_execution_time_seconds": "Median execution time, within 1 %; null when no run has one.",
    "p90_execution_time_seconds": "90th percentile of execution times, within 1 %; null when no run has one.",
    "p95_execution_time_seconds": "95th percentile of execution times, within 1 %; null when no run has one.",
    "p99_execution_time_seconds": "99th percentile of execution times, within 1 %; null when no run has one.",
    "max_execution_time_seconds": "Longest execution time; null when no run has one.",
}

# For the properties the Structs do not describe themselves: by name, or by Struct and name where that differs.
FIELDS: Final = {
    "start": "The beginning of the window.",
    "end": "The end of the window, which is not part of it.",
    "width": "The width of a bucket.",
    "tz": "The time zone in which days, weeks and months begin.",
    "column_seconds": "The width of a column.",
    "columns": "How many columns there are.",
    "row_edges_seconds": "Where the rows begin and, at last, where the last one ends.",
    "Durations.success": "Cells of runs that succeeded.",
    "Durations.failed": "Cells of runs that failed.",
    "p50_seconds": "For each column, the median of the durations.",
    "p95_seconds": "For each column, the 95th percentile of the durations.",
    "Durations.timed": "Finished runs with a duration.",
    "Durations.open": "Open runs of the window.",
    "points": "The runs one by one, when they are few; else null.",
    "x": "Columns.",
    "y": "Rows.",
    "n": "Runs in the cell.",
    "Points.id": "Ids of the runs.",
    "Points.started_at": "When they started, in microseconds since 1970.",
    "Points.seconds": "How long they took.",
    "Points.success": "Their results.",
    "Points.task": "The place of their task in `tasks`.",
    "tasks": "The tasks of these runs.",
    "edges": "Where the buckets begin and, at last, where the last one ends.",
    "series": "The runs of each bucket by outcome, task or owner.",
    "timed": "For each bucket, the finished runs with a duration.",
    "seconds": "For each bucket, the sum of these durations.",
    "Histogram.total": "All runs of the window that match.",
    "queued": "Runs that match but have not started: they lie in no window.",
    "key": "An outcome, a task or an owner; null for all others.",
    "Series.runs": "Runs in each bucket.",
    **_COUNTS,
    "lease_owner": "Who holds or held the lease.",
    "leased_until": "When the lease ends: an open run past it is lost.",
    "started_at": "When the run started; null while it is queued.",
    "finished_at": "When the run finished; null while it is open.",
    "created_at": "When the run was created.",
    "Record.success": "Result; set exactly when `finished_at` is set.",
    "Record.error": "Error message.",
    "runs": "Applied in this order.",
    "Ready.runs": "Runs stored, open ones included.",
    "received": "Records in the request.",
    "stored": "Records that were new or changed an open run.",
    "duplicates": "Records equal to what was stored already.",
    "stale": "Open records for runs that had finished already.",
    "items": "The runs of this page.",
    "total": "All runs that match, exactly.",
    "limit": "Items per page, as asked for.",
    "offset": "Items skipped, as asked for.",
    "has_more": "Whether runs follow after this page.",
    "period_days": "Days of the window.",
    "window_start": "First moment of the window.",
    "window_end": "Last moment of the window.",
    "last_run": "Latest run time in the window; null when there is none.",
    "last_success": "Latest run time of a run that succeeded.",
    "last_failure": "Latest run time of a run that failed.",
    "current_streak": "The newest finished runs that ended alike; null when none finished.",
    "daily": "One entry for each UTC day the window touches, oldest first.",
    "previous": "The period of equal length just before the window.",
    "top_failing_tasks": "Up to ten tasks with failures, by `failed_runs` descending, then `task_id`.",
    "slowest_tasks": "Up to ten tasks, by mean execution time descending, then `task_id`.",
    "date": "The day, in UTC.",
    "Streak.success": "How they ended.",
    "length": "How many they are.",
    "snapshot": "The snapshot of the lake that answers are of.",
    "status": "Always this value.",
    "type": "What went wrong, for programs: `urn:runlake:` and a stable code, or `about:blank`.",
    "title": "The status in words.",
    "Problem.status": "The HTTP status.",
    "detail": "What went wrong in this request, and what to do about it.",
    "instance": "The path of the request.",
    "errors": "The fields that are wrong; only for bad input and conflicts.",
    "field": "Its path, such as `limit`, `runs[17].attempt` or `runs[17].id`.",
    "message": "Why it is wrong.",
}

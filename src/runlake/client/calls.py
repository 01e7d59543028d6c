"""Each route as data: how it is asked, and how its answer is read. Nothing is sent here.

A function has the name of its route's operationId, and the parameters of its path; then its query, or its body.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Generic, Literal, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from msgspec import UNSET, Struct, UnsetType, defstruct, structs

from runlake.client import answers
from runlake.client.answers import Read
from runlake.client.query import written
from runlake.ids import mint
from runlake.model import (
    MEDIA_TYPES,
    About,
    Breakdown,
    BreakdownQuery,
    Context,
    ContextQuery,
    Durations,
    DurationsQuery,
    ErrorGroupDetail,
    Errors,
    ErrorsQuery,
    ExportQuery,
    Filter,
    Form,
    Health,
    Histogram,
    HistogramQuery,
    NamesStored,
    Owners,
    OwnersQuery,
    Ready,
    Run,
    RunPage,
    RunRecord,
    RunsQuery,
    SqlAnswer,
    SqlQuery,
    SqlSchema,
    Stored,
    Summary,
    SummaryQuery,
    TaskName,
    TaskNames,
    TaskNamesChange,
    Tasks,
    TasksQuery,
    TaskStats,
    TaskStatsQuery,
    View,
    ViewQuery,
    Views,
    encode_instant,
)

A = TypeVar("A")
Record = RunRecord | Run | dict[str, Any]  # a dict has the fields of a RunRecord
ENCODER: Final = msgspec.json.Encoder(enc_hook=encode_instant)


class Call(Struct, Generic[A], frozen=True, kw_only=True):
    """A request, and what reads its answer."""

    method: str = "GET"
    effect: Literal["read", "append", "follow", "change"] = "read"
    path: str
    read: Read[A]
    query: str = ""
    body: bytes | None = None
    headers: Mapping[str, str] = {}

    @property
    def target(self) -> str:
        """Path and query string."""
        return f"{self.path}?{self.query}" if self.query else self.path


class Page(Struct, frozen=True):
    """A page of runs, and the call of the next one."""

    page: RunPage
    following: Call[Page] | None


def _get(path: str, kind: Any, query: Struct | None = None) -> Call[Any]:
    return Call(path=path, read=answers.json(kind), query=written(query) if query else "")


def _change(method: str, path: str, kind: Any, body: Struct | None, if_match: str | None) -> Call[Any]:
    headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
    content = None if body is None else ENCODER.encode(body)
    headers |= _typed(content)
    return Call(method=method, effect="change", path=path, read=answers.json(kind), body=content, headers=headers)


def _typed(content: bytes | None) -> dict[str, str]:
    return {} if content is None else {"Content-Type": "application/json"}


def _in_path(name: str) -> str:
    return quote(name, safe="")


# A run of which only some fields were asked for: the others are UNSET.
_PART: Final = defstruct(
    "PartOfRun", [(f.name, f.type | UnsetType, UNSET) for f in structs.fields(Run)], bases=(Run,), frozen=True
)
_PARTS: Final = defstruct("PageOfParts", [("items", list[_PART])], bases=(RunPage,), frozen=True)  # type: ignore[valid-type]


def list_runs(query: RunsQuery = RunsQuery()) -> Call[RunPage]:
    """One page of runs. Fields that were not asked for are UNSET."""
    return _get("/runs", RunPage if query.fields is UNSET else _PARTS, query)


def first_page(query: RunsQuery) -> Call[Page]:
    """One page of runs, from which the others follow."""
    return _page(list_runs(query))


def _page(call: Call[RunPage]) -> Call[Page]:
    def read(response: httpx.Response) -> Page:
        page, link = call.read(response), response.links.get("next")
        query = urlsplit(link["url"]).query if link else ""
        return Page(page, _page(structs.replace(call, query=query)) if query else None)

    return Call(path=call.path, read=read, query=call.query)


def append_runs(records: Iterable[Record]) -> Call[Stored]:
    """Store runs, all or none. Records without an id get one, in place."""
    return append_encoded([encoded(record) for record in records])


def append_encoded(records: Sequence[bytes]) -> Call[Stored]:
    """Store runs that are JSON already."""
    body = b'{"runs":[' + b",".join(records) + b"]}"
    read = answers.json(Stored)
    return Call(method="POST", effect="append", path="/runs", read=read, body=body, headers=_typed(body))


def encoded(record: Record) -> bytes:
    """A record as JSON. One without an id gets one, in place: it is the same run whenever it is sent again."""
    if isinstance(record, dict):
        if record.get("id") is None:
            record["id"] = mint()
    elif isinstance(record, RunRecord) and record.id is None:
        record.id = mint()
    return ENCODER.encode(record)


def get_run(run_id: uuid.UUID) -> Call[Run]:
    """One run in full."""
    return _get(f"/runs/{run_id}", Run)


def get_run_context(run_id: uuid.UUID, query: ContextQuery = ContextQuery()) -> Call[Context]:
    """What stands around one run."""
    return _get(f"/runs/{run_id}/context", Context, query)


def get_latest_run(task_id: uuid.UUID) -> Call[Run | None]:
    """The latest run of a task; None when it has never run."""
    return _get(f"/task/{task_id}/latest", Run | None)


def export_runs(query: ExportQuery = ExportQuery()) -> Call[int]:
    """All runs that match, as a file; read as their number."""
    return Call(path="/export/runs", read=_total, query=written(query))


def _total(response: httpx.Response) -> int:
    return int(answers.checked(response).headers["Runlake-Total"])


def get_task_stats(task_id: uuid.UUID, query: TaskStatsQuery = TaskStatsQuery()) -> Call[TaskStats]:
    """Statistics of one task."""
    return _get(f"/task/{task_id}/stats", TaskStats, query)


def get_summary(query: SummaryQuery = SummaryQuery()) -> Call[Summary]:
    """Statistics of all tasks."""
    return _get("/stats/summary", Summary, query)


def get_histogram(query: HistogramQuery) -> Call[Histogram]:
    """Runs over time."""
    return _get("/stats/histogram", Histogram, query)


def get_durations(query: DurationsQuery) -> Call[Durations]:
    """Runs by time and duration."""
    return _get("/stats/durations", Durations, query)


def get_tasks(query: TasksQuery) -> Call[Tasks]:
    """All tasks side by side."""
    return _get("/stats/tasks", Tasks, query)


def get_owners(query: OwnersQuery) -> Call[Owners]:
    """Lease owners side by side."""
    return _get("/stats/owners", Owners, query)


def get_breakdown(query: BreakdownQuery) -> Call[Breakdown]:
    """What is different in a selection of runs."""
    return _get("/stats/breakdown", Breakdown, query)


def get_errors(query: ErrorsQuery) -> Call[Errors]:
    """Groups of alike errors."""
    return _get("/errors", Errors, query)


def get_error_group(group: str, query: Filter) -> Call[ErrorGroupDetail]:
    """One group of alike errors."""
    return _get(f"/errors/{_in_path(group)}", ErrorGroupDetail, query)


def run_sql(query: SqlQuery) -> Call[SqlAnswer]:
    """The first rows of a SELECT."""
    return _asked_in_sql(query, answers.json(SqlAnswer), {})


def export_sql(query: SqlQuery, form: Form) -> Call[int]:
    """All rows of a SELECT, as a file; read as the snapshot that was asked."""
    return _asked_in_sql(query, _snapshot, {"Accept": MEDIA_TYPES[form]})


def _asked_in_sql(query: SqlQuery, read: Read[A], headers: Mapping[str, str]) -> Call[A]:
    body = ENCODER.encode(query)
    return Call(method="POST", path="/sql", read=read, body=body, headers={**headers, **_typed(body)})


def _snapshot(response: httpx.Response) -> int:
    return int(answers.checked(response).headers["Runlake-Snapshot"])


def get_sql_schema() -> Call[SqlSchema]:
    """What a query may name."""
    return _get("/sql/schema", SqlSchema)


def get_task_names() -> Call[TaskNames]:
    """Names of tasks."""
    return _get("/tasks/names", TaskNames)


def put_task_names(names: Mapping[uuid.UUID, TaskName | None], *, if_match: str | None = None) -> Call[NamesStored]:
    """Name tasks; None removes a name. `if_match` is the `tag` of the TaskNames that the change is made for."""
    return _change("PUT", "/tasks/names", NamesStored, TaskNamesChange(dict(names)), if_match)


def get_views() -> Call[Views]:
    """Shared views."""
    return _get("/views", Views)


def get_view(name: str) -> Call[View]:
    """One shared view."""
    return _get(f"/views/{_in_path(name)}", View)


def put_view(name: str, query: str, *, if_match: str | None = None) -> Call[View]:
    """Share a view. `if_match` is the `tag` of the View that it replaces."""
    return _change("PUT", f"/views/{_in_path(name)}", View, ViewQuery(query), if_match)


def delete_view(name: str, *, if_match: str | None = None) -> Call[View]:
    """Forget a view, which is the answer."""
    return _change("DELETE", f"/views/{_in_path(name)}", View, None, if_match)


def get_health() -> Call[Health]:
    """Is the process alive?"""
    return _get("/health", Health)


def get_ready() -> Call[Ready]:
    """Can it answer about the data?"""
    return _get("/ready", Ready)


def get_about() -> Call[About]:
    """What is this?"""
    return _get("/about", About)


def get_metrics() -> Call[str]:
    """Metrics for Prometheus, as text."""
    return Call(path="/metrics", read=answers.text)


def get_schema() -> Call[dict[str, Any]]:
    """The OpenAPI document."""
    return _get("/schema", dict[str, Any])

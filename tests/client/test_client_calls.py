"""The Python client has a method for every route, and each gives what the service answers, as Structs of the model."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import golden
import msgspec
import pyarrow.parquet as pq
import pytest
from document import OPERATIONS, Documented
from hypothesis import given
from hypothesis import strategies as st
from support import Server, record

from runlake.api import params
from runlake.api.openapi import OLDER
from runlake.client import AsyncClient, Client, calls
from runlake.client.query import written
from runlake.columns import alternatives
from runlake.errors import BadInput, Changed
from runlake.model import (
    MAX_PAGE,
    BreakdownQuery,
    ContextQuery,
    DurationsQuery,
    ErrorsQuery,
    ExportQuery,
    Filter,
    HistogramQuery,
    Instant,
    OwnersQuery,
    RunRecord,
    RunsQuery,
    SqlQuery,
    SummaryQuery,
    TaskName,
    TasksQuery,
    TaskStatsQuery,
)
from runlake.times import MAX_US

# For browsers; and `follow`, which goes on for ever.
LEFT_OUT: Final = {"createSession", "deleteSession", "streamRuns"}
WANTED: Final = [op for op in OPERATIONS if not op.name.endswith(OLDER) and op.name not in LEFT_OUT]
WINDOW: Final[dict[str, Any]] = {"start_time": Instant.of("2025-01-09"), "end_time": Instant.of("2025-01-12")}
UNTIL: Final = Instant.of(golden.UNTIL)
RUN, TASK = uuid.UUID(golden.RUN), uuid.UUID(golden.NIGHTLY)
# What each route is asked here. A new route needs a line.
ASKED: Final[dict[str, tuple[Any, ...]]] = {
    "list_runs": (RunsQuery(limit=3, include_errors=True, task_id=[TASK], **WINDOW),),
    "append_runs": ([RunRecord(task_id=TASK)],),
    "get_run": (RUN,),
    "get_run_context": (RUN, ContextQuery(days=1)),
    "get_latest_run": (TASK,),
    "get_task_stats": (TASK, TaskStatsQuery(days=3, until=UNTIL)),
    "get_summary": (SummaryQuery(days=2, until=UNTIL),),
    "get_histogram": (HistogramQuery(tz="Asia/Kolkata", width="1d", **WINDOW),),
    "get_durations": (DurationsQuery(columns=24, **WINDOW),),
    "get_tasks": (TasksQuery(spark=2, sort="failed", measures=["runs", "last_run"], **WINDOW),),
    "get_owners": (OwnersQuery(spark=2, **WINDOW),),
    "get_breakdown": (BreakdownQuery(against="previous", **WINDOW),),
    "get_errors": (ErrorsQuery(q="rows", **WINDOW),),
    "get_error_group": ("v1:3538b51789b2354c", Filter(**WINDOW)),
    "run_sql": (SqlQuery("SELECT success, count(*) AS n FROM runs GROUP BY ALL ORDER BY ALL"),),
    "get_sql_schema": (),
    "get_task_names": (),
    "put_task_names": ({TASK: TaskName("night work", ["etl"]), uuid.UUID(int=1): None},),
    "get_views": (),
    "put_view": ("a b?c&%", "range=7d"),
    "get_view": ("failures",),
    "delete_view": ("old",),
    "get_health": (),
    "get_ready": (),
    "get_about": (),
    "get_schema": (),
    "get_metrics": (),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("client") / "lake") as made:
        assert made.post(*golden.runs()).json()["stored"] == len(golden.runs())
        golden.name_things(made.client)
        yield made


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Client]:
    with Client(server.url) as made:
        yield made


def method_of(op: Documented) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", op.name)


@pytest.mark.parametrize("op", WANTED, ids=lambda op: op.name)
def test_every_route_has_a_method(client: Client, server: Server, op: Documented) -> None:
    """In both clients; and of what the service answers nothing is lost in the Structs."""
    name = method_of(op)
    assert hasattr(Client, name) and hasattr(AsyncClient, name)
    if name == "export_runs":
        return  # a test of its own
    call = getattr(calls, name)(*ASKED[name])
    assert (call.method.lower(), call.path.split("/")[1]) == (op.method, op.path.split("/")[1])
    answer = getattr(client, name)(*ASKED[name])
    if op.method == "get" and name != "get_metrics":
        assert json.loads(msgspec.json.encode(answer)) == server.client.get(call.target).json()


def test_answers_are_of_the_types_that_they_say(client: Client) -> None:
    """A few of them; the others are decoded in the same way."""
    page = client.list_runs(RunsQuery(limit=1, task_id=[TASK], success=False))
    assert page.items[0].task_id == TASK and page.items[0].finished_at is not None
    assert client.get_latest_run(uuid.uuid4()) is None
    assert client.get_metrics().startswith("# ")
    assert client.get_schema()["openapi"].startswith("3.1")


def test_fields_that_were_not_asked_for_are_unset(client: Client) -> None:
    (run,) = client.list_runs(RunsQuery(limit=1, fields=["id", "success"], success=True)).items
    assert run.success is True and isinstance(run.id, uuid.UUID)
    assert {name for name in run.__struct_fields__ if getattr(run, name) is msgspec.UNSET} == {
        name for name in run.__struct_fields__ if name not in ("id", "success")
    }


def test_sql_as_rows_and_as_a_file(client: Client, tmp_path: Path) -> None:
    """Typed rows, a whole file, and an error that leaves the file of before as it was."""
    found = client.run_sql(SqlQuery("SELECT 9007199254740993 AS big, id FROM runs ORDER BY id", limit=2))
    assert [column.type for column in found.columns] == ["BIGINT", "UUID"] and found.truncated
    assert found.rows[0][0] == 9007199254740993 and found.row_count == len(found.rows) == 2
    file = tmp_path / "runs.ndjson"
    assert client.export_sql(file, SqlQuery("SELECT id FROM runs"), "ndjson") == found.snapshot
    written = file.read_text()
    assert len(written.splitlines()) == client.list_runs().total
    with pytest.raises(BadInput) as refused:
        client.export_sql(file, SqlQuery("SELECT nothing FROM runs"))
    assert refused.value.errors[0].field == "query"
    assert file.read_text() == written and list(tmp_path.iterdir()) == [file]


def test_names_and_views_are_changed_if_nobody_else_did(client: Client) -> None:
    """The tag of what was read stands for it."""
    names = client.get_task_names()
    task = uuid.uuid4()
    assert client.put_task_names({task: TaskName("mine")}, if_match=names.tag).changed == 1
    with pytest.raises(Changed) as changed:
        client.put_task_names({task: TaskName("late")}, if_match=names.tag)
    assert changed.value.status == 412
    view = client.put_view("shared", "range=1d")
    assert client.put_view("shared", "range=2d", if_match=view.tag).query == "range=2d"
    with pytest.raises(Changed):
        client.delete_view("shared", if_match=view.tag)


def test_all_runs_come_page_by_page(tmp_path: Path) -> None:
    """Those that were there, each once and in the order of the list, whatever is appended meanwhile."""
    with Server(tmp_path / "lake") as server, Client(server.url) as client:
        runs = [record(number, task_id=str(TASK)) for number in range(3 * MAX_PAGE)]
        client.append(runs)
        listed = [
            run["id"]
            for page in range(3)
            for run in server.client.get(f"/runs?limit={MAX_PAGE}&offset={page * MAX_PAGE}").json()["items"]
        ]
        found = []
        for number, run in enumerate(client.runs()):
            found.append(str(run.id))
            if number % MAX_PAGE == 50:  # newer ones, and one among those that are read already
                client.append([record(10_000 + number, started_at="2025-02-01", finished_at="2025-02-02")])
                client.append([record(20_000 + number, started_at=run.started_at, finished_at=run.finished_at)])
        assert [one for one in found if one in set(listed)] == listed
        assert len(set(found)) == len(found)
        assert [run.success for run in client.runs(RunsQuery(success=False))] == []


def test_runs_as_an_arrow_table(client: Client) -> None:
    query = RunsQuery(task_id=[TASK], fields=["id", "error"], **WINDOW)
    table = client.runs(query).to_arrow()
    assert table.column_names == ["id", "error"]
    ids = {str(run.id) for run in client.runs(RunsQuery(task_id=[TASK], **WINDOW))}
    assert {str(one) for one in table["id"].to_pylist()} == ids and len(ids) > 3
    assert any(table["error"].to_pylist())


@pytest.mark.parametrize(
    ("query", "field"), [(RunsQuery(offset=5), "offset"), (RunsQuery(order="duration", **WINDOW), "order")]
)
def test_runs_that_no_table_has(client: Client, query: RunsQuery, field: str) -> None:
    """The error is here, before a wrong table is made."""
    with pytest.raises(BadInput) as refused:
        client.runs(query).to_arrow()
    assert [error.field for error in refused.value.errors] == [field]


def test_an_export_is_a_whole_file_or_none(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "runs.parquet"
    assert client.export_runs(file, ExportQuery(task_id=[TASK])) == pq.read_metadata(file).num_rows > 3
    before = file.read_bytes()
    with pytest.raises(BadInput):
        client.export_runs(file, ExportQuery(attempt_min=0))
    assert file.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


def test_times_are_read_as_everywhere() -> None:
    """Text and datetimes; without an offset they are UTC."""
    moment = datetime(2025, 1, 11, 8, 0, 0, 5, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert Instant.of(moment) == Instant.of("2025-01-11T02:30:00.000005Z") == Instant.of("2025-01-11T02:30:00.000005")
    assert Instant.of(datetime(2025, 1, 11)) == Instant.of("2025-01-11")
    with pytest.raises(ValueError, match="ISO 8601"):
        Instant.of("03/04/2026")


def values(kind: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    """Values that a parameter of this type may have; texts are not empty, as no parameter may be."""
    leaf = alternatives(kind)[0]
    match leaf:
        case msgspec.inspect.BoolType():
            found: st.SearchStrategy[Any] = st.booleans()
        case msgspec.inspect.UUIDType():
            found = st.uuids()
        case msgspec.inspect.IntType():
            found = st.integers(leaf.ge, leaf.le)
        case msgspec.inspect.FloatType():  # to the microsecond, as far as a float has these
            found = st.integers(0, 10**15).map(lambda micros: micros / 1e6)
        case msgspec.inspect.LiteralType():
            found = st.sampled_from(leaf.values)
        case msgspec.inspect.ListType():
            found = st.lists(values(leaf.item_type), min_size=leaf.min_length or 0, max_size=leaf.max_length)
        case msgspec.inspect.StrType(pattern=str() as pattern):
            found = st.from_regex(pattern, fullmatch=True)
        case msgspec.inspect.StrType():
            text = st.characters(exclude_characters="\0", codec="utf-8")
            found = st.text(text, min_size=max(1, leaf.min_length or 0), max_size=leaf.max_length)
        case msgspec.inspect.CustomType():
            found = st.integers(0, MAX_US).map(Instant)
        case _:
            raise NotImplementedError(leaf)
    return found


@st.composite
def queries(draw: st.DrawFn) -> msgspec.Struct:
    """Any query of any route, with some of its parameters."""
    kind = draw(st.sampled_from(sorted({op.facts.query for op in OPERATIONS}, key=str)))
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    chosen = [field for field in info.fields if draw(st.booleans())]
    return kind(**{field.name: draw(values(field.type)) for field in chosen})


@given(queries())
def test_the_service_reads_the_query_that_the_client_writes(query: msgspec.Struct) -> None:
    assert params.parse(written(query).encode("ascii"), type(query)) == query

"""The page of a run: what it shows is the record as it is stored, and what the API says of the runs around it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Page, expect
from screens import Opened, unusable
from support import Server, record, runlake

pytestmark = pytest.mark.browser

ESC: Final = "\x1b"
PYTHON: Final = f"""\
Traceback (most recent call last):
  File "/app/tasks/orders.py", line 88, in load_rows
    rows = source.fetch(batch)
  File "/app/venv/lib/python3.12/site-packages/psycopg/cursor.py", line 97, in execute
    raise ex.with_traceback(None)
psycopg.OperationalError: {ESC}[31mserver closed the connection{ESC}[0m

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/tasks/orders.py", line 91, in load_rows
    raise TimeoutError("no answer after 812 ms") from error
TimeoutError: no answer after 812 ms
"""
JAVA: Final = """\
com.acme.StartFailure: could not start
\tat com.acme.Main.main(Main.java:10)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/java.net.Socket.connect(Socket.java:633)
\tat com.acme.Client.open(Client.java:42)
\t... 12 more
"""
NODE: Final = """\
TypeError: Cannot read properties of undefined (reading 'id')
    at load (/app/src/orders.js:88:15)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
"""
GO: Final = """\
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
runtime.gopanic(0x1)
\t/usr/local/go/src/runtime/panic.go:884 +0x1
main.load(...)
\t/app/main.go:12
exit status 2
"""
# Error, headline, what an own frame shows, library calls that are folded.
TRACES: Final = {
    "python": (PYTHON, "TimeoutError: no answer after 812 ms", "/app/tasks/orders.py:91 load_rows", 1),
    "java": (JAVA, "java.net.ConnectException: Connection refused", "Client.java:42 com.acme.Client.open", 1),
    "node": (NODE, "TypeError: Cannot read properties of undefined (reading 'id')", "/app/src/orders.js:88 load", 1),
    "go": (GO, "panic: runtime error: index out of range [5] with length 3", "/app/main.go:12 main.load", 1),
}
TASK: Final = str(uuid.UUID(int=7))
ODD: Final = (
    '{"10":12345678901234567890,"2":-0.5,"html":"</script><img src=x onerror=alert(1)>",'
    '"rtl":"\\u05e9\\u05dc\\u05d5\\u05dd",'
    '"lines":"a\\nb","emoji":"\\ud83d\\ude00","a b":{"it\'s/~":[true,null]},"stages":[{"name":"load","seconds":70.1}]}'
)
DEEP: Final = '{"in":' * 99 + "[1]" + "}" * 99
WIDE: Final = json.dumps([[n, f"row {n}"] for n in range(52_000)], separators=(",", ":"))

ROWS: Final = [{"id": 12345678901234567890 + n, "name": f"<b>{n}</b>"} for n in range(250)]
ODD_ROW: Final = {"id": -0.0, "more": {"a": [1]}, "": None}
TABLE: Final = json.dumps({"stages": [*ROWS, ODD_ROW], "none": [], "mixed": [1, {}]})
SHORT: Final = json.dumps({"stages": [*ROWS[:3], ODD_ROW], "none": [], "mixed": [1, {}]})


def run(number: int, **fields: Any) -> dict[str, Any]:
    """A finished run of the one task, a minute after the run of the number before; it took as many seconds."""
    start = f"2026-11-15T10:{number:02}:00"
    finished = f"2026-11-15T10:{number:02}:{number:02}.25Z"
    created = f"2026-11-15T10:{number - 1:02}:30Z" if number else f"{start}Z"
    times = {"created_at": created, "started_at": f"{start}Z", "finished_at": finished}
    return record(number, **({"task_id": TASK, "lease_owner": "worker-1"} | times | fields))


def idof(number: int) -> str:
    """The id of the run of a number."""
    return str(uuid.UUID(int=number))


TRIES: Final = {3: (False, 1), 4: (False, 2), 5: (True, 3)}  # numbers of runs that are attempts at one work
OF_TRACE: Final = dict(zip(TRACES, range(10, 20), strict=False))
ODD_RUN, DEEP_RUN, WIDE_RUN, TABLE_RUN, SHORT_RUN = 20, 21, 22, 23, 24
LOST_RUN, NEXT_RUN = 30, 31  # of another task


def body() -> str:
    """All runs of these tests; outputs are put in as text, so that no digit is lost."""
    runs = [run(number) for number in range(3)]
    runs += [run(n, success=ok, attempt=k, error=None if ok else PYTHON) for n, (ok, k) in TRIES.items()]
    runs += [run(number, success=False, error=TRACES[kind][0]) for kind, number in OF_TRACE.items()]
    other = {"task_id": str(uuid.UUID(int=8))}
    lost = {"finished_at": None, "success": None, "leased_until": "2026-11-15T10:30:40Z"}
    runs += [run(LOST_RUN, **other, **lost), run(NEXT_RUN, **other, attempt=2)]
    outputs = {ODD_RUN: ODD, DEEP_RUN: DEEP, WIDE_RUN: WIDE, TABLE_RUN: TABLE, SHORT_RUN: SHORT}
    runs += [run(number, output=f"output of {number}") for number in outputs]
    text = json.dumps({"runs": runs})
    for number, output in outputs.items():
        text = text.replace(f'"output of {number}"', output)
    return text


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with the runs of these tests, which only read it."""
    with Server(tmp_path_factory.mktemp("run") / "lake") as found:
        posted = found.client.post("/runs", content=body(), headers={"Content-Type": "application/json"})
        assert posted.status_code == 200, posted.text
        yield found


def opened(open_page: Opened, server: Server, number: int, **options: Any) -> Page:
    """The page of a run, with all its answers."""
    page = open_page(f"/ui/runs/{idof(number)}", server=server, **options)
    shown(page, number)
    return page


def shown(page: Page, number: int) -> None:
    """Wait until the page is that of a run."""
    expect(page.locator(".record")).to_contain_text(idof(number))
    expect(page.locator(".neighbours")).to_be_visible()
    expect(page.locator(".stale")).to_have_count(0)


def clipboard(page: Page, button: str) -> str:
    """What a button copies."""
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".said")).to_contain_text("copied")
    return str(page.evaluate("navigator.clipboard.readText()"))


CLIPBOARD: Final = {"permissions": ["clipboard-read", "clipboard-write"]}


@pytest.mark.parametrize("number", [4, ODD_RUN])
def test_everybody_can_use_it(open_page: Opened, server: Server, number: int) -> None:
    """axe finds nothing, and nothing is wider than the screen."""
    assert unusable(opened(open_page, server, number)) == []


def test_an_attempt_that_was_followed_is_lost_and_not_running(open_page: Opened, server: Server) -> None:
    page = opened(open_page, server, NEXT_RUN)
    attempts = page.locator(".attempts a")
    assert [link.get_attribute("href") for link in attempts.all()] == [
        f"/ui/runs/{idof(number)}" for number in (LOST_RUN, NEXT_RUN)
    ]
    expect(attempts.first).to_contain_text("lost")
    expect(attempts.last).to_contain_text("success")


def test_what_stands_around_a_run(open_page: Opened, server: Server) -> None:
    """Times, attempts, rank, neighbours and the same error elsewhere: as the API says; N and P go on."""
    context = server.client.get(f"/runs/{idof(4)}/context?days=7").json()
    page = opened(open_page, server, 4)
    expect(page.locator(".run .head")).to_contain_text("failed")
    expect(page.locator(".run .head")).to_contain_text("attempt 2")
    expect(page.locator(".timeline")).to_contain_text("waited 30 s")
    expect(page.locator(".timeline")).to_contain_text("ran 4.3 s")
    expect(page.locator(".timeline time").last).to_have_text("Nov 15, 10:04:04.250")
    attempts = page.locator(".attempts a").all()
    assert [link.get_attribute("href") for link in attempts] == [f"/ui/runs/{one['id']}" for one in context["attempts"]]
    assert [one["id"] for one in context["attempts"]] == [idof(number) for number in TRIES]
    assert [link.get_attribute("aria-current") for link in attempts] == [None, "true", None]
    expect(page.locator("section[aria-label=Attempts]")).to_contain_text("inferred")
    rank = context["duration_rank"]
    assert rank == {"share_faster": 1.0, "of": 4, "days": 7}
    expect(page.locator(".rank")).to_contain_text("Slower than all of 4 other runs of this task in the 7 days before.")
    durations: dict[str, Any] = {"task_id": TASK, "columns": 1, "points": 0, "start_time": "2026-11-08T10:04:00Z"}
    most = server.client.get("/stats/durations", params={**durations, "end_time": "2026-11-15T10:04:00.001Z"}).json()
    assert len(most["p95_seconds"]) == most["columns"] == 1
    (p95,) = most["p95_seconds"]
    expect(page.locator(".against")).to_contain_text(f"4.3 s {4.25 / p95:.1f}\u00d7 the p95 of this task, \u2248")
    whole, bar, limit = [
        page.locator(f".against {part}").evaluate("part => part.getBoundingClientRect().toJSON()")
        for part in (".took", "i:first-child", "i.limit")
    ]
    most_seconds = max(4.25, p95)
    assert bar["width"] / whole["width"] == pytest.approx(4.25 / most_seconds, abs=0.01)
    assert (limit["right"] - whole["left"]) / whole["width"] == pytest.approx(p95 / most_seconds, abs=0.01)
    expect(page.locator(".run")).to_contain_text(
        "Same error: 2 runs of 1 task on 1 worker in the 7 days up to this run"
    )
    expect(page.get_by_role("link", name="last success: 2 m before")).to_have_attribute(
        "href", f"/ui/runs/{context['last_success_before']['id']}"
    )
    page.keyboard.press("N")
    shown(page, 5)
    page.keyboard.press("P")
    shown(page, 4)
    page.keyboard.press("P")
    shown(page, 3)
    page.go_back()
    shown(page, 4)


def test_keys_go_from_failure_to_failure(open_page: Opened, server: Server) -> None:
    """Of the task, in time, over all runs that did not fail; at either end they say so."""
    page = opened(open_page, server, 0)
    failures = [number for number, (ok, _) in TRIES.items() if not ok] + sorted(OF_TRACE.values())
    for number in failures:
        page.keyboard.press("n")
        shown(page, number)
    page.keyboard.press("n")
    expect(page.locator(".said")).to_have_text("No run of this task after this one failed")
    for number in failures[-2::-1]:
        page.keyboard.press("p")
        shown(page, number)
    page.keyboard.press("p")
    expect(page.locator(".said")).to_have_text("No run of this task before this one failed")


@pytest.mark.parametrize("kind", TRACES)
def test_a_trace_shows_own_calls(open_page: Opened, server: Server, kind: str) -> None:
    """What went wrong first, then the calls of the task; those of libraries are folded, and raw is as stored."""
    error, headline, frame, folded = TRACES[kind]
    page = opened(open_page, server, OF_TRACE[kind], **CLIPBOARD)
    trace = page.locator(".trace")
    expect(trace.locator(".headline").first).to_have_text(headline)
    own = [" ".join(text.split("\n")[0].split()) for text in trace.locator("li > ul > li").all_inner_texts()]
    assert frame in own
    libraries = trace.locator("details")
    expect(libraries).to_have_count(folded)
    expect(libraries.locator("li")).to_be_hidden()
    libraries.locator("summary").click()
    expect(libraries.locator("li")).to_be_visible()
    assert ESC not in trace.inner_text()
    page.get_by_role("button", name="raw").click()
    assert page.locator("pre").text_content() == error
    assert clipboard(page, "Copy error") == error


def test_causes_follow(open_page: Opened, server: Server) -> None:
    """With what they are to the exception above."""
    page = opened(open_page, server, OF_TRACE["python"])
    expect(page.locator(".cause")).to_contain_text("caused by")
    expect(page.locator(".cause .headline")).to_have_text("psycopg.OperationalError: server closed the connection")


def test_output_is_shown_as_it_is_stored(open_page: Opened, server: Server) -> None:
    """All digits, keys in their order, and text that stays text; the way to each value finds it in SQL."""
    page = opened(open_page, server, ODD_RUN, **CLIPBOARD)
    page.get_by_role("button", name="Open all").click()
    rows = [" ".join(text.strip("▸▾").split()) for text in page.get_by_role("treeitem").all_inner_texts()]
    assert rows == [
        "{8 members}",
        "10: 12345678901234567890",
        "2: -0.5",
        'html: "</script><img src=x onerror=alert(1)>"',
        'rtl: "שלום"',
        'lines: "a\\nb"',
        'emoji: "😀"',
        "a b: {1 member}",
        "it's/~: [2 items]",
        "0: true",
        "1: null",
        "stages: [1 item]",
        "0: {2 members}",
        'name: "load"',
        "seconds: 70.1",
    ]
    stored = server.client.get(f"/runs/{idof(ODD_RUN)}").text
    output = clipboard(page, "Copy output")
    assert f'"output":{output}' in stored and "12345678901234567890" in output
    page.get_by_role("tree").press("End")
    found = {}
    for _ in range(13):
        path = clipboard(page, "Copy path")
        found[path] = clipboard(page, "Copy value")
        page.get_by_role("tree").press("ArrowUp")
    columns = ", ".join(f'{path} AS "{n}"' for n, path in enumerate(found))
    asked = f"SELECT {columns} FROM runs WHERE id = '{idof(ODD_RUN)}'"
    told = runlake("sql", asked, "--data", str(server.data), "--format", "json")
    assert told.returncode == 0, told.stderr
    values = json.loads(told.stdout)[0].values()
    for (path, value), stored_value in zip(found.items(), values, strict=True):
        assert stored_value == (None if value == "null" else value), path


def test_an_array_of_objects_is_a_table(open_page: Opened, server: Server) -> None:
    """A row an item, a column a key, each value as it is stored; long ones come bit by bit."""
    page = opened(open_page, server, TABLE_RUN)
    page.get_by_role("button", name="table", exact=True).click()
    tables = page.locator(".output table")
    expect(tables).to_have_count(1)
    expect(page.locator(".table-name")).to_have_text("$.stages 251 rows")
    assert tables.locator("th").all_inner_texts() == ["#", "id", "name", "more", '""']
    expect(page.get_by_text("200 of 251 rows")).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    lines = [line.split("\t") for line in tables.locator("tbody tr").all_inner_texts()]
    assert lines[:-1] == [[str(n), str(row["id"]), row["name"], "", ""] for n, row in enumerate(ROWS)]
    assert lines[-1] == ["250", "-0.0", "", '{"a":[1]}', "null"]
    page.goto(f"{server.url}/ui/runs/{idof(SHORT_RUN)}")  # axe looks at each cell of a table, by all others
    shown(page, SHORT_RUN)
    page.get_by_role("button", name="table", exact=True).click()
    expect(tables.locator("tbody tr")).to_have_count(4)
    assert unusable(page) == []
    page.goto(f"{server.url}/ui/runs/{idof(DEEP_RUN)}")
    shown(page, DEEP_RUN)
    expect(page.get_by_role("button", name="table", exact=True)).to_have_count(0)


def test_half_a_pair_is_no_output(server: Server) -> None:
    """It is no character, so the API refuses it, and no page has to show it."""
    text = json.dumps({"runs": [run(40, output="?")]}).replace('"?"', '"\\ud800"')
    answer = server.client.post("/runs", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and "surrogate" in answer.text


def test_a_megabyte_opens_at_once(open_page: Opened, server: Server) -> None:
    """Few rows are in the document; the last value is found, and reached by its key."""
    assert len(WIDE) > 1_000_000 - 50_000
    page = opened(open_page, server, WIDE_RUN)
    items = page.get_by_role("treeitem")
    assert items.count() < 60
    page.get_by_role("button", name="Open all").click()
    page.get_by_role("tree").press("End")
    expect(items.last).to_have_text('1: "row 51999"')
    expect(items.last).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Fold all").click()
    search = page.get_by_label("Find in the output")
    search.fill("row 400")
    expect(page.locator(".json [role=status]")).to_have_text("1 of 111")
    search.press("Enter")
    expect(page.locator("[aria-selected=true]")).to_have_text('1: "row 4000"')
    expect(page.locator(".json .marked code")).to_have_text("output->>'$[4000][1]'")
    search.press("Shift+Enter")
    search.press("Shift+Enter")
    expect(page.locator("[aria-selected=true]")).to_have_text('1: "row 40099"')


def test_a_depth_of_100(open_page: Opened, server: Server) -> None:
    """Down to the innermost value; arrows fold and open."""
    page = opened(open_page, server, DEEP_RUN)
    tree = page.get_by_role("tree")
    expect(page.get_by_role("treeitem")).to_have_count(3)
    page.get_by_role("button", name="Open all").click()
    tree.press("End")
    last = page.get_by_role("treeitem").last
    expect(last).to_have_text("0: 1")
    expect(last).to_have_attribute("aria-level", "101")
    for _ in range(2):
        tree.press("ArrowLeft")
    expect(last).to_have_attribute("aria-expanded", "false")
    tree.press("ArrowRight")
    expect(last).to_have_text("0: 1")


def test_every_copy_is_the_run(open_page: Opened, server: Server) -> None:
    """Commands are executed, JSON is posted again, and the link of the text for people leads here."""
    page = opened(open_page, server, 4, **CLIPBOARD)
    stored = server.client.get(f"/runs/{idof(4)}").json()
    curl = subprocess.run(["bash", "-c", clipboard(page, "curl")], capture_output=True, check=True)
    assert json.loads(curl.stdout) == stored
    python = subprocess.run([sys.executable, "-c", clipboard(page, "Python")], capture_output=True, check=True)
    assert json.loads(python.stdout) == stored
    sql = runlake("sql", clipboard(page, "SQL"), "--data", str(server.data), "--format", "json")
    (found,) = json.loads(sql.stdout)
    assert {key: found[key] for key in ("id", "task_id", "error", "attempt", "success", "output")} == {
        key: stored[key] for key in ("id", "task_id", "error", "attempt", "success", "output")
    }
    again = server.client.post("/runs", json={"runs": [json.loads(clipboard(page, "JSON"))]}).json()
    assert again["duplicates"] == 1
    text = clipboard(page, "Markdown")
    tokens = MarkdownIt().parse(text)
    code = next(token.content for token in tokens if token.type == "fence")
    assert code == PYTHON.replace(f"{ESC}[31m", "").replace(f"{ESC}[0m", "")
    links = [part for token in tokens for part in token.children or [] if part.type == "link_open"]
    page.goto(str(links[0].attrs["href"]))
    shown(page, 4)


def test_a_run_that_is_not_there(open_page: Opened, server: Server) -> None:
    """The page says so; the rest of the page lives."""
    page = open_page(f"/ui/runs/{idof(99)}", server=server, expected=("404: ",))
    expect(page.locator(".nothing")).to_contain_text(f"There is no run with the id {idof(99)}.")
    page.get_by_role("link", name="All runs").click()
    expect(page.locator("h1")).to_have_text("Runs")


def test_an_open_run_goes_on_until_it_ends(open_page: Opened, tmp_path: Path) -> None:
    """Its time goes on, and its end is seen without a reload; a service that was killed meanwhile is waited for."""
    started = {"started_at": "2026-11-15T12:00:00Z", "leased_until": "2026-11-15T12:30:00Z"}
    open_run = record(1, **started, finished_at=None, success=None)
    with Server(tmp_path / "lake") as server:
        assert server.post(open_run).status_code == 200
        port = urlsplit(server.url).port
        page = open_page(f"/ui/runs/{idof(1)}", server=server, expected=("503: ",))
        expect(page.locator(".run .head")).to_contain_text("running for 13 s")
        page.clock.set_fixed_time("2026-11-15T12:01:00Z")
        expect(page.locator(".run .head")).to_contain_text("running for 1 m")
        server.stop(signal.SIGKILL)
        expect(page.locator(".outage")).to_contain_text("No connection to the service")
        expect(page.locator(".run .head")).to_contain_text("running for 1 m")
        with Server(tmp_path / "lake", "--port", str(port)) as again:
            expect(page.locator(".outage")).to_have_count(0)
            done = open_run | {"finished_at": "2026-11-15T12:00:45Z", "success": True}
            assert again.post(done).status_code == 200
            expect(page.locator(".run .head")).to_contain_text("took 45 s")

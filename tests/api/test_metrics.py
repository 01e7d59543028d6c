"""/metrics says what happened, in the format of Prometheus, with a bounded number of names."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from inprocess import assert_problem, serving
from prometheus_client.parser import text_string_to_metric_families
from support import HERE, Server, environment, record

from runlake.settings import Settings

Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]


def scraped(client: httpx.Client) -> Samples:
    """Every sample: by name, and by its labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation, family.name
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get(f"runlake_{name}", {}).get(tuple(sorted(labels.items())), 0.0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that flushes early and looks often."""
    env = environment(None, RUNLAKE_FLUSH_ROWS="50", RUNLAKE_MAINTAIN_SECONDS="0.05")
    with Server(tmp_path / "lake", env=env) as running:
        yield running


def test_what_happened_is_counted(server: Server) -> None:
    client = server.client
    before = scraped(client)
    opened = record(5, finished_at=None, success=None)
    assert server.post(record(1), record(2), opened).status_code == 200
    assert server.post(record(1), record(3)).status_code == 200
    assert server.post(record(1, attempt=2)).status_code == 409
    for path, code in ((f"/runs/{record(1)['id']}", 200), ("/runs/x", 400), (f"/runs/{record(9)['id']}", 404)):
        assert client.get(path).status_code == code
    assert client.head("/runs").status_code == 200
    after = scraped(client)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("requests_total", method="POST", route="/runs", status="200") == 2
    assert grown("requests_total", method="POST", route="/runs", status="409") == 1
    assert grown("requests_total", method="HEAD", route="/runs", status="200") == 1
    for status in ("200", "400", "404"):
        assert grown("requests_total", method="GET", route="/runs/{run_id}", status=status) == 1
    assert grown("request_seconds_count", method="GET", route="/runs/{run_id}") == 3
    assert 0 < grown("request_seconds_sum", method="POST", route="/runs") < 60
    assert [grown("received_runs_total", result=r) for r in ("stored", "duplicates", "stale")] == [4, 1, 0]
    assert grown("append_seconds_count") == 2
    assert grown("commit_seconds_count") == 2
    assert (value(after, "runs"), value(after, "open_runs"), value(after, "inlined_rows")) == (4, 1, 3)
    assert grown("runs") == 4 and grown("snapshot") == 2
    assert abs(value(after, "snapshot_timestamp_seconds") - time.time()) < 60
    assert (value(after, "ready"), value(after, "serving_lag_seconds"), value(after, "waiting_rows")) == (1, 0, 0)
    assert value(after, "bodies_bytes") == 0 and value(after, "requests_under_way") == 1
    wal = Path(f"{server.data}/catalog.sqlite-wal")
    assert value(after, "wal_bytes") == wal.stat().st_size > 0
    assert value(after, "catalog_bytes") == (server.data / "catalog.sqlite").stat().st_size
    assert value(after, "arrow_memory_bytes") > 0
    assert after["process_resident_memory_bytes"][()] > 10_000_000


def test_upkeep_and_files_are_counted(server: Server) -> None:
    assert server.post(*(record(i) for i in range(60))).status_code == 200
    deadline = time.monotonic() + 30
    while value(found := scraped(server.client), "upkeep_seconds_count", step="flush") < 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    files = list((server.data / "files" / "main" / "finished_runs").rglob("*.parquet"))
    assert value(found, "files") == len(files) == 28
    assert value(found, "files_bytes") == sum(file.stat().st_size for file in files)
    assert (value(found, "inlined_rows"), value(found, "runs")) == (0, 60)
    assert value(found, "writer_memory_bytes") > 0


def test_names_are_bounded(settings: Settings) -> None:
    """However many paths, methods and ids are tried."""
    with serving(settings) as client:
        first = scraped(client)
        for i in range(50):
            client.get(f"/nope/{i}")
            client.get(f"/runs/{i}?x={i}", headers={"X-Request-ID": f"id-{i}"})
            client.request("BREW" if i % 2 else "PURGE", f"/runs/{i}")
        found = scraped(client)
        for name, samples in found.items():
            assert len(samples) <= len(first.get(name, ())) + 60, name
        labels = {pair for samples in found.values() for each in samples for pair in each}
        routes = {text for name, text in labels if name == "route"}
        assert routes <= {"(none)", "/runs/{run_id}", "/metrics", "/ready"}
        assert {text for name, text in labels if name == "method"} <= {"GET", "other"}
        assert value(found, "requests_total", method="GET", route="(none)", status="404") == 50


def test_it_answers_while_the_serving_database_is_loaded(settings: Settings) -> None:
    with serving(settings, wait=0) as client:
        found = scraped(client)
        assert value(found, "ready") == 0 and "runlake_runs" not in found
        assert_problem(client.get("/metrics?x=1"), 400, "x")


def test_the_operators_page_explains_every_metric(settings: Settings) -> None:
    """It names each, and none that is not there."""
    with serving(settings) as client:
        text = client.get("/metrics").text
    families = set(re.findall(r"^# TYPE (runlake_\w+) (?!untyped)", text, re.MULTILINE))
    families = {name for name in families if not name.endswith("_created")}
    page = (HERE.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(runlake_[a-z_]+)[`{]", page)) == families

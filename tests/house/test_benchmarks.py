"""What is pure in the benchmarks: reading the load generator, goals, the gate, the report, going on."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
from benchmarks import page
from benchmarks.comparison import gate, goals, questions, report, same, wrk
from benchmarks.comparison.figures import (
    DATABASE,
    ID_INDEX,
    OURS,
    READY,
    REBUILD,
    THIN_DAYS,
    Beside,
    Imported,
    Results,
    Shape,
    Size,
    Timing,
    Writes,
)
from benchmarks.comparison.progress import Progress
from msgspec.structs import replace

PRINTED = """Running 1s test @ http://127.0.0.1:8000
  1 threads and 1 connections
  Latency Distribution
     50%  310.00us
     75%    1.20ms
     90%    2.40ms
     99%    1.05s\x20
  316 requests in 1.00s, 1.02MB read
  Non-2xx or 3xx responses: 4
Requests/sec:    315.70
Transfer/sec:      1.02MB
"""
FAST = 0.9  # times what is wanted
BY_ALL = [kind for kind in questions.KINDS if kind not in questions.PARTLY | questions.ALONE]  # asked of the peers, too


def timing(p50: float, rate: float = 1e9) -> Timing:
    """A timing whose p99 is twice its p50."""
    return Timing(p50, 2 * p50, rate)


def size(runs: int, factor: float = FAST, days: int = 365) -> Size:
    """A size where runlake takes `factor` of what is wanted, and every peer takes twice what runlake takes."""
    peers = {"postgres": 2.0, "clickhouse": 2.0, "plain": 2.0}
    if runs > goals.PEER_SIZE:
        del peers["postgres"]
    kinds = {kind: {OURS: timing(factor * goals.P50.get(kind, 10))} for kind in questions.KINDS}
    for by_system in (kinds[kind] for kind in BY_ALL):
        by_system |= {peer: timing(times * by_system[OURS].p50) for peer, times in peers.items()}
    written = Writes(
        {"1 run": {OURS: timing(19.0)}, "1,000 runs": {OURS: timing(50.0), "postgres": timing(25.0)}},
        {clients: {OURS: timing(9.0, rate)} for clients, rate in goals.CLIENTS.items()},
        {"first page": Beside(timing(4.0), timing(6.0))},
        4990.0,
        900 << 20,
    )
    return Size(
        Shape(runs, days),
        [OURS, *peers],
        kinds,
        dict.fromkeys([OURS, *peers], timing(40.0, 350.0)),
        timing(2.0, 5000.0),
        {OURS: 1 << 30, f"{OURS}, rebuilding": 3 << 30} | dict.fromkeys(peers, 5 << 30),
        dict.fromkeys([OURS, *peers], 80 * runs),
        {"Parquet": 60 * runs, DATABASE: 4 * runs, ID_INDEX: 8 * runs},
        {OURS: {READY: 1.5, REBUILD: runs / 2e6}, **{peer: {"load": 3.0, READY: 0.5} for peer in peers}},
        written,
    )


def results(*sizes: Size) -> Results:
    """One run of the benchmark."""
    imported = Imported(8_000_000, 32, 600_000.0, 900_000.0, 1 << 30)
    return Results("2026-01-01", "2 cores", "abc1234", {"duckdb": "1.5.5"}, list(sizes), imported)


def test_what_the_load_generator_prints_is_read() -> None:
    """Units differ from line to line."""
    assert wrk.parse(PRINTED) == (316, 4, False, 0.31, 1050.0, 315.7)
    assert math.isnan(wrk.parse("0 requests in 1s\nRequests/sec: 0.00\n").p50)
    with pytest.raises(SystemExit, match="did not say"):
        wrk.parse("unable to connect")


def test_goals_are_about_what_is_asked() -> None:
    """Every kind of the first routes has one."""
    assert set(questions.FIRST) <= set(goals.P50) <= set(questions.KINDS)
    assert set(goals.AHEAD_OF_POSTGRES) | set(questions.BESIDE) | set(questions.MISSING) <= set(questions.KINDS)
    assert set(questions.LATER) >= questions.PARTLY | questions.ALONE
    assert not [kind for kind in questions.KINDS if "/" in kind]  # they name files


def test_goals_are_met_and_missed() -> None:
    """Each by its own direction: the same figures, a little better and a little worse than wanted."""
    found = {goal.what: goal for goal in goals.alone(results(size(1_000_000), size(goals.SIZE)))}
    missed = {what: goal.measured for what, goal in found.items() if goal.verdict != "met"}
    assert missed == {"peak memory": 3072.0}
    slow = {goal.what: goal for goal in goals.alone(results(size(1_000_000), size(goals.SIZE, factor=2.1)))}
    assert all(slow[f"{kind}, p50"].verdict == "**missed**" for kind in goals.P50)
    assert slow["flatness, worst kind of 5 ms or more"].verdict == "**missed**"
    assert slow["flatness, worst kind of 5 ms or more"].measured == pytest.approx(2.1 / FAST)


def test_what_was_not_measured_is_not_met() -> None:
    """One size says nothing about flatness; without writes there is nothing about writes."""
    alone = size(goals.SIZE)
    alone.writes = None
    found = {goal.what: goal.verdict for goal in goals.alone(replace(results(alone), imported=None))}
    assert found["flatness, kinds of 5 ms or more"] == "not measured"
    assert found["append of one run, p50"] == found["bulk import of Parquet"] == "not measured"


def test_goals_beside_peers_are_of_the_largest_size_with_postgres() -> None:
    """Ahead where that is wanted, not much behind elsewhere."""
    found = {
        goal.what: goal for goal in goals.beside(results(size(1_000_000), size(goals.PEER_SIZE), size(goals.SIZE)))
    }
    assert {goal.verdict for goal in found.values()} == {"met"}
    assert len(found) == 2 * len(BY_ALL)
    behind = size(goals.PEER_SIZE)
    behind.questions["detail, any id"]["postgres"] = timing(0.2)
    behind.questions["first page"]["clickhouse"] = timing(1.0)
    found = {goal.what: goal for goal in goals.beside(results(behind))}
    assert [what for what, goal in found.items() if goal.verdict != "met"] == [
        "first page: ahead of ClickHouse",
        "detail, any id: within 4x of PostgreSQL",
    ]
    assert found["detail, any id: within 4x of PostgreSQL"].measured == pytest.approx(FAST * 4 / 0.2)


def test_the_gate_compares_ratios_only(tmp_path: Path) -> None:
    """A machine half as fast is no regression; runlake alone half as fast is one, and so is a figure that is gone."""
    file = tmp_path / "baseline.json"
    before = results(size(1_000_000))
    with pytest.raises(SystemExit, match="missing"):
        gate.check(file, before)
    gate.write(file, before)
    assert gate.check(file, before) == []
    slow = size(1_000_000, factor=2 * FAST)
    assert gate.check(file, results(slow)) == []
    slow.questions["first page"]["plain"] = timing(2.0)
    del slow.questions["summary, 7 days"]["plain"]
    first, gone = gate.check(file, results(slow))
    assert first.startswith("1,000,000 runs, first page / plain: was 0.500, now 3.6")
    assert gone.endswith("summary, 7 days / plain: was 0.500, now not measured")


def test_the_threshold_is_above_the_noise(tmp_path: Path) -> None:
    """Two runs of one commit tell how far ratios are apart when nothing has changed."""
    file = tmp_path / "baseline.json"
    twin = size(1_000_000)
    gate.write(file, results(twin), results(size(1_000_000)))
    assert msgspec.json.decode(file.read_bytes(), type=gate.Baseline).threshold == gate.THRESHOLD
    twin.questions["first page"]["plain"] = timing(FAST * 4 * 2 / 1.3)
    gate.write(file, results(size(1_000_000)), results(twin))
    noisy = msgspec.json.decode(file.read_bytes(), type=gate.Baseline)
    assert noisy.noise == pytest.approx(1.3)
    assert noisy.threshold == pytest.approx(1.69)
    with pytest.raises(SystemExit, match="one commit"):
        gate.write(file, results(twin), replace(results(twin), commit="abc9999"))


def test_the_gate_needs_a_size_in_common_and_a_commit(tmp_path: Path) -> None:
    """Comparing nothing is not a pass."""
    file = tmp_path / "baseline.json"
    gate.write(file, replace(results(size(1_000_000)), imported=None))
    assert gate.check(file, results(size(2_000_000)))[0].startswith("nothing in common")
    with pytest.raises(SystemExit, match="commit first"):
        gate.write(file, replace(results(size(1_000_000)), commit="abc1234 with changes"))


def test_the_report_shows_all_there_is() -> None:
    """Every table has as many cells in each row as in its head."""
    thin = size(200_000, days=THIN_DAYS)
    thin.writes = None
    text = report.text(results(thin, size(1_000_000), size(goals.PEER_SIZE), size(goals.SIZE)))
    for table in text.split("\n\n"):
        rows = [line for line in table.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in rows}) <= 1, table
    assert "## 200,000 runs, thin: over 3,653 days" in text
    assert "p50 at 100,000,000 runs over p50 at 1,000,000" in text
    assert "| peak memory | at most 2,048 MiB | 3,072 (runlake, rebuilding) | **missed** |" in text
    assert "| 64 clients, 1 run each | at least 2,500 runs/s | 2,500 | met |" in text


def test_the_short_table_goes_between_its_markers(tmp_path: Path) -> None:
    """Peers at the largest size that they were asked at; a page without markers is left alone."""
    page = tmp_path / "benchmarks.md"
    page.write_text("before\n<!-- benchmark -->\nold\n<!-- end benchmark -->\nafter\n")
    report.into(page, results(size(1_000_000), size(goals.SIZE)))
    before, *table, after = page.read_text().splitlines()
    assert (before, after) == ("before", "after")
    assert table[1].startswith("| question | runlake, 1M | runlake, 100M | PostgreSQL, 1M | ClickHouse, 100M |")
    assert "| first page, with its total | 3.6 | 3.6 | 7.2 | 7.2 | 7.2 |" in table
    page.write_text("nothing here\n")
    with pytest.raises(SystemExit, match="has no"):
        report.into(page, results(size(1_000_000)))


def test_finished_figures_are_reused_at_the_same_commit_only(tmp_path: Path) -> None:
    """A second start goes on; figures of another commit, or of no commit, are measured again, and that is said."""
    made: list[int] = []
    said: list[str] = []

    def make() -> Shape:
        made.append(1)
        return Shape(len(made))

    for commit, asked, runs in (
        ("abc", "all", 1),
        ("abc", "all", 1),
        ("abd", "all", 2),
        ("abd", "plain", 3),
        ("abd with changes", "plain", 4),
        ("abd with changes", "plain", 5),
    ):
        assert Progress(tmp_path, commit, asked, said.append).once("a", Shape, make) == Shape(runs)
    assert [line.split(",")[0] for line in said] == ["a: finished before", *["a: measured again"] * 4]


def test_answers_differ_in_what_they_say() -> None:
    """Percentiles may differ by 2 %, sums of floats in the last digits, nothing else at all."""
    ours = {"total_runs": 3, "p50_execution_time_seconds": 1.0, "success_rate": 0.5, "current_streak": None}
    assert same.difference(ours, ours | {"p50_execution_time_seconds": 1.015, "current_streak": 1}) is None
    assert same.difference(ours, ours | {"success_rate": 0.5 + 1e-6}) is not None
    assert same.difference(ours, ours | {"total_runs": 4}) == ".total_runs: 3 and 4"
    assert same.difference([{"output": {"n": 1}}], [{"output": {"n": 1.0}}]) is not None
    columns = {"p95_seconds": [None, 2.0], "avg_seconds": [2.0], "queued": [1]}
    assert same.difference(columns, {"p95_seconds": [None, 2.03], "avg_seconds": [2.0]}) is None
    assert same.difference(columns, {"p95_seconds": [None, 2.0], "avg_seconds": [2.03]}) is not None


def test_bytes_of_the_first_load_are_of_all_scripts_that_it_needs() -> None:
    """Those that other scripts import at once, too, and none that is loaded for other pages."""
    found = {figure.what: figure.measured for figure in page.sizes_of_first_load()}
    # Other pages, SQL, the list of views, and `Temporal` where a browser has none.
    later = ("others-", "page-", "views_list-", "global.esm-")
    scripts = [file for file in (page.STATIC / "assets").glob("*.js") if not file.name.startswith(later)]
    assert found["first load: JS"] == pytest.approx(sum(page.kilobytes(file.read_bytes()) for file in scripts))

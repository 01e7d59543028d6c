"""The whole benchmark: `benchmarks/compare.py` calls this."""

from __future__ import annotations

import math
import shutil
import signal
import tempfile
import time
from argparse import Namespace
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NoReturn

import duckdb
import msgspec
from benchmarks import bulk_import
from benchmarks.comparison import appends, database, gate, lake, machine, measure, questions, report, systems, writes
from benchmarks.comparison.figures import NAMES, OURS, REBUILD, THIN_DAYS, Imported, Results, Shape, Size
from benchmarks.comparison.options import parsed
from benchmarks.comparison.progress import Progress
from benchmarks.comparison.systems import POSTGRES_MOST, System

_MIXED: Final = "mixed"
_MIXED_SECONDS: Final = 6
_UNCHANGED: Final = "unchanged"
_UNCHANGED_SECONDS: Final = 3
_IMPORTED_A_DAY: Final = 250_000  # dense days


def main() -> None:
    """Measure what is asked for, or read it; then write, compare and print."""
    options = parsed()
    signal.signal(signal.SIGTERM, _end)
    read: Path | None = options.read
    results = msgspec.json.decode(read.read_bytes(), type=Results) if read else _measured(options)
    if options.handbook:
        report.into(machine.ROOT / "docs" / "benchmarks.md", results)
    if options.write_baseline:
        twin: Path | None = options.twin
        gate.write(options.baseline, results, msgspec.json.decode(twin.read_bytes(), type=Results) if twin else None)
    if options.gate:
        worse = gate.check(options.baseline, results)
        print("\n".join(["worse than the baseline:", *worse]) if worse else "gate: nothing is worse than the baseline")
        raise SystemExit(1 if worse else 0)


def _end(*_: object) -> NoReturn:
    """As Ctrl-C: what was started ends, what is finished stays."""
    raise SystemExit("ended by a signal; the same command with the same --work goes on")


def _measured(options: Namespace) -> Results:
    """In the work folder, which is emptied once all is complete."""
    work: Path = options.work or Path(tempfile.mkdtemp(prefix="runlake-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    work.chmod(0o755)  # PostgreSQL runs as another user
    try:
        results = _all(work, options)
        if not options.keep:
            _clean(work, options)
        return results
    finally:
        if options.work is None:
            shutil.rmtree(work, ignore_errors=True)


def _all(work: Path, options: Namespace) -> Results:
    commit = machine.commit()
    results = Results(f"{datetime.now(UTC):%Y-%m-%d}", machine.description(), commit, _versions(options.peers), [])
    progress = Progress(work, commit, f"{options.seconds} s of {', '.join(options.peers)}", _say)
    bodies = work / "bodies"
    appends.make(bodies)
    for shape in _shapes(options):
        folder = work / f"{shape.runs}-{shape.days}"

        def size(shape: Shape = shape, folder: Path = folder) -> Size:
            return _size(shape, folder, bodies, commit, options)

        results.sizes.append(progress.once(folder.name, Size, size))
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
        _write(options.out, results)
    if options.import_runs:
        results.imported = progress.once(
            f"import-{options.import_runs}", Imported, lambda: _import(work / "import", options.import_runs)
        )
        _write(options.out, results)
    print(options.out.read_text(encoding="utf-8"))
    if machine.commit() != commit:
        raise SystemExit("runlake's code changed while it was measured: these figures belong to no one commit")
    return results


def _shapes(options: Namespace) -> list[Shape]:
    thin = [Shape(options.thin, THIN_DAYS)] if options.thin else []
    return [*thin, *(Shape(runs) for runs in options.sizes)]


def _write(out: Path, results: Results) -> None:
    machine.write(out.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(results)) + b"\n")
    machine.write(out, report.text(results).encode())


def _clean(work: Path, options: Namespace) -> None:
    """Only what was made here: the folder may have been there before."""
    Progress(work, "", "", _say).forget()
    for name in ["bodies", "import", *(f"{shape.runs}-{shape.days}" for shape in _shapes(options))]:
        shutil.rmtree(work / name, ignore_errors=True)
    if not any(work.iterdir()):
        work.rmdir()


def _size(shape: Shape, work: Path, bodies: Path, commit: str, options: Namespace) -> Size:
    """All systems run at once, but only one at a time is asked."""
    _say(shape.name)
    work.mkdir(exist_ok=True)
    names = [name for name in options.peers if name != "postgres" or shape.runs <= POSTGRES_MOST]
    lake.check_disk(work, shape, postgres="postgres" in names)
    facts = lake.make(work / "lake", shape, commit)
    seconds, memory = systems.rebuilt(work / "lake")
    _say(f"ready without a serving database in {seconds:.1f} s; the silent tasks ran {facts.silent_days:.1f} days ago")
    with ExitStack() as stack:
        ours = stack.enter_context(systems.runlake(work / "lake", {**facts.seconds, REBUILD: seconds}))
        _say(f"runlake is ready: {_seconds(ours)}")
        peers = []
        for name in names:
            peers.append(stack.enter_context(systems.peer(name, work, facts)))
            _say(f"{NAMES[name]} is ready: {_seconds(peers[-1])}")
        _agree(ours, peers, facts)
        found = _time(shape, [ours, *peers], work, facts, options.seconds)
    found.memory |= {f"{OURS}, rebuilding": memory}
    if shape.dense:
        found.writes = writes.measure(work, bodies, facts, names, _say)
        found.memory |= {f"{OURS}, writing": found.writes.memory}
    return found


def _agree(ours: System, peers: list[System], facts: lake.Facts) -> None:
    for kind in questions.KINDS:
        measure.agree(ours, [] if kind in questions.ALONE else peers, kind, questions.paths(kind, facts))
    _say("all answers agree")


def _time(shape: Shape, running: list[System], work: Path, facts: lake.Facts, seconds: int) -> Size:
    ours = running[0]
    found = Size(
        shape,
        [system.name for system in running],
        {kind: {} for kind in questions.KINDS},
        {},
        None,
        {},
        {system.name: system.bytes_on_disk for system in running},
        systems.parts(work / "lake", facts.files),
        {system.name: system.seconds for system in running},
    )
    for kind in questions.KINDS:
        paths = questions.paths(kind, facts)
        file = questions.write(work, kind, paths)
        asked = [ours] if kind in questions.PARTLY | questions.ALONE else running
        for system in asked:
            found.questions[kind][system.name] = timing = measure.timing(system, kind, paths, file, seconds)
            _say(f"{kind}, {system.name}: p50 {timing.p50:.2f} ms")
    mixed = questions.mixed(facts)
    found.unchanged = measure.unchanged(ours, mixed, work / f"{_UNCHANGED}.urls", _UNCHANGED_SECONDS)
    _say(f"{_UNCHANGED}: {found.unchanged.rate:.0f} requests/s")
    file = questions.write(work, _MIXED, mixed)
    for system in running:
        found.mixed[system.name] = timing = measure.mixed(system, file, _MIXED_SECONDS)
        _say(f"{_MIXED}, {system.name}: {timing.rate:.1f} requests/s")
        found.memory[system.name] = system.memory()
        system.stop()  # what the load generator left unanswered still runs, and would slow down whoever is asked next
    return found


def _import(folder: Path, runs: int) -> Imported:
    """One load of a Parquet file of dense days by each."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    days = max(1, runs // _IMPORTED_A_DAY)
    source = folder / "source.parquet"
    bulk_import.make(source, runs, days)
    seconds, peak = bulk_import.load(source, folder / "lake", runs)
    found = Imported(runs, days, runs / seconds, runs / bulk_import.copy(source, folder / "peer"), peak)
    shutil.rmtree(folder)
    _say(f"import: {found.ours:,.0f} runs/s, plain DuckDB {found.plain:,.0f}")
    return found


def _versions(peers: list[str]) -> dict[str, str]:
    known: dict[str, Any] = {"postgres": database.version, "clickhouse": lambda: f"chdb {version('chdb')}"}
    return {"duckdb": duckdb.__version__, **{NAMES[name]: known[name]() for name in peers if name in known}}


def _seconds(system: System) -> str:
    return ", ".join(f"{what} {math.ceil(10 * s) / 10} s" for what, s in system.seconds.items())


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)

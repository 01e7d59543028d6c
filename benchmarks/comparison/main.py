"""The whole benchmark: `benchmarks/compare.py` calls this."""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import duckdb
import msgspec
from benchmarks.comparison import appends, database, lake, machine, measure, questions, report, systems
from benchmarks.comparison.systems import NAMES, POSTGRES_MOST, System

_CHECKED: Final = slice(100, 104)  # not the first or last paths: those are timed
_MIXED: Final = "mixed"


def main() -> None:
    """Measure each size, write and print the report."""
    options = _options()
    work: Path = options.work or Path(tempfile.mkdtemp(prefix="runlake-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    work.chmod(0o755)  # PostgreSQL runs as another user
    try:
        sizes = []
        commit = _commit()
        for runs in options.sizes:
            _say(f"{runs:,} runs")
            folder = work / str(runs)
            folder.mkdir(exist_ok=True)
            sizes.append(_measure(runs, folder, options))
            if not options.keep:
                shutil.rmtree(folder)
            options.out.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(sizes)))
            options.out.write_text(report.text(_header(commit, options.peers), sizes), encoding="utf-8")
        print(options.out.read_text(encoding="utf-8"))
        if _commit() != commit:
            raise SystemExit("runlake's code changed while it was measured: these figures belong to no one commit")
    finally:
        if options.work is None:
            shutil.rmtree(work, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compare.py", description=__doc__)
    parser.add_argument("--sizes", type=lambda text: [int(n) for n in text.split(",")], default=[1_000_000, 10_000_000])
    known = [name for name in NAMES if name != "runlake"]
    parser.add_argument("--peers", type=lambda text: text.split(","), default=known, help=f"of {','.join(known)}")
    parser.add_argument("--seconds", type=int, default=1, help="of wrk, for each question and system")
    parser.add_argument("--work", type=Path, help="folder for everything made [a temporary one]")
    parser.add_argument(
        "--keep", action="store_true", help="leave lakes and loaded peers in --work, and use those there"
    )
    parser.add_argument("--out", type=Path, default=machine.ROOT / "benchmarks" / "last.md")
    options = parser.parse_args()
    if unknown := set(options.peers) - set(known):
        parser.error(f"unknown peers: {', '.join(sorted(unknown))}")
    if options.keep and options.work is None:
        parser.error("--keep needs --work")
    if not shutil.which("wrk"):
        parser.error("wrk is not installed; `make bench` installs it")
    return options


def _measure(runs: int, work: Path, options: argparse.Namespace) -> report.Size:
    """All systems run at once, but only one at a time is asked."""
    facts = lake.make(work / "lake", runs, "lake")
    names = [name for name in options.peers if name != "postgres" or runs <= POSTGRES_MOST]
    with ExitStack() as stack:
        ours = stack.enter_context(systems.runlake(work / "lake", facts.seconds))
        _say(f"runlake is ready: {_seconds(ours)}")
        peers = []
        for name in names:
            peers.append(stack.enter_context(systems.peer(name, work, facts)))
            _say(f"{NAMES[name]} is ready: {_seconds(peers[-1])}")
        _agree(ours, peers, facts)
        found = _time([ours, *peers], work, facts, options.seconds)
        if any(peer.name == "postgres" for peer in peers):
            found.appends = _append([ours, *peers], work)
    return found


def _agree(ours: System, peers: list[System], facts: lake.Facts) -> None:
    for kind in questions.KINDS:
        measure.agree(ours, peers, kind, questions.paths(kind, facts)[_CHECKED])
    _say("all answers agree")


def _time(running: list[System], work: Path, facts: lake.Facts, seconds: int) -> report.Size:
    found = report.Size(
        facts.runs,
        [system.name for system in running],
        {kind: {} for kind in questions.KINDS},
        {},
        {},
        {},
        {system.name: system.bytes_on_disk for system in running},
        {system.name: system.seconds for system in running},
    )
    for kind in questions.KINDS:
        paths = questions.paths(kind, facts)
        file = _written(work, kind, paths)
        for system in running:
            found.questions[kind][system.name] = timing = measure.timing(system, kind, paths, file, seconds)
            _say(f"{kind}, {system.name}: p50 {timing.p50:.2f} ms")
    file = _written(work, _MIXED, questions.mixed(facts))
    for system in running:
        found.mixed[system.name] = timing = measure.mixed(system, file, 8 * seconds)
        _say(f"{_MIXED}, {system.name}: {timing.rate:.1f} requests/s")
        found.memory[system.name] = system.memory()
    return found


def _append(running: list[System], work: Path) -> report.Table:
    """To a copy of the lake and to PostgreSQL, which has to be loaded anew afterwards."""
    postgres = next(system for system in running if system.name == "postgres")
    systems.forget("postgres", work)
    batches = appends.bodies()
    copy = appends.copied(work / "lake", work / "copy")
    with systems.runlake(copy, {}) as ours:
        return {
            f"{size:,} runs": {s.name: appends.timing(s, size, batches[size]) for s in (ours, postgres)}
            for size in batches
        }


def _written(work: Path, name: str, paths: list[str]) -> Path:
    file = work / f"{name.replace(' ', '-').replace(',', '')}.urls"
    file.write_text("\n".join(paths) + "\n")
    return file


def _commit() -> str:
    """The commit of what is measured."""
    changed = " with changes" if machine.run(["git", "status", "--porcelain", "src"])[0] else ""
    return machine.run(["git", "rev-parse", "--short", "HEAD"])[0].strip() + changed


def _header(commit: str, peers: list[str]) -> list[str]:
    versions = [f"runlake {commit}", f"duckdb {duckdb.__version__}"]
    if "postgres" in peers:
        versions.append(f"PostgreSQL {database.version()}")
    if "clickhouse" in peers:
        versions.append(f"ClickHouse as chdb {version('chdb')}")
    return [f"{datetime.now(UTC):%Y-%m-%d}, {machine.description()}. {', '.join(versions)}."]


def _seconds(system: System) -> str:
    return ", ".join(f"{what} {math.ceil(10 * s) / 10} s" for what, s in system.seconds.items())


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)

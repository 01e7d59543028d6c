"""`runlake check`: reads everything and compares it with the catalog and its checksums."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import duckdb
from msgspec import Struct

from runlake import duck, statements, times
from runlake.columns import select_list
from runlake.errors import Busy, LakeDamaged
from runlake.inspect.relations import Content, content
from runlake.lake.catalog import DataFile, Lake
from runlake.lake.files import Comparison, Files
from runlake.paths import Paths
from runlake.settings import Settings

SQL: Final = {
    name: text.replace("{select}", select_list())
    for name, text in statements.blocks("runlake.inspect", "verify.sql").items()
}
_SHOWN: Final = 10
_TRIES: Final = 5


class Report(Struct):
    """Numbers of all that was checked, and a line for each fault; in `bare` files, without checksums, one may hide."""

    runs: int
    files: int
    findings: list[str]
    bare: int = 0


def check(settings: Settings, progress: Callable[[int, int], None] = lambda *_: None) -> Report:
    """Verify the lake. Memory: DuckDB's limit; what it does not hold of the ids lies in the system's temporary folder.

    Raises LakeMissing, LakeVersion, LakeDamaged, and Busy beside a service that never rests.
    """
    lake = Lake(Paths.of(settings.data), settings, write=False)
    try:
        for _ in range(_TRIES):
            report, files = _looked(lake, settings, progress)
            live = lake.every_file() if report.findings else {}
            replaced = [f"{file}:" for file in files if report.findings and file not in live]
            if not any(finding.startswith(path) for finding in report.findings for path in replaced):
                return report
            # What is wrong with a file that upkeep has replaced meanwhile may only be that it is gone.
        raise Busy("files are replaced faster than they are read", hint="set RUNLAKE_GRACE_SECONDS higher")
    except LakeDamaged as exc:
        # A file of the open runs may be the reason, and DuckDB does not always name it.
        blamed = _beside(lake.every_file(), lake.storage.comparison())
        raise LakeDamaged("; ".join([exc.detail, *blamed]), hint=exc.hint) from exc
    finally:
        lake.close()


def _looked(lake: Lake, settings: Settings, progress: Callable[[int, int], None]) -> tuple[Report, set[str]]:
    """One look at everything, and the files that were looked at."""
    horizon = lake.horizon()  # first, because it only moves on
    what = content(lake)
    files = {file.path for file in what.files}
    others = lake.every_file().keys() - files
    known = lake.storage.comparison()
    findings = _of_lake(what, settings, lake.storage, known, progress) + _too_old(what, horizon)
    findings += _beside(sorted(others), known)
    report = Report(what.finished + what.opened.num_rows, len(files), findings, known.bare)
    return report, files | others


def _of_lake(
    what: Content, settings: Settings, storage: Files, known: Comparison, progress: Callable[[int, int], None]
) -> list[str]:
    """The faults of files and rows."""
    findings: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="runlake-") as temp,
        duck.connect(threads=settings.threads, memory_limit=settings.memory_limit, temp=Path(temp)) as con,
    ):
        storage.prepare(con, write=False)
        readable = []
        for done, file in enumerate(what.files, 1):
            try:
                _look(con, file, storage.size(file.path), known, findings)
                readable.append(file.path)
            except (duckdb.Error, OSError) as exc:
                findings.append(f"{file.path}: {' '.join(str(exc).split())}")
            progress(done, len(what.files))
        con.register("inlined", what.inlined)
        con.register("opened", what.opened)
        findings += [f"catalog: {run_id} {fault}" for run_id, fault in con.execute(SQL["bad_in_no_file"]).fetchall()]
        gone = set(storage.gone(readable))
        return findings + _twice(con, [file for file in readable if file not in gone])


def _too_old(what: Content, horizon: int | None) -> list[str]:
    """Files of days that retention has dropped."""
    old = [file for file in what.files if horizon is not None and file.day < horizon]
    return [f"{file.path}: lies before {times.to_date(horizon or 0)}, the first day that is kept" for file in old]


def _beside(files: Iterable[str], known: Comparison) -> list[str]:
    """The faults of files that are not read here, by their bytes: those of other tables than the finished runs."""
    findings: list[str] = []
    for file in files:
        try:
            findings += known.faults(file)
        except OSError as exc:
            findings.append(f"{file}: {exc}")
    return findings


def _look(con: duckdb.DuckDBPyConnection, file: DataFile, size: int, known: Comparison, findings: list[str]) -> None:
    """Add the faults of a file to `findings`; raises duckdb.Error or OSError when it cannot be read."""
    if size != file.size:
        findings.append(f"{file.path}: has {size} bytes, the catalog says {file.size}")
    findings += known.faults(file.path)
    first, last = file.day * times.DAY_US, (file.day + 1) * times.DAY_US
    # The checksum makes DuckDB decode every value of every column.
    rows, bad, _ = con.execute(SQL["file"], {"file": file.path, "first": first, "last": last}).fetchall()[0]
    if rows != file.rows:
        findings.append(f"{file.path}: has {rows} runs, the catalog says {file.rows}")
    if bad:
        findings.append(f"{file.path}: {bad} runs break a rule or lie in the wrong day")


def _twice(con: duckdb.DuckDBPyConnection, files: list[str]) -> list[str]:
    """Ids that are stored more than once, in these files or in none."""
    statement = SQL["twice_in_files" if files else "twice"]
    try:
        found = con.execute(statement, {"files": files} if files else {}).fetchall()
    except duckdb.Error as exc:
        return [f"ids: {' '.join(str(exc).split())}"]
    lines = [f"run {run_id} is stored {count} times" for run_id, count in found[:_SHOWN]]
    return lines + ([f"and {len(found) - _SHOWN} more ids"] if len(found) > _SHOWN else [])

"""`runlake check`: reads everything and compares it with the catalog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from runlake import duck, statements, times
from runlake.columns import select_list
from runlake.index import keys
from runlake.intake.batch import uuid_bytes
from runlake.lake.catalog import DataFile, Lake
from runlake.paths import Paths
from runlake.query.relations import Content, content
from runlake.settings import Settings

SQL: Final = {
    name: text.replace("{select}", select_list())
    for name, text in statements.blocks("runlake.query", "sql/verify.sql").items()
}
_SHOWN: Final = 10


class Report(Struct):
    """What was looked at and what is wrong, a line each."""

    runs: int
    files: int
    findings: list[str]


def check(settings: Settings, progress: Callable[[int, int], None] = lambda *_: None) -> Report:
    """Verify the lake; needs 8 bytes of memory a run. Raises LakeMissing, LakeVersion, LakeDamaged."""
    lake = Lake(Paths.of(settings.data), settings, write=False)
    try:
        horizon = lake.horizon()  # first, because it only moves on
        what = content(lake)
        findings: list[str] = []
        prints = []
        with duck.connect(threads=settings.threads, memory_limit=settings.memory_limit) as con:
            for done, file in enumerate(what.files, 1):
                prints.append(_file(con, file, findings))
                progress(done, len(what.files))
            for name, rows in (("finished", what.inlined), ("open", what.opened)):
                con.register("given", rows)
                findings += [f"catalog: {row[0]} {row[1]}" for row in con.execute(SQL[f"bad_{name}"]).fetchall()]
                con.unregister("given")
                prints.append(keys.fingerprint(uuid_bytes(rows["id"])))
            findings += _twice(con, what, np.concatenate(prints))
            findings += _too_old(what, horizon)
        return Report(what.finished + what.opened.num_rows, len(what.files), findings)
    finally:
        lake.close()


def _too_old(what: Content, horizon: int | None) -> list[str]:
    """Files of days that retention has dropped."""
    old = [file for file in what.files if horizon is not None and file.day < horizon]
    return [f"{file.path}: lies before {times.to_date(horizon or 0)}, the first day that is kept" for file in old]


def _file(con: duckdb.DuckDBPyConnection, file: DataFile, findings: list[str]) -> npt.NDArray[np.uint64]:
    """Fingerprints of a file's ids; what is wrong with the file goes to `findings`."""
    try:
        size = Path(file.path).stat().st_size
        if size != file.size:
            findings.append(f"{file.path}: has {size} bytes, the catalog says {file.size}")
        first, last = file.day * times.DAY_US, (file.day + 1) * times.DAY_US
        bound = {"file": file.path, "first": first, "last": last}
        # The checksum makes DuckDB decode every value of every column.
        rows, bad, _ = con.execute(SQL["file"], bound).fetchall()[0]
        if rows != file.rows:
            findings.append(f"{file.path}: has {rows} runs, the catalog says {file.rows}")
        if bad:
            findings.append(f"{file.path}: {bad} runs break a rule or lie in the wrong day")
        ids = con.execute(SQL["ids"], {"file": file.path}).to_arrow_table()
        return keys.fingerprint(uuid_bytes(ids["id"]))
    except (duckdb.Error, OSError) as exc:
        findings.append(f"{file.path}: {' '.join(str(exc).split())}")
        return np.empty(0, dtype=np.uint64)


def _twice(con: duckdb.DuckDBPyConnection, what: Content, prints: npt.NDArray[np.uint64]) -> list[str]:
    """Ids that are stored more than once: equal fingerprints first, then the ids themselves."""
    prints.sort()
    if not np.any(prints[1:] == prints[:-1]):
        return []
    con.register("inlined", what.inlined)
    con.register("opened", what.opened)
    files = [file.path for file in what.files if Path(file.path).is_file()]
    try:
        statement = SQL["twice_in_files"] if files else SQL["twice"]
        found = con.execute(statement, {"files": files} if files else {}).fetchall()
    except duckdb.Error as exc:
        return [f"ids: {' '.join(str(exc).split())}"]
    lines = [f"run {run_id} is stored {count} times" for run_id, count in found[:_SHOWN]]
    return lines + ([f"and {len(found) - _SHOWN} more ids"] if len(found) > _SHOWN else [])

"""`runlake check` of the saved index: its files, and what it says of every day beside what the lake holds.

The index is of an older snapshot than the lake: the change feed tells what came since. A service may save another one
at any time, delete the files of the last and let its snapshot expire; then all is read again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from runlake import times
from runlake.errors import Busy, LakeDamaged
from runlake.index import keys as keyring
from runlake.index.figures import Records, runs_of
from runlake.index.saved import Derived, Folder
from runlake.index.tasks import NO_TASKS
from runlake.intake.batch import uuid_bytes
from runlake.lake.catalog import Lake
from runlake.query.relations import Content, content

_TRIES: Final = 200
_LAST_DAY: Final = times.LAST_HOUR // 24  # stands for all later ones, as in keys
_STRETCH: Final = 1 << 20
_REMEDY: Final = "nothing is lost: the next start makes the index anew"
_REMEDY_WHOLE: Final = "nothing is lost: stop the service and delete that folder, and the next start makes it anew"
Numbers = npt.NDArray[np.int64]
Amounts = Numbers | npt.NDArray[np.bool_]


class Tally:
    """Figures by UTC day on which a lake and its index agree; memory does not grow with the runs."""

    # Fingerprints of ids are summed up modulo 2^64: two sets of ids that differ have another sum.
    NAMES: Final = (
        "ids",
        "fingerprints",
        "successes by hour",
        "failures by hour",
        "successes by task",
        "failures by task",
    )

    def __init__(self) -> None:
        self.by_day: Final = np.zeros((len(self.NAMES), _LAST_DAY + 1), dtype=np.int64)
        self.unknown: Final[set[int]] = set()  # days whose runs could not be read

    def add_ids(self, days: Numbers, prints: npt.NDArray[np.uint64]) -> None:
        """So many ids, each of a day."""
        days = np.minimum(days, _LAST_DAY)
        np.add.at(self.by_day[0], days, 1)
        np.add.at(self.by_day[1], days, prints.view(np.int64))

    def add_results(self, days: Numbers, good: Amounts, bad: Amounts, rows: tuple[int, ...] = (2, 4)) -> None:
        """So many successes and failures, each of a day."""
        days = np.minimum(days, _LAST_DAY)
        for row in rows:
            np.add.at(self.by_day[row], days, good)
            np.add.at(self.by_day[row + 1], days, bad)

    def add_rows(self, rows: pa.Table) -> None:
        """Finished runs, with the columns that figures.runs_of takes, and id."""
        runs, _ = runs_of(rows, NO_TASKS)
        self.add_ids(runs["ran_at"] // times.DAY_US, keyring.fingerprint(uuid_bytes(rows["id"])))
        self.add_records(runs)

    def add_records(self, runs: Records) -> None:
        """Results of RUN or RECENT records of finished runs."""
        self.add_results(runs["ran_at"] // times.DAY_US, runs["success"] == 1, runs["success"] == 0)

    def add_file(self, day: int, prints: npt.NDArray[np.uint64], good: int) -> None:
        """A file of finished runs."""
        days = np.array([day])
        self.add_ids(np.full(len(prints), day), prints)
        self.add_results(days, np.array([good]), np.array([len(prints) - good]))


class Told(Struct, frozen=True):
    """What the lake names, and what its saved index says of that: nothing when there is none that would be used.

    `damage` is a finding. `unread` is why the two could not be compared: no finding where a bad file is the reason.
    """

    what: Content
    tally: Tally | None = None
    damage: str | None = None
    unread: str | None = None

    def findings(self, held: Tally, first_day: int, folder: Path) -> list[str]:
        """What is wrong with the index of a lake that holds this; days before the first one are gone."""
        unread = None if held.unknown else self.unread
        differs = None if self.tally is None else _differences(self.tally, held, first_day, folder)
        return [finding for finding in (self.damage, unread, differs) if finding]


def told(lake: Lake) -> Told:
    """Read the index, then the lake's catalog. Raises Busy when the index is saved faster than that."""
    folder = Folder(lake.paths.index)
    for _ in range(_TRIES):
        before = folder.stamp()
        found = _told(lake, folder)
        if folder.stamp() == before:
            return found
    raise Busy("the service saves its index faster than it can be read", hint="try again")


def _told(lake: Lake, folder: Folder) -> Told:
    found = folder.find(lake.mark)
    if found.manifest is None:
        return Told(content(lake), damage=f"{found.reason}; {_REMEDY}" if found.damaged else None)
    try:
        tally = _tally(folder.open(found.manifest.snapshot))
    except (OSError, ValueError, IndexError) as exc:
        return Told(content(lake), damage=f"{lake.paths.index}: {exc}; {_REMEDY}")
    what = content(lake)
    if not found.manifest.serves(what.finished, lake.settings.index_rows):
        return Told(what)  # it is made anew in any case
    try:
        for rows in lake.inserted(found.manifest.snapshot, what.snapshot):
            tally.add_rows(rows)
    except LakeDamaged as exc:
        return Told(what, unread=f"{lake.paths.index}: cannot be compared with the lake: {exc.detail}")
    return Told(what, tally)


def _tally(saved: Derived) -> Tally:
    tally = Tally()
    for stretch in keyring.stretches(saved.keys, 0):
        hours = (stretch & np.uint64(times.LAST_HOUR)).astype(np.int64)
        tally.add_ids(hours // 24, stretch & ~np.uint64(times.LAST_HOUR))
    for part in saved.counts:
        _add_counts(tally, part.hours, part.hours["unit"] // 24, 2)
        for start in range(0, len(part.cells), _STRETCH):
            cells = part.cells[start : start + _STRETCH]
            _add_counts(tally, cells, cells["day"], 4)
    tally.add_records(saved.waiting)
    return tally


def _add_counts(tally: Tally, records: Records, days: Numbers, row: int) -> None:
    good, bad = (records[name].astype(np.int64) + records[f"{name}_unstarted"] for name in ("good", "bad"))
    tally.add_results(days, good, bad, (row,))


def _differences(index: Tally, held: Tally, first_day: int, path: Path) -> str | None:
    """What the index says otherwise of the days from the first one on, those of bad files left out; one line."""
    differs = index.by_day != held.by_day
    differs[:, : min(first_day, _LAST_DAY + 1)] = False
    differs[:, [min(day, _LAST_DAY) for day in held.unknown]] = False
    days = np.flatnonzero(differs.any(axis=0))
    if not len(days):
        return None
    day = int(days[0])
    row = int(np.flatnonzero(differs[:, day])[0])
    figures = "" if row == 1 else f": {index.by_day[row, day]:,}, not {held.by_day[row, day]:,}"
    where = f"differs from the lake on {len(days)} days, first on {times.to_date(day)}"
    return f"{path}: {where} ({Tally.NAMES[row]}{figures}); {_REMEDY_WHOLE}"

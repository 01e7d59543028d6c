"""The door against a model that takes one record at a time: no lake, plain dictionaries for what is stored."""

from __future__ import annotations

import uuid
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from runlake.columns import ARROW
from runlake.errors import Clash, Conflict
from runlake.intake.batch import Batch
from runlake.lake import admit
from runlake.lake.rows import Row, row_tuples
from runlake.lake.stored import Stored
from runlake.serving import id_index

NAMES: Final = ARROW.names
IDS: Final = [uuid.UUID(int=n << 64 | n % 3).bytes for n in range(8)]
DAY: Final = 86_400_000_000
OLD_TIME, OPEN_TIME, DONE_TIME = 9 * DAY + DAY - 1, 10 * DAY, 10 * DAY + 2_000_000
HORIZON: Final = 10


class Sent(Struct, frozen=True):
    """A record in short: id number, version (0 open, 1 and 2 finished contents), whether it has no time, or is of
    the last microsecond before the horizon."""

    number: int
    finished: bool
    attempt: int
    timeless: bool
    old: bool = False


def row_of(sent: Sent, receipt: int) -> Row:
    """The row admit sees; a record without any time is dated by its receipt."""
    timeless = sent.timeless and not sent.finished
    values: dict[str, Any] = dict.fromkeys(NAMES)
    values |= {"id": IDS[sent.number], "task_id": IDS[0], "attempt": sent.attempt}
    values["created_at"] = receipt if timeless else OLD_TIME if sent.old else OPEN_TIME
    if sent.finished:
        values |= {"finished_at": DONE_TIME, "success": sent.attempt > 1}
    return tuple(values[name] for name in NAMES)


def batch_of(batch: list[Sent], receipt: int) -> Batch:
    columns = []
    for field, values in zip(ARROW, zip(*(row_of(s, receipt) for s in batch), strict=True), strict=True):
        if isinstance(field.type, pa.UuidType):
            columns.append(pa.ExtensionArray.from_storage(pa.uuid(), pa.array(values, pa.binary(16))))
        elif pa.types.is_timestamp(field.type):
            columns.append(pa.array(values, pa.int64()).cast(field.type))
        else:
            columns.append(pa.array(values, field.type))
    received = np.array([s.timeless and not s.finished for s in batch], dtype=np.bool_)
    return Batch(pa.table(columns, schema=ARROW), received)


class Known(Stored):
    """What is stored, with Locate and Verify, in dictionaries; `mask` leaves some bits of hashes: 0 makes all equal."""

    def __init__(
        self, history: dict[bytes, Row], open_runs: dict[bytes, Row], mask: int, horizon: int | None = None
    ) -> None:
        super().__init__()
        self.history, self.open_runs, self.horizon, self._mask = history, open_runs, horizon, np.uint64(mask)

    def fingerprint(self, words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        return id_index.fingerprint(words) & self._mask

    def locate(self, words: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
        """Every stored id with an equal fingerprint is a hit, so a position may come many times."""
        raw = b"".join(self.history)
        stored = np.frombuffer(raw, dtype=">u8").astype(np.uint64).reshape(-1, 2)
        same = self.fingerprint(words)[:, None] == self.fingerprint(stored)[None, :]
        positions, others = np.nonzero(same)
        return positions, others.astype(np.int64)

    def verify(
        self, rows: pa.Table, positions: npt.NDArray[np.intp], quarters: tuple[int, int]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        first, last = quarters
        assert 0 <= first <= last < len(self.history)
        assert len(set(positions.tolist())) == len(positions)
        given = zip(positions.tolist(), row_tuples(rows, positions), strict=True)
        found = [(p, self.history[row[0]] == row) for p, row in given if row[0] in self.history]
        return np.array([p for p, _ in found], np.intp), np.array([e for _, e in found], np.bool_)


class Model:
    """One record after the other, as if each had been posted alone."""

    def __init__(self, history: dict[bytes, Row], open_runs: dict[bytes, Row], horizon: int | None = None) -> None:
        self.history, self.open, self.horizon = dict(history), dict(open_runs), horizon

    def one(self, sent: Sent, receipt: int) -> int:
        row = row_of(sent, receipt)
        run_id = IDS[sent.number]
        if run_id in self.history:
            if not sent.finished:
                return admit.STALE
            return admit.DUPLICATE if self.history[run_id] == row else admit.CONFLICT
        if sent.finished:
            self.open.pop(run_id, None)
            if self.horizon is not None and sent.old:
                return admit.STALE
            self.history[run_id] = row
            return admit.STORE
        old = self.open.get(run_id)
        if old is not None and (old == row or (sent.timeless and old[:-1] == row[:-1])):
            return admit.DUPLICATE
        self.open[run_id] = row
        return admit.STORE

    def batch(self, batch: list[Sent], receipt: int, *, whole: bool) -> tuple[list[int], list[int]]:
        """The status of each record; of a batch that is left out whole, which are in conflict."""
        before = dict(self.history), dict(self.open)
        status = [self.one(sent, receipt) for sent in batch]
        conflicts = [index for index, one in enumerate(status) if whole and one == admit.CONFLICT]
        if conflicts:
            self.history, self.open = before
        return status, conflicts


SENT: Final = st.builds(Sent, st.integers(0, 7), st.booleans(), st.integers(1, 2), st.booleans(), st.booleans())
BATCHES: Final = st.lists(st.lists(SENT, min_size=1, max_size=8), min_size=1, max_size=5)
MASKS: Final = st.sampled_from([0, 1 << 63, 0xFFFFFFFFFFFF0000])


@settings(max_examples=150)
@given(
    before=st.lists(SENT, max_size=8),
    batches=BATCHES,
    mask=MASKS,
    whole=st.booleans(),
    horizon=st.sampled_from([None, HORIZON]),
)
def test_a_group_is_judged_as_if_its_records_came_alone(
    before: list[Sent], batches: list[list[Sent]], mask: int, whole: bool, horizon: int | None
) -> None:
    model = Model({}, {}, horizon)
    model.batch(before, 5, whole=False)
    known = Known(dict(model.history), dict(model.open), mask, horizon)
    admission = admit.admit(
        [batch_of(batch, 10 + i) for i, batch in enumerate(batches)], known, known.locate, known.verify, whole=whole
    )
    start = 0
    for i, (batch, conflict) in enumerate(zip(batches, admission.conflicts, strict=True)):
        status, expected = model.batch(batch, 10 + i, whole=whole)
        if conflict is None:
            assert (admission.status[start : start + len(batch)].tolist(), expected) == (status, [])
        else:
            assert [clash.index for clash in conflict.clashes] == expected
            for clash in conflict.clashes:
                assert clash.run_id == str(uuid.UUID(bytes=IDS[batch[clash.index].number]))
                if clash.rival is not None:
                    assert clash.rival < clash.index
                    assert batch[clash.rival].finished and batch[clash.rival].number == batch[clash.index].number
        start += len(batch)
    check_written(admission, known, model)


def check_written(admission: admit.Admission, known: Known, model: Model) -> None:
    """What is to be written makes of what was stored exactly what the model has."""
    finished = row_tuples(admission.rows, admission.finished)
    opened = row_tuples(admission.rows, admission.opened)
    history = known.history | {row[0]: row for row in finished}
    assert len(history) == len(known.history) + len(finished)
    assert history == model.history
    left = {run_id: row for run_id, row in known.open_runs.items() if run_id not in admission.closed}
    assert set(admission.closed) <= set(known.open_runs)
    assert left.keys().isdisjoint(row[0] for row in opened)
    assert left | {row[0]: row for row in opened} == model.open


def test_a_conflict_in_the_middle_leaves_its_neighbours_alone() -> None:
    history = {IDS[0]: row_of(Sent(0, True, 1, False), 0)}
    known = Known(history, {}, 0)
    batches = [
        [Sent(1, False, 1, False), Sent(2, True, 1, False)],
        [Sent(3, True, 1, False), Sent(1, True, 1, False), Sent(0, True, 2, False), Sent(4, False, 1, False)],
        [Sent(1, True, 2, False), Sent(3, True, 2, False), Sent(0, False, 1, False)],
    ]
    admission = admit.admit([batch_of(b, 1) for b in batches], known, known.locate, known.verify)
    first, clash, last = admission.conflicts
    assert first is None
    assert last is None
    assert isinstance(clash, Conflict)
    assert clash.clashes == [Clash(2, str(uuid.UUID(bytes=IDS[0])))]
    assert admission.finished.tolist() == [1, 6, 7]
    assert admission.opened.tolist() == []
    assert admission.status[6:].tolist() == [admit.STORE, admit.STORE, admit.STALE]


def test_rows_with_a_conflict_alone_are_left_out_when_not_whole() -> None:
    history = {IDS[0]: row_of(Sent(0, True, 1, False), 0)}
    known = Known(history, {IDS[1]: row_of(Sent(1, False, 1, False), 0)}, 0)
    batch = [Sent(1, True, 1, False), Sent(0, True, 2, False), Sent(1, True, 2, False), Sent(1, True, 1, False)]
    admission = admit.admit([batch_of(batch, 1)], known, known.locate, known.verify, whole=False)
    assert admission.conflicts == (None,)
    assert admission.status.tolist() == [admit.STORE, admit.CONFLICT, admit.CONFLICT, admit.DUPLICATE]
    assert admission.finished.tolist() == [0]
    assert admission.closed == (IDS[1],)


def test_a_conflict_that_undoes_a_finish_keeps_the_open_version() -> None:
    opened = {IDS[1]: row_of(Sent(1, False, 1, False), 0)}
    known = Known({}, opened, 0xFFFFFFFFFFFF0000)
    batch = [Sent(1, True, 1, False), Sent(2, True, 1, False), Sent(1, True, 2, False)]
    admission = admit.admit(
        [batch_of(batch, 1), batch_of([Sent(1, False, 1, True)], 2)], known, known.locate, known.verify
    )
    assert [c and c.clashes for c in admission.conflicts] == [[Clash(2, str(uuid.UUID(bytes=IDS[1])), 0)], None]
    assert admission.status[3:].tolist() == [admit.DUPLICATE]
    assert (len(admission.finished), len(admission.opened), admission.closed) == (0, 0, ())

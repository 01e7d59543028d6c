"""The whole write side against a dictionary: whatever is sent, in whatever order, under every settings file."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pytest
from asking import assert_summary, assert_task
from hypothesis import HealthCheck, Phase, note
from hypothesis import settings as options
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from loading import load_pieces
from oracle import Oracle
from support import SETTINGS_FILES, append_and_die, load_settings

from runlake import failpoints, times
from runlake.errors import Conflict, ImportFailed, LakeDamaged
from runlake.inspect import verify
from runlake.intake import decode_json
from runlake.lake import bulk
from runlake.lake.append import AppendResult
from runlake.model import Run, RunPage, RunsQuery
from runlake.query import pages
from runlake.settings import Settings
from runlake.store import Store

Record = dict[str, Any]
Row = dict[str, Any]
Damage = Callable[[Path], object]

FIELDS: Final = Run.__struct_fields__
TIMES: Final = ("leased_until", "started_at", "finished_at", "created_at")
DAYS: Final = ("2025-01-01", "2025-01-02", "1970-01-01", "2149-06-05", "2149-06-07", "9999-12-31")
SHAPES: Final[tuple[Record, ...]] = (
    {},
    {"attempt": 2, "error": "NULL", "lease_owner": "it's \x00 \\ \u2028 'x'"},
    {"output": {"b": [1, "ü", None], "a": "\\ \" '"}, "error": ""},
    {"output": 'null, "', "attempt": 2_147_483_647},
)


def make(number: int, finished: bool, shape: int, day: str, start: int) -> Record:
    """One of few records, so that repeats and clashes are common; `start` says which times it has."""
    record: Record = {"id": str(uuid.UUID(int=number << 120 | number)), "task_id": str(uuid.UUID(int=number % 3 + 1))}
    if start == 0:
        record["started_at"] = f"{day}T08:00:00.25Z"
    elif start == 1:
        record["created_at"] = f"{day}T23:59:59.999999Z"
    elif start == 2:
        record |= {"started_at": f"{day}T00:00:00Z", "created_at": "2025-01-03T00:00:00Z"}
    if finished:
        record |= {"finished_at": f"{day}T08:00:01Z", "success": shape != 1}
    return record | SHAPES[shape]


RECORDS: Final = st.builds(
    make,
    st.integers(0, 9),
    st.booleans(),
    st.integers(0, len(SHAPES) - 1),
    st.sampled_from(DAYS),
    st.integers(0, 3),
)


def row_of(record: Record) -> Row:
    """The record as it is to be stored; created_at None where it is the time of receipt."""
    row: Row = {name: record.get(name) for name in FIELDS} | {"attempt": record.get("attempt", 1)}
    for name in TIMES:
        row[name] = None if row[name] is None else times.parse(row[name])
    given = (row["created_at"], row["started_at"], row["finished_at"])
    row["created_at"] = next((t for t in given if t is not None), None)
    row["output"] = json.dumps(row["output"], separators=(",", ":"), ensure_ascii=False)
    return row


def row_read(run: Run) -> Row:
    """A run as it was read, in the same form."""
    row: Row = {name: getattr(run, name) for name in FIELDS}
    for name in TIMES:
        row[name] = None if row[name] is None else (row[name] - times.EPOCH) // times.to_datetime(1).resolution
    return row | {"id": str(run.id), "task_id": str(run.task_id), "output": bytes(run.output).decode()}


class Model:
    """The contract in a dictionary: id -> the record that holds."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.horizon = 0

    def apply(self, batch: list[Record], *, whole: bool = True) -> tuple[AppendResult, list[int]]:
        """What becomes of a batch, and the index of each conflict."""
        trial = dict(self.records)
        stored = duplicates = stale = 0
        conflicts = []
        for index, record in enumerate(batch):
            new, old = row_of(record), trial.get(record["id"])
            before = None if old is None else row_of(old)
            if before is not None and new["created_at"] is None:
                before["created_at"] = None
            if old is not None and "finished_at" in old and "finished_at" not in record:
                stale += 1
            elif before == new:
                duplicates += 1
            elif old is not None and "finished_at" in old:
                conflicts.append(index)
            elif "finished_at" in record and _run_at(new) < self.horizon:
                trial.pop(record["id"], None)
                stale += 1
            else:
                trial[record["id"]] = record
                stored += 1
        if not conflicts or not whole:
            self.records = trial
        return AppendResult(stored, duplicates, stale), conflicts

    def retain(self, keep: int) -> None:
        """Drop what was finished in the days before the newest day until now, `keep` days before."""
        found = {key: _run_at(row_of(r)) for key, r in self.records.items() if "finished_at" in r}
        past = [at for at in found.values() if at <= times.now()]
        if past:
            horizon = (max(past) // times.DAY_US - keep) * times.DAY_US
            gone = {key for key, at in found.items() if at < horizon}
            self.records = {key: record for key, record in self.records.items() if key not in gone}
            self.horizon = horizon if gone else self.horizon


def _every_file(change: Callable[[Path], object], pattern: str = "*") -> Damage:
    def damage(folder: Path) -> None:
        for file in folder.glob(pattern):
            change(file)

    return damage


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


DAMAGES: Final[list[Damage]] = [
    lambda _: None,
    shutil.rmtree,
    _every_file(Path.unlink),
    *(_every_file(Path.unlink, f"{name}*") for name in ("serving", "ids")),
    *(_every_file(_flip, f"{name}*") for name in ("serving", "ids")),
    _every_file(lambda file: os.truncate(file, 7)),
    _every_file(lambda file: os.truncate(file, file.stat().st_size // 2)),
]


class Machine(RuleBasedStateMachine):
    """Every rule does one thing to the lake and to the model and compares the answers."""

    def __init__(self, file: Path, folder: Path) -> None:
        super().__init__()
        self.settings = load_settings(file, Path(tempfile.mkdtemp(dir=folder)) / "lake")
        self.model = Model()
        self.next_new = 1 << 64
        self.age = 0
        self.store = self.opened(self.settings)
        self.store.start()

    def opened(self, settings: Settings) -> Store:
        store = Store(settings)
        store.load()
        return store

    def submit(self, batch: list[Record]) -> Future[AppendResult]:
        return self.store.writer.submit(decode_json(json.dumps({"runs": batch}).encode()).batch())

    def compare(self, batch: list[Record], answer: Future[AppendResult]) -> None:
        expected, conflicts = self.model.apply(batch)
        if not conflicts:
            assert answer.result(60) == expected
            return
        with pytest.raises(Conflict) as raised:
            answer.result(60)
        assert [(c.index, c.run_id) for c in raised.value.clashes] == [(i, batch[i]["id"]) for i in conflicts]

    def new(self, count: int, finished: bool, day: str) -> list[Record]:
        """So many records with ids that nobody has."""
        batch = [make(1, finished, i % 4, day, i % 3) for i in range(count)]
        for i, record in enumerate(batch, self.next_new):
            record["id"] = str(uuid.UUID(int=i))
        self.next_new += count
        return batch

    def read(self) -> RunPage:
        """All runs; a reader may lose a file to an upkeep without grace, then the next snapshot has another."""
        question = RunsQuery(limit=10**6, include_errors=True)
        while True:
            try:
                return self.store.engine.submit(pages.page, question).result(60)
            except LakeDamaged:
                if self.settings.grace_seconds:
                    raise

    @rule(batch=st.lists(RECORDS, min_size=1, max_size=8))
    def append(self, batch: list[Record]) -> None:
        self.compare(batch, self.submit(batch))

    @rule(batches=st.lists(st.lists(RECORDS, min_size=1, max_size=5), min_size=2, max_size=6))
    def append_together(self, batches: list[list[Record]]) -> None:
        answers = [self.submit(batch) for batch in batches]
        for batch, answer in zip(batches, answers, strict=True):
            self.compare(batch, answer)

    @rule(count=st.sampled_from([1, 5, 99, 100, 101, 130]), finished=st.booleans(), day=st.sampled_from(DAYS))
    def append_new(self, count: int, finished: bool, day: str) -> None:
        batch = self.new(count, finished, day)
        self.compare(batch, self.submit(batch))

    @precondition(lambda self: self.model.records)
    @rule(picks=st.lists(st.integers(0, 10**6), min_size=1, max_size=60))
    def append_again(self, picks: list[int]) -> None:
        known = list(self.model.records.values())
        self.append([known[pick % len(known)] for pick in picks])

    @precondition(lambda self: self.model.records)
    @rule(most=st.sampled_from([3, 120]))
    def finish_open(self, most: int) -> None:
        batch = [r for r in self.model.records.values() if "finished_at" not in r][:most]
        if batch:
            self.append([r | {"finished_at": "9999-12-31T23:59:59Z", "success": False} for r in batch])

    @precondition(lambda self: self.age > 2)
    @rule(batches=st.lists(st.lists(RECORDS, min_size=1, max_size=10), min_size=1, max_size=3), fail=st.booleans())
    def load_in_bulk(self, batches: list[list[Record]], fail: bool) -> None:
        """An import that takes the good rows, or one that takes nothing."""
        before = dict(self.model.records)
        expected = [self.model.apply(batch, whole=False)[0] for batch in batches]
        self.store.close()
        store = self.opened(self.settings)
        pieces = [bulk.Chunk("test", 1, table(batch)) for batch in batches]
        if fail:
            self.model.records = before
            pieces.append(
                bulk.Chunk("bad", 1, table(batches[0]).set_column(0, "id", pa.array(["?"] * len(batches[0]))))
            )
        try:
            if fail:
                with pytest.raises(ImportFailed):
                    load_pieces(store, pieces)
            else:
                totals = load_pieces(store, pieces, reject=note)
                for name in AppendResult.__struct_fields__:
                    assert getattr(totals, name) == sum(getattr(counts, name) for counts in expected)
        finally:
            store.close()
        self.start_again()

    @precondition(lambda self: self.age > 2)
    @rule(grace=st.sampled_from([0.0, 3600.0]))
    def upkeep(self, grace: float) -> None:
        self.store.close()
        store = self.opened(msgspec.structs.replace(self.settings, grace_seconds=grace))
        try:
            store.writer.maintenance.run(store.writer.maintenance.pending_steps())
            assert store.stored.inlined_rows == 0
            files = store.stored.files
            assert len({file.day for file in files}) == len(files)
            if not grace:
                on_disk = {str(path) for path in store.lake.paths.table("finished_runs").rglob("*.parquet")}
                assert on_disk == {file.path for file in files}
        finally:
            store.close()
        self.start_again()

    @precondition(lambda self: self.age > 2)
    @rule(keep=st.sampled_from([1, 1, 2, 300]))
    def retain(self, keep: int) -> None:
        self.store.close()
        store = self.opened(msgspec.structs.replace(self.settings, retention_days=keep))
        try:
            store.writer.maintenance.run(store.writer.maintenance.pending_steps())
        finally:
            store.close()
        self.model.retain(keep)
        self.start_again()

    @precondition(lambda self: self.age > 2)
    @rule()
    def reopen(self) -> None:
        self.store.close()
        report = verify.check(self.settings)
        assert report.findings == []
        assert report.runs == len(self.model.records)
        self.start_again()

    @precondition(lambda self: self.age > 2)
    @rule(point=st.sampled_from(failpoints.POINTS), passes=st.integers(1, 2), day=st.sampled_from(DAYS))
    def kill(self, point: str, passes: int, day: str) -> None:
        """A process that appends is killed on its way: what it acknowledged is there, the rest whole or not at all."""
        self.store.close()
        before, batch = dict(self.model.records), self.new(5, True, day)
        self.model.apply(batch)
        acknowledged = append_and_die(self.settings, batch, f"{point}:{passes}")
        self.start_again()
        if not acknowledged and self.store.stored.runs == len(before):
            self.model.records = before

    @precondition(lambda self: self.age > 2)
    @rule(what=st.sampled_from(DAMAGES), old=st.booleans())
    def lose_the_serving_database(self, what: Damage, old: bool) -> None:
        """The serving database is damaged, or one of long ago, or gone."""
        self.store.close()
        folder = self.store.lake.paths.serving
        kept = folder.parent / "kept"
        if old and kept.is_dir():
            shutil.rmtree(folder)
            kept.rename(folder)
        elif not kept.is_dir():
            shutil.copytree(folder, kept)
        what(folder)
        self.start_again()

    @rule(days=st.sampled_from([1, 2, 30, 3650]), day=st.sampled_from(DAYS), late=st.sampled_from([0, 8 * 3600, 86399]))
    def statistics(self, days: int, day: str, late: int) -> None:
        rows = [row_read(run) for run in self.read().items]
        for row in rows:
            row |= {"id": uuid.UUID(row["id"]), "task_id": uuid.UUID(row["task_id"])}
            row["output"] = None if row["output"] == "null" else row["output"]
        until = times.parse(day) + late * 1_000_000 + 250_000
        assert_summary(self.store, Oracle(rows), days, until)
        for task in range(1, 4):
            assert_task(self.store, Oracle(rows), uuid.UUID(int=task), days, until)

    def start_again(self) -> None:
        self.age = 0
        self.store = self.opened(self.settings)
        self.store.start()

    @invariant()
    def reads_equal_the_model(self) -> None:
        self.age += 1
        page = self.read()
        rows = [row_read(run) for run in page.items]
        assert page.total == len(rows) == len(self.model.records)
        assert rows == sorted(rows, key=lambda row: (_run_at(row), row["id"]), reverse=True)
        for row in rows:
            expected = row_of(self.model.records[row["id"]])
            if expected["created_at"] is None:
                assert 0 <= times.now() - row["created_at"] < 600_000_000
                expected["created_at"] = row["created_at"]
            assert row == expected

    def teardown(self) -> None:
        self.reopen()
        self.store.close()


def _run_at(row: Row) -> int:
    moment: int = row["created_at"] if row["started_at"] is None else row["started_at"]
    return moment


def table(batch: list[Record]) -> pa.Table:
    """Records as an import reads them: texts, whatever they say."""
    columns: dict[str, pa.Array] = {}
    for name in FIELDS:
        values = [record.get(name) for record in batch]
        if name == "output":
            values = [json.dumps(value) for value in values]
        columns[name] = pa.array(values, {"attempt": pa.int64(), "success": pa.bool_()}.get(name, pa.string()))
    return pa.table(columns)


@pytest.mark.parametrize("file", SETTINGS_FILES, ids=lambda file: file.stem)
def test_a_lake_is_a_dictionary_of_runs(file: Path, tmp_path: Path) -> None:
    run_state_machine_as_test(
        partial(Machine, file, tmp_path),  # type: ignore[arg-type]
        settings=options(
            max_examples=2,
            stateful_step_count=20,
            print_blob=True,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink takes minutes: add it by hand
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""Exports hold what a list of the same filters does, in each format, and each can be imported again."""

from __future__ import annotations

import io
import json
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

import histories
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from asking import SECONDS, allowed, asked_for, instants, now, page
from loading import loaded
from oracle import FIELDS, Oracle, Row
from support import runlake

from runlake.columns import ARROW
from runlake.errors import BadInput
from runlake.model import ExportQuery, Form
from runlake.query.copying import Copying
from runlake.query.export import Export, export
from runlake.settings import Settings
from runlake.store import Store

FORMS: Final[tuple[Form, ...]] = get_args(Form)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, list[Row]]]:
    """All histories, in files and inlined, open runs among them. Tests only read it."""
    rows, rng = list(histories.together()), random.Random(3)
    with loaded(Settings(data=str(tmp_path_factory.mktemp("export") / "lake")), rows, rng) as store:
        yield store, rows


def found(store: Store, **asked: Any) -> Export:
    return store.engine.submit(export, ExportQuery(**instants(asked))).result(SECONDS)


def written(found_: Export) -> bytes:
    """All bytes of an export."""
    source, sink = os.pipe()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            Copying(found_, sink).run()
        except BaseException as exc:  # noqa: BLE001 - it is raised below
            failed.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    with os.fdopen(source, "rb") as pipe:
        content = pipe.read()
    thread.join()
    if failed:
        raise failed[0]
    return content


def exported(store: Store, **asked: Any) -> list[dict[str, Any]]:
    """The runs of an export as JSON, in no order."""
    content = written(found(store, **asked, format="ndjson"))
    return [json.loads(line) for line in content.decode().split("\n") if line]


def by_id(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: str(item["id"]))


@pytest.mark.parametrize("seed", range(6))
def test_an_export_holds_the_runs_of_the_list(everything: tuple[Store, list[Row]], seed: int) -> None:
    store, rows = everything
    rng, oracle = random.Random(seed), Oracle(rows)
    for _ in range(12):
        asked = allowed(asked_for(rows, rng))
        got = exported(store, **asked)
        assert sorted(item["id"] for item in got) == sorted(str(row["id"]) for row in oracle.selected(now(), **asked))
        assert found(store, **asked).total == len(got) == page(store, **asked, limit=1)["total"], asked


def test_runs_are_as_the_list_shows_them(everything: tuple[Store, list[Row]]) -> None:
    """Times, JSON of any depth, and texts of all kinds, to the letter; days come newest first."""
    store, _ = everything
    want, got = [], exported(store)
    for offset in range(0, len(got), 200):
        want += page(store, include_errors=True, limit=200, offset=offset)["items"]
    assert by_id(got) == by_id(want)
    assert list(got[0]) == list(FIELDS)
    assert exported(store, fields=["success", "id"])[0].keys() == {"id", "success"}


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    """JSON of a run is copied, and not computed with."""
    rng = random.Random(1)
    outputs = ["123456789012345678901234567890", '{"a":[1.5,-0.0,1e300],"b":"\\u0000é"}', "null", '"x,\\"\\n"', "[]"]
    rows = [histories.made(rng, histories.NOON - n, output=text) for n, text in enumerate(outputs)]
    with loaded(Settings(data=str(tmp_path / "lake")), rows, rng) as store:
        text = written(found(store, format="ndjson")).decode()
        shown = [
            bytes(msgspec.json.decode(line, type=dict[str, msgspec.Raw])["output"]) for line in text.strip().split("\n")
        ]
        kept = pa.ipc.open_stream(written(found(store, format="arrow"))).read_all()["output"].to_pylist()
    assert sorted(shown) == sorted(b"null" if one is None else one.encode() for one in kept)
    assert b"123456789012345678901234567890" in shown


@pytest.mark.parametrize("form", FORMS)
def test_what_was_exported_is_imported_as_duplicates(
    everything: tuple[Store, list[Row]], tmp_path: Path, form: Form
) -> None:
    """First into an empty lake, whose export is the same, and then once more."""
    store, rows = everything
    file, lake = tmp_path / f"runs.{form}", tmp_path / "lake"
    file.write_bytes(written(found(store, format=form)))
    for stored, duplicates in ((len(rows), 0), (0, len(rows))):
        done = runlake("import", str(file), "--data", str(lake))
        counts = dict(line.split() for line in done.stdout.splitlines())
        assert (int(counts["stored"]), int(counts["duplicates"])) == (stored, duplicates), done.stderr


def test_parquet_has_the_columns_of_the_lake(everything: tuple[Store, list[Row]]) -> None:
    store, rows = everything
    file = pq.ParquetFile(io.BytesIO(written(found(store, format="parquet"))))
    assert (file.metadata.num_rows, file.schema_arrow.names) == (len(rows), ARROW.names)
    assert [field.type for field in file.schema_arrow] == [field.type for field in ARROW]


def test_nothing_is_exported_whole(everything: tuple[Store, list[Row]]) -> None:
    """Each format of no run is a file that can be read."""
    store, _ = everything
    for form in FORMS:
        content = written(found(store, task_id=histories.TASKS[0], start_time=5, end_time=5, format=form))
        match form:
            case "csv":
                assert content.decode().split() == [",".join(ARROW.names)]
            case "ndjson":
                assert content == b""
            case "arrow":
                assert pa.ipc.open_stream(content).read_all().num_rows == 0
            case "parquet":
                assert pq.read_table(io.BytesIO(content)).num_rows == 0


def test_what_no_rollup_knows_needs_a_short_window(everything: tuple[Store, list[Row]]) -> None:
    store, _ = everything
    with pytest.raises(BadInput) as refused:
        found(store, attempt_min=2)
    assert [error.field for error in refused.value.errors] == ["attempt_min"]

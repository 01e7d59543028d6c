"""Codec, Parquet version and row groups of the lake's files: by every way in, and when they change."""

from __future__ import annotations

import uuid
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from loading import opened_store
from pyarrow import parquet
from support import post, record

from runlake import duck
from runlake.inspect import verify
from runlake.lake.attach import attach_statement, load_extensions
from runlake.lake.steps import Step
from runlake.model import RunsQuery
from runlake.query import pages, queries
from runlake.settings import Settings
from runlake.store import Store

ROWS: Final = 7300  # to a remainder of less than 2,048 rows DuckDB gives no group of its own
NAMES: Final = {"lz4_raw": "LZ4", "zstd": "ZSTD"}  # Arrow's
VERSION_2: Final = ("2.6", "DELTA_BINARY_PACKED")
VERSION_1: Final = ("1.0", "PLAIN")


def runs(first: int, day: int = 1) -> list[dict[str, Any]]:
    """ROWS runs of one day of which no two have the same time."""
    times = [f"2025-01-{day:02}T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z" for i in range(ROWS)]
    return [record(first + i, started_at=at, finished_at="2025-02-01") for i, at in enumerate(times)]


def layout(path: str) -> tuple[str, tuple[str, str], list[int]]:
    """A file's codec, its version with the encoding of the run time, and the rows of its row groups."""
    metadata = parquet.read_metadata(path)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(metadata.num_columns)]
    (codec,) = {column.compression for column in columns}
    (encoding,) = {column.encodings[0] for column in columns if column.path_in_schema == "run_at"}
    return codec, (metadata.format_version, encoding), [group.num_rows for group in groups]


def live(store: Store) -> list[tuple[str, tuple[str, str], list[int]]]:
    """The layouts of the live files, day by day."""
    return [layout(file.path) for file in store.stored.files]


def upkeep(settings: Settings, step: Step) -> list[tuple[str, tuple[str, str], list[int]]]:
    """Do one step of upkeep; returns the layouts of the live files afterwards."""
    with closing(Store(settings)) as store:
        store.load()
        store.writer.maintenance.run([step])
        return live(store)


def everything(settings: Settings) -> list[Any]:
    """All runs, newest first, as they are read."""
    with opened_store(settings) as store:
        page = store.engine.submit(pages.page, RunsQuery(limit=10**6, include_errors=True)).result(60)
        some = [run.id for run in page.items[:: max(1, len(page.items) // 20)]]
        details = [store.engine.submit(queries.detail, one).result(60) for one in some]
        assert [run.id for run in details] == some
        return page.items


@pytest.mark.parametrize("codec", NAMES)
def test_appends_flushes_and_merges_write_one_layout(settings: Settings, codec: str) -> None:
    written = NAMES[codec], VERSION_2
    settings = msgspec.structs.replace(settings, parquet_codec=codec, row_group_rows=4096)
    with opened_store(msgspec.structs.replace(settings, inline_rows=0)) as store:
        post(store, *runs(0))
        assert live(store) == [(*written, [4096, 3204])]
    with opened_store(msgspec.structs.replace(settings, inline_rows=ROWS, flush_rows=10 * ROWS)) as store:
        post(store, *runs(ROWS))
        assert len(live(store)) == 1
    before = everything(settings)
    assert len(before) == 2 * ROWS
    assert upkeep(settings, Step.FLUSH) == [(*written, [4096, 3204])] * 2
    assert upkeep(settings, Step.MERGE) == [(*written, [4096, 4096, 4096, 2312])]
    assert everything(settings) == before
    assert verify.check(settings).findings == []


def test_a_changed_codec_is_for_new_files(settings: Settings) -> None:
    for number, codec in enumerate(("zstd", "lz4_raw", "zstd")):
        settings = msgspec.structs.replace(settings, parquet_codec=codec, inline_rows=0)
        with opened_store(settings) as store:
            post(store, *runs(number * ROWS, day=1 + number % 2))
    with opened_store(settings) as store:
        assert sorted(codec for codec, *_ in live(store)) == ["LZ4", "ZSTD", "ZSTD"]
    before = everything(settings)
    assert sorted(codec for codec, *_ in upkeep(settings, Step.MERGE)) == ["LZ4", "ZSTD"]
    assert everything(settings) == before


def by_an_older_version(settings: Settings, days: int) -> None:
    """Make a lake and write ROWS runs a day into it, with the options that runlake wrote before it knew version 2."""
    Store(settings).close()
    catalog = Path(settings.data) / "catalog.sqlite"
    with duck.connect(threads=1, memory_limit="512MB") as con:
        load_extensions(con)
        con.execute(f"ATTACH {duck.literal(catalog)} AS c (TYPE sqlite)")
        con.execute("DELETE FROM c.ducklake_metadata WHERE key LIKE 'parquet%'")
        con.execute(
            "INSERT INTO c.ducklake_metadata (key, value)"
            " VALUES ('parquet_compression', 'zstd'), ('parquet_row_group_size', '4096')"
        )
        con.execute("DETACH c")
        con.execute(attach_statement(f"sqlite:{catalog}", f"{settings.data}/files/", "META_JOURNAL_MODE 'WAL'"))
        for day in range(1, days + 1):
            con.execute(
                "INSERT INTO lake.finished_runs BY NAME"
                " SELECT ('00000000-0000-0000-0000-' || format('{:012x}', (100 * $day + 1) * 1000000 + i))::UUID AS id,"
                "   $task AS task_id, make_timestamptz(2025, 1, $day, 12, 0, 0) + to_seconds(i) AS run_at,"
                "   run_at AS started_at, run_at + INTERVAL 3 SECOND AS finished_at, run_at AS created_at,"
                "   true AS success, 1 AS attempt, '{\"rows\":' || i || '}' AS output FROM range($rows) AS numbers (i)",
                {"day": day, "rows": ROWS, "task": uuid.UUID(int=7)},
            )


def test_an_older_lake_is_read_and_gets_new_files(settings: Settings) -> None:
    old, new = ("ZSTD", VERSION_1, [4096, 3204]), ("LZ4", VERSION_2, [ROWS])
    by_an_older_version(settings, days=2)
    with opened_store(settings) as store:
        assert live(store) == [old, old]
    stored = everything(settings)
    assert len(stored) == 2 * ROWS
    with opened_store(msgspec.structs.replace(settings, inline_rows=0)) as store:
        assert post(store, *runs(0, day=2)).stored == ROWS
        assert live(store) == [old, old, new]
    both = everything(settings)
    assert len(both) == 3 * ROWS
    assert {run.id for run in stored} < {run.id for run in both}
    assert upkeep(settings, Step.MERGE) == [old, ("LZ4", VERSION_2, [8192, 6408])]
    assert everything(settings) == both
    assert verify.check(settings).findings == []

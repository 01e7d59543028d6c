"""A footer made small tells Arrow of any row groups what the file's own footer tells it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from runlake import footers
from runlake.errors import LakeDamaged
from runlake.parquet import footer

ROWS = """
COPY (
    SELECT uuid() AS id, i AS number, i % 7 = 0 AS yes, timestamptz '2026-01-01' + to_seconds(i) AS moment,
           CASE WHEN i % 3 > 0 THEN 'name ' || i % 5 END AS "a name with spaces and ü", NULL::INTEGER AS nothing,
           repeat(md5(i::VARCHAR), 20) AS long
    FROM range({rows}) AS rows (i)
) TO '{path}' (FORMAT parquet, COMPRESSION {codec}, PARQUET_VERSION {version}, ROW_GROUP_SIZE 2048)
"""
GROUPS = 4


@pytest.fixture(scope="module", params=product(["zstd", "lz4_raw", "snappy", "gzip", "uncompressed"], ["V1", "V2"]))
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of four row groups, the last of them short."""
    codec, version = request.param
    path = tmp_path_factory.mktemp("footers") / "file.parquet"
    duckdb.connect(":memory:").execute(ROWS.format(rows=3 * 2048 + 5, path=path, codec=codec, version=version))
    return path


@settings(max_examples=25)
@given(chosen=st.lists(st.integers(0, GROUPS - 1), unique=True), names=st.sets(st.integers(0, 6)))
def test_any_row_groups_read_as_from_the_file(file: Path, chosen: list[int], names: set[int]) -> None:
    full = parquet.read_metadata(file)
    assert full.num_row_groups == GROUPS
    some = footers.small(str(file), full).of(chosen)
    columns = [full.schema.names[number] for number in sorted(names)]
    expected = parquet.ParquetFile(file).read_row_groups(chosen, columns)
    assert parquet.ParquetFile(file, metadata=some).read(columns).equals(expected)
    assert (some.num_rows, some.num_row_groups) == (expected.num_rows, len(chosen))
    for place, group in enumerate(chosen):
        for number in range(full.num_columns):
            mine, theirs = some.row_group(place).column(number), full.row_group(group).column(number)
            for name in ("compression", "data_page_offset", "num_values", "total_compressed_size", "physical_type"):
                assert getattr(mine, name) == getattr(theirs, name)
            assert (mine.dictionary_page_offset or None) == theirs.dictionary_page_offset


def test_a_file_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "empty.parquet"
    duckdb.connect(":memory:").execute(ROWS.format(rows=0, path=path, codec="zstd", version="V2"))
    some = footers.small(str(path), parquet.read_metadata(path)).of([])
    assert parquet.ParquetFile(path, metadata=some).read().equals(parquet.read_table(path))


def test_what_is_never_written_is_refused(tmp_path: Path) -> None:
    """Columns within columns have other places than these footers know."""
    path = tmp_path / "nested.parquet"
    parquet.write_table(pa.table({"id": [{"inner": 1}]}), path)
    with pytest.raises(LakeDamaged, match=r"nested\.parquet"):
        footer(str(path), ["id.inner"])

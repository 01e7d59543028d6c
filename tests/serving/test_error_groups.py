"""Groups of alike errors: the corpus, with everything that may differ from run to run, falls into its groups."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import corpus
import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runlake import duck, macros

ENTRIES: Final = corpus.entries()
Parts = dict[str, Any]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with the macros."""
    with duck.connect(threads=1, memory_limit="512MB") as made:
        for statement in macros.definitions():
            made.execute(statement)
        yield made


def parts_of(con: duckdb.DuckDBPyConnection, texts: list[str | None]) -> list[Parts | None]:
    """What each text falls into."""
    con.register("given", pa.table({"error": pa.array(texts, pa.string())}))
    return [parts for (parts,) in con.execute("SELECT error_parts(error) FROM given").fetchall()]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_each_text_falls_into_its_group(con: duckdb.DuckDBPyConnection, entry: corpus.Entry) -> None:
    """Whatever its ids, numbers, times, addresses and folders are."""
    texts = [corpus.filled(text, random.Random(seed)) for text in entry.texts for seed in range(150)]
    expected = {"kind": entry.kind, "message": entry.message, "frame": entry.frame}
    for text, parts in zip(texts, parts_of(con, texts), strict=True):
        assert parts is not None
        assert {name: parts[name] for name in expected} == expected, text
    assert len({parts["id"] for parts in parts_of(con, texts) if parts}) == 1


def test_different_errors_share_no_group(con: duckdb.DuckDBPyConnection) -> None:
    texts = [corpus.filled(entry.texts[0], random.Random(1)) for entry in ENTRIES]
    groups = Counter(parts["id"] for parts in parts_of(con, texts) if parts)
    assert len(ENTRIES) == len(groups) > 100
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)

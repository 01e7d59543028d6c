"""Groups of alike errors: the corpus, with everything that may differ from run to run, falls into its groups."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import corpus
import duckdb
import pyarrow as pa
import pytest
from hypothesis import assume, given
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


def parts_of(con: duckdb.DuckDBPyConnection, texts: Sequence[str | None]) -> list[Parts | None]:
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


MIB: Final = 1 << 20
FRAME: Final = '  File "/app/step.py", line 7, in step\n    step()\n'
EDGES: Final[dict[str, tuple[str | None, tuple[str | None, str, str | None] | None]]] = {
    "null": (None, None),
    "nothing": ("", None),
    "blanks": (" \t \n \r\n ", None),
    "one letter": ("x", ("x", "", None)),
    "no word": ("!!!", (None, "!!!", None)),
    "a number": ("-17.5", (None, "<n>", None)),
    "a zero byte": ("\0", (None, "\0", None)),
    "1 MiB of a word": ("x" * MIB, ("x" * 200, "", None)),
    "1 MiB of digits": ("7" * MIB, (None, "<n>", None)),
    "1 MiB in one line": ("ValueError: rows" + " of" * MIB, ("ValueError", "rows" + " of" * 98 + " o", None)),
    "1 MiB in one line between line ends": (
        "\n\nValueError: rows" + " of" * MIB + "\n\n",
        ("ValueError", "rows" + " of" * 98 + " o", None),
    ),
    "16 KiB of lines without an end": (
        "a line\n" * 2_000 + "x" * 16_000 + "\nKeyError: 'a'",
        ("KeyError", "'a'", None),
    ),
    "1 MiB of wide letters": ("日" * (MIB // 3), (None, "日" * 300, None)),
    "1 MiB of lines": ("no rows\n" * (MIB // 8), (None, "no rows", None)),
    "1 MiB of lines, and an error": ("a line\n" * (MIB // 8) + "KeyError: 'a'", ("KeyError", "'a'", None)),
    "an error, and 1 MiB of lines": ("KeyError: 'a'\n" + "a line\n" * (MIB // 8), ("KeyError", "'a'", None)),
    "1 MiB of frames": ("Traceback (most recent call last):\n" + FRAME * 20_000 + "E: 1", ("E", "<n>", "step.py step")),
    "1 MiB of lines behind a frame": (FRAME + "    x\n" * (MIB // 6) + "E: 1\n", ("E", "<n>", "step.py step")),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges(con: duckdb.DuckDBPyConnection, name: str) -> None:
    text, expected = EDGES[name]
    (parts,) = parts_of(con, [text])
    assert (parts and (parts["kind"], parts["message"], parts["frame"])) == expected


def sane(text: str, parts: Parts | None) -> bool:
    """Bounded, without a number that may differ, and null exactly for blanks."""
    if parts is None:
        return not text.strip("\n\r\t ")
    shown = parts["message"] + (parts["frame"] or "")
    longest = max(len(parts["message"]), len(parts["frame"] or ""), len(parts["kind"] or "") + 100)
    return longest <= 300 and not any(digit in shown for digit in "0123456789") and len(parts["id"]) == 19


SNIPPETS: Final = sorted(
    {piece for entry in ENTRIES for text in entry.texts for piece in text.splitlines(keepends=True)}
)
ANY_TEXT: Final = st.text() | st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=5)).map("".join)


@given(texts=st.lists(ANY_TEXT, min_size=30, max_size=30), seed=st.integers(0, 2**32))
def test_any_text_has_a_group(con: duckdb.DuckDBPyConnection, texts: list[str], seed: int) -> None:
    """And it is the same by itself, with other line ends, and with blanks behind it."""
    given_texts = [corpus.filled(text, random.Random(seed)) for text in texts]
    found = parts_of(con, given_texts)
    for text, parts in zip(given_texts, found, strict=True):
        assert sane(text, parts), (text, parts)
    plain = [text for text in given_texts if "\r" not in text]
    same = [parts for text, parts in zip(given_texts, found, strict=True) if "\r" not in text]
    assert parts_of(con, [text.replace("\n", "\r\n") for text in plain]) == same
    assert parts_of(con, [f"{text}\n\t " for text in plain]) == same


# Lines that are no error, though a part of each would be one.
NO_ERRORS: Final = (
    "日本語の行 🦆 {}",
    "TimeoutErrorHandler {} 🦆🦆🦆🦆 has begun",
    "handled KeyError: {}",
    "日本 ERRORS of step {}",
)


@given(
    entry=st.sampled_from(ENTRIES),
    line=st.sampled_from(NO_ERRORS),
    size=st.tuples(st.integers(100, 2_500), st.integers(0, 80)),
    before=st.booleans(),
)
def test_the_length_of_a_log_splits_no_group(
    con: duckdb.DuckDBPyConnection, entry: corpus.Entry, line: str, size: tuple[int, int], before: bool
) -> None:
    """However many lines stand before an error, or behind it, and wherever a long text is cut."""
    error = corpus.filled(entry.texts[0], random.Random(7))
    count, shift = size

    def log(lines: int) -> str:
        others = [line.format("x" * shift), *(line.format(number) for number in range(lines))]
        return "\n".join([*others, error] if before else [error, *others])

    short, longer, long = parts_of(con, [log(2), log(3), log(count)])
    assume(short == longer)  # of JSON in several lines all lines count
    assert short == long


@given(entry=st.sampled_from(ENTRIES), seed=st.integers(0, 2**64))
def test_what_differs_from_run_to_run_never_splits_a_group(
    con: duckdb.DuckDBPyConnection, entry: corpus.Entry, seed: int
) -> None:
    rng = random.Random(seed)
    texts = [corpus.filled(rng.choice(entry.texts), rng) for _ in range(20)]
    con.register("given", pa.table({"error": texts}))
    groups = con.execute("SELECT DISTINCT error_group(error), error_parts(error).id FROM given").fetchall()
    assert len(groups) == 1 and groups[0][0] == groups[0][1]

"""The canonical text form of `output`: the one that DuckDB's json() writes. JSON null is stored as no value."""

from __future__ import annotations

import re
import threading
from typing import Final

import duckdb
import msgspec
import pyarrow as pa

from runlake import duck
from runlake.model import MAX_DEPTH

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
# A string with only those escapes that json() writes, too. Another string does not match, so its quotes remain.
_PLAIN_STRING: Final = re.compile(r'"[^"\\]*(?:\\["\\bfnrt][^"\\]*)*"')
# A number that json() writes as it is: no exponent, no minus zero, and a fraction of so few digits that a double has
# it exactly, without a zero at the end except in `.0`. Numbers are found first and checked then, because a single
# expression would try every way to split the digits, or need possessive quantifiers, which Python 3.11.2 gets wrong.
_NUMBER: Final = re.compile(r"[-0-9][-+.0-9eE]*")
_PLAIN_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]*|-?(?:0|[1-9][0-9]{0,8})\.(?:0|[0-9]{0,5}[1-9])")
_LOCAL: Final = threading.local()  # `con`: a connection, because decoding threads run in parallel


def depth(text: str) -> int:
    """The nesting depth of a valid JSON text, a scalar being 0; also 0 where it cannot exceed MAX_DEPTH."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    deepest = level = 0
    for char in _STRING.sub("", text):
        if char in "[{":
            level += 1
            deepest = max(deepest, level)
        elif char in "]}":
            level -= 1
    return deepest


def compact(text: bytes) -> str:
    """A valid JSON text without white space outside of strings; raises UnicodeDecodeError."""
    return str(msgspec.json.format(text, indent=-1), "utf-8")


def canonical(texts: list[str]) -> list[str | None]:
    """The canonical form of each valid, compact JSON text; None for JSON null.

    Most texts have that form already. A regular expression recognizes these, which is faster than DuckDB; a test
    compares both ways.
    """
    result = [text if _is_plain(text) else None for text in texts]
    rest = [i for i, text in enumerate(result) if text is None]
    if rest:
        for i, text in zip(rest, _by_duckdb([texts[i] for i in rest]), strict=True):
            result[i] = text
    return [None if text == "null" else text for text in result]


def _is_plain(text: str) -> bool:
    """Whether json() surely writes a valid, compact text as it is: that depends on its strings and numbers only."""
    if "\x7f" in text:
        return False
    if "\\" in text:
        rest = _PLAIN_STRING.sub("", text)
        if '"' in rest:
            return False
    else:
        rest = "".join(text.split('"')[::2])
    return all(map(_PLAIN_NUMBER.fullmatch, _NUMBER.findall(rest)))


def _by_duckdb(texts: list[str]) -> list[str]:
    con = getattr(_LOCAL, "con", None)
    if con is None:
        con = _LOCAL.con = duck.connect(threads=1, memory_limit="256MB")
    assert isinstance(con, duckdb.DuckDBPyConnection)  # noqa: S101 - thread locals are untyped
    con.register("texts", pa.table({"text": pa.array(texts, pa.string())}))
    try:
        column = con.execute("SELECT json(text)::VARCHAR AS text FROM texts").to_arrow_table()["text"]
    finally:
        con.unregister("texts")
    written: list[str] = column.to_pylist()
    return written

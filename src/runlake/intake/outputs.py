"""The one text form of `output`: what DuckDB's json() writes. JSON null is stored as no value."""

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
# A plain string has no escapes but those that json() writes, too. One that is not plain leaves its quote behind.
_PLAIN_STRING: Final = re.compile(r'"[^"\\]*(?:\\["\\bfnrt][^"\\]*)*"')
# A plain number has no exponent, is no minus zero, and of fractions it is one that every double says as it is: few
# digits, no zero at the end but `.0`. (Found first and then judged, because one expression for both would try every
# way to split their digits, or be possessive, which Python 3.11.2 gets wrong.)
_NUMBER: Final = re.compile(r"[-0-9][-+.0-9eE]*")
_PLAIN_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]*|-?(?:0|[1-9][0-9]{0,8})\.(?:0|[0-9]{0,5}[1-9])")
_LOCAL: Final = threading.local()


def depth(text: str) -> int:
    """How deep arrays and objects of a valid JSON text nest; a scalar is 0."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0  # cannot be too deep, and only that is asked
    deepest = level = 0
    for char in _STRING.sub("", text):
        if char in "[{":
            level += 1
            deepest = max(deepest, level)
        elif char in "]}":
            level -= 1
    return deepest


def compact(text: bytes) -> str:
    """A valid JSON text without white space between its parts; raises UnicodeDecodeError."""
    return str(msgspec.json.format(text, indent=-1), "utf-8")


def canonical(texts: list[str]) -> list[str | None]:
    """Each valid, compact JSON text as json() writes it; None for JSON null.

    Texts that are plainly in that form already (most are) skip DuckDB; a test compares both ways.
    """
    result = [text if _is_plain(text) else None for text in texts]
    rest = [i for i, text in enumerate(result) if text is None]
    if rest:
        for i, text in zip(rest, _by_duckdb([texts[i] for i in rest]), strict=True):
            result[i] = text
    return [None if text == "null" else text for text in result]


def _is_plain(text: str) -> bool:
    """Whether a valid text without white space is what json() writes; words and punctuation always are."""
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

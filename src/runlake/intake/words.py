"""How a refused value is named: what was expected, and what came, in at most 100 characters."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pyarrow as pa

from runlake.columns import ARROW
from runlake.model import MAX_ATTEMPT, MAX_OWNER

SHOWN: Final = 100
NOT_UTF8: Final = "iconv -f WINDOWS-1252 -t UTF-8 FILE, or -f UTF-16, makes UTF-8 of it"
NOT_JSON: Final = "which JSON does not have (null says that there is none)"
_NOT_NUMBERS: Final = re.compile(r"-?(?:infinity|inf|nan)", re.IGNORECASE)
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_AT_BYTE: Final = re.compile(r"\(byte (\d+)\)")
_KINDS: Final[tuple[tuple[Callable[[pa.DataType], bool], str], ...]] = (
    (
        pa.types.is_timestamp,
        "an ISO 8601 time such as 2025-01-11T08:00:00Z, from 1970 to 9999 (strptime reads other forms)",
    ),
    (pa.types.is_boolean, "true or false"),
    (pa.types.is_integer, f"a whole number from 1 to {MAX_ATTEMPT}"),
    (pa.types.is_string, "text"),
)
WANTED: Final[dict[str, str]] = {
    column.name: next((words for is_, words in _KINDS if is_(column.type)), "a UUID") for column in ARROW
} | {"lease_owner": f"text of at most {MAX_OWNER} characters", "output": "JSON text"}


def refused(field: str, value: Any) -> str:
    """The reason why `value`, as Python has it, is no value of this field."""
    if field != "output":
        return f"expected {WANTED[field]}, not {shown(value)}"
    if found := not_a_number(value):
        return f"{shown(value)} holds {found}, {NOT_JSON}"
    hint = " (to_json(…) makes JSON of plain text)" if isinstance(value, str) else ""
    return f"expected {WANTED[field]}, not {shown(value)}{hint}"


def shown(value: Any) -> str:
    """A value as JSON, or as Python shows what has no JSON form; cut at 100 characters."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(named(value))
    if isinstance(value, bytes):
        return cut(f"0x{value[:SHOWN].hex()}")
    try:
        return cut(str(msgspec.json.encode(named(value)), "utf-8"))
    except (TypeError, ValueError, msgspec.MsgspecError):
        return cut(str(value))


def value_at(column: pa.ChunkedArray, row: int) -> Any:
    """A value of a column as Python has it; as text where Python has no such time or zone."""
    try:
        return column[row].as_py()
    except (OverflowError, ValueError, KeyError):  # the last for a zone that is none
        return column.slice(row, 1).combine_chunks().to_string()[1:-1].strip()


def cut(text: str) -> str:
    """The text in one line of at most 100 characters."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def named(value: Any) -> Any:
    """The value with NaN and infinities as their names, which JSON would write as null."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: named(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [named(item) for item in value]
    return value


def not_a_number(value: Any) -> str | None:
    """NaN or Infinity, if a value holds one of them, or a text that should be JSON does so outside of its strings."""
    if isinstance(value, str):
        found = _NOT_NUMBERS.search(_STRING.sub('""', value))
        return found[0] if found else None
    if isinstance(value, float) and not math.isfinite(value):
        return str(named(value))
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return next((name for item in items if not isinstance(item, str) and (name := not_a_number(item))), None)


def malformed(text: bytes, message: str) -> tuple[int, str]:
    """(where a JSON text breaks off, why) of the decoder's message; NaN and Infinity are named. -1: it does not say."""
    at = _AT_BYTE.search(message)
    if at is None:
        return -1, message
    place = int(at[1])
    start = max(0, place - 12)
    for found in _NOT_NUMBERS.finditer(str(text[start : place + 12], "latin-1")):
        if found.start() <= place - start <= found.end() + 1:  # the decoder may have read on for a letter or two
            return place, f"{found[0]} at byte {place}, {NOT_JSON}"
    return place, message

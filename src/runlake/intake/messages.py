"""Messages about refused values: the expected kind of value, and the value itself in at most 100 characters."""

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
AT: Final = re.compile(r" - at `\$\.?(.*)`$")  # where msgspec says that a value of a body stands
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
EXPECTED: Final[dict[str, str]] = {
    column.name: next((words for is_, words in _KINDS if is_(column.type)), "a UUID") for column in ARROW
} | {"lease_owner": f"text of at most {MAX_OWNER} characters", "output": "JSON text"}


def refused(field: str, value: Any) -> str:
    """The message that `value` (of any Python type) is no value of this field."""
    if field != "output":
        return f"expected {EXPECTED[field]}, not {shown(value)}"
    if found := not_a_number(value):
        return f"{shown(value)} holds {found}, {NOT_JSON}"
    hint = " (to_json(…) makes JSON of plain text)" if isinstance(value, str) else ""
    return f"expected {EXPECTED[field]}, not {shown(value)}{hint}"


def shown(value: Any) -> str:
    """A value as JSON, or as Python prints it when it has no JSON form, in at most 100 characters."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(nan_as_text(value))
    if isinstance(value, bytes):
        return shortened(f"0x{value[:SHOWN].hex()}")
    try:
        return shortened(str(msgspec.json.encode(nan_as_text(value)), "utf-8"))
    except (TypeError, ValueError, msgspec.MsgspecError):
        return shortened(str(value))


def value_at(column: pa.ChunkedArray, row: int) -> Any:
    """The Python value at a row of a column; a text for a time or zone that Python does not have."""
    try:
        return column[row].as_py()
    except (OverflowError, ValueError, KeyError):  # KeyError for an unknown time zone
        return column.slice(row, 1).combine_chunks().to_string()[1:-1].strip()


def shortened(text: str) -> str:
    """The first 100 characters of a text."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def nan_as_text(value: Any) -> Any:
    """The value with NaN and infinities replaced by their names, because JSON would have null for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: nan_as_text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [nan_as_text(item) for item in value]
    return value


def not_a_number(value: Any) -> str | None:
    """The name of a NaN or Infinity in a value, or in a text that should be JSON, outside of its strings; else None."""
    if isinstance(value, str):
        found = _NOT_NUMBERS.search(_STRING.sub('""', value))
        return found[0] if found else None
    if isinstance(value, float) and not math.isfinite(value):
        return str(nan_as_text(value))
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return next((name for item in items if not isinstance(item, str) and (name := not_a_number(item))), None)


def syntax_error(text: bytes, message: str) -> tuple[int, str]:
    """The byte and the reason of a syntax error, from the decoder's message; -1 when it names no byte.

    The reason names NaN and Infinity, where the decoder only says that a character is invalid.
    """
    at = _AT_BYTE.search(message)
    if at is None:
        return -1, message
    place = int(at[1])
    start = max(0, place - 12)
    for found in _NOT_NUMBERS.finditer(str(text[start : place + 12], "latin-1")):
        if found.start() <= place - start <= found.end() + 1:  # the decoder may have read a letter or two more
            return place, f"{found[0]} at byte {place}, {NOT_JSON}"
    return place, message

"""Times: one rule for all time stamps that come in.

ISO 8601, extended form: a date, optionally `T` or a space and a time, optionally an offset. Without an offset
it is UTC; a bare date is midnight UTC; digits beyond microseconds are truncated, not rounded; after conversion
to UTC the year is 1970 to 9999. `intake.sql` states the same rule for columns, and a test compares both.
Inside runlake a time is an int: microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

# DuckDB (RE2) gets the same pattern as a bound parameter: use only syntax that means the same to both.
PATTERN: Final = (
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]"
    r"(?:[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?)?"
)
_ISO: Final = re.compile(PATTERN)
_USUAL_MARKS: Final = frozenset(("--T::", "--T::.", "-- ::", "-- ::."))  # the characters at 4, 7, 10, 13, 16 and 19
# In a query string an unescaped `+` arrives as a space, so a space before a trailing offset is a plus.
_LOST_PLUS: Final = re.compile(r"^(.*[0-9]{2}:[0-9]{2}.*) ([0-9]{2}(:?[0-9]{2})?)$")

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = datetime(1970, 1, 1)
HOUR_US: Final = 3_600_000_000
QUARTER_US: Final = 900_000_000
LAST_QUARTER: Final = 0x7FFFFF  # of the id index, in 23 bits; it stands for all later ones, too (from 2209 on)
DAY_US: Final = 86_400_000_000
MAX_US: Final = (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
MICRO: Final = timedelta(microseconds=1)


def parse(text: str) -> int:
    """Microseconds since the epoch of an ISO 8601 text; raises ValueError with a message for users."""
    utc = text[:-1] if text[-1:] == "Z" else text[:-3] if text.endswith("+00") else ""
    # The usual forms of UTC need no pattern, because fromisoformat is strict between these characters.
    if utc[4:20:3] in _USUAL_MARKS and (len(utc) == 19 or utc[20:].isdigit()) and utc.isascii():
        text, epoch = utc, _NAIVE_EPOCH
    elif _ISO.fullmatch(text):
        text, epoch = text.upper(), EPOCH
    else:
        raise ValueError("expected an ISO 8601 time such as 2025-01-11T08:00:00Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"not a real time: {exc}") from None
    if epoch.tzinfo and not moment.tzinfo:
        moment = moment.replace(tzinfo=UTC)
    micros = (moment - epoch) // MICRO
    if not 0 <= micros <= MAX_US:
        raise ValueError("must lie between 1970-01-01 and 9999-12-31 UTC")
    return micros


def parse_query(text: str) -> int:
    """`parse` for a query string, where an unescaped `+` of the offset has become a space."""
    return parse(_LOST_PLUS.sub(r"\1+\2", text))


def now() -> int:
    """The time now, in microseconds since the epoch."""
    return of_datetime(datetime.now(UTC))


def of_datetime(moment: datetime) -> int:
    """The microseconds since the epoch of an aware datetime."""
    return (moment - EPOCH) // MICRO


def to_datetime(micros: int) -> datetime:
    """The aware UTC datetime of a number of microseconds."""
    return EPOCH + timedelta(microseconds=micros)


def to_text(micros: int) -> str:
    """ISO 8601 in UTC with `Z`; six digits of fraction, or none when it is zero."""
    return to_datetime(micros).replace(tzinfo=None).isoformat() + "Z"


def to_date(day: int) -> date:
    """The calendar date of a day number (days since the epoch)."""
    return to_datetime(day * DAY_US).date()


def quarter_end(quarter: int) -> int:
    """Where a quarter hour of the id index ends, in microseconds; LAST_QUARTER stands for all later ones, too."""
    return MAX_US + 1 if quarter == LAST_QUARTER else (quarter + 1) * QUARTER_US

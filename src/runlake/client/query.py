"""Query Structs as query strings: the reverse of `api.params`, and a test holds that it reads what is written here."""

from __future__ import annotations

import uuid
from urllib.parse import quote, urlencode

from msgspec import UNSET, Struct, structs

from runlake import times
from runlake.model import Instant


def written(query: Struct) -> str:
    """The query string of a Struct, without what has its default."""
    given = {field.name: getattr(query, field.name) for field in structs.fields(query) if _is_given(query, field)}
    return urlencode({name: _text(value) for name, value in given.items()}, quote_via=quote, safe=",:")


def _is_given(query: Struct, field: structs.FieldInfo) -> bool:
    value = getattr(query, field.name)
    return value is not UNSET and value != field.default


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(_text(part) for part in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Instant):
        return times.to_text(value)
    if isinstance(value, float):  # to the microsecond, and never as 1e-05
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return value.hex if isinstance(value, uuid.UUID) else str(value)

"""Query strings and parameters of the path become values; an empty, repeated or unknown parameter is an error."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec

from runlake import times
from runlake.columns import alternatives
from runlake.errors import BadInput, FieldError
from runlake.intake.messages import shown
from runlake.model import Instant

Q = TypeVar("Q", bound=msgspec.Struct)

_AT: Final = re.compile(r" - at `\$\.(.*)`$")
_DIGITS: Final = re.compile(r"-?[0-9]+")
_NUMBER: Final = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,6})?")
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{32}")


def parse(raw: bytes, kind: type[Q]) -> Q:
    """The Struct `kind` of a raw query string; raises BadInput, which lists every wrong parameter."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise BadInput.of("query", "is not a query string of at most 100 parameters in UTF-8") from None
    return _decoded(pairs, kind)


def of_path(values: Mapping[str, str], kind: type[Q]) -> Q:
    """The Struct `kind` of the parameters of a path; raises BadInput, which lists every wrong one."""
    return _decoded(values.items(), kind)


def _decoded(pairs: Iterable[tuple[str, str]], kind: type[Q]) -> Q:
    fields = _fields(kind)
    errors: list[FieldError] = []
    values: dict[str, Any] = {}
    for name, text in pairs:
        try:
            if name not in fields:
                raise ValueError(f"unknown parameter; known are {', '.join(fields) or 'none'}")
            if name in values:
                raise ValueError("is given more than once")
            values[name] = None
            if not text:
                raise ValueError("is empty")
            values[name] = _value(fields[name], text)
        except ValueError as exc:
            errors.append(FieldError(name, str(exc)))
    if errors:
        raise BadInput(errors)
    try:
        return msgspec.convert(values, kind, dec_hook=_instant)
    except msgspec.ValidationError as exc:
        at = _AT.search(str(exc))
        message = str(exc)[: at.start()] if at else str(exc)
        raise BadInput.of(at[1] if at else "query", message) from None


def _uuid(text: str) -> uuid.UUID:
    if not _UUID.fullmatch(text):
        raise ValueError("is not a UUID")
    return uuid.UUID(text)


def names(raw: bytes) -> set[str]:
    """The parameters of a query string."""
    return {name for name, _ in parse_qsl(raw.decode("ascii"), keep_blank_values=True)}


def with_parameters(raw: bytes, **changed: object) -> str:
    """The query string with some parameters set to other values."""
    values: dict[str, object] = dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True))
    return urlencode(values | changed)


@cache
def _fields(kind: type[msgspec.Struct]) -> Mapping[str, msgspec.inspect.Type]:
    """The type of each parameter, by name. Cached: to inspect a Struct takes longer than to parse a query string."""
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)  # noqa: S101 - kind is a Struct
    return {field.name: field.type for field in info.fields}


def _value(kind: msgspec.inspect.Type, text: str) -> object:
    """The value of a text for a parameter of this type; raises ValueError."""
    for leaf in alternatives(kind):
        if reader := _READERS.get(type(leaf)):
            return reader(leaf, text)
    raise NotImplementedError(kind)


def _list(kind: Any, text: str) -> object:
    return [_value(kind.item_type, part) for part in text.split(",")]


def _choice(kind: Any, text: str) -> object:
    if text not in kind.values:
        raise ValueError(f"expected one of {', '.join(kind.values)}, not {shown(text)}")
    return text


def _text(_: Any, text: str) -> object:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text


def _seconds(_: Any, text: str) -> object:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"expected a number such as 2.5, not {shown(text)}")
    return float(text)


def _boolean(_: Any, text: str) -> object:
    if text.lower() not in _BOOLEANS:
        raise ValueError("expected true, false, 1 or 0")
    return _BOOLEANS[text.lower()]


def _whole_number(_: Any, text: str) -> object:
    if not _DIGITS.fullmatch(text) or len(text) > 20:
        raise ValueError("expected a whole number")
    return int(text)


_READERS: Final[Mapping[type, Callable[[Any, str], object]]] = {
    msgspec.inspect.ListType: _list,
    msgspec.inspect.LiteralType: _choice,
    msgspec.inspect.StrType: _text,
    msgspec.inspect.FloatType: _seconds,
    msgspec.inspect.BoolType: _boolean,
    msgspec.inspect.IntType: _whole_number,
    msgspec.inspect.UUIDType: lambda _, text: _uuid(text),
    msgspec.inspect.CustomType: lambda _, text: Instant(times.parse_query(text)),
}


def _instant(_: type, value: Any) -> Any:
    return value

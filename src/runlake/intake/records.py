"""JSON and NDJSON: texts become records that keep all rules, or a BadInput that names index and field."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from runlake import times
from runlake.errors import BadInput
from runlake.intake import messages, outputs
from runlake.intake.batch import NEEDS_ID, Rejected, Split
from runlake.intake.decoded import Decoded
from runlake.model import MAX_ATTEMPT, MAX_BATCH, MAX_DEPTH, MAX_RECORD_BYTES, RunRecord

SHAPE: Final = 'the body is {"runs": [{"task_id": "…"}, …]}'
MAX_ERRORS: Final = 10
_NAMED: Final = re.compile(r"(?:unknown|required) field `(.*)`")
# Possessive, and a string may be cut off at the end: so the time is linear and the memory flat for any body.
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
_MANY_COMMAS: Final = 1_000_000
_PIECE: Final = 1 << 20  # bytes of a body that are scanned at once
_FEW: Final = 32  # texts that Python parses as quickly as Arrow
_UTC: Final = pa.timestamp("us", "UTC")


_LEVEL_STEPS: Final = np.zeros(256, dtype=np.int8)
_LEVEL_STEPS[list(b"[{")] = 1
_LEVEL_STEPS[list(b"]}")] = -1


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    runs: list[msgspec.Raw]


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


class _Sent(RunRecord, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A record as it is decoded: its times are still texts, see _parse_times."""

    leased_until: str | None = None  # type: ignore[assignment]
    started_at: str | None = None  # type: ignore[assignment]
    finished_at: str | None = None  # type: ignore[assignment]
    created_at: str | None = None  # type: ignore[assignment]


class _Imported(_Sent, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A record of a file: other programs write 1 for true and 1.0 for 1, and `runlake sql` adds the run time."""

    success: bool | float | None = None  # type: ignore[assignment]
    attempt: Annotated[float, msgspec.Meta(ge=1, le=MAX_ATTEMPT)] = 1  # type: ignore[assignment]
    run_at: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


_TIMES: Final = ("leased_until", "started_at", "finished_at", "created_at")
_RECORD: Final = msgspec.json.Decoder(_Sent)
_IMPORTED: Final = msgspec.json.Decoder(_Imported)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder()
_LONE_SURROGATE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_HALF_PAIR: Final = "half a surrogate pair in a string"
_TOO_DEEP: Final = f"nests deeper than {MAX_DEPTH} levels"


def decode_json(body: bytes) -> Decoded:
    """The records of `{"runs": [record, …]}`; raises BadInput."""
    # Millions of records of a few bytes each take gigabytes once they are decoded, so count them before.
    if body.count(b",") > _MANY_COMMAS and (number := _count(body)) > MAX_BATCH:
        raise _wrong_number(number)
    try:
        texts = _ENVELOPE.decode(body).runs
    except RecursionError:
        raise BadInput.of(f"runs[{_index_at(body, MAX_DEPTH + 3)}].output", _TOO_DEEP) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        if lone := _LONE_SURROGATE.search(body):
            raise BadInput.of(f"runs[{_index_at(body[: lone.start()])}]", _HALF_PAIR) from None
        place, reason = messages.syntax_error(body, str(exc))
        if reason != str(exc):
            raise BadInput.of(f"runs[{_index_at(body[:place])}]", reason) from None
        error = _explained(str(exc))
        raise BadInput.of(error.field if error.field == "runs" else "body", error.message, hint=SHAPE) from None
    if len(texts) > MAX_BATCH:
        raise _wrong_number(len(texts))
    return _all_of([bytes(text) for text in texts])


def decode_ndjson(body: bytes) -> Decoded:
    """The records of a body with one record a line; blank lines are skipped. Raises BadInput."""
    texts = []
    for line in io.BytesIO(body):
        if line.strip():
            texts.append(line.removesuffix(b"\n"))
            if len(texts) > MAX_BATCH:
                raise _wrong_number(len(texts))
    return _all_of(texts)


def _wrong_number(number: int) -> BadInput:
    return BadInput.of("runs", f"a batch holds 1 to {MAX_BATCH} records, not {number}", hint=SHAPE)


def _count(body: bytes) -> int:
    """The number of records of a JSON body, from the commas between them; any number for a body that is no JSON."""
    commas = level = inside = slashes = 0
    for start in range(0, len(body), _PIECE):
        piece = np.frombuffer(body, np.uint8, min(_PIECE, len(body) - start), start)
        quotes, slashes = _quotes(piece, slashes)
        within = (inside + np.cumsum(quotes)) & 1
        levels = level + np.cumsum(np.where(within, 0, _LEVEL_STEPS[piece]), dtype=np.int64)
        commas += int(np.count_nonzero((piece == ord(",")) & (levels == 2) & (within == 0)))
        inside, level = int(within[-1]), int(levels[-1])
    return commas + 1


def _quotes(piece: npt.NDArray[np.uint8], slashes: int) -> tuple[npt.NDArray[np.bool_], int]:
    """Flags of the quotes that begin or end a string, and the backslashes at the end of the piece.

    These are the quotes after an even number of backslashes. `slashes` backslashes stand before the piece.
    """
    quotes, slash = piece == ord('"'), piece == ord("\\")
    if not slashes and not slash.any():
        return quotes, 0
    at = np.arange(len(piece))
    last = np.maximum.accumulate(np.where(slash, -1 - slashes, at))  # position of the last byte that is no backslash
    before = np.concatenate((np.array([-1 - slashes]), last[:-1]))
    return quotes & ((at - 1 - before) % 2 == 0), int(at[-1] - last[-1])


def _all_of(texts: Sequence[bytes]) -> Decoded:
    """The records of a body; raises BadInput for invalid ones."""
    if not texts:
        raise _wrong_number(0)
    decoded, _, rejected = _decode_all(texts, MAX_ERRORS)
    if rejected:
        raise BadInput([each.error for each in rejected])
    return decoded


def split(texts: Sequence[bytes]) -> Split:
    """The valid and the rejected records among JSON texts, for an import, where an id is required."""
    decoded, kept, rejected = _decode_all(texts, len(texts), imported=True)
    return Split(decoded.batch(), np.array(kept, dtype=np.intp), rejected)


def _decode_all(
    texts: Sequence[bytes], most: int, *, imported: bool = False
) -> tuple[Decoded, list[int], list[Rejected]]:
    """The valid records, their indexes, and the rejected ones; decoding ends after `most` rejected records."""
    read: dict[int, RunRecord] = {}
    invalid: dict[int, _InvalidFieldError] = {}
    for index, text in enumerate(texts):
        try:
            read[index] = _decoded(text, _IMPORTED if imported else _RECORD)
        except _InvalidFieldError as exc:
            invalid[index] = exc
            if len(invalid) == most:
                break
    invalid |= _parse_times(texts, read)
    records: list[RunRecord] = []
    outs: list[str] = []
    kept: list[int] = []
    for index, record in read.items():
        if index in invalid:
            continue
        try:
            outs.append(_checked(texts[index], record, imported=imported))
        except _InvalidFieldError as exc:
            invalid[index] = exc
            continue
        records.append(record)
        kept.append(index)
    rejected = [Rejected(index, invalid[index].field, invalid[index].message) for index in sorted(invalid)[:most]]
    return Decoded.of(records, outputs.canonical(outs)), kept, rejected


def _parse_times(texts: Sequence[bytes], read: dict[int, RunRecord]) -> dict[int, _InvalidFieldError]:
    """Replace the times of all records, which are texts, by microseconds; returns the errors by index of the record.

    The times of a field are parsed together, because Arrow does that much faster than Python one by one.
    """
    invalid: dict[int, _InvalidFieldError] = {}
    indexes = list(read)
    for name in _TIMES:
        micros, reasons = _micros([getattr(record, name) for record in read.values()])
        for record, time in zip(read.values(), micros, strict=True):
            setattr(record, name, time)
        for position, reason in reasons.items():
            index = indexes[position]
            invalid.setdefault(index, _with_value(texts[index], _InvalidFieldError(name, reason)))
    return invalid


def _micros(texts: Sequence[str | None]) -> tuple[list[int | None], dict[int, str]]:
    """Microseconds since the epoch of each text, None for None, and by position the reasons why a text is no time."""
    if len(texts) > _FEW:
        try:
            # Arrow parses the usual forms as `times.parse` does and refuses others, but not an hour without minutes.
            column = pa.array(texts, pa.string())
            micros: list[int | None] = column.cast(_UTC).cast(pa.int64()).to_pylist()
            minutes = pc.all(pc.equal(pc.utf8_slice_codeunits(column, 13, 14), ":")).as_py()
        except (pa.ArrowInvalid, UnicodeEncodeError):
            pass
        else:
            if minutes is not False and all(time is None or 0 <= time <= times.MAX_US for time in micros):
                return micros, {}
    micros, reasons = [], {}
    for position, text in enumerate(texts):
        try:
            micros.append(None if text is None else times.parse(text))
        except ValueError as exc:
            micros.append(None)
            reasons[position] = str(exc)
    return micros, reasons


def _repeated_member(record: bytes) -> str | None:
    """The first name that a valid JSON object has twice, or None: decoders keep the last one without an error."""
    # The quickest way to know is that an object without repeated names does not change when it is decoded and encoded.
    encoded = _ENCODER.encode(_MEMBERS.decode(record))
    if encoded == record.strip() or _compact(encoded) == _compact(record):
        return None
    pairs: list[tuple[str, Any]] = []

    def keep(members: list[tuple[str, Any]]) -> None:
        pairs[:] = members  # those of the outermost object in the end, because it is completed last

    json.loads(record, object_pairs_hook=keep, parse_int=str, parse_float=str)
    names = [name for name, _ in pairs]
    return next((name for name in names if names.count(name) > 1), None)


def _compact(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=-1)


class _InvalidFieldError(Exception):
    """A field of a record breaks a rule; without a field, the record as a whole does."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def _checked(text: bytes, record: RunRecord, *, imported: bool) -> str:
    """Check the rules of a record; returns its output as compact JSON, or raises _InvalidFieldError."""
    try:
        output = outputs.compact(bytes(record.output))
    except UnicodeDecodeError as exc:
        raise _InvalidFieldError("output", f"not UTF-8: {exc.reason}") from None
    if outputs.depth(output) > MAX_DEPTH:
        raise _InvalidFieldError("output", _TOO_DEEP)
    if name := _repeated_member(text):
        raise _InvalidFieldError(name, "given twice")
    if imported:
        _normalize(text, record)
    if (record.finished_at is None) != (record.success is None):
        raise _InvalidFieldError("success", "must be set exactly when finished_at is set")
    if record.finished_at is not None and record.started_at is not None and record.finished_at < record.started_at:
        finished, started = times.to_text(record.finished_at), times.to_text(record.started_at)
        raise _InvalidFieldError("finished_at", f"{finished} is earlier than started_at, {started}")
    return output


def _decoded(text: bytes, decoder: msgspec.json.Decoder[Any]) -> RunRecord:
    """Decode a record; raises _InvalidFieldError."""
    if len(text) > MAX_RECORD_BYTES:
        raise _InvalidFieldError("", f"a record is at most {MAX_RECORD_BYTES} bytes, not {len(text)}")
    try:
        record: RunRecord = decoder.decode(text)
    except msgspec.ValidationError as exc:
        raise _with_value(text, _explained(str(exc))) from None
    except RecursionError:
        raise _InvalidFieldError("output", _TOO_DEEP) from None
    except UnicodeDecodeError as exc:
        raise _InvalidFieldError("", f"not UTF-8: {exc.reason}") from None
    except msgspec.DecodeError as exc:
        raise _InvalidFieldError(
            "", _HALF_PAIR if _LONE_SURROGATE.search(text) else messages.syntax_error(text, str(exc))[1]
        ) from None
    return record


def _normalize(text: bytes, record: RunRecord) -> None:
    """Convert `success` and `attempt` of an imported record; raises _InvalidFieldError for them, and without an id."""
    if record.id is None:
        raise _InvalidFieldError("id", NEEDS_ID)
    if isinstance(record.success, float):
        if record.success not in (0.0, 1.0):
            raise _with_value(text, _InvalidFieldError("success", "Expected"))
        record.success = bool(record.success)
    if record.attempt % 1:
        raise _with_value(text, _InvalidFieldError("attempt", "Expected"))
    record.attempt = int(record.attempt)


def _explained(message: str) -> _InvalidFieldError:
    """The field and the reason in a message of msgspec."""
    if at := messages.AT.search(message):
        return _InvalidFieldError(at[1], message[: at.start()])
    named = _NAMED.search(message)
    return _InvalidFieldError(named[1] if named else "", message)


def _with_value(text: bytes, error: _InvalidFieldError) -> _InvalidFieldError:
    """The error with the wrong value in its message, if it is about the value of a field of the record `text`."""
    if error.field not in messages.EXPECTED or error.message.startswith("Object"):
        return error
    try:
        value = str(bytes(_MEMBERS.decode(text)[error.field]), "utf-8", "replace")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
        return error  # another member is wrong, too
    is_about_type = error.message.startswith(("Expected", "Invalid", "expected"))
    reason = f"expected {messages.EXPECTED[error.field]}" if is_about_type else error.message
    return _InvalidFieldError(error.field, f"{reason}, not {messages.shortened(value)}")


def _index_at(body: bytes, stop_level: int = 2**31) -> int:
    """The index of the record in which a JSON body ends, or in which its nesting exceeds a level.

    The decoder reports no position for an error of nesting or of surrogates, so this finds the record.
    """
    level = index = 0
    for byte in _STRINGS.sub(b"", body):
        if byte in b"[{":
            level += 1
            if level > stop_level:
                break
        elif byte in b"]}":
            level -= 1
        elif byte == 0x2C and level == 2:
            index += 1
    return index

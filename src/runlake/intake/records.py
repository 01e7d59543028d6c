"""JSON and NDJSON bodies: texts become a Batch, or a BadInput that names index and field."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from runlake import times
from runlake.errors import BadInput
from runlake.intake import moments, outputs, words
from runlake.intake.batch import NEEDS_ID, Batch, Rejected, Split
from runlake.intake.decoded import Decoded
from runlake.intake.members import twice
from runlake.model import MAX_ATTEMPT, MAX_BATCH, MAX_DEPTH, MAX_RECORD_BYTES, Record

SHAPE: Final = 'the body is {"runs": [{"task_id": "…"}, …]}'
MAX_ERRORS: Final = 10
_AT: Final = re.compile(r" - at `\$\.?(.*)`$")
_NAMED: Final = re.compile(r"(?:unknown|required) field `(.*)`")
# Possessive, and open at the end: the time stays linear and the memory flat, whatever the body is.
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
_MANY_COMMAS: Final = 1_000_000
_PIECE: Final = 1 << 20


_STEPS: Final = np.zeros(256, dtype=np.int8)
_STEPS[list(b"[{")] = 1
_STEPS[list(b"]}")] = -1


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    runs: list[msgspec.Raw]


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


class _Sent(Record, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A record whose times are texts until those of all records are read together."""

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
_HALF: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_HALF_PAIR: Final = "half a surrogate pair in a string"
_TOO_DEEP: Final = f"nests deeper than {MAX_DEPTH} levels"


def from_json(body: bytes) -> Batch:
    """A Batch from `{"runs": [record, …]}`; raises BadInput."""
    return decode_json(body).batch()


def from_ndjson(body: bytes) -> Batch:
    """A Batch from one record a line; blank lines do not count. Raises BadInput."""
    return decode_ndjson(body).batch()


def decode_json(body: bytes) -> Decoded:
    """The records of `{"runs": [record, …]}`; raises BadInput."""
    # Millions of records of a few bytes each would take gigabytes before they could be counted.
    if body.count(b",") > _MANY_COMMAS and (number := _count(body)) > MAX_BATCH:
        raise _wrong_number(number)
    try:
        texts = _ENVELOPE.decode(body).runs
    except RecursionError:
        raise BadInput.of(f"runs[{_index_at(body, MAX_DEPTH + 3)}].output", _TOO_DEEP) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        if half := _HALF.search(body):
            raise BadInput.of(f"runs[{_index_at(body[: half.start()])}]", _HALF_PAIR) from None
        place, reason = words.malformed(body, str(exc))
        if reason != str(exc):
            raise BadInput.of(f"runs[{_index_at(body[:place])}]", reason) from None
        bad = _explained(str(exc))
        raise BadInput.of(bad.field if bad.field == "runs" else "body", bad.message, hint=SHAPE) from None
    if len(texts) > MAX_BATCH:
        raise _wrong_number(len(texts))
    return _all_of([bytes(text) for text in texts])


def decode_ndjson(body: bytes) -> Decoded:
    """The records of lines, one on each; blank lines do not count. Raises BadInput."""
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
    """How many records a JSON body has: the commas between them and one. Of a body that is no JSON, any number."""
    commas = level = inside = slashes = 0
    for start in range(0, len(body), _PIECE):
        piece = np.frombuffer(body, np.uint8, min(_PIECE, len(body) - start), start)
        quotes, slashes = _quotes(piece, slashes)
        within = (inside + np.cumsum(quotes)) & 1
        levels = level + np.cumsum(np.where(within, 0, _STEPS[piece]), dtype=np.int64)
        commas += int(np.count_nonzero((piece == ord(",")) & (levels == 2) & (within == 0)))
        inside, level = int(within[-1]), int(levels[-1])
    return commas + 1


def _quotes(piece: npt.NDArray[np.uint8], slashes: int) -> tuple[npt.NDArray[np.bool_], int]:
    """Where strings begin and end: quotes after an even number of backslashes. `slashes` stand before the piece."""
    quotes, slash = piece == ord('"'), piece == ord("\\")
    if not slashes and not slash.any():
        return quotes, 0
    at = np.arange(len(piece))
    last = np.maximum.accumulate(np.where(slash, -1 - slashes, at))  # the last byte that is no backslash
    before = np.concatenate((np.array([-1 - slashes]), last[:-1]))
    return quotes & ((at - 1 - before) % 2 == 0), int(at[-1] - last[-1])


def _all_of(texts: Sequence[bytes]) -> Decoded:
    if not texts:
        raise _wrong_number(0)
    decoded, _, rejected = _judged(texts, MAX_ERRORS)
    if rejected:
        raise BadInput([bad.error for bad in rejected])
    return decoded


def split(texts: Sequence[bytes]) -> Split:
    """The good records among JSON texts and the bad ones, for an import: ids are required."""
    decoded, kept, rejected = _judged(texts, len(texts), imported=True)
    return Split(decoded.batch(), np.array(kept, dtype=np.intp), rejected)


def _judged(texts: Sequence[bytes], most: int, *, imported: bool = False) -> tuple[Decoded, list[int], list[Rejected]]:
    """The good texts, which they are, and up to the first `most` bad ones."""
    read: dict[int, Record] = {}
    bad: dict[int, _Bad] = {}
    for index, text in enumerate(texts):
        try:
            read[index] = _decoded(text, _IMPORTED if imported else _RECORD)
        except _Bad as exc:
            bad[index] = exc
            if len(bad) == most:
                break
    bad |= _read_times(texts, read)
    records: list[Record] = []
    outs: list[str] = []
    kept: list[int] = []
    for index, record in read.items():
        if index in bad:
            continue
        try:
            outs.append(_checked(texts[index], record, imported=imported))
        except _Bad as exc:
            bad[index] = exc
            continue
        records.append(record)
        kept.append(index)
    rejected = [Rejected(index, bad[index].field, bad[index].message) for index in sorted(bad)[:most]]
    return Decoded.of(records, outputs.canonical(outs)), kept, rejected


def _read_times(texts: Sequence[bytes], read: dict[int, Record]) -> dict[int, _Bad]:
    """Make times of their texts in all records, and say of which records one is none."""
    bad: dict[int, _Bad] = {}
    places = list(read)
    for name in _TIMES:
        found, wrong = moments.parsed([getattr(record, name) for record in read.values()])
        for record, time in zip(read.values(), found, strict=True):
            setattr(record, name, time)
        for place, reason in wrong.items():
            bad.setdefault(places[place], _refused(texts[places[place]], _Bad(name, reason)))
    return bad


class _Bad(Exception):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def _checked(text: bytes, record: Record, *, imported: bool) -> str:
    """The text of the output of a record that keeps the rules; raises _Bad for another."""
    try:
        output = outputs.compact(bytes(record.output))
    except UnicodeDecodeError as exc:
        raise _Bad("output", f"not UTF-8: {exc.reason}") from None
    if outputs.depth(output) > MAX_DEPTH:
        raise _Bad("output", _TOO_DEEP)
    if name := twice(text):
        raise _Bad(name, "given twice")
    if imported:
        _normalize(text, record)
    if (record.finished_at is None) != (record.success is None):
        raise _Bad("success", "must be set exactly when finished_at is set")
    if record.finished_at is not None and record.started_at is not None and record.finished_at < record.started_at:
        finished, started = times.to_text(record.finished_at), times.to_text(record.started_at)
        raise _Bad("finished_at", f"{finished} is earlier than started_at, {started}")
    return output


def _decoded(text: bytes, decoder: msgspec.json.Decoder[Any]) -> Record:
    """A record of the right types; raises _Bad."""
    if len(text) > MAX_RECORD_BYTES:
        raise _Bad("", f"a record is at most {MAX_RECORD_BYTES} bytes, not {len(text)}")
    try:
        record: Record = decoder.decode(text)
    except msgspec.ValidationError as exc:
        raise _refused(text, _explained(str(exc))) from None
    except RecursionError:
        raise _Bad("output", _TOO_DEEP) from None
    except UnicodeDecodeError as exc:
        raise _Bad("", f"not UTF-8: {exc.reason}") from None
    except msgspec.DecodeError as exc:
        raise _Bad("", _HALF_PAIR if _HALF.search(text) else words.malformed(text, str(exc))[1]) from None
    return record


def _normalize(text: bytes, record: Record) -> None:
    """Give a record of a file a truth value and a whole number of attempts; raises _Bad for others, and without id."""
    if record.id is None:
        raise _Bad("id", NEEDS_ID)
    if isinstance(record.success, float):
        if record.success not in (0.0, 1.0):
            raise _refused(text, _Bad("success", "Expected"))
        record.success = bool(record.success)
    if record.attempt % 1:
        raise _refused(text, _Bad("attempt", "Expected"))
    record.attempt = int(record.attempt)


def _explained(message: str) -> _Bad:
    """msgspec's message split into field and words."""
    if at := _AT.search(message):
        return _Bad(at[1], message[: at.start()])
    named = _NAMED.search(message)
    return _Bad(named[1] if named else "", message)


def _refused(text: bytes, bad: _Bad) -> _Bad:
    """The same with the value that was refused, where it is the value of a field."""
    if bad.field not in words.WANTED or bad.message.startswith("Object"):
        return bad
    try:
        value = str(bytes(_MEMBERS.decode(text)[bad.field]), "utf-8", "replace")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
        return bad  # another member is wrong, too
    expected = bad.message.startswith(("Expected", "Invalid", "expected"))
    reason = f"expected {words.WANTED[bad.field]}" if expected else bad.message
    return _Bad(bad.field, f"{reason}, not {words.cut(value)}")


def _index_at(body: bytes, stop_level: int = 2**31) -> int:
    """Which record of a JSON body is open at its end, or where nesting reaches a level.

    For the two faults that make the decoder give up on the whole body without a position.
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

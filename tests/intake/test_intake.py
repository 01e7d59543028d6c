"""Every rule for a record, on every way in, with the field the error names."""

from __future__ import annotations

import itertools
import json
import random
import time
import uuid
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runlake import duck, times
from runlake.columns import ARROW
from runlake.errors import BadInput
from runlake.intake import Tables, decode_json, decode_ndjson, outputs
from runlake.model import MAX_RECORD_BYTES

TASK: Final = "550e8400-e29b-41d4-a716-446655440000"
GOOD: Final = f'{{"task_id":"{TASK}"}}'
TABLES: Final = Tables()
DONE: Final = '"finished_at":"2025-01-01","success":true'


def body(*records: str) -> bytes:
    return f'{{"runs":[{",".join(records)}]}}'.encode()


def with_fields(fields: str) -> str:
    return f'{{"task_id":"{TASK}",{fields}}}'


def fields_of(bad: BadInput) -> list[str]:
    return [error.field for error in bad.errors]


def row(fields: str) -> dict[str, Any]:
    found: dict[str, Any] = decode_json(body(with_fields(fields))).batch().rows.to_pylist()[0]
    return found


WRONG: Final = {
    "id": ['"x"', '""', "5", "true", "[]", '"{550e8400-e29b-41d4-a716-446655440000}"', f'"{TASK}0"', f'"{TASK[:-1]}g"'],
    "task_id": ["null", '"x"', "5"],
    "lease_owner": ["5", "true", "{}", f'"{"x" * 256}"'],
    "leased_until": ["5", "1736582400", "true", '""', '"x"', '"2025-02-30"', '"1969-12-31"', '"10000-01-01"', "[]"],
    "started_at": ["5", '"2025-01-01T25:00"', '"9999-12-31T23:59:59-01:00"'],
    "created_at": ["5", '"2025-13-01"', "{}"],
    "finished_at": ['"x"', "1.5"],
    "success": ["1", '"true"', '"x"', "[]", "true", "false"],
    "error": ["5", "true", "{}", '["x"]'],
    "attempt": ["0", "-1", "2147483648", "9" * 40, "1.0", "1e2", "1.5", '"1"', "true", "null", "[]"],
    "nope": ["null", "1"],
    "Task_id": [f'"{TASK}"'],
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in WRONG.items() for v in values])
def test_a_wrong_value_is_named(field: str, value: str) -> None:
    bad = f'{{"task_id":"{TASK}","{field}":{value}}}'
    for at in (0, 17):
        with pytest.raises(BadInput) as raised:
            decode_json(body(*[GOOD] * at, bad, GOOD))
        assert fields_of(raised.value) == [f"runs[{at}].{field}"]
        with pytest.raises(BadInput) as raised:
            decode_ndjson("\n".join(["", *[GOOD] * at, " ", bad, GOOD]).encode())
        assert fields_of(raised.value) == [f"runs[{at}].{field}"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ('"finished_at":"2025-01-01"', "success"),
        ('"finished_at":"2025-01-01","success":null', "success"),
        ('"success":false', "success"),
        (f'"started_at":"2025-01-01T00:00:00.000001",{DONE}', "finished_at"),
        (f'"started_at":"2024-12-31T23:59:59-01:00",{DONE}', "finished_at"),
    ],
)
def test_rules_between_fields(fields: str, field: str) -> None:
    with pytest.raises(BadInput) as raised:
        decode_json(body(GOOD, with_fields(fields)))
    assert fields_of(raised.value) == [f"runs[1].{field}"]


def test_a_clock_that_is_wrong_elsewhere_is_no_error() -> None:
    assert row(f'"created_at":"2030-01-01","started_at":"2025-01-01",{DONE}')["created_at"].year == 2030
    assert row(f'"started_at":"2025-01-01",{DONE}')["success"] is True


def test_defaults() -> None:
    batch = decode_json(body(GOOD, with_fields('"id":null,"output":null,"error":null,"lease_owner":null'))).batch()
    assert batch.rows.schema == ARROW
    assert batch.received.tolist() == [True, True]
    now = time.time_ns() // 1000
    for found in batch.rows.to_pylist():
        assert found.pop("id").version == 7
        assert 0 <= now - found["created_at"].timestamp() * 1e6 < 10e6
        assert found.pop("created_at")
        assert found == dict.fromkeys(found) | {"task_id": uuid.UUID(TASK), "attempt": 1}


@pytest.mark.parametrize(
    ("fields", "created"),
    [
        (f'"created_at":"2020-01-01","started_at":"2021-01-01",{DONE}', "2020-01-01"),
        (f'"started_at":"2021-01-01",{DONE}', "2021-01-01"),
        (f'"created_at":null,"started_at":null,{DONE}', "2025-01-01"),
        ('"started_at":"2021-01-01T01:00+01:00"', "2021-01-01"),
    ],
)
def test_created_at_has_a_default(fields: str, created: str) -> None:
    batch = decode_json(body(with_fields(fields))).batch()
    assert batch.rows["created_at"].cast(pa.int64()).to_pylist() == [times.parse(created)]
    assert batch.received.tolist() == [False]


def test_minted_ids_are_distinct_version_7_and_of_now() -> None:
    ids = decode_json(body(*[GOOD] * 1000)).batch().rows["id"].to_pylist()
    assert len(set(ids)) == 1000
    assert {(run_id.version, run_id.variant) for run_id in ids} == {(7, uuid.RFC_4122)}
    assert all(0 <= time.time() - (run_id.int >> 80) / 1000 < 10 for run_id in ids)


BODIES: Final[dict[str, tuple[bytes, str]]] = {
    "a field twice": (body(GOOD, with_fields('"attempt":1,"attempt":2')), "runs[1].attempt"),
    "a field twice, escaped": (body(GOOD, with_fields(r'"error":"","\u0065rror":"x"')), "runs[1].error"),
    "a bare record": (GOOD.encode(), "body"),
    "a bare array": (f"[{GOOD}]".encode(), "body"),
    "no records": (body(), "runs"),
    "too many records": (body(*[GOOD] * 10_001), "runs"),
    "another field": (f'{{"runs":[{GOOD}],"x":1}}'.encode(), "body"),
    "nothing": (b"", "body"),
    "half": (body(GOOD)[:-1], "body"),
    "NUL behind": (body(GOOD) + b"\0", "body"),
    "more behind": (body(GOOD) + b"{}", "body"),
    "byte order mark": (b"\xef\xbb\xbf" + body(GOOD), "body"),
    "UTF-16": (body(GOOD).decode().encode("utf-16"), "body"),
    "a number among records": (body(GOOD, "5"), "runs[1]"),
    "null among records": (body(GOOD, "null"), "runs[1]"),
    "an array among records": (body(GOOD, "[]"), "runs[1]"),
    "no task_id": (body(GOOD, "{}"), "runs[1].task_id"),
    "bad UTF-8 in a name": (body(GOOD, with_fields('"?":1')).replace(b"?", b"\xff"), "runs[1]"),
    "bad UTF-8 in a text": (body(GOOD, with_fields('"error":"?"')).replace(b"?", b"\xc3"), "runs[1]"),
    "bad UTF-8 in output": (body(GOOD, with_fields('"output":["?"]')).replace(b"?", b"\xff"), "runs[1].output"),
    "a surrogate in UTF-8": (body(with_fields('"output":"?"')).replace(b"?", b"\xed\xa0\x80"), "runs[0].output"),
    "half a pair in a text": (body(GOOD, with_fields(r'"error":"\ud800"')), "runs[1]"),
    "half a pair in output": (body(*[GOOD] * 5, with_fields(r'"output":{"\udfff":1}')), "runs[5]"),
    "halves in wrong order": (body(GOOD, with_fields(r'"output":"\ude00\ud83d"')), "runs[1]"),
}


@pytest.mark.parametrize("what", BODIES)
def test_bodies_that_are_refused(what: str) -> None:
    sent, field = BODIES[what]
    with pytest.raises(BadInput) as raised:
        decode_json(sent)
    assert fields_of(raised.value) == [field]


def test_many_errors_are_named_but_not_all() -> None:
    with pytest.raises(BadInput) as raised:
        decode_json(body(*["{}"] * 50))
    assert fields_of(raised.value) == [f"runs[{i}].task_id" for i in range(10)]


def test_texts_are_kept_to_the_byte() -> None:
    for text in ("", "a\x00b", "\\ud800", "😀" * 255, "NULL", " ", "\x7f\u2028"):
        assert row(f'"error":{json.dumps(text)},"lease_owner":{json.dumps(text)}')["error"] == text
    assert row(r'"error":"\ud83d\ude00"')["error"] == "😀"


def nested(levels: int, kind: str = "[") -> str:
    return kind * levels + "]" * levels if kind == "[" else '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize("kind", ["[", "{"])
def test_nesting(kind: str) -> None:
    brackets = '"' + "[{" * 500 + '\\"]"'  # in a string they count for nothing
    for good in (nested(100, kind), f"[{nested(99, kind)},{brackets}]", f"[{','.join([nested(60, kind)] * 9)}]"):
        assert row(f'"output":{good}')["output"] is not None
        assert TABLES.batch(pa.table({"task_id": [TASK], "output": [good]})).rows.num_rows == 1
    for levels in (101, 102, 5_000, 100_000):
        deep = nested(levels, kind)
        records = [
            *[with_fields(f'"output":["}}]",{nested(5)},{brackets}]')] * 17,
            with_fields(f'"output":{deep}'),
            GOOD,
        ]
        for read, sent in ((decode_json, body(*records)), (decode_ndjson, "\n".join(records).encode())):
            with pytest.raises(BadInput) as raised:
                read(sent)
            assert fields_of(raised.value) == ["runs[17].output"]
        with pytest.raises(BadInput) as raised:
            TABLES.batch(pa.table({"task_id": [TASK] * 3, "output": [None, "1", deep]}))
        assert fields_of(raised.value) == ["runs[2].output"]


def test_nesting_in_a_long_column() -> None:
    """Among texts and nulls, with brackets in strings, and in a column that begins in the middle of another."""
    texts: list[str | None] = [None, "[]", nested(100), f'["{"[" * 200}"]', '{"a":[{}]}'] * 8000
    for place in (0, 1, 16_383, 16_384, 16_385, 39_999):
        texts[place] = nested(101, "{" if place % 2 else "[")
    split = TABLES.split(pa.table({"task_id": [TASK] * 40_000, "output": texts}).slice(1))
    assert [bad.row for bad in split.rejected] == [0, 16_382, 16_383, 16_384, 39_998]
    assert split.batch.rows["output"].null_count == texts[1:].count(None)


def test_a_record_is_at_most_one_mebibyte() -> None:
    room = MAX_RECORD_BYTES - len(with_fields('"error":""'))
    assert row(f'"error":"{"x" * room}"')["error"] == "x" * room
    for read, sent in ((decode_json, body), (decode_ndjson, lambda *lines: "\n".join(lines).encode())):
        with pytest.raises(BadInput) as raised:
            read(sent(GOOD, with_fields(f'"error":"{"x" * (room + 1)}"')))
        assert fields_of(raised.value) == ["runs[1]"]


JSON: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=6), inner, max_size=5)),
    max_leaves=15,
)
NUMBERS: Final = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
ESCAPES: Final = st.sampled_from([*'"\\/bfnrt', "u0000", "u007f", "u00e9", "u2028", "uD83D\\uDE00", "u0041", "u001F"])
STRINGS: Final = st.lists(st.one_of(ESCAPES.map("\\{}".format), st.sampled_from("aé😀\x7f [,:}"))).map("".join)
SPACE: Final = st.text(" \t\n\r", max_size=2)
WRITTEN: Final = st.one_of(
    st.builds(json.dumps, JSON, ensure_ascii=st.booleans(), indent=st.sampled_from([None, 0, 2])),
    st.builds(json.dumps, JSON, separators=st.just((",", ":")), ensure_ascii=st.booleans()),
    st.builds("{0}[{0}{1}{0},{2}{0}]{0}".format, SPACE, NUMBERS, STRINGS.map('"{}"'.format)),
    st.builds('{{"{}":{},"":{}}}'.format, STRINGS, NUMBERS, NUMBERS),
)
DUCK: Final = duck.connect(threads=1, memory_limit="256MB")


def by_duckdb(texts: list[str]) -> list[str | None]:
    DUCK.register("given", pa.table({"x": pa.array(texts, pa.string())}))
    found: list[str] = DUCK.execute("SELECT json(x)::VARCHAR AS x FROM given").to_arrow_table()["x"].to_pylist()
    return [None if text == "null" else text for text in found]


def canonical(texts: list[str]) -> list[str | None]:
    return outputs.canonical([outputs.compact(text.encode()) for text in texts])


def test_a_long_number_is_judged_in_one_pass() -> None:
    """One that looks plain until its last character: whoever gives digits back never ends."""
    texts = [f"{'7' * digits}{end}" for digits in (40, 300) for end in ("", ".5", "e1", " ")]
    assert canonical([f"[{text}]" for text in texts]) == by_duckdb([f"[{text}]" for text in texts])


def test_fractions_are_written_as_duckdb_writes_them() -> None:
    """Few digits and many, zeros at either end, and numbers in a row."""
    rng = random.Random(8)
    whole = [rng.choice(["0", str(rng.randrange(1, 10 ** rng.randrange(1, 12)))]) for _ in range(5000)]
    digits = ["".join(rng.choices("0123456789", k=rng.randrange(1, 9))) for _ in whole]
    texts = [f"{rng.choice(['', '-'])}{one}.{other}" for one, other in zip(whole, digits, strict=True)]
    texts += [f"[{one},{other}]" for one, other in itertools.pairwise(texts[:500])]
    assert canonical(texts) == by_duckdb(texts)


@settings(max_examples=100)
@given(texts=st.lists(WRITTEN, min_size=1, max_size=15))
@example(["-0", "0", "-0.0", "1e400", "-1E-400", "1e2", "1.0", "null", " null ", "[null]", '"null"'])
def test_the_short_way_to_canonical_text_agrees_with_duckdb(texts: list[str]) -> None:
    written = canonical(texts)
    assert written == by_duckdb(texts)
    again = [text for text in written if text is not None]
    assert canonical(again) == again
    batch = TABLES.batch(pa.table({"task_id": [TASK] * len(texts), "output": texts}))
    assert batch.rows["output"].to_pylist() == written
    decoded = decode_json(body(*(with_fields(f'"output":{text}') for text in texts)))
    assert decoded.batch().rows["output"].to_pylist() == written


def test_ndjson_lines() -> None:
    assert decode_ndjson(f"{GOOD}\r\n\r\n {GOOD} \r\n\n".encode()).batch().rows.num_rows == 2
    separators = decode_ndjson(with_fields('"error":"a\u2028b\x85c"').encode()).batch()
    assert separators.rows["error"].to_pylist() == ["a\u2028b\x85c"]
    for sent in ("", "\n \n", f"[{GOOD}]", "null", GOOD * 2):
        with pytest.raises(BadInput) as raised:
            decode_ndjson(sent.encode())
        assert fields_of(raised.value) == ["runs[0]" if sent.strip() else "runs"]
    assert np.count_nonzero(decode_ndjson(GOOD.encode()).batch().received) == 1


STRINGS_OF: Final = (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()))
INTEGERS: Final = [getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)]
SLOPPY: Final = ["[1,]", '{"a":1, }', "NaN", "[nan]", "-Infinity", "[inf]", '["x",\n]', "", "tru", "1 2", "NULL"]
STRICT: Final = ['"NaN, Infinity,]"', '{"a,}":"inf"}', r'["\\",",]"]', r'"\"nan"', "[null,1]", '{"nan":",]"}']


def column(**values: Any) -> Any:
    """What becomes of one value in columns."""
    ((name, value),) = values.items()
    table = pa.table({"task_id": pa.array([TASK] * len(value))} | {name: value})
    return TABLES.batch(table).rows[name].to_pylist()


def test_columns_of_any_fitting_type() -> None:
    for kind in STRINGS_OF:
        for text in ("", "a\x00b", "NULL", "é"):
            assert column(error=pa.array([text, None]).cast(kind)) == [text, None]
        assert column(task_id=pa.array([TASK.upper()]).cast(kind)) == [uuid.UUID(TASK)]
        assert column(output=pa.array(["[1, 2]", "null"]).cast(kind)) == ["[1,2]", None]
        assert column(started_at=pa.array(["2025-01-01"]).cast(kind))[0].isoformat() == "2025-01-01T00:00:00+00:00"
    for name in ("id", "error", "attempt", "output", "created_at"):
        assert len(column(**{name: pa.nulls(2)})) == 2
    assert column(output=[{"a": [1, None]}]) == ['{"a":[1,null]}']
    assert column(output=STRICT) == STRICT


@pytest.mark.parametrize("kind", INTEGERS, ids=str)
def test_attempts_of_any_integer_type(kind: pa.DataType) -> None:
    assert column(attempt=pa.array([1, 127, None], kind)) == [1, 127, 1]
    with pytest.raises(BadInput, match=r"^runs\[1\]\.attempt: [^;]*$"):
        column(attempt=pa.array([1, 0], kind))


@pytest.mark.parametrize("bad", SLOPPY)
def test_output_columns_are_strict_json(bad: str) -> None:
    with pytest.raises(BadInput, match=r"^runs\[1\]\.output: [^;]*$"):
        column(output=["1", bad])


@pytest.mark.parametrize("day", [-1, 2_932_897, 2**31 - 1, -(2**31)])
def test_days_out_of_range(day: int) -> None:
    with pytest.raises(BadInput, match=r"^runs\[1\]\.leased_until: [^;]*$"):
        column(leased_until=pa.array([0, day], pa.date32()))


@pytest.mark.parametrize("other", [b'"\xff":1', b'"error":"\xff"', b'"output":' + b"[" * 5000])
@pytest.mark.parametrize("wrong", [b'"task_id":null', b'"task_id":[]'])
def test_a_wrong_value_beside_what_cannot_be_read(wrong: bytes, other: bytes) -> None:
    """The value cannot be shown then; the record is refused all the same."""
    for text in (b"{" + wrong + b"," + other + b"}", b"{" + other + b"," + wrong + b"}"):
        with pytest.raises(BadInput):
            decode_ndjson(text)
        with pytest.raises(BadInput):
            decode_json(b'{"runs":[' + text + b"]}")

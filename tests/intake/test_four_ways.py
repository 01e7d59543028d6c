"""One meaning for every way in: what one way stored, every other way finds to be a duplicate."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Callable
from itertools import groupby, product
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pytest
from beginnings import begin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loading import load_pieces
from support import arrow_stream, record

from runlake.api.body import from_arrow
from runlake.columns import NAMES
from runlake.errors import ImportFailed
from runlake.intake import Batch, Decoded, decode_json, decode_ndjson, joined
from runlake.lake import bulk
from runlake.lake.append import AppendResult
from runlake.lake.bulk import Reject
from runlake.sandbox import sources
from runlake.settings import Settings
from runlake.store import Store

Record = dict[str, Any]
Texts = list[str]  # records, each as JSON text, for numbers must stay as they were written

TASK: Final = "550e8400-e29b-41d4-a716-446655440000"
TIMES: Final = [
    f"{date}{separator}{clock}{offset}"
    for date, separator, clock, offset in product(
        ("2025-01-11", "2024-02-29"),
        ("T", " ", "t"),
        ("08:00", "08:00:59", "23:59:59.9", "08:00:00.123456789123", "08:00:00,000001"),
        ("", "Z", "z", "+05:30", "-0330", "+14", "-23:59"),
    )
]
EDGES: Final = [
    *("1970-01-01", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.0000009Z", "2025-01-11", "2024-02-29"),
    *("1969-12-31T23:30:00-01:00", "9999-12-31T23:59:59.9999999Z", "9999-12-31", "2149-06-06", "2149-06-07"),
    *("2262-04-11T23:47:16.854775Z", "2262-04-12", "2038-01-19T03:14:08Z"),
]
TEXTS: Final = [
    *("", " ", "NULL", "null", "None", "nan", "NaN", "inf", "true", "1", "1.50", "-0", "1e5", "007", "{}", "[1, 2]"),
    *("2025-01-11", "2025-01-11T08:00:00Z", "08:00:00", TASK, '"quoted"', "it's", "a,b;c\td", "line\nbreak\r\n"),
    *("\\", "\\n", "\\u0041", "\x00", "a\x00b", "\x01\x1f\x7f", "\u2028\u2029\ufeff", "e\u0301é", "😀", "\U0010ffff"),
    *("%s {} $x ?", "ß" * 300, "x" * 5000, " lead", "trail ", "'); DROP TABLE runs; --", "\ufffd", "0x10", "t", "f"),
]
OUTPUTS: Final = [
    *("null", "true", "false", "0", "-0", "0.0", "-0.0", "1", "-1", "1.0", "1.50", "1e2", "1E+2", "1e-7", "1e21"),
    *("123456789012345678901234567890", "-123456789012345678901234567890", "9223372036854775808", "5e-324", "1e22"),
    *("18446744073709551615", "18446744073709551616", "-9223372036854775809", "1.7976931348623157e308", "1e400"),
    *("0.30000000000000004", "3.141592653589793238462643", "2.2250738585072014e-308", "1e-400", "-1e999", "0.1"),
    *(
        '""',
        '" "',
        '"null"',
        '"2025-01-11"',
        '"1"',
        '"é"',
        '"\\u00e9"',
        '"\\ud83d\\ude00"',
        '"\\/"',
        '"\\b\\f\\n\\r\\t"',
    ),
    *('"\\u0000"', '"a\\u0000b"', '"\\u007f"', '"\x7f"', '"\\u2028"', '"\u2028"', '"\\"\\\\"', '"NaN, Infinity,]"'),
    *("[]", "{}", "[ ]", "{ }", "[[]]", '[{}, [], null, ""]', '{"":{"":1}}', '{"b":1,"a":2}', '{ "a" : [1 , 2.0] }'),
    *('{"a":null}', '{"a":{"b":null},"c":[null]}', '{"id":"x","runs":[1]}', '{"a":1,"A":2}', '{"é":"\\u00e9"}'),
    *("[1,1.0,1e0]", '{"x":"2025-01-11T08:00:00Z"}', '["a",1]', "[" * 100 + "]" * 100),
    *('{"a":' * 99 + "[1]" + "}" * 99, json.dumps("x" * 100_000)),
    json.dumps({f"key {i}": [i, str(i), i / 7] for i in range(200)}),
]


def nasty() -> Texts:
    """Records in which every time, text and output above occurs, with all other fields going round."""
    times, made = [*EDGES, *TIMES], []
    for i in range(max(len(times), len(TEXTS), len(OUTPUTS))):
        run_id = f"{i:08x}-ABCD-4def-8aaa-{i * 7919:012X}"
        fields: Record = {
            "id": [run_id, run_id.lower(), run_id.upper(), run_id.replace("-", "")][i % 4],
            "task_id": TASK.upper() if i % 5 else TASK,
            "error": None if i % 11 == 3 else TEXTS[i % len(TEXTS)],
            "lease_owner": None if i % 7 == 2 else TEXTS[-i % len(TEXTS)][:255],
            "leased_until": times[-i % len(times)],
        }
        moment = times[i % len(times)]
        match i % 6:
            case 0:
                fields |= {"created_at": moment, "started_at": None}
            case 1:
                fields |= {"started_at": moment}
            case 2:
                fields |= {"started_at": moment, "finished_at": moment, "success": False}
            case 3:
                fields |= {"finished_at": moment, "success": True, "started_at": None}
            case 4:
                fields |= {"started_at": moment, "finished_at": "9999-12-31T23:59:59.999999", "success": True}
            case _:
                fields |= {"created_at": times[-i % len(times)], "finished_at": moment, "success": True}
        if i % 3:
            fields["attempt"] = [1, 2, 2_147_483_647][i % 3]
        text = json.dumps(fields, ensure_ascii=i % 2 == 0)
        made.append(text if i % 13 == 5 else f'{text[:-1]}, "output": {OUTPUTS[i % len(OUTPUTS)]}}}')
    return made


def submitted(settings: Settings, *batches: Batch) -> list[AppendResult]:
    store = Store(begin(settings))
    try:
        store.load()
        store.start()
        return [store.writer.submit(batch).result(60) for batch in batches]
    finally:
        store.close()


def imported(settings: Settings, file: Path, reject: Callable[[Reject], None] | None = None) -> AppendResult:
    store = Store(begin(settings))
    try:
        store.load()
        pieces = (bulk.Chunk(*piece) for piece in sources.tables([file], None, settings))
        totals = load_pieces(store, pieces, reject=reject)
        return AppendResult(totals.stored, totals.duplicates, totals.stale)
    finally:
        store.close()


def columns(texts: Texts) -> pa.Table:
    """The records as a client that has them in columns would send them; `output` as the text it was."""
    records: list[Record] = [json.loads(text) for text in texts]
    found: dict[str, pa.Array] = {}
    for name in NAMES:
        kind = {"attempt": pa.int64(), "success": pa.bool_()}.get(name, pa.string())
        if name == "output":
            outputs = [text.partition('"output": ')[2][:-1] or None for text in texts]
            found[name] = pa.array(outputs, kind)
        else:
            found[name] = pa.array([sent.get(name) for sent in records], kind)
    return pa.table(found)


def json_body(texts: Texts) -> Batch:
    return decode_json(f'{{"runs": [{",".join(texts)}]}}'.encode()).batch()


def ndjson_body(texts: Texts) -> Batch:
    return decode_ndjson("\n".join(texts).encode()).batch()


def arrow_body(texts: Texts) -> Batch:
    return from_arrow(arrow_stream(columns(texts), chunk=7))


def ndjson_file(texts: Texts, folder: Path) -> Path:
    file = folder / "runs.ndjson"
    file.write_bytes("".join(f"{text}\n" for text in texts).encode())
    return file


def json_file(texts: Texts, folder: Path) -> Path:
    file = folder / "runs.json"
    file.write_bytes(f"[{','.join(texts)}]".encode())
    return file


def parquet_file(texts: Texts, folder: Path) -> Path:
    file = folder / "runs.parquet"
    with duckdb.connect() as con:
        con.register("given", columns(texts))
        con.execute(f"COPY given TO '{file}' (FORMAT parquet)")
    return file


BODIES: Final[dict[str, Callable[[Texts], Batch]]] = {
    "json body": json_body,
    "ndjson body": ndjson_body,
    "arrow body": arrow_body,
}
FILES: Final[dict[str, Callable[[Texts, Path], Path]]] = {
    "ndjson file": ndjson_file,
    "json file": json_file,
    "parquet file": parquet_file,
}
WAYS: Final = (*BODIES, *FILES)


def check(settings: Settings, texts: Texts, folder: Path, *ways: str) -> None:
    """The first way stores the records, and all the others find them; bodies that follow each other share a store."""
    found: list[AppendResult] = []
    for posted, some in groupby(ways, BODIES.__contains__):
        if posted:
            found += submitted(settings, *(BODIES[way](texts) for way in some))
        else:
            found += (imported(settings, FILES[way](texts, folder)) for way in some)
    expected = [AppendResult(len(texts), 0, 0), *[AppendResult(0, len(texts), 0)] * (len(ways) - 1)]
    assert list(zip(ways, found, strict=True)) == list(zip(ways, expected, strict=True))


@pytest.mark.parametrize("first", WAYS)
def test_every_way_says_the_same(tmp_path: Path, first: str) -> None:
    """In the catalog or in Parquet files; the last way is the first once more."""
    at = WAYS.index(first)
    kept = Settings(data=str(tmp_path / "lake"), inline_rows=1000 * (at % 2))
    check(kept, nasty(), tmp_path, first, *WAYS[at + 1 :], *WAYS[: at + 1])


@pytest.mark.parametrize("part", range(4))
def test_every_way_says_the_same_of_a_few(tmp_path: Path, part: int) -> None:
    """Few records of like kind, so that a file reader finds a narrower type than it does among all of them."""
    texts = sorted(nasty()[part::4], key=lambda text: text.partition('"output": ')[2])[:9]
    check(Settings(data=str(tmp_path / "lake")), texts, tmp_path, WAYS[part], *WAYS)


JSON: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=12,
)
ASCII: Final = st.booleans()


@st.composite
def written(draw: st.DrawFn) -> str:
    """A finished or open record with any text and any output."""
    start = draw(st.sampled_from([*EDGES[:2], *TIMES]))
    text = st.one_of(st.none(), st.sampled_from(TEXTS[:40]), st.text(max_size=20))
    fields: Record = {"id": str(draw(st.uuids())), "task_id": TASK, "started_at": start, "error": draw(text)}
    if draw(st.booleans()):
        fields |= {"finished_at": "9999-12-31", "success": draw(st.booleans())}
    output = json.dumps(draw(JSON), ensure_ascii=draw(ASCII))
    return f'{json.dumps(fields, ensure_ascii=draw(ASCII))[:-1]}, "output": {output}}}'


@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(written(), min_size=1, max_size=30, unique_by=lambda text: text[:50]), first=st.sampled_from(WAYS)
)
def test_every_way_says_the_same_of_anything(texts: Texts, first: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(Settings(data=f"{folder}/lake"), texts, Path(folder), first, *WAYS)


SAMPLE: Final = 20_480  # rows DuckDB looks at to detect the columns of a JSON file
LATE: Final[dict[str, tuple[Record, Record]]] = {
    "a field": ({}, {"error": "late", "output": {"a": 1}, "lease_owner": "w"}),
    "the first success": ({"finished_at": None, "success": None}, {}),
    "the first attempt": ({}, {"attempt": 2}),
}
WRONG: Final[list[Record]] = [{"nope": 1}, {"attempt": 1.5}, {"attempt": "2"}, {"attempt": "x"}, {"success": "true"}]


def at_one_time(number: int, **fields: Any) -> str:
    return json.dumps(record(number, **{"started_at": "2025-01-01", "finished_at": "2025-01-01", **fields}))


@pytest.mark.parametrize("what", LATE)
def test_what_appears_late_in_a_json_file_is_read(tmp_path: Path, what: str) -> None:
    """Behind the rows from which the columns were detected."""
    early, late = LATE[what]
    texts = [at_one_time(i, **early) for i in range(SAMPLE + 1)]
    last = at_one_time(10**6, **late)
    kept = Settings(data=str(tmp_path / "lake"))
    assert imported(kept, ndjson_file([*texts, last], tmp_path)).stored == SAMPLE + 2
    assert submitted(kept, json_body([last])) == [AppendResult(0, 1, 0)]


@pytest.mark.parametrize("field", WRONG, ids=str)
def test_what_is_wrong_late_in_a_json_file_is_refused(tmp_path: Path, field: Record) -> None:
    texts = [at_one_time(i, attempt=1) for i in range(SAMPLE + 1)]
    with pytest.raises(ImportFailed, match=next(iter(field))):
        imported(Settings(data=str(tmp_path / "lake")), ndjson_file([*texts, at_one_time(10**6, **field)], tmp_path))


@pytest.mark.parametrize("field", [*WRONG[1:], {"error": 5}, {"error": {"a": 1}}, {"lease_owner": True}], ids=str)
def test_a_json_file_is_judged_as_post_judges(tmp_path: Path, field: Record) -> None:
    bad: list[Reject] = []
    file = tmp_path / "runs.ndjson"
    texts = at_one_time(1, attempt=1), at_one_time(2, **field), at_one_time(3, attempt=2)
    file.write_text("\n".join(texts))
    imported(Settings(data=str(tmp_path / "lake")), file, bad.append)
    assert [(r.row, r.field) for r in bad] == [(2, next(iter(field)))]


def test_a_group_makes_columns_of_small_bodies_in_their_order() -> None:
    """Bodies that are columns already lie between them."""
    body = b'{"runs":[{"task_id":"550e8400-e29b-41d4-a716-446655440000","error":"%d"},{"task_id":"%s","output":[%d]}]}'
    first, second, third, fourth = (decode_json(body % (i, str(uuid.uuid4()).encode(), i)) for i in range(4))
    groups: list[list[Batch | Decoded]] = [
        [first],
        [first, second],
        [first, second.batch(), third, fourth],
        [first.batch(), second, third],
    ]
    for parts in groups:
        alone = [part if isinstance(part, Batch) else part.batch() for part in parts]
        group = joined(parts)
        assert group.rows.to_pylist() == [row for part in alone for row in part.rows.to_pylist()]
        assert group.received.tolist() == [True] * len(group)
        assert group.ids == [run_id for part in parts for run_id in part.ids]
        assert all(column.num_chunks == 1 for column in group.rows.columns)

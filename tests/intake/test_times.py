"""One rule for times: the Python parser and the SQL macro agree on every text, and nothing is ever rounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Final

import msgspec
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runlake import duck, times
from runlake.errors import BadInput
from runlake.intake import Tables, decode_json, decode_ndjson

TASK: Final = "550e8400-e29b-41d4-a716-446655440000"


class Macro:
    """time_of_text in a DuckDB of its own."""

    def __init__(self) -> None:
        self.con = duck.connect(threads=1, memory_limit="256MB")
        self.con.execute("SET VARIABLE iso = $iso", {"iso": times.PATTERN})
        self.con.execute(files("runlake.intake").joinpath("intake.sql").read_text())

    def __call__(self, texts: list[str]) -> list[int | None]:
        self.con.register("texts", pa.table({"x": pa.array(texts, pa.string())}))
        found = self.con.execute("SELECT epoch_us(time_of_text(x)) AS us FROM texts").to_arrow_table()
        micros: list[int | None] = found["us"].to_pylist()
        return micros


MACRO: Final = Macro()


def parsed(text: str) -> int | None:
    try:
        return times.parse(text)
    except ValueError:
        return None


YEARS: Final = st.sampled_from(["0000", "0001", "1582", "1969", "1970", "2000", "2024", "2100", "2149", "9999"])
TWO: Final = st.one_of(
    st.integers(0, 12).map("{:02}".format),
    st.sampled_from(["23", "24", "28", "29", "30", "31", "32", "59", "60", "61", "99", "1", "+1", ""]),
)
CLOCK: Final = st.builds(
    "{}:{}{}{}".format,
    TWO,
    TWO,
    st.one_of(st.just(""), TWO.map(":{}".format)),
    st.one_of(st.just(""), st.builds("{}{}".format, st.sampled_from(".,"), st.text("0159", max_size=12))),
)
OFFSET: Final = st.one_of(
    st.sampled_from(["", "Z", "z", " Z", "UTC", " UTC", "+", "-", "Europe/Berlin", "[UTC]"]),
    st.builds("{}{}{}{}".format, st.sampled_from("+-\u2212 "), TWO, st.sampled_from(["", ":"]), TWO),
    st.builds("{}{}:{}:{}".format, st.sampled_from("+-"), TWO, TWO, TWO),
)
ISO: Final = st.builds(
    "{}-{}-{}{}{}".format,
    YEARS,
    TWO,
    TWO,
    st.sampled_from(["T", "t", " ", "", "  ", "_"]),
    st.one_of(st.just(""), st.builds("{}{}".format, CLOCK, OFFSET)),
)
GOOD: Final = st.builds(
    "{}{}{:02}:{:02}{}{}{}".format,
    st.dates(datetime(1969, 12, 30, tzinfo=UTC).date(), datetime(9999, 12, 31, tzinfo=UTC).date()),
    st.sampled_from("Tt "),
    st.integers(0, 23),
    st.integers(0, 59),
    st.one_of(
        st.just(""),
        st.integers(0, 59).map(":{:02}".format),
        st.builds(":{:02}{}{}".format, st.integers(0, 59), st.sampled_from(".,"), st.text("0123456789", min_size=1)),
    ),
    st.sampled_from(["", "Z", "z", "+00", "-00:00", "+0530", "-05:30", "+23:59", "-23:59", "-2359", "+15", "-16:00"]),
    st.just(""),
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good text with a character dropped, doubled or replaced."""
    text = draw(GOOD)
    at = draw(st.integers(0, len(text) - 1))
    new = draw(st.sampled_from(["", text[at] * 2, " ", "0", "9", "-", "+", ":", ".", "Z", "\n", "\0", "٣", "é"]))
    return text[:at] + new + text[at + 1 :]


@settings(max_examples=60)
@given(texts=st.lists(st.one_of(ISO, GOOD, mutated()), min_size=1, max_size=80))
@example(["2025-01-11", "2025-01-11T08:00", "2025-01-11T08:00Z", "2025-01-11 08:00+05", "2025-01-11T08:00:00,5Z", ""])
@example(["1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z", "1970-01-01T00:59+01:00", "1970-01-01T23:59+23:59"])
@example(["9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-00:01", "9999-12-31", "0000-01-01", "10000-01-01"])
def test_parser_and_macro_agree(texts: list[str]) -> None:
    assert dict(zip(texts, MACRO(texts), strict=True)) == {text: parsed(text) for text in texts}


@settings(max_examples=400)
@given(text=st.one_of(GOOD, ISO))
@example("2025-05-04 00:05:48.61+00")
@example("2025-05-04T10+00:00")
@example("2025-05-04T10Z")
@example("1969-12-31T23:59:59Z")
@example("9999-12-31T23:59:59-00:01")
def test_many_times_are_parsed_as_one_is(text: str) -> None:
    line = msgspec.json.encode({"task_id": TASK, "created_at": text})
    micros: set[int | None]
    try:
        micros = set(decode_ndjson(b"\n".join([line] * 40)).created)
    except BadInput as exc:
        assert exc.errors[0].field == "runs[0].created_at"
        micros = {None}
    assert micros == {parsed(text)}


@settings(max_examples=300)
@given(text=GOOD)
def test_good_texts_are_read_but_for_the_range(text: str) -> None:
    micros = parsed(text)
    if "1970-01-02" <= text < "9999-12-31":
        assert micros is not None
    if micros is not None:
        assert times.parse(times.to_text(micros)) == micros
        assert MACRO([times.to_text(micros)]) == [micros]


@settings(max_examples=300)
@given(
    micros=st.one_of(st.integers(0, times.MAX_US), st.integers(0, times.MAX_US // 1_000_000).map(lambda s: s * 10**6))
)
@example(0)
@example(times.MAX_US)
def test_texts_round_trip(micros: int) -> None:
    text = times.to_text(micros)
    assert times.parse(text) == micros
    assert text.endswith("Z")
    assert ("." in text) == (micros % 1_000_000 != 0)
    assert len(text) == (27 if micros % 1_000_000 else 20)
    assert times.to_datetime(micros) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    assert times.to_date(micros // times.DAY_US) == times.to_datetime(micros).date()


EDGES: Final = {
    "1970-01-01": 0,
    "1970-01-01T01:00:00+01:00": 0,
    "1970-01-01T00:59:59+01:00": None,
    "1969-12-31T23:30-01:00": 1_800_000_000,
    "1969-12-31": None,
    "9999-12-31T23:59:59.999999Z": times.MAX_US,
    "9999-12-31T23:59:59.999999999Z": times.MAX_US,
    "9999-12-31T23:59:59-00:01": None,
    "9999-12-31T23:59:59+00:01": times.MAX_US - 60_999_999,
    "2024-02-29": 1_709_164_800_000_000,
    "2023-02-29": None,
    "2025-06-31": None,
    "2025-01-11T24:00:00Z": None,
    "2016-12-31T23:59:60Z": None,
    "2025-01-11T08:00:00.1234567Z": 1_736_582_400_123_456,
    "2025-01-11T08:00:00.9999999Z": 1_736_582_400_999_999,
    "20250111T080000Z": None,
    "2025-W02-6": None,
    "2025-01": None,
    " 2025-01-11": None,
    "2025-01-11\n": None,
    "infinity": None,
    "epoch": None,
    "now": None,
}


@pytest.mark.parametrize("text", EDGES, ids=repr)
def test_edges(text: str) -> None:
    assert parsed(text) == EDGES[text]
    assert MACRO([text]) == [EDGES[text]]


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("2025-01-11T08:00:00 05:30", "2025-01-11T08:00:00+05:30"),
        ("2025-01-11T08:00:00.25 0530", "2025-01-11T08:00:00.25+0530"),
        ("2025-01-11T08:00 05", "2025-01-11T08:00+05"),
        ("2025-01-11 08:00:00 01:00", "2025-01-11T08:00:00+01:00"),
        ("2025-01-11 08:00", "2025-01-11T08:00Z"),
        ("2025-01-11 08:00:00", "2025-01-11T08:00:00Z"),
        ("2025-01-11T08:00:00+05:30", "2025-01-11T08:00:00+05:30"),
        ("2025-01-11T08:00:00-05:30", "2025-01-11T08:00:00-05:30"),
        ("2025-01-11", "2025-01-11"),
    ],
)
def test_query_strings_may_lose_a_plus(sent: str, meant: str) -> None:
    assert times.parse_query(sent) == times.parse(meant)


@pytest.mark.parametrize("sent", ["2025-01-11 05:30 ", "2025-01-11T08:00:00  05:30", "2025-01-11 05", "x", ""])
def test_query_strings_are_not_read_more_freely_than_that(sent: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        times.parse_query(sent)


TABLES: Final = Tables()


@settings(max_examples=100)
@given(nanos=st.integers(0, 2**63 - 2))
@example(999)
@example(1_736_582_400_123_456_999)
def test_nanoseconds_are_cut_on_every_way(nanos: int) -> None:
    """As text by JSON and by columns, and as Arrow times with and without a zone."""
    seconds, rest = divmod(nanos, 10**9)
    text = f"{times.to_datetime(seconds * 10**6).strftime('%Y-%m-%dT%H:%M:%S')}.{rest:09}Z"
    body = f'{{"runs": [{{"task_id": "{TASK}", "started_at": "{text}"}}]}}'
    kinds = (pa.timestamp("ns"), pa.timestamp("ns", "UTC"), pa.timestamp("ns", "America/New_York"))
    columns = [pa.array([text]), *(pa.array([nanos], kind) for kind in kinds)]
    batches = [TABLES.batch(pa.table({"task_id": [TASK], "started_at": column})) for column in columns]
    found = [batch.rows["started_at"] for batch in (decode_json(body.encode()).batch(), *batches)]
    assert [column.cast(pa.int64()).to_pylist() for column in found] == [[nanos // 1000]] * 5


def test_a_nanosecond_before_1970_is_before_1970() -> None:
    """The text is refused, so the Arrow value is; cut towards zero it would be 1970 itself."""
    with pytest.raises(ValueError, match="1970"):
        times.parse("1969-12-31T23:59:59.999999999Z")
    for kind in (pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        with pytest.raises(BadInput, match=r"runs\[0\]\.started_at"):
            TABLES.batch(pa.table({"task_id": [TASK], "started_at": pa.array([-1], kind)}))

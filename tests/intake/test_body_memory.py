"""What a body of text becomes on the way to its refusal is bounded, in memory and in time."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import record

from runlake.errors import BadInput
from runlake.intake import decode_json, decode_ndjson, records
from runlake.model import MAX_BATCH

SIZE: Final = 32 * 1024 * 1024
# The body is made, refused, and the most memory beyond its own is printed, in MiB.
MEASURE: Final = """
import resource, sys
from runlake.errors import BadInput
from runlake.intake import decode_json, decode_ndjson
body = eval(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    (decode_json if sys.argv[2] == "json" else decode_ndjson)(body).batch()
except BadInput as exc:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, exc)
"""
HOSTILE: Final = {
    "numbers": ("json", 'b\'{"runs":[\' + b"0," * (SIZE // 2) + b"0]}"', "not 16777217"),
    "objects": ("json", 'b\'{"runs":[\' + b"{}," * (SIZE // 3) + b"{}]}"', "not 11184811"),
    "strings": ("json", 'b\'{"runs":[\' + b\'"",\' * (SIZE // 3) + b"0]}"', "not 11184811"),
    "no end": ("json", 'b\'{"runs":[\' + b"0," * (SIZE // 2)', "a batch holds"),
    "one long string": ("json", 'b\'{"runs":["\' + b"," * SIZE + b\'"]}\'', "runs[0]"),
    "a string without an end": ("json", "b'{\"runs\":[\"' + b'\\\\\",' * (SIZE // 3)", "body"),
    "lines": ("ndjson", 'b"{}\\n" * (SIZE // 3)', "not 10001"),
    "blank lines": ("ndjson", 'b"\\n" * SIZE', "not 0"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_body_takes_little(kind: str) -> None:
    """Each of 32 MiB: at most six times that, where Python objects for each record would be forty times."""
    how, body, message = HOSTILE[kind]
    command = [sys.executable, "-c", MEASURE, body.replace("SIZE", str(SIZE)), how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    grown, said = done.stdout.split(" ", 1)
    assert message in said
    assert int(grown) < 6 * SIZE // 2**20, said


def test_records_are_counted_where_they_are() -> None:
    """Commas in strings, in outputs and in keys do not count."""
    one = '{"task_id":"x","output":{"a,\\",":[1,2,[3,4]],"b":"],[{,"}}'
    for number in (1, 2, 1000):
        assert records._count(f'{{"runs":[{",".join([one] * number)}]}}'.encode()) == number
    long = '{"output":[' + "1," * 800_000 + "1]}"
    assert records._count(f'{{ "runs" : [ {long} , {long} ] }}'.encode()) == 2


@given(
    st.lists(st.sampled_from(['"', "\\", "\\\\", '\\"', ",", "[", "]", "{", "}", "x"]), max_size=30), st.integers(1, 9)
)
def test_strings_end_where_they_end(parts: list[str], piece: int) -> None:
    """Wherever the pieces of a body are cut, and whatever stands in a string."""
    text = json.dumps("".join(parts))
    body = f'{{"runs":[{text},{{"a":[{text},1]}},{text}]}}'.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_PIECE", piece)
        assert records._count(body) == 3


def test_many_commas_are_fine_in_few_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way that counts first comes to the same as the other."""
    outputs = [list(range(i)) for i in range(50)]
    body = str([record(i, output=output) for i, output in enumerate(outputs)]).replace("'", '"').replace("True", "true")
    straight = decode_json(f'{{"runs": {body}}}'.encode()).batch()
    monkeypatch.setattr(records, "_MANY_COMMAS", 10)
    assert decode_json(f'{{"runs": {body}}}'.encode()).batch().rows.equals(straight.rows)
    with pytest.raises(BadInput, match=f"not {MAX_BATCH + 1}"):
        decode_json(b'{"runs":[' + b"{}," * MAX_BATCH + b"{}]}")


def test_lines_end_anyhow() -> None:
    """With a line feed, a carriage return before it, or nothing; blank ones in between."""
    line = '{"task_id":"550e8400-e29b-41d4-a716-446655440000"}'
    assert decode_ndjson(f"\n{line}\r\n \n{line}\n\n{line}".encode()).batch().rows.num_rows == 3

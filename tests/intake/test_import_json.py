"""JSON and NDJSON under --select: one text column a member, the whole record beside them, no digit lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from taking import loaded, refusal, taken, written

from runlake.errors import BadInput, ImportFailed
from runlake.intake import decode_json, records
from runlake.sandbox import readers

TASK = "550e8400-e29b-41d4-a716-446655440000"
OUTPUT = "SELECT md5(run)::UUID AS id, md5('t')::UUID AS task_id, json -> 'out' AS output FROM source"
# A member, and the text that it becomes.
MEMBERS = [
    ("text", '"t\\u00e9\\"x\\u0000"', 't\u00e9"x\0'),
    ("number like text", '"1.10"', "1.10"),
    ("integer", "123456789012345678901234567890", "123456789012345678901234567890"),
    ("fraction", "1.10", "1.1"),
    ("exponent", "1e3", "1000.0"),
    ("true", "true", "true"),
    ("null", "null", None),
    ("empty", '""', ""),
    ("object", '{"b": [1, 2.50, 9007199254740993], "a": {}}', '{"b":[1,2.5,9007199254740993],"a":{}}'),
    ("a.b", "1", "1"),
    ("$x", "2", "2"),
    ("*", "3", "3"),
    ("[0]", "4", "4"),
    ("/p", "5", "5"),
    ("it's", "6", "6"),
    ('q"u\\o', "7", "7"),
]


def as_record(members: list[tuple[str, str, str | None]]) -> str:
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value, _ in members) + "}"


@pytest.mark.parametrize("kind", ["ndjson", "json", "lines of json"])
def test_members_are_text(tmp_path: Path, kind: str) -> None:
    """Whatever they are called; a missing member is null, and keys of other records do not appear."""
    texts = [as_record(MEMBERS), '{"late": {"x": 0.5}}']
    text = f"[{','.join(texts)}]" if kind == "json" else "\n".join(texts)
    file = written(tmp_path / ("a.ndjson" if kind == "ndjson" else "a.json"), text)
    first, second = taken(file)
    assert first == {name: value for name, _, value in MEMBERS} | {"late": None, "json": texts[0]}
    assert {name: value for name, value in second.items() if value is not None} == {
        "late": '{"x":0.5}',
        "json": '{"late": {"x": 0.5}}',
    }


def test_outputs_stay_as_they_were(tmp_path: Path) -> None:
    """Integers beside fractions, many keys, odd shapes; a string stays a string. POST finds duplicates."""
    outs = ['{"tweet_id":1847392847561238532,"rows":12}', '{"tweet_id":0.5}', '"12"', "12", "null", '{"a":1,"a":2}']
    outs += ['{"actions":[{},{"parameters":[{"name":"x"}]}]}', json.dumps({f"k{i}": 2**53 + 1 for i in range(210)})]
    records = [f'{{"run":"r{i}","out":{out}}}' for i, out in enumerate(outs)]
    file = written(tmp_path / "a.ndjson", "\n".join(records))
    found = [row["output"] for row in taken(file, select=f"SELECT output::VARCHAR AS output FROM ({OUTPUT})")]
    assert found == [out.replace(" ", "") for out in outs]
    assert loaded(tmp_path / "lake", file, select=OUTPUT).stored == len(outs)
    assert loaded(tmp_path / "lake", written(tmp_path / "b.json", f"[{','.join(records)}]"), select=OUTPUT).stored == 0


def test_shapes_in_which_records_come(tmp_path: Path) -> None:
    """An array with a mark before it, documents one after the other on any lines, a list inside of a document."""
    for text in ('\ufeff[{"a":1},\n{"a":2}]', '{"a":1}{"a":\n2}', '\ufeff{"a":1}\n{"a":2}', '{"a":1} {"a":2}'):
        assert [row["a"] for row in taken(written(tmp_path / "a.json", text))] == ["1", "2"]
    pages = '{"total":2,"runs":[{"id":1}]}\n{"total":2,"runs":[{"id":2}]}'
    query = "SELECT r ->> 'id' AS id FROM (SELECT unnest(CAST(json -> 'runs' AS JSON[])) AS r FROM source)"
    assert [row["id"] for row in taken(written(tmp_path / "b.json", pages), select=query)] == ["1", "2"]
    for text in ('[{"a":1}][{"a":2}]', '[{"a":1},{"a":2}', '[{"a":1}] x', '[{"a":1},]', '{"a":1}\n{"a":'):
        with pytest.raises(ImportFailed, match=r"c\.json"):
            taken(written(tmp_path / "c.json", text))


def test_a_document_that_is_a_large_file(tmp_path: Path) -> None:
    """As tools write the results of all their runs at once."""
    text = json.dumps({"results": [{"n": i, "text": "x" * 1000} for i in range(20_000)]})
    query = "SELECT count(*) AS n FROM (SELECT unnest(CAST(json -> 'results' AS JSON[])) FROM source)"
    assert taken(written(tmp_path / "a.json", text), select=query) == [{"n": 20_000}]


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    for number in (1, 2, 1000):
        lines = ["{}"] * 1000
        lines[number - 1] = '{"a":'
        line = refusal(written(tmp_path / "a.ndjson", "\n".join(lines)))
        assert f"in line {number}:" in line


def test_what_is_no_set_of_members(tmp_path: Path) -> None:
    for text, reason in (
        ('{"a":1,"b":2,"a":3}', "has the member a twice"),
        ('{"a":1}\n[1]', "no JSON object but of type ARRAY"),
        ('{"a":1}\nnull', "no JSON object but of type NULL"),
        ('{"UserUPN":1}\n{"UserUpn":2}', "UserUpn differ in case only|UserUPN differ in case only"),
    ):
        with pytest.raises(ImportFailed, match=reason):
            taken(written(tmp_path / "a.ndjson", text))


def test_a_member_called_json_is_reached_through_the_record(tmp_path: Path) -> None:
    file = written(tmp_path / "a.ndjson", '{"a":1,"json":{"x":2},"":3}')
    query = "SELECT a, json ->> 'json' AS inner FROM source"
    assert taken(file, select=query) == [{"a": "1", "inner": '{"x":2}'}]


def test_a_record_with_very_many_members_is_one_column(tmp_path: Path) -> None:
    """A map from keys to records, most likely."""
    text = json.dumps({f"k{i}": {"n": i} for i in range(readers.MAX_MEMBERS + 1)})
    file = written(tmp_path / "a.json", text)
    assert list(taken(file)[0]) == ["json"]
    keys = "SELECT count(*) AS n FROM (SELECT unnest(json_keys(json)) FROM source)"
    assert taken(file, select=keys) == [{"n": readers.MAX_MEMBERS + 1}]


def test_records_of_files_may_be_as_other_programs_write_them() -> None:
    """1 for true, 1.0 for 1, and the run time that `runlake sql` adds; not in what is posted."""
    fields = '"id":"%s","task_id":"%s","finished_at":"2026-01-01","success":%s,"attempt":%s,"run_at":"2026-01-01"'
    for success, attempt in (("1", "1.0"), ("0", "2"), ("true", "3e0"), ("1.0", "1")):
        record = f"{{{fields % (TASK, TASK, success, attempt)}}}".encode()
        (row,) = records.split([record]).batch.rows.to_pylist()
        assert (row["success"], row["attempt"]) == (success != "0", float(attempt))
        with pytest.raises(BadInput):
            decode_json(b'{"runs":[%s]}' % record)
    for success, attempt, field in (("2", "1", "success"), ('"yes"', "1", "success"), ("true", "1.5", "attempt")):
        (bad,) = records.split([f"{{{fields % (TASK, TASK, success, attempt)}}}".encode()]).rejected
        assert bad.field == field
        assert bad.reason.endswith(f", not {success if field == 'success' else attempt}")


def test_a_field_twice_in_a_record_of_a_file(tmp_path: Path) -> None:
    for text in ('{"id":"%s","task_id":"%s","id":null}', r'{"id":"%s","task_id":"%s","\u0069d":null}'):
        with pytest.raises(ImportFailed, match="row 1: id: given twice"):
            loaded(tmp_path / "lake", written(tmp_path / "a.ndjson", text % (TASK, TASK)))
    inside = f'{{"id":"{TASK}","task_id":"{TASK}","output":{{"id":1,"a":"\\"id\\":\\u00e9"}}}}'
    assert loaded(tmp_path / "lake", written(tmp_path / "b.ndjson", inside)).stored == 1

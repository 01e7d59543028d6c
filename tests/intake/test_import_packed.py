"""Compressed files: whole ones are read whole, others store nothing, in every format."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import children
import duckdb
import pytest
from support import MAIN, environment, record
from taking import PACKERS, Row, loaded, refusal, taken, written, zstd

from runlake.errors import ImportFailed
from runlake.sandbox import sources
from runlake.settings import Settings

RNG: Final = random.Random(5)
# Lines that hardly shrink, so that a cut at many places leaves whole lines before it.
RUNS: Final = [(i, f"{RNG.getrandbits(128):032x}") for i in range(500)]
TEXTS: Final = {
    "csv": "job,text\n" + "".join(f"{i},{text}\n" for i, text in RUNS),
    "log": "".join(f"{i} {text}\n" for i, text in RUNS),
    "ndjson": "".join(f'{{"job":{i},"text":"{text}"}}\n' for i, text in RUNS),
    "json": "[" + ",\n".join(f'{{"job":{i},"text":"{text}"}}' for i, text in RUNS) + "]",
}
KINDS: Final = [*TEXTS, "parquet"]
PACK: Final[dict[str, Callable[[bytes], bytes]]] = {"GZ": gzip.compress, "gz": gzip.compress, "zst": zstd}


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same rows as a Parquet file."""
    file = tmp_path_factory.mktemp("parquet") / "a.parquet"
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT unnest({[i for i, _ in RUNS]}) AS job) TO '{file}' (FORMAT parquet)")
    return file.read_bytes()


def content(kind: str, parquet: bytes) -> bytes:
    return parquet if kind == "parquet" else TEXTS[kind].encode()


def whole(rows: list[Row]) -> bool:
    return len(rows) == len(RUNS)


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("kind", KINDS)
def test_whole_files(tmp_path: Path, parquet: bytes, kind: str, suffix: str) -> None:
    """One member and several, also with nothing in one of them, and zeros behind gzip as tapes add them."""
    data, pack = content(kind, parquet), PACK[suffix]
    file = tmp_path / f"a.{kind}.{suffix}"
    parts = [pack(data), pack(data[:1000]) + pack(b"") + pack(data[1000:])]
    if suffix != "zst":
        parts.append(parts[1] + b"\0" * 1000)
    for packed in parts:
        assert whole(taken(written(file, packed)))
        assert whole(taken(written(tmp_path / f"b.{kind}", packed)))  # its first bytes say what it is


@pytest.mark.parametrize("suffix", ["gz", "zst"])
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files(tmp_path: Path, parquet: bytes, kind: str, suffix: str) -> None:
    """Cut anywhere, in the second member too, with a wrong checksum, with rubbish behind; also beside a good file."""
    data, pack = content(kind, parquet), PACK[suffix]
    one, two = pack(data), pack(data[:1000]) + pack(data[1000:])
    cuts = [0, 1, 3, 5, len(one) // 3, len(one) // 2, len(one) * 2 // 3, *(len(one) - n for n in (200, 9, 4, 1))]
    bad = {f"cut at {cut}": one[:cut] for cut in cuts} | {f"second cut by {n}": two[:-n] for n in (1, 4, 9, 200)}
    bad |= {"rubbish": one + b"rubbish", "half a head": one + one[:2]}
    if suffix == "gz":
        bad |= {"checksum": one[:-8] + bytes([one[-8] ^ 1]) + one[-7:], "length": one[:-1] + b"\1"}
        bad |= {"rubbish behind zeros": one + b"\0\0x"}
        stored = bytearray(gzip.compress(data, 0))
        stored[len(stored) // 2] ^= 1
        bad |= {"a changed byte": bytes(stored)}
    good, file = written(tmp_path / f"good.{kind}", data), tmp_path / f"bad.{kind}.{suffix}"
    for packed in bad.values():
        assert str(written(file, packed)) in refusal(file)
    assert str(file) in refusal(good, file)


@pytest.mark.parametrize("kind", ["csv", "ndjson", "json", "log"])
def test_a_damaged_file_stores_nothing(tmp_path: Path, kind: str) -> None:
    """Without a SELECT the file is read while it is loaded."""
    records = [record(i) for i in range(300)]
    head = list(records[0])
    texts = {
        "csv": ",".join(head) + "\n" + "".join(",".join(str(r[n]) for n in head) + "\n" for r in records),
        "ndjson": "\n".join(str(r).replace("'", '"').replace("True", "true") for r in records),
    }
    texts |= {"json": f"[{','.join(texts['ndjson'].splitlines())}]", "log": texts["csv"]}
    packed = gzip.compress(texts[kind].encode())
    select = "SELECT split_part(line, ',', 1)::UUID AS id, split_part(line, ',', 2)::UUID AS task_id FROM source"
    query = f"{select} WHERE line NOT LIKE 'id,%'" if kind == "log" else None
    file = written(tmp_path / f"a.{kind}.gz", packed[:-4])
    with pytest.raises(ImportFailed, match="ends too early"):
        loaded(tmp_path / "lake", file, select=query)
    assert loaded(tmp_path / "lake", written(file, packed), select=query).stored == 300


def test_an_arrow_stream_without_its_end(tmp_path: Path) -> None:
    """Arrow reads one that was cut between two batches."""
    args = ("sql", "SELECT 1 AS a", "--format", "arrow", "--data", str(_lake(tmp_path)))
    data = children.run(MAIN, *args, env=environment()).stdout
    assert taken(written(tmp_path / "a.arrow", data)) == [{"a": 1}]
    assert taken(written(tmp_path / "a.arrow.gz", gzip.compress(data))) == [{"a": 1}]
    for bad in (data[:-8], data[:-1], data[: len(data) // 2], b"", data + b"x"):
        assert "a.arrow" in refusal(written(tmp_path / "a.arrow", bad))


def _lake(folder: Path) -> Path:
    loaded(folder / "lake", written(folder / "empty.csv", ""))
    return folder / "lake"


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("select", [None, "FROM source"])
def test_a_source_that_changes_while_it_is_read(
    tmp_path: Path, parquet: bytes, kind: str, select: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It grows, is replaced by another file, or is written anew at the same size."""
    monkeypatch.setattr(sources, "CHUNK_ROWS", 100)

    def grow(file: Path) -> None:
        with file.open("ab") as out:
            out.write(b"\n")

    def replace(file: Path) -> None:
        written(tmp_path / "new", file.read_bytes()).replace(file)

    def touch(file: Path) -> None:
        os.utime(file)

    for change in (grow, replace, touch):
        file = written(tmp_path / f"a.{kind}", content(kind, parquet))
        pieces = sources.tables([file], select, Settings(data="unused"))
        next(pieces)
        change(file)
        with pytest.raises(ImportFailed, match="changed while it was read"):
            list(pieces)


@pytest.mark.parametrize("packed", PACKERS)
def test_standard_input(tmp_path: Path, packed: str) -> None:
    """Any format, also compressed; nothing is left behind."""
    text = "\n".join(str(record(i)).replace("'", '"').replace("True", "true") for i in range(20))
    temp = tmp_path / "temp"
    temp.mkdir()
    command = ("import", "-", "--format", "ndjson", "--data", str(tmp_path / "lake"))
    env = environment(TMPDIR=str(temp))
    data = PACKERS[packed](text.encode())
    for content, code, said in ((data, 0, b"stored      20\n"), (data, 0, b"duplicates  20\n"), (data[:-9], 1, b"")):
        done = children.run(MAIN, *command, env=env, data=content)
        assert done.returncode == code, done.stderr
        assert said in done.stdout
    assert b"standard input: " in done.stderr
    assert list(temp.iterdir()) == []


def test_a_pipe_by_name(tmp_path: Path) -> None:
    """As shells make one of `<(…)`."""
    pipe = tmp_path / "a.csv"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", f"printf 'a,b\\n1,2\\n' > {pipe}"]):
        assert taken(pipe) == [{"a": "1", "b": "2"}]

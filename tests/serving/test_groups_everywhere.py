"""The group of an error is the same in the service, in `runlake sql` and in an attached lake; it goes with its runs."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import venv
from collections import Counter
from pathlib import Path
from typing import Any, Final

import corpus
import histories
import msgspec
import pytest
from loading import append, opened_store
from oracle import DAY, Row, run_at
from support import Server, append_and_die, environment, record, runlake

import runlake as package
from runlake import duck, macros
from runlake.intake import decode_json
from runlake.lake.steps import Step
from runlake.settings import Settings
from runlake.store import Store

Groups = dict[str, str | None]  # by id of run
ATTACHED: Final = "SELECT id::VARCHAR, {lake}.error_group(error) FROM {lake}.runs WHERE success = false"
OLDEST: Final = "1.5.2"  # of DuckDB, for those who attach a lake
WINDOW: Final = {"start_time": "2025-01-01", "end_time": "2025-02-01"}


def texts(seed: int = 1) -> list[str]:
    """Every text of the corpus, filled twice, and texts without a group."""
    rng = random.Random(seed)
    every = [corpus.filled(text, rng) for entry in corpus.entries() for text in entry.texts for _ in range(2)]
    return [*every, "", " \n", "x" * 20_000, "a line\n" * 5_000 + "KeyError: 'a'"]


def failures() -> list[dict[str, Any]]:
    """A failed run for each text, one without a text, and one that did not fail."""
    failed = [record(number, success=False, error=text) for number, text in enumerate([*texts(), None])]
    return [*failed, record(9_000, error="KeyError: 'a'")]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed lake of them, half in Parquet and half in the catalog."""
    folder = tmp_path_factory.mktemp("groups") / "lake"
    settings = Settings(data=str(folder), inline_rows=100, flush_rows=100_000, maintain_seconds=1e9)
    runs = failures()
    with opened_store(settings) as store:
        for start, end in ((0, 200), (200, 260), (260, len(runs))):
            append_records(store, runs[start:end])
    return folder


def append_records(store: Store, runs: list[dict[str, Any]]) -> None:
    from_json = msgspec.json.encode({"runs": runs})
    assert store.writer.submit(decode_json(from_json).batch()).result(60).stored == len(runs)


def of_macros(runs: list[dict[str, Any]]) -> Groups:
    """The groups of the failed ones, as a DuckDB by itself finds them."""
    with duck.connect(threads=1, memory_limit="512MB") as con:
        for statement in macros.definitions():
            con.execute(statement)
        failed = {run["id"]: run["error"] for run in runs if run["success"] is False}
        found = con.execute("SELECT error_group(unnest($texts::VARCHAR[]))", {"texts": list(failed.values())})
        return dict(zip(failed, (group for (group,) in found.fetchall()), strict=True))


def test_service_and_analysts_agree(lake: Path) -> None:
    """While the service holds the lake."""
    expected = of_macros(failures())
    counts = Counter(group for group in expected.values() if group)
    query = "SELECT id, error_group(error) AS plain, lake.error_group(error) AS named FROM runs WHERE success = false"
    with Server(lake) as server:
        answer = server.client.get("/errors", params={**WINDOW, "limit": "500"}).json()
        assert {group["id"]: group["runs"] for group in answer["groups"]} == counts
        assert (answer["total_groups"], answer["without_text"]) == (len(counts), 3)
        for run in list(expected)[::7]:
            assert server.client.get(f"/runs/{run}/context").json()["error_group"] == expected[run]
        for group in list(counts)[::7]:
            items = server.client.get("/runs", params={"error_group": group, "limit": "200"}).json()["items"]
            assert {run["id"] for run in items} == {run for run, own in expected.items() if own == group}
        rows = json.loads(runlake("sql", query, "--format", "json", "--data", str(lake)).stdout)
        assert {row["id"]: row["plain"] for row in rows} == {row["id"]: row["named"] for row in rows} == expected
        with package.attach(lake) as con:
            assert dict(con.execute(ATTACHED.format(lake="lake")).fetchall()) == expected


def test_a_lake_under_another_name(lake: Path) -> None:
    """Its macros name nothing of the lake."""
    expected = of_macros(failures())
    with package.attach(lake) as con:
        con.execute(f"ATTACH {duck.literal(f'ducklake:sqlite:{lake}/catalog.sqlite')} AS other (READ_ONLY)")
        con.execute("DETACH lake")
        assert dict(con.execute(ATTACHED.format(lake="other")).fetchall()) == expected
        found = con.execute("SELECT other.error_parts('KeyError: 7').message, other.duration_bucket(7)").fetchone()
        assert found == ("<n>", 7)
        con.execute("USE other")
        assert con.execute("SELECT count(DISTINCT error_group(error)) FROM runs WHERE NOT success").fetchone() == (
            len({group for group in expected.values() if group}),
        )


ATTACH_WITH: Final = """
import json, sys
from importlib.resources import files
import duckdb
con = duckdb.connect()
for name in ("sqlite_scanner", "ducklake"):
    folder = files(f"duckdb_extension_{name}") / "extensions" / f"v{duckdb.__version__}"
    con.execute(f"LOAD '{folder}/{name}.duckdb_extension'")
con.execute(f"ATTACH 'ducklake:sqlite:{sys.argv[1]}' AS lake (READ_ONLY)")
print(json.dumps([duckdb.__version__, con.execute(sys.argv[2]).fetchall()]))
"""


@pytest.mark.long
def test_the_oldest_duckdb_that_may_attach_a_lake(lake: Path, tmp_path: Path) -> None:
    """Its wheels come from the package index."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    wheels = [
        f"{name}=={OLDEST}" for name in ("duckdb", "duckdb-extension-ducklake", "duckdb-extension-sqlite-scanner")
    ]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wheels], check=True)
    command = [python, "-c", ATTACH_WITH, str(lake / "catalog.sqlite"), ATTACHED.format(lake="lake")]
    version, rows = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert (version, dict(rows)) == (OLDEST, of_macros(failures()))


def history(count: int, seed: int) -> list[Row]:
    """Runs of thirty days; most failed, with an error of the corpus."""
    rng, every = random.Random(seed), texts(seed)
    return [
        histories.made(rng, histories.NOON - rng.randrange(30 * DAY), success=False, error=rng.choice(every))
        if rng.random() < 0.7
        else histories.made(rng, histories.NOON - rng.randrange(30 * DAY), success=True)
        for _ in range(count)
    ]


def served(store: Store) -> Groups:
    """The groups of the failed runs that the serving database knows; no group is without a run."""
    joined = "failed_run LEFT JOIN error_group USING (error_group)"
    with store.serving.readers.reading() as cursor:
        rows = cursor.execute(f"SELECT failed_run.id::VARCHAR, error_group.id FROM {joined}").fetchall()
        known = {group for (group,) in cursor.execute("SELECT id FROM error_group").fetchall()}
        numbers = cursor.execute("SELECT count(*), count(DISTINCT id), count(DISTINCT error_group) FROM error_group")
        assert numbers.fetchall() == [(len(known),) * 3]
    assert known == {group for _, group in rows} - {None}
    assert len(rows) == len(dict(rows))
    return dict(rows)


def of_rows(rows: list[Row]) -> Groups:
    return of_macros([{"id": str(row["id"]), "success": row["success"], "error": row["error"]} for row in rows])


def test_groups_after_flushes_restarts_and_a_rebuild(settings: Settings) -> None:
    known = history(400, 3)
    by_hand = msgspec.structs.replace(settings, maintain_seconds=1e9)
    with opened_store(by_hand) as store:
        for start in range(0, 300, 60):
            append(store, known[start : start + 60])
        store.writer.close()  # upkeep is ours now
        store.writer.maintenance.run([Step.FLUSH])
        assert served(store) == of_rows(known[:300])
    with opened_store(by_hand) as store:
        append(store, known[300:])
        assert served(store) == of_rows(known)
    with opened_store(by_hand) as store:
        assert served(store) == of_rows(known)
    for file in (Path(settings.data) / "serving").iterdir():
        file.unlink()
    with opened_store(by_hand) as store:
        assert served(store) == of_rows(known)


@pytest.mark.parametrize("point", ["before-apply:1", "mid-apply:1", "mid-checkpoint:1"])
def test_groups_after_a_kill(settings: Settings, point: str) -> None:
    runs = [run for run in failures() if run["success"] is False]
    with opened_store(settings) as store:
        append_records(store, runs[:90])
    append_and_die(settings, runs[90:180], point)
    with opened_store(settings) as store:
        found = served(store)
        assert found in (of_macros(runs[:90]), of_macros(runs[:180]))
        left = [run for run in runs if run["id"] not in found]
        append_records(store, left)
        assert served(store) == of_macros(runs)


def of_another_version(folder: Path) -> str:
    """The folder of a copy of our package whose macros keep three letters of a message."""
    ours = Path(package.__file__).parent
    copied = shutil.copytree(ours, folder / "runlake", ignore=shutil.ignore_patterns("static", "__pycache__"))
    file = copied / "macros.sql"
    text = file.read_text(encoding="utf-8")
    assert text.count("1, 300)") == 2
    file.write_text(text.replace("1, 300)", "1, 3)"), encoding="utf-8")
    return str(folder)


def attached(lake: Path) -> Groups:
    """The groups of the failed runs, as the macro of the lake finds them."""
    with package.attach(lake) as con:
        return dict(con.execute(ATTACHED.format(lake="lake")).fetchall())


def test_a_lake_of_a_version_with_other_macros(settings: Settings, tmp_path: Path) -> None:
    """Its first writer puts ours in their place, once, and makes all groups anew."""
    runs, lake = failures(), Path(settings.data)
    file = tmp_path / "runs.ndjson"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, runs[:200])))
    other = environment(PYTHONPATH=of_another_version(tmp_path / "other"))
    done = runlake("import", str(file), "--data", str(lake), env=other)
    assert done.returncode == 0 and (lake / "serving" / "serving.duckdb").is_file(), done.stderr
    old = attached(lake)
    assert old.keys() == of_macros(runs[:200]).keys() and old != of_macros(runs[:200])
    with opened_store(settings) as store:
        append_records(store, runs[200:])
        assert served(store) == attached(lake) == of_macros(runs)
        snapshot = store.lake.snapshot()
    with opened_store(settings) as store:
        assert store.lake.snapshot() == snapshot
        assert served(store) == of_macros(runs)


def test_groups_go_with_their_runs(settings: Settings) -> None:
    """By retention: of days that are kept all stays, of others nothing, not even the names of groups."""
    known = history(300, 5)
    newest = max(run_at(row) // DAY for row in known)
    kept = [row for row in known if run_at(row) >= (newest - 9) * DAY]
    assert {group for group in of_rows(known).values() if group} > {g for g in of_rows(kept).values() if g}
    retaining = msgspec.structs.replace(settings, retention_days=9, maintain_seconds=1e9)
    with opened_store(retaining) as store:
        append(store, known[:200])
        append(store, known[200:])
        assert served(store) == of_rows(known)
        store.writer.close()
        store.writer.maintenance.run([Step.FLUSH, Step.RETAIN])
        assert served(store) == of_rows(kept)
    with opened_store(retaining) as store:
        assert served(store) == of_rows(kept)

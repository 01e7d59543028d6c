"""What a stream is told is what brute force says has changed: any appends, any filters, beside upkeep."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any, Final

import histories
import msgspec
from asking import asked_for, instants, now
from hypothesis import given, settings
from hypothesis import strategies as st
from loading import append, opened_store
from oracle import DAY, Oracle, Row, assert_same, run_at, shown

from runlake.model import MAX_PAGE, Filter
from runlake.query.changed import ChangedRuns
from runlake.settings import Settings

BUSY: Final = {"flush_rows": 20, "merge_files": 2, "maintain_seconds": 0.01, "tidy_seconds": 0.1, "rollup_rows": 50}


def changed(rng: random.Random, known: list[Row]) -> list[Row]:
    """A batch: new runs, and open ones that go on or end; sometimes more than a page."""
    at = histories.NOON - rng.randrange(3 * DAY)
    kinds = [histories.made, histories.made, histories.opened, histories.never_started]
    size = rng.choice([1, 2, 7, 30, MAX_PAGE + 50])
    new = [rng.choice(kinds)(rng, at + rng.randrange(1000)) for _ in range(size)]
    still = [row for row in known if row["success"] is None]
    again = rng.sample(still, min(len(still), rng.randrange(5)))
    return new + [rng.choice(kinds)(rng, at, id=row["id"]) for row in again]


def told(runs: ChangedRuns, after: int, queries: dict[bytes, Filter]) -> dict[bytes, Any]:
    batch = runs.read(after, queries)
    assert batch.found is not None and batch.found.keys() == queries.keys()
    return {name: msgspec.json.decode(msgspec.json.encode(found)) for name, found in batch.found.items()}


def expected(rows: list[Row], **asked: Any) -> dict[str, Any]:
    """Counts and items of changed runs that match."""
    found = Oracle(rows).selected(now(), **asked)
    found = sorted(found, key=lambda row: (run_at(row), row["id"]), reverse=True)
    counts = {
        "success": sum(row["success"] is True for row in found),
        "failed": sum(row["success"] is False for row in found),
        "open": sum(row["success"] is None for row in found),
    }
    items = [shown(row, errors=False) | {"output": None} for row in found[:MAX_PAGE]]
    return {"counts": counts, "items": items, "more": len(found) - len(items)}


@settings(max_examples=15)
@given(seed=st.integers(0, 1 << 32), batches=st.integers(1, 6), upkeep=st.booleans())
def test_changes_are_those_of_brute_force(seed: int, batches: int, upkeep: bool) -> None:
    """From each snapshot to the end: a run that changed twice is told once, as it is now."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        made = Settings(data=str(Path(folder) / "lake"), **(BUSY if upkeep else {}))  # type: ignore[arg-type]
        with opened_store(made) as store:
            known: dict[Any, Row] = {}
            steps: list[tuple[int, list[Row]]] = []
            for _ in range(batches):
                batch = changed(rng, list(known.values()))
                steps.append((store.serving.snapshot, batch))
                assert append(store, batch).stored == len(batch)
                known |= {row["id"]: row for row in batch}
            runs, everything = ChangedRuns(store.serving.changes), list(known.values())
            asked = [asked_for(everything, rng) for _ in range(6)]
            queries = {str(n).encode(): Filter(**instants(one)) for n, one in enumerate(asked)}
            for step, (snapshot, _) in enumerate(steps):
                newest = {row["id"]: row for _, batch in steps[step:] for row in batch}
                for one, answer in zip(asked, told(runs, snapshot, queries).values(), strict=True):
                    assert answer.pop("snapshot") > steps[-1][0]
                    assert_same(answer, expected(list(newest.values()), **one), f"{one} after {snapshot}")

"""What a client of the service knows of the runs it sent, through kills: acknowledged ones, and ones in doubt."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

Record = dict[str, Any]

BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)
_SIZES: Final = (1, 1, 2, 7, 30, 90, 130, 160)  # around the limit up to which a commit stays in the catalog


def _text(moment: datetime) -> str:
    """A time as the service writes it."""
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def finished(rng: random.Random, run_id: str) -> Record:
    """A finished run, every field given, in the very form in which it is read again."""
    at = BEGIN + timedelta(seconds=rng.randrange(6 * 86_400), microseconds=rng.choice([0, rng.randrange(10**6)]))
    success = rng.random() < 0.8
    return {
        "id": run_id,
        "task_id": str(uuid.UUID(int=1 << 100 | rng.randrange(5))),
        "lease_owner": rng.choice([None, "worker-1", "Ω"]),
        "leased_until": None,
        "started_at": _text(at),
        "finished_at": _text(at + timedelta(milliseconds=rng.randrange(100_000))),
        "success": success,
        "error": None if success else "boom\n" * rng.randrange(1, 4),
        "attempt": rng.randrange(1, 4),
        "output": rng.choice([None, {"rows": rng.randrange(1000)}, ["ü", None, 1.5]]),
        "created_at": _text(at),
    }


def opened(rng: random.Random, run_id: str) -> Record:
    """A running run."""
    return finished(rng, run_id) | {"finished_at": None, "success": None, "error": None, "output": None}


class Ledger:
    """Makes requests of a seeded history, and tells what of the answers does not hold."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.acknowledged: dict[str, Record] = {}  # by id, as last acknowledged
        self.doubtful: list[list[Record]] = []  # requests without an answer
        self._open: list[str] = []

    def batch(self) -> list[Record]:
        """The next request: new runs, some of them open, and the end of some that are open."""
        rng = self._rng
        new = [str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(rng.choice(_SIZES))]
        runs = [(opened if rng.random() < 0.1 else finished)(rng, run_id) for run_id in new]
        ending = [run_id for run_id in self._open[:20] if rng.random() < 0.5]
        return runs + [finished(rng, run_id) for run_id in ending]

    def post(self, client: httpx.Client, runs: list[Record]) -> int:
        """POST a request and note its fate; the status, 0 when there was no answer."""
        try:
            answer = client.post("/runs", json={"runs": runs})
        except httpx.TransportError:
            self.doubtful.append(runs)
            return 0
        if answer.status_code == 200:
            assert answer.json()["stored"] == len(runs), answer.text
            self._hold(runs)
        return answer.status_code

    def _hold(self, runs: Sequence[Record]) -> None:
        for run in runs:
            self.acknowledged[run["id"]] = run
        ended = {run["id"] for run in runs if run["finished_at"]}
        still = [run["id"] for run in runs if not run["finished_at"]]
        self._open = [run_id for run_id in self._open if run_id not in ended] + still

    def settle(self, client: httpx.Client) -> Iterator[str]:
        """Find out what became of the requests in doubt: each is stored whole or not at all, or it is told here."""
        for runs in self.doubtful:
            answers = [client.get(f"/runs/{run['id']}") for run in runs]
            now = [answer.json() if answer.status_code == 200 else None for answer in answers]
            before = [self.acknowledged.get(run["id"]) for run in runs]
            if now == runs:
                self._hold(runs)
            elif now != before:
                new = sum(found == run for found, run in zip(now, runs, strict=True))
                yield f"a request without an answer is stored by half: {new} of {len(runs)} runs"
        self.doubtful = []

    def recent(self, client: httpx.Client, most: int) -> Iterator[str]:
        """What does not hold among the runs acknowledged last."""
        for run_id in list(self.acknowledged)[-most:]:
            answer = client.get(f"/runs/{run_id}")
            if answer.status_code != 200 or answer.json() != self.acknowledged[run_id]:
                yield f"{run_id}: {answer.status_code} {answer.text[:300]} is not {self.acknowledged[run_id]}"

    def check(self, client: httpx.Client) -> Iterator[str]:
        """Every acknowledged run is there, once, as it was acknowledged; nothing else is."""
        seen: set[str] = set()
        total, at = 1, 0
        while at < total:
            page = client.get("/runs", params={"limit": 200, "offset": at, "include_errors": "true"}).json()
            total, at = page["total"], at + 200
            for run in page["items"]:
                if run["id"] in seen:
                    yield f"{run['id']} is there twice"
                seen.add(run["id"])
                wanted = self.acknowledged.get(run["id"])
                if run != wanted:
                    yield f"{run['id']}: {run} is not {wanted}"
        yield from (f"{run_id} is lost" for run_id in self.acknowledged.keys() - seen)
        if total != len(seen):
            yield f"the total is {total}, the pages hold {len(seen)}"

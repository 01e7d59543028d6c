"""Throws bodies and requests at a real server: no 500, nothing stored of what was refused; counts what it tried."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import requests
import schemathesis
from document import DOC
from fuzzing import arrow_bodies, bomb, changed_streams, json_bodies, ndjson_bodies
from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as seeded
from hypothesis import settings as options
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support import Server

from runlake.api.body import from_arrow
from runlake.errors import BadInput, TooLarge

sys.set_int_max_str_digits(0)  # integers of any size are stored, and read here by Python
BODIES: Final[dict[str, Callable[[], st.SearchStrategy[bytes]]]] = {
    "application/json": json_bodies,
    "application/x-ndjson": ndjson_bodies,
    "application/vnd.apache.arrow.stream": arrow_bodies,
}
CHECKS: Final = [
    checks.not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]
REFUSED: Final = frozenset({400, 409, 413, 415})


class Fuzzer:
    """One server under fire; `tried` counts the cases by kind and status."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.tried: Counter[str] = Counter()

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._server.client.get("/ready").json()
        return state

    def send(self, kind: str, body: bytes) -> None:
        """Post a body; it is stored whole, or refused and nothing has changed."""
        before = self._state()
        answer = self._server.client.post("/runs", content=body, headers={"content-type": kind})
        self.tried[f"{kind} {answer.status_code}"] += 1
        after = self._state()
        if answer.status_code == 200:
            told = answer.json()
            assert told["received"] == len(told["ids"]) == told["stored"] + told["duplicates"] + told["stale"], told
            assert before["runs"] <= after["runs"] <= before["runs"] + told["stored"]
            for run_id in told["ids"][:2]:
                read = self._server.client.get(f"/runs/{run_id}")
                assert (read.status_code, read.json()["id"]) == (200, run_id), read.text
        else:
            assert answer.status_code in REFUSED, f"{answer.status_code} {answer.text}"
            assert answer.headers["content-type"] == "application/problem+json"
            assert after == before, (answer.text, before, after)

    def bodies(self, kind: str, cases: int, *, seed: int | None = None) -> None:
        """Post so many bodies of a kind."""

        @given(BODIES[kind]())
        def test(body: bytes) -> None:
            self.send(kind, body)

        _try(test, cases, seed)

    def changed(self, cases: int, *, seed: int) -> None:
        """Decode so many changed Arrow streams in this process: bad input, or a batch."""
        for body in changed_streams(random.Random(seed), cases):
            try:
                from_arrow(body)
                found = "read"
            except (BadInput, TooLarge) as exc:
                found = type(exc).__name__
            self.tried[f"changed streams {found}"] += 1

    def bomb(self, size: int) -> None:
        """Post a small body that would be this large."""
        self.send("application/vnd.apache.arrow.stream", bomb(size))

    def operations(self, cases: int, *, seed: int | None = None) -> None:
        """Ask every operation of the OpenAPI document so often, as it says and as it says not to; but for the stream,
        whose answer has no end.
        """
        schema = schemathesis.openapi.from_dict(DOC).exclude(path="/stream/runs")
        with requests.Session() as session:
            for found in schema.get_all_operations():
                assert isinstance(found, Ok), found
                operation = found.ok()
                self._operation(session, operation.as_strategy(), cases, seed)
                negative = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
                with suppress(Unsatisfiable):  # an operation that takes nothing cannot be asked wrongly
                    self._operation(session, negative, cases, seed)

    def _operation(
        self, session: requests.Session, strategy: st.SearchStrategy[Any], cases: int, seed: int | None
    ) -> None:
        @given(strategy)
        def test(case: Any) -> None:
            answer = case.call(base_url=self._server.url, session=session)
            self.tried[f"{case.method} {case.operation.path} {answer.status_code}"] += 1
            case.validate_response(answer, checks=CHECKS)

        _try(test, cases, seed)


def _try(test: Callable[[], None], cases: int, seed: int | None) -> None:
    """Run so many examples; without a seed as the profile says."""
    limited = options(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    (limited(test) if seed is None else seeded(seed)(limited(test)))()

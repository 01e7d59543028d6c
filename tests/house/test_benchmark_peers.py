"""The statements of the peers: plain DuckDB answers as runlake does, over the rows of a small lake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from benchmarks.comparison import lake, measure, questions, systems
from benchmarks.comparison.figures import OURS, Shape
from benchmarks.comparison.systems import System

Asked = tuple[System, System, lake.Facts]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """runlake and the peer, each a process of its own."""
    work = tmp_path_factory.mktemp("peers")
    facts = lake.make(work / "lake", Shape(20_000), "none")
    with ExitStack() as stack:
        ours = stack.enter_context(systems.runlake(work / "lake", {}))
        yield ours, stack.enter_context(systems.peer("plain", work, facts)), facts


@pytest.mark.parametrize("kind", questions.KINDS)
def test_answers_agree(asked: Asked, kind: str) -> None:
    """All of them, or what a peer can know of them; what no peer answers, runlake answers."""
    ours, peer, facts = asked
    measure.agree(ours, [] if kind in questions.ALONE else [peer], kind, questions.paths(kind, facts))


def test_answers_that_differ_end_the_benchmark(asked: Asked) -> None:
    """The same path of two kinds: what a peer leaves out matters only where it may answer some of it."""
    ours, peer, facts = asked
    paths = questions.paths("density, 7 days", facts)
    measure.agree(ours, [peer], "density, 7 days", paths)
    with pytest.raises(SystemExit, match=rf"other fields[\s\S]*{OURS}"):
        measure.agree(ours, [peer], "fleet, 7 days", paths)

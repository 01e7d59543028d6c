"""What is kept is what was used last, and never more than may be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from runlake.query.kept import Kept


@given(st.lists(st.integers(0, 9)), st.integers(0, 30))
def test_the_last_used_are_kept(asked: list[int], most: int) -> None:
    """Value n weighs n; one that is heavier than all that may be takes nobody's place and is made each time."""
    kept: Kept[int] = Kept(most, lambda value: value)
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number

    recent: list[int] = []
    for number in asked:
        before = len(made)
        assert kept.get(str(number), partial(make, number)) == number
        assert (len(made) == before) == (number in recent)
        recent = [*(other for other in recent if other != number), *([number] if number <= most else [])]
        while sum(recent) > most:
            recent.pop(0)
        assert kept.total == sum(recent) <= most


def test_many_threads_at_once() -> None:
    kept: Kept[int] = Kept(50, lambda _: 1)
    with ThreadPoolExecutor(8) as pool:
        asked = [n * 7 % 80 for n in range(20_000)]
        assert list(pool.map(lambda n: kept.get(str(n), lambda: n), asked)) == asked
    assert kept.total == 50

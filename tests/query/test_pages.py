"""Pages tile: no run is skipped or comes twice; and so do half-open windows."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import histories
import pytest
from asking import page
from loading import append, loaded
from oracle import DAY, Json, Oracle, assert_same

from runlake.errors import BadInput
from runlake.settings import Settings
from runlake.store import Store


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Oracle]]:
    """A store with a history of many equal times, and its oracle."""
    oracle = Oracle(histories.history("ties"))
    folder = tmp_path_factory.mktemp("tied")
    with loaded(Settings(data=str(folder / "lake")), oracle.rows, random.Random(1)) as store:
        yield store, oracle


@pytest.mark.parametrize("limit", [7, 50, 200])
@pytest.mark.parametrize("asked", [{}, {"success": True}, {"end_time": histories.NOON}], ids=str)
def test_pages_tile(tied: tuple[Store, Oracle], asked: dict[str, Any], limit: int) -> None:
    """Page after page a whole history comes once, in order, and only the last page says that it is the last."""
    store, oracle = tied
    seen: list[Json] = []
    more = True
    while more:
        answer = page(store, **asked, offset=len(seen), limit=limit, include_errors=True)
        assert len(answer["items"]) == limit or not answer["has_more"]
        seen += answer["items"]
        more = answer["has_more"]
    assert len(seen) == answer["total"]
    assert_same(seen, oracle.page(**asked, include_errors=True, limit=len(oracle.rows))["items"])


def test_windows_tile(tied: tuple[Store, Oracle]) -> None:
    """Half-open windows that meet, on any microsecond, hold every started run once."""
    store, oracle = tied
    started = sorted({row["started_at"] for row in oracle.rows if row["started_at"] is not None})
    cuts = sorted({0, histories.LAST, *started, *(at + 1 for at in started), *(at - 1 for at in started)})
    totals = []
    for start, end in itertools.pairwise(cuts):
        total = page(store, start_time=start, end_time=end)["total"]
        assert total == oracle.page(start_time=start, end_time=end)["total"], (start, end)
        totals.append(total)
    assert sum(totals) == sum(row["started_at"] is not None for row in oracle.rows)
    for at in started:
        assert page(store, start_time=at, end_time=at)["total"] == 0


def test_window_backwards_is_refused(store: Store) -> None:
    with pytest.raises(BadInput, match="start_time"):
        page(store, start_time=2, end_time=1)


@pytest.mark.parametrize("day", [0, 1, 20_100, 65_534, 65_535, 65_536, 100_000, histories.LAST // DAY])
def test_a_run_of_any_day_is_known_again(store: Store, day: int) -> None:
    """Sent twice it is a duplicate, whatever its year, in files as in the catalog; it is listed once."""
    at = day * DAY + DAY // 2
    rng = random.Random(day)
    rows = [histories.made(rng, at + i, took=1) for i in range(151)]
    for part in (rows[:1], rows[1:]):
        assert append(store, part).stored == len(part)
        again = append(store, part)
        assert (again.stored, again.duplicates) == (0, len(part))
    assert page(store)["total"] == len(rows)

"""Lists under any filters, in any order, by offset and by cursor, compared with the oracle."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from asking import SECONDS, allowed, asked_for, now, page, query_of
from oracle import Json, Oracle, assert_same

from runlake.model import RunsQuery
from runlake.query import pages
from runlake.store import Store


def pages_of(rng: random.Random) -> dict[str, Any]:
    """Any page."""
    return {
        "include_errors": rng.random() < 0.5,
        "limit": rng.choice([1, 3, 50, 200]),
        "offset": rng.choice([0, 0, 1, 7, 60, 5_000]),
        "order": rng.choice(["started", "started", "duration"]),
    }


def assert_lists(store: Store, oracle: Oracle, rng: random.Random, questions: int) -> None:
    for _ in range(questions):
        asked = allowed(asked_for(oracle.rows, rng) | pages_of(rng))
        assert_same(page(store, **asked), oracle.page(now=now(), **asked), f"page of {asked}")


def find(store: Store, query: RunsQuery, cursor: str | None = None) -> pages.Found:
    """The page of a query, or of a cursor in the same list."""
    at = query if cursor is None else msgspec.structs.replace(query, cursor=cursor)
    return store.engine.submit(pages.find, at).result(SECONDS)


def items_of(found: pages.Found) -> list[Json]:
    items: list[Json] = msgspec.json.decode(msgspec.json.encode(found.page.items))
    return items


def walked(store: Store, **asked: Any) -> list[Json]:
    """All items of a list, by the cursors of its pages, forth; then back, which must be the same."""
    query = query_of(**asked)
    found = find(store, query)
    forth = items_of(found)
    while found.next is not None:
        found = find(store, query, found.next)
        assert found.page.offset == len(forth)
        forth += items_of(found)
    assert not found.page.has_more
    rest = len(forth) - len(found.page.items)
    back: list[Json] = []
    while found.previous is not None:
        found = find(store, query, found.previous)
        back = items_of(found) + back
        assert found.page.offset + len(back) == rest
    assert back == forth[:rest]
    return forth


def assert_walks(store: Store, oracle: Oracle, rng: random.Random, walks: int) -> None:
    for _ in range(walks):
        limit = rng.choice([7, 50, 199])
        asked = allowed(asked_for(oracle.rows, rng) | {"order": rng.choice(["started", "duration"])})
        expected = oracle.page(now=now(), **asked, limit=10**6)["items"]
        assert_same(walked(store, **asked, limit=limit), expected, f"all pages of {asked}")

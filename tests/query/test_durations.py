"""A density holds every run with a duration once, and together with the open ones it is the list."""

from __future__ import annotations

import pytest
from densities import asked
from oracle import DAY, Json

from runlake.errors import BadInput
from runlake.store import Store


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"end_time": DAY}, "start_time"),
        ({"start_time": 0, "end_time": 3_651 * DAY}, "start_time"),
        ({"start_time": 0, "end_time": 32 * DAY, "error": "boom"}, "error"),
    ],
    ids=str,
)
def test_what_is_refused(store: Store, question: Json, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        asked(store, **question)
    assert [error.field for error in refused.value.errors] == [field]

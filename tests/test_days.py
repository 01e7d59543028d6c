"""The narrow runs of a day say what the records say they are made of."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from runlake import times
from runlake.index.figures import NONE, RUN, bucket_of
from runlake.query.days import CODES, TIMED, Runs

START = 20_000 * times.DAY_US
MOMENTS = st.one_of(
    st.integers(0, times.DAY_US - 1),
    st.builds(lambda hour, off: hour * times.HOUR_US + off, st.integers(0, 23), st.integers(0, 2)),
)
DURATIONS = st.one_of(st.just(NONE), st.integers(0, 5_000), st.integers(2**32 - 2, 2**32 + 2), st.just(10**15))
RECORD = st.tuples(MOMENTS, DURATIONS, st.integers(0, 3), st.sampled_from([NONE, 0, 1]), st.booleans())


@given(st.lists(RECORD, max_size=30), st.integers(-5, times.DAY_US + 5), st.integers(-5, times.DAY_US + 5))
@example([(0, 1, 0, 1, False)], 0, times.DAY_US - 1)
@example([(times.HOUR_US, 2**32, 1, 0, True)], times.HOUR_US, times.HOUR_US)
def test_every_figure_of_a_part_of_a_day(rows: list[tuple[int, int, int, int, bool]], first: int, last: int) -> None:
    records = np.zeros(len(rows), dtype=RUN)
    for place, (moment, us, task, success, retried) in enumerate(rows):
        records[place] = (START + moment, us, task, success, us != NONE, retried)
    every = Runs.of(records)
    assert sum(len(runs.code) for runs in every) == len(rows)
    for only in (None, 1):
        parts = [runs.between(START + first, START + last) for runs in every]
        if only is not None:
            parts = [runs.of_task(only) for runs in parts]
        kept = [row for row in rows if first <= row[0] <= last and only in (None, row[2])]
        durations = [us for _, us, *_ in kept if us != NONE]
        assert sorted(us for runs in parts for us in runs.us[runs.timed].tolist()) == sorted(durations)
        assert sum(runs.retried for runs in parts) == sum(row[4] for row in kept)
        for result in range(3):
            moments = [START + row[0] for row in kept if row[3] - NONE == result]
            assert max(runs.last(result) for runs in parts) == max(moments, default=NONE)
        codes = Counter(row[2] * CODES + row[3] - NONE + TIMED * (row[1] != NONE) for row in kept)
        assert np.sum([runs.counts(4) for runs in parts], axis=0).ravel().tolist() == [
            codes[code] for code in range(4 * CODES)
        ]
        buckets = Counter(bucket_of(np.array(durations, dtype=np.int64)).tolist())
        for runs in parts:
            buckets.subtract({bucket: int(n) for bucket, n in enumerate(runs.buckets()) if n})
        assert not any(buckets.values())

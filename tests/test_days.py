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
    assert len(every.us) == every.runs.sum() == len(rows)
    for only in (None, 1):
        parts = every.between(START + first, START + last)
        if only is not None:
            parts = [runs.of_task(only) for runs in parts]
        kept = [row for row in rows if first <= row[0] <= last and only in (None, row[2])]
        durations = [us for _, us, *_ in kept if us != NONE]
        timed = [runs.of_groups(np.flatnonzero(runs.timed)) for runs in parts]
        assert sorted(us for runs in timed for us in runs.us.tolist()) == sorted(durations)
        assert sum(float(runs.total.sum()) for runs in parts) == sum(durations)
        assert min((int(runs.least.min()) for runs in timed if len(runs.code)), default=NONE) == min(
            durations, default=NONE
        )
        assert max((int(runs.most.max()) for runs in timed if len(runs.code)), default=NONE) == max(
            durations, default=NONE
        )
        assert sum(runs.retried for runs in parts) == sum(row[4] for row in kept)
        for result in range(3):
            moments = [START + row[0] for row in kept if row[3] - NONE == result]
            assert max((runs.last(result) for runs in parts), default=NONE) == max(moments, default=NONE)
        codes = Counter(row[2] * CODES + row[3] - NONE + TIMED * (row[1] != NONE) for row in kept)
        groups: Counter[int] = Counter()
        for runs in parts:
            for code, n in zip(runs.code.tolist(), runs.runs.tolist(), strict=True):
                groups[code] += n
            assert runs.counts().tolist() == [int(runs.runs[runs.code % CODES == code].sum()) for code in range(CODES)]
        assert groups == codes
        buckets = Counter(bucket_of(np.array(durations, dtype=np.int64)).tolist())
        for runs in parts:
            buckets.subtract({bucket: int(n) for bucket, n in enumerate(runs.buckets()) if n})
        assert not any(buckets.values())
    counted = every.counted()
    assert counted.size > every.size
    for mine, other in zip(
        counted.between(START + first, START + last), every.between(START + first, START + last), strict=True
    ):
        wide = other.buckets()
        assert mine.buckets()[: len(wide)].tolist() == wide.tolist()
        assert mine.buckets().sum() == wide.sum()

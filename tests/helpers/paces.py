"""A service whose long questions take as long as a test wants: put before its start."""

from __future__ import annotations

from typing import Final

# Who looks for `slow` waits after each day for longer than the pause between parts; for `endless`, for ever after the
# first one; for `broken`, for an error that comes when the first part has been sent.
PACES: Final = """
import time
from runlake.query import durations, histogram, scan
def at_pace(session, wanted, steps):
    for number, step in enumerate(steps):
        yield step
        until = time.monotonic() + (0.3 if wanted.error == "slow" else 0)
        while time.monotonic() < until or (wanted.error == "endless" and number > 1):
            session.rows("SELECT 1")
            time.sleep(0.01)
        if wanted.error == "broken" and number > 1:
            time.sleep(2)
            raise RuntimeError("as the test wants it")
steps = scan._steps
scan._steps = lambda session, wanted, **options: at_pace(session, wanted, steps(session, wanted, **options))
for chart in histogram, durations:
    class Parts:
        whole, growing = chart.parts.whole, chart.parts.growing
        cut = staticmethod(chart.parts.pieces)
        @staticmethod
        def pieces(*window, **options):
            for piece in Parts.cut(*window, **options):
                yield piece
                time.sleep(0.3)
    chart.parts = Parts
"""

"""The metrics of a service for Prometheus.

Events are counted where they happen, and gauges read plain numbers: a scrape takes no time of the writing thread and
queries no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from runlake.api.body import ByteBudget
from runlake.api.exporting import Exports
from runlake.api.streaming import Streams
from runlake.lake.append import AppendResult
from runlake.store import Store

MEDIA_TYPE: Final = "text/plain; version=0.0.4"
_FAST: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_SLOW: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class Metrics:
    """The counters of one service; every method may be called from any thread."""

    def __init__(self, store: Store, budget: ByteBudget, exports: Exports, streams: Streams) -> None:
        self.registry = CollectorRegistry()
        self.requests_under_way = 0  # the middleware counts them
        self.queries_under_way = 0  # waiting or running; the service counts them
        self.ready = False
        self._requests = Counter(
            "runlake_requests",
            "Answers by method, route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = self._histogram(
            "runlake_request_seconds", "Time to the end of an answer.", _FAST, "method", "route"
        )
        self._appends = self._histogram("runlake_append_seconds", "From a decoded batch to its being durable.", _SLOW)
        self._commits = self._histogram("runlake_commit_seconds", "One commit of a group of batches.", _SLOW)
        self._steps = self._histogram("runlake_upkeep_seconds", "One step of upkeep, by kind.", _SLOW, "step")
        runs = Counter(
            "runlake_received_runs",
            "Runs of accepted batches, by what became of them.",
            ("result",),
            registry=self.registry,
        )
        self._results = [(result, runs.labels(result)) for result in AppendResult.__struct_fields__]
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.registry.register(_Gauges(self, store, budget, exports, streams))
        ProcessCollector(registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Iterable[float], *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=tuple(buckets), registry=self.registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request whose answer has been sent, or whose client has disconnected."""
        children = self._known.get((method, route, status))
        if children is None:
            children = self._requests.labels(method, route, str(status)), self._seconds.labels(method, route)
            self._known[method, route, status] = children
        children[0].inc()
        children[1].observe(seconds)

    def append(self, seconds: float, counts: AppendResult) -> None:
        """Count a batch that has been stored, and its runs by result."""
        self._appends.observe(seconds)
        for result, counter in self._results:
            if number := getattr(counts, result):
                counter.inc(number)

    def commit(self, seconds: float) -> None:
        """Count the commit of a group of batches."""
        self._commits.observe(seconds)

    def step(self, name: str, seconds: float) -> None:
        """Count a step of maintenance."""
        self._steps.labels(name).observe(seconds)

    def text(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self.registry)


class _Gauges(Collector):
    """The gauges, read at the time of a scrape."""

    def __init__(self, metrics: Metrics, store: Store, budget: ByteBudget, exports: Exports, streams: Streams) -> None:
        self._metrics, self._store, self._budget = metrics, store, budget
        self._exports, self._streams = exports, streams

    def describe(self) -> Iterable[Metric]:
        """No metrics, so that to register this reads no numbers."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """A gauge for each number; those of the lake once it is loaded."""
        values = [*self._of_service(), *(self._of_lake() if self._metrics.ready else ())]
        for name, text, value in values:
            yield GaugeMetricFamily(f"runlake_{name}", text, value=value)

    def _of_service(self) -> Iterator[tuple[str, str, float]]:
        writer = self._store.writer
        yield "ready", "1 once the lake is attached and the serving database has caught up.", float(self._metrics.ready)
        yield "requests_under_way", "Requests that have not been answered.", self._metrics.requests_under_way
        yield (
            "queries_under_way",
            "Questions that wait for a reading thread or run on one.",
            self._metrics.queries_under_way,
        )
        yield "exports", "Exports that are sent.", self._exports.under_way
        yield "streams", "Streams of changed runs that are open.", self._streams.open
        yield "bodies_bytes", "Bodies and batches under way.", self._budget.reserved
        yield "waiting_rows", "Runs that wait for the writer.", writer.queued_rows
        yield "serving_lag_seconds", "How long answers have been behind the lake; 0 when they are not.", writer.lag()

    def _of_lake(self) -> Iterator[tuple[str, str, float]]:
        stored, serving, writer = self._store.stored, self._store.serving, self._store.writer
        files = stored.files
        yield "snapshot", "Number of the newest snapshot.", serving.snapshot
        yield "snapshot_timestamp_seconds", "When this process last committed, or opened the lake.", writer.committed_at
        yield "runs", "Runs in the lake.", stored.runs
        yield "open_runs", "Runs that have not finished.", len(stored.open_runs)
        yield "inlined_rows", "Finished runs that are in the catalog and not yet in Parquet.", stored.inlined_rows
        yield "files", "Live Parquet files of finished runs.", len(files)
        yield "files_bytes", "Bytes of these files.", sum(file.size for file in files)
        unreadable = {file.number for file in serving.unreadable} | writer.maintenance.unreadable.numbers
        yield "unreadable_files", "Files that could not be read, and are not counted or not merged.", len(unreadable)
        yield "wal_bytes", "The catalog's write-ahead log.", self._store.lake.catalog.log_bytes()
        yield "catalog_bytes", "The catalog.", self._store.lake.catalog.bytes()
        yield (
            "writer_memory_bytes",
            "Memory of the lake's DuckDB, at the last look of upkeep.",
            writer.maintenance.memory_bytes,
        )
        yield "arrow_memory_bytes", "Arrow memory: bodies, batches and what is read.", pa.total_allocated_bytes()

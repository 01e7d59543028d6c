"""SQL of strangers: one SELECT, in a DuckDB instance that has never met the lake.

Four fences stand behind each other: the syntax tree (one SELECT, known table functions only), the type of the
statement, the locked configuration, and file access to nothing but the given files. None is enough alone.
A given file may also be written, by `COPY` or `EXPLAIN ANALYZE COPY`: only the first two protect it. And
binding alone does damage: under a locked configuration `FROM enable_logging(…)` ended the process, `FROM
pandas_scan(NULL)` crashed it, `FROM enable_profiling(…)` names a file to write. So the tree is read first.

A single call on a single huge value cannot be interrupted: a hard time limit needs a process of its own.
"""

from __future__ import annotations

import json
import math
import re
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

import duckdb
import pyarrow as pa
from msgspec import Struct

from runlake import duck, macros
from runlake.errors import SqlError, Timeout

# What a SELECT may call in FROM. Not here: everything that writes, logs, profiles, takes a raw pointer, or
# runs SQL from a string (`query`, `json_execute_serialized_sql`), whose tree is not seen by the check.
_FROM: Final = """
    duckdb_columns duckdb_databases duckdb_functions duckdb_keywords duckdb_memory duckdb_schemas
    duckdb_settings duckdb_tables duckdb_types duckdb_views generate_series glob histogram histogram_values
    icu_calendar_names json_each json_tree parquet_file_metadata parquet_full_metadata parquet_kv_metadata
    parquet_metadata parquet_scan parquet_schema pg_timezone_names pragma_show pragma_table_info
    pragma_version range read_blob read_csv read_csv_auto read_json read_json_auto read_json_objects
    read_json_objects_auto read_ndjson read_ndjson_auto read_ndjson_objects read_parquet read_text
    repeat sniff_csv summary unnest
"""
TABLE_FUNCTIONS: Final = frozenset(_FROM.split())
# The first binds SQL from a string, too.
REFUSED_FUNCTIONS: Final = frozenset({"json_serialize_plan", "write_log"})
_LOSSY: Final = frozenset({"bignum", "bit", "time with time zone", "uhugeint", "variant"})
_NESTED: Final = frozenset({"array", "list", "map", "struct", "union"})
_REST: Final = re.compile(
    r"\n\s*\n|\n\s*Candidate functions:|\nPossible (?:solutions|fixes)|\nDatabase is launched"
)  # of a message: advice
_MOST: Final = 300  # characters of a message
_AGAIN: Final = 0.02  # seconds between interrupts: one is lost if the query has not started


class Result(Struct, frozen=True):
    """The result of a query: its columns, each with its type in DuckDB, and its rows, computed while they are read."""

    columns: list[tuple[str, str]]
    reader: pa.RecordBatchReader


class Sandbox:
    """A DuckDB instance for SQL of strangers: no extension, no file but the given ones, configuration locked.

    Fill it with `table` and `view`, then `lock` it, then `run` queries, from any number of threads. Spill
    files go to a folder of its own inside `temp_directory`, because that folder is readable by the queries;
    None means that nothing spills. Results come as plain Arrow types (UUID as text, HUGEINT as decimal);
    `lossless` keeps DuckDB's own as Arrow extension types, for a reader that is DuckDB again.
    """

    def __init__(
        self,
        files: Sequence[str],
        *,
        threads: int,
        memory_limit: str,
        temp_directory: str | None = None,
        lossless: bool = False,
    ) -> None:
        self._files = list(files)
        self._lossless = lossless
        self._locked = False
        self._guard = threading.Lock()
        self._runs: weakref.WeakSet[_Run] = weakref.WeakSet()
        temp = Path(temp_directory) / f"sql-{uuid.uuid4().hex}" if temp_directory else None
        self._con = duck.connect(threads=threads, memory_limit=memory_limit, temp=temp)
        self._con.execute("SET GLOBAL arrow_lossless_conversion = $on", {"on": lossless})
        # Now, because they cannot be changed any more once `prepare` has made a secret.
        self._con.execute("SET GLOBAL secret_directory = ''")
        self._con.execute("SET GLOBAL allow_persistent_secrets = false")

    def prepare(self, prepare: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """Make the instance able to read the given files, where DuckDB alone is not; before `lock`. Raises SqlError."""
        with self._setting_up():
            prepare(self._con)

    def table(self, name: str, rows: pa.Table) -> None:
        """A native table of these rows; before `lock`. Raises SqlError."""
        with self._setting_up():
            self._con.register("_arrow_rows", rows)
            self._con.execute(f"CREATE TABLE {_name(name)} AS FROM _arrow_rows")
            self._con.unregister("_arrow_rows")

    def view(self, name: str, sql: str) -> None:
        """A view of our own SQL, e.g. over the files; before `lock`. Raises SqlError, also for a bad file."""
        with self._setting_up():
            self._con.execute(f"CREATE VIEW {_name(name)} AS {sql}")

    def macros(self, schema: str) -> None:
        """The macros of macros.sql, and once more in a schema, as an attached lake has them; before `lock`."""
        with self._setting_up():
            self._con.execute(f"CREATE SCHEMA {_name(schema)}")
            for statement in (*macros.definitions(), *macros.definitions(f"{_name(schema)}.")):
                self._con.execute(statement)

    def spill_at_most(self, size: str) -> None:
        """Bound all spill files, by a size as DuckDB reads them; before `lock`."""
        with self._setting_up():
            self._con.execute("SET GLOBAL max_temp_directory_size = $most", {"most": size})

    def lock(self) -> None:
        """From now on: these files and nothing else, for good. Raises SqlError."""
        with self._setting_up():
            # The order matters: paths cannot be allowed any more once external access is off.
            self._con.execute("SET GLOBAL allowed_directories = []")
            self._con.execute("SET GLOBAL allowed_paths = $files", {"files": self._files})
            self._con.execute("SET GLOBAL enable_external_access = false")
            self._con.execute("SET GLOBAL lock_configuration = true")
            self._locked = True

    def run(self, query: str, *, timeout: float | None, batch_rows: int = 10_000) -> pa.RecordBatchReader:
        """The rows of one SELECT; see `ask`."""
        return self.ask(query, timeout=timeout, batch_rows=batch_rows).reader

    def ask(self, query: str, *, timeout: float | None, batch_rows: int = 10_000) -> Result:
        """The result of one SELECT; `timeout` (seconds) covers the reading too.

        Raises SqlError for anything but one SELECT and for every failure of it, Timeout at the limit; the
        reader raises the same two. A reader that is dropped unread frees its cursor and its clock.
        """
        if not self._locked:
            raise RuntimeError("lock the sandbox before running a query in it")
        with self._guard, _translated():
            run = _Run(self._con.cursor(), timeout)
            self._runs.add(run)
        schema = run.start(query, batch_rows, lossless=self._lossless)
        return Result(run.columns, pa.RecordBatchReader.from_batches(schema, run))

    def close(self) -> None:
        """End running queries and free everything; idempotent."""
        with self._guard:
            for run in list(self._runs):
                run.close()
            self._con.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def _setting_up(self) -> Iterator[None]:
        if self._locked:
            raise RuntimeError("the sandbox is locked")
        with _translated():
            yield


class _Run:
    """A running query: the iterator over its batches; keeps the time limit, frees the cursor at the end."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, timeout: float | None) -> None:
        self._cursor = cursor
        self._timeout = timeout
        self._deadline = math.inf if timeout is None else time.monotonic() + timeout
        self._done = threading.Event()
        clock = (cursor, timeout, self._done)
        self._clock = threading.Thread(target=_interrupt, args=clock, name="runlake-clock", daemon=True)
        self.columns: list[tuple[str, str]] = []
        # A reader that is dropped unread must end the clock, too.
        weakref.finalize(self, _end, self._clock, self._done)
        self._clock.start()

    def start(self, query: str, batch_rows: int, *, lossless: bool) -> pa.Schema:
        """Run to the first rows; raises SqlError and Timeout."""
        try:
            with _translated(self):
                statement = _only_select(self._cursor, query)
                self._reader = self._cursor.execute(statement).to_arrow_reader(batch_rows)
                self.columns = [(name, str(kind)) for name, kind, *_ in self._cursor.description or []]
                if not lossless:
                    _refuse_lossy(self._cursor)
        except BaseException:
            self.close()
            raise
        return self._reader.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        try:
            with _translated(self):
                batch = self._reader.read_next_batch()
            self.check()
        except BaseException:  # the end of the result, too
            self.close()
            raise
        return batch

    def check(self) -> None:
        """Raise Timeout when the time is up."""
        if time.monotonic() >= self._deadline:
            raise Timeout(f"the query took longer than {self._timeout:g} s")

    def close(self) -> None:
        """End the clock, then the query; idempotent. In this order: the clock uses the cursor."""
        _end(self._clock, self._done)
        with suppress(duckdb.Error):
            self._cursor.interrupt()
            self._cursor.close()


def _interrupt(cursor: duckdb.DuckDBPyConnection, timeout: float | None, done: threading.Event) -> None:
    """Interrupt the query at its limit, again and again until it is over. Holds no _Run: see above."""
    if done.wait(timeout):
        return
    while not done.wait(_AGAIN):
        with suppress(duckdb.Error):
            cursor.interrupt()


def _end(clock: threading.Thread, done: threading.Event) -> None:
    """Wait for the end, too: a thread that frees its cursor while Python exits aborts the process."""
    done.set()
    if clock is not threading.current_thread():  # which collects garbage like any other
        clock.join()


def _only_select(cursor: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """The one SELECT of a text; raises SqlError for anything else. Nothing of the text is bound or run."""
    # Where one parser stops and another goes on, less would be checked than is run.
    if re.search("[\0\ud800-\udfff]", query):
        raise SqlError("a query cannot hold NUL characters or broken Unicode")
    row = cursor.execute("SELECT json_serialize_sql($query)", {"query": query}).fetchone()
    try:
        # Not with msgspec: DuckDB writes a number too large for a double as Infinity.
        tree: dict[str, Any] = json.loads(row[0] if row else "")
    except RecursionError:
        raise SqlError("the query is nested too deeply") from None
    if tree["error"]:
        raise _refused(query, tree)
    _check_functions(tree)
    statements = cursor.extract_statements(query)
    if len(tree["statements"]) != 1 or len(statements) != 1:
        raise SqlError(f"exactly one SELECT can run here, not {len(statements)} statements")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise SqlError("only a SELECT can run here")
    return statements[0]


def _refused(query: str, tree: dict[str, Any]) -> SqlError:
    """Why a text has no syntax tree: it is wrong, or it is no SELECT."""
    if tree["error_type"] == "parser":
        where = int(tree.get("position", 0))
        return SqlError(f"line {query.count(chr(10), 0, where) + 1}: {tree['error_message']}")
    pivot = re.search(r"\bpivot\b", query, re.IGNORECASE)
    hint = "a PIVOT has to name its values: ON x IN (…)" if pivot else None
    return SqlError("only a SELECT can run here", hint=hint)


def _check_functions(tree: dict[str, Any]) -> None:
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, dict):
            stack.extend(node.values())
            name = str(node.get("function_name", "")).lower()
            called = node.get("function") if node.get("type") == "TABLE_FUNCTION" else None
            source = str(called.get("function_name", "")).lower() if isinstance(called, dict) else None
            if source is not None and source not in TABLE_FUNCTIONS:
                raise SqlError(f"the table function {source or '?'} cannot be used here")
            if name in REFUSED_FUNCTIONS:
                raise SqlError(f"the function {name} cannot be used here")


def _refuse_lossy(cursor: duckdb.DuckDBPyConnection) -> None:
    for column, kind, *_ in cursor.description or []:
        if _lossy(kind):
            raise SqlError(f"column {column} is of type {kind}", hint="cast it to VARCHAR")


def _lossy(kind: Any) -> bool:
    """Whether plain Arrow types would change values of this DuckDB type."""
    if kind.id in _NESTED:
        return any(_lossy(child) for _, child in kind.children if not isinstance(child, int))
    return kind.id in _LOSSY


@contextmanager
def _translated(run: _Run | None = None) -> Iterator[None]:
    """Raise our errors instead of those of DuckDB and Arrow; each is `from` the foreign one."""
    try:
        yield
    except RuntimeError as exc:
        if str(exc) == "Query interrupted":  # what DuckDB makes of Ctrl-C
            raise KeyboardInterrupt from exc
        raise
    except (duckdb.Error, pa.ArrowException, OSError) as exc:
        if run is not None:
            run.check()
        raise SqlError(first_lines(str(exc))) from exc


def first_lines(message: str) -> str:
    """The part of DuckDB's message that says what is wrong, with the line of the query it means."""
    said = " ".join(_REST.split(message, maxsplit=1)[0].split())
    if len(said) > _MOST:  # of a long line of a file, the reason stands behind it
        said = f"{said[: _MOST * 2 // 3]} … {said[-_MOST // 3 :]}"
    line = re.search(r"^LINE (\d+):", message, re.MULTILINE)
    where = f"line {line[1]}: " if line and line[1] != "1" else ""
    return where + said


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

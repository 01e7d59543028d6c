"""What the tests share: settings files, records, real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import children
import httpx
import msgspec
import pyarrow as pa
from beginnings import begin

from runlake.intake import decode_json
from runlake.lake.append import AppendResult
from runlake.settings import Settings
from runlake.store import Store

HERE: Final = Path(__file__).parent.parent  # the folder of all tests
SETTINGS_FILES: Final = sorted((HERE / "settings").glob("*.json"))
TRACES: Final = HERE.parent.parent / "shared" / "traces"
MAIN: Final = "from runlake.cli import main; main()"
RUNLAKE: Final = [sys.executable, "-c", MAIN]
START_SECONDS: Final = 60.0
# Upkeep at every turn, for servers that are watched while they flush, merge and clean.
HOSTILE: Final = {
    "RUNLAKE_FLUSH_ROWS": "20",
    "RUNLAKE_MERGE_FILES": "2",
    "RUNLAKE_MAINTAIN_SECONDS": "0.01",
    "RUNLAKE_TIDY_SECONDS": "0.2",
    "RUNLAKE_GRACE_SECONDS": "5",
}

# Everything that upkeep does, all the time.
BUSY: Final = {
    "RUNLAKE_FLUSH_ROWS": "150",
    "RUNLAKE_MERGE_FILES": "2",
    "RUNLAKE_ROLLUP_ROWS": "300",
    "RUNLAKE_MAINTAIN_SECONDS": "0.01",
    "RUNLAKE_TIDY_SECONDS": "0.1",
    "RUNLAKE_GRACE_SECONDS": "0",
}


def arrow_stream(table: pa.Table, *, copies: int = 1, chunk: int | None = None, **options: Any) -> bytes:
    """A table as an Arrow IPC stream, so many times over, in batches of at most `chunk` rows."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        for _ in range(copies):
            writer.write_table(table, max_chunksize=chunk)
    return bytes(sink.getvalue())


def load_settings(file: Path, data: Path) -> Settings:
    """The settings of a file of tests/settings, for the lake in `data`."""
    return msgspec.convert({"data": str(data), **json.loads(file.read_text())["settings"]}, Settings)


def environment(settings: Settings | None = None, **extra: str) -> dict[str, str]:
    """The environment for a child process: ours without RUNLAKE_…, plus settings that differ from the default."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("RUNLAKE_")}
    if settings is not None:
        default = Settings()
        for name in Settings.__struct_fields__:
            if getattr(settings, name) != getattr(default, name):
                env[f"RUNLAKE_{name.upper()}"] = str(getattr(settings, name))
    return env | extra


def record(number: int, **fields: Any) -> dict[str, Any]:
    """A finished run with an id made of a number; fields override."""
    return {
        "id": str(uuid.UUID(int=number)),
        "task_id": str(uuid.UUID(int=1 << 100 | number % 3)),
        "started_at": f"2025-01-{1 + number % 28:02}T08:00:00Z",
        "finished_at": f"2025-01-{1 + number % 28:02}T08:00:02.5Z",
        "success": True,
        **fields,
    }


def post(store: Store, *runs: dict[str, Any]) -> AppendResult:
    """Append records as POST /runs does, and wait for the answer."""
    return store.writer.submit(decode_json(json.dumps({"runs": list(runs)}).encode()).batch()).result(60)


def runlake(*args: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a `runlake` command in a process of its own; lines end as Python has it."""
    done = children.run(MAIN, *args, env=environment() if env is None else env, cwd=cwd)
    stdout, stderr = (out.decode().replace("\r\n", "\n").replace("\r", "\n") for out in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, stdout, stderr)


# Opens a lake and appends the batch of its standard input, as a service would; dies where it is told to.
_APPENDING: Final = """
import sys
import msgspec
from runlake import failpoints
from runlake.intake import decode_json
from runlake.settings import Settings
from runlake.store import Store
failpoints.arm(sys.argv[1])
store = Store(msgspec.json.decode(sys.argv[2], type=Settings))
store.load()
store.start()
store.writer.submit(decode_json(sys.stdin.buffer.read()).batch()).result(60)
print("acknowledged", flush=True)
store.close()
"""


def append_and_die(settings: Settings, batch: list[dict[str, Any]], fail_point: str) -> bool:
    """Append to a lake that nobody holds, in a process that is killed if it comes to a point; was it acknowledged?"""
    body, told = json.dumps({"runs": batch}), msgspec.json.encode(settings).decode()
    done = children.run(_APPENDING, fail_point, told, env=environment(), data=body.encode(), timeout=120)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return bool(done.stdout)


class Server:
    """A `runlake serve` process; `url` is where it listens, `log` what it wrote to standard error.

    `before` is Python that the process runs first: a query that takes long, a limit that ends sooner. A lake that is
    not there is copied from an empty one, and made anew with `new`, by a process `as_shipped` or under a `prefix`.
    """

    def __init__(
        self,
        data: Path,
        *args: str,
        env: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        before: str = "",
        as_shipped: bool = False,
        new: bool = False,
    ) -> None:
        self.data = data
        if not (new or prefix or as_shipped):
            begin(Settings(data=str(data)))
        code, args = f"{before}\n{MAIN}", ("serve", "--data", str(data), "--port", "0", *args)
        env = environment() if env is None else env
        read, write = os.pipe()
        self._stderr = os.fdopen(read)
        try:
            with Path(os.devnull).open("r+b", buffering=0) as null:
                if prefix or as_shipped or not children.can_be_forked(env):
                    command = [*prefix, sys.executable, "-c", code, *args]
                    self.process: children.Process = subprocess.Popen(
                        command, env=env, stdin=null, stdout=null, stderr=write
                    )
                else:
                    self.process = children.Forked(code, *args, env=env, files=(null.fileno(), null.fileno(), write))
        finally:
            os.close(write)
        self.log: list[str] = []
        self.url = ""
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._stderr:
            self.log.append(line)
            if found := re.search(r"serving on (http://\S+),", line):
                self.url = found[1]
                self._listening.set()
        self._listening.set()

    def wait_listening(self) -> Self:
        """Return when it says where it listens; fails with the log."""
        assert self._listening.wait(START_SECONDS) and self.url, "".join(self.log)
        return self

    def wait_ready(self) -> Self:
        """Return when /ready answers 200; fails with the log."""
        self.wait_listening()
        self.client = httpx.Client(base_url=self.url, timeout=60)
        transport_errors = 0
        while True:
            try:
                answer = self.client.get("/ready")
            except httpx.TransportError:
                transport_errors += 1
                assert transport_errors < 100, "".join(self.log)
                continue
            if answer.status_code == 200:
                return self
            assert self.process.poll() is None, "".join(self.log)
            time.sleep(0.02)  # who asks all the time takes a third of the processor time of a start

    def until(self, happened: Callable[[], bool], seconds: float = 30.0) -> None:
        """Return when it has happened; fails with the log."""
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, "".join(self.log)
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(30)
        self._reader.join()
        self._stderr.close()
        if hasattr(self, "client"):
            self.client.close()
        return code

    def __enter__(self) -> Self:
        return self.wait_ready()

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def post(self, *runs: dict[str, Any]) -> httpx.Response:
        """POST /runs with these records."""
        return self.client.post("/runs", json={"runs": list(runs)})

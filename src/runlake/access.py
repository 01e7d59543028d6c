"""API keys: who gets in. A key is shown once and stored as a hash, in one small file of the lake's folder.

The file is written by the `keys` commands and read by a running service, which looks at its stat for each request:
a key works, or works no more, from the next request on. No write lock is needed for it.
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
from runlake.lake.sync import fsync, make_folder
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

    One SHA-256 and no slow password hash: a key is 256 random bits, which nobody guesses however fast the hash is,
    and every request pays for it.
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
    """Make a key and return it with its secret, which is kept nowhere; the folder is made if there is none."""
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
    """Write the changed keys: whole and durable, or not at all."""
    with duck.translated("writing the keys", full="free some space; the keys are as they were"), _exclusive(paths):
        content = msgspec.json.encode(_File(FORMAT, change(stored(paths))))
        part = paths.keys.with_suffix(".part")
        part.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(msgspec.json.format(content) + b"\n")
            fsync(part)
            part.rename(paths.keys)
        finally:
            part.unlink(missing_ok=True)
        fsync(paths.folder)


@contextmanager
def _exclusive(paths: Paths) -> Iterator[None]:
    """One change at a time, whichever process makes it; never held for longer than a write."""
    make_folder(paths.folder)
    lock = os.open(paths.keys_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


_NOBODY: Final = digest(b"")  # a hash that no token has
_Stamp = tuple[int, int, int]


class Guard:
    """Lets requests in, or not. Used by one thread.

    Without keys all may pass. Once a key has been seen, one is required for as long as the process lives: revoking
    the last one, or losing the file, closes the service and never opens it.
    """

    def __init__(self, paths: Paths, *, required: bool = False) -> None:
        self._path: Path = paths.keys
        self._required = required
        self._stamp: _Stamp | None = None
        self._fault = False
        self._keys: dict[bytes, Key] = {}

    def is_open(self) -> bool:
        """Whether all may pass, because no key has been seen so far."""
        self._refresh()
        return not (self._required or self._fault)

    def admit(self, credentials: Sequence[bytes], scope: Scope) -> str | None:
        """The id of the key that opens, None when none is needed. `credentials` are all Authorization headers.

        Raises Unauthorized, Forbidden, or NotReady when the keys cannot be read.
        """
        self._refresh()
        if self._fault:
            raise NotReady("the keys cannot be read; the log of the service says why")
        if not self._required:
            return None
        key = self._known(credentials)
        if scope not in key.scopes:
            raise Forbidden(f"this key does not have the scope {scope}", scope=scope)
        return key.id

    def _known(self, credentials: Sequence[bytes]) -> Key:
        if not credentials:
            raise Unauthorized("a key is needed", hint="send Authorization: Bearer and the key")
        kind, _, token = credentials[0].strip().partition(b" ")
        found = _TOKEN.fullmatch(token.strip())
        if len(credentials) == 1 and kind.lower() == b"bearer" and found:
            key = self._keys.get(found[1])
            # An unknown id takes the same steps, so that the time tells nothing.
            same = hmac.compare_digest(digest(found[0]), key.hash if key else _NOBODY)
            if same and key:
                return key
        raise Unauthorized("the key is not known here", hint="it may have been revoked", invalid=True)

    def _refresh(self) -> None:
        try:
            stamp = _stamp(os.stat(self._path))  # noqa: PTH116 - asked for each request
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


def challenge(exc: RunlakeError) -> str | None:
    """What WWW-Authenticate says about an error; None when it is not about keys."""
    if isinstance(exc, Forbidden):
        return f'Bearer realm="runlake", error="insufficient_scope", scope="{exc.scope}"'
    if isinstance(exc, Unauthorized):
        return 'Bearer realm="runlake"' + (', error="invalid_token"' if exc.invalid else "")
    return None

"""Cursors: the position of a run in a list, as a token that only this service reads."""

from __future__ import annotations

import base64
import binascii
import uuid

import msgspec
from msgspec import Struct

from runlake.errors import BadInput
from runlake.model import RunsQuery
from runlake.query.filters import fingerprint

_VERSION = 1


class Cursor(Struct, frozen=True, array_like=True):
    """Where a page begins, or ends (`before`): a run, by its run time or its duration (microseconds) and its id, and
    what tells the order and the filter that it is a position of.
    """

    version: int
    order: str
    position: int
    run_id: bytes
    before: bool
    selection: bytes

    @property
    def id(self) -> uuid.UUID:
        """The id of the run."""
        return uuid.UUID(bytes=self.run_id)


def token(query: RunsQuery, position: int, run_id: uuid.UUID, *, before: bool) -> str:
    """The text of a cursor of this list."""
    made = Cursor(_VERSION, query.order, position, run_id.bytes, before, fingerprint(query))
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(made)).decode().rstrip("=")


def read(query: RunsQuery, text: str) -> Cursor:
    """The cursor of a text; raises BadInput for one that is broken, or of another list."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = msgspec.msgpack.decode(raw, type=Cursor)
        known = found.version == _VERSION and len(found.run_id) == len(uuid.UUID(int=0).bytes)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        known = False
    if not known or not 0 <= found.position < 1 << 63:
        raise BadInput.of("cursor", "is broken; take it from the Link header of a page, as it is")
    if (found.order, found.selection) != (query.order, fingerprint(query)):
        raise BadInput.of("cursor", "belongs to a list with another filter or order")
    return found

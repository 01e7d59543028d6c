"""Bodies that come as gzip, unpacked in steps, so that nothing is ever much larger than it may be."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from runlake.errors import BadInput

STEP: Final = 1024 * 1024  # bytes of a piece, at most
MEMBERS: Final = 10_000  # as many as a batch may have records
_FEED: Final = 16 * 1024  # packed bytes at a time: the end of a member copies what is left of them
_MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 31  # for zlib: gzip framing, its checksum and length compared, and the largest window


def pieces(packed: bytes) -> Iterator[bytes]:
    """The content of all gzip members, one after the other, in pieces; none of them is empty.

    Raises BadInput for what is not gzip from its first to its last byte. Zeros after the end are padding, as for
    `gzip -t`.
    """
    at = members = 0
    while at < len(packed):
        if members and not packed[at] and packed.count(0, at) == len(packed) - at:
            return
        if members == MEMBERS:
            raise BadInput.of("body", f"has more than {MEMBERS} gzip members")
        began, member = at, zlib.decompressobj(_GZIP)
        while not member.eof:
            fed = packed[at : at + _FEED]
            try:
                piece = member.decompress(fed, STEP)
            except zlib.error as exc:
                raise _damage(packed, began, f"is damaged near byte {at}: {str(exc).rpartition(': ')[2]}") from None
            # At the end of a member zlib says the same bytes twice where the limit of a piece was met before.
            at += len(fed) - len(member.unused_data if member.eof else member.unconsumed_tail)
            if piece:
                yield piece
            elif not fed and not member.eof:
                raise _damage(packed, began, f"ends too early, after {len(packed)} bytes")
        members += 1


def _damage(packed: bytes, began: int, how: str) -> BadInput:
    """A member that begins at `began` cannot be read: it is damaged, or it is no gzip at all."""
    shown = packed[began : began + 20]
    if _MAGIC.startswith(shown[:2]):
        return BadInput.of("body", f"its gzip data {how}")
    if began:
        return BadInput.of("body", f"after the end of its gzip data, at byte {began}, follows {shown!r}")
    return BadInput.of("body", f"is not gzip, as Content-Encoding says, but begins with {shown!r}")

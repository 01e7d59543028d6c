"""Gzip bodies, unpacked piece by piece, so that the caller can stop at its limit."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from runlake.errors import BadInput

PIECE: Final = 1024 * 1024  # bytes of a piece, at most
MEMBERS: Final = 10_000  # gzip members of a body, at most: as many as a batch may have records
_FEED: Final = 16 * 1024  # packed bytes given to zlib at once, which copies those behind the end of a member
_MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 31  # zlib's wbits for gzip framing, with its checksum, and the largest window


def pieces(packed: bytes) -> Iterator[bytes]:
    """The content of all gzip members, in order, in pieces of 1 to PIECE bytes.

    Raises BadInput for bytes that are not gzip from the first to the last. Zeros after the end are padding, as
    `gzip -t` has it.
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
                piece = member.decompress(fed, PIECE)
            except zlib.error as exc:
                raise _damage(packed, began, f"is damaged near byte {at}: {str(exc).rpartition(': ')[2]}") from None
            # At the end of a member the rest is in unused_data; unconsumed_tail may still hold the same bytes.
            at += len(fed) - len(member.unused_data if member.eof else member.unconsumed_tail)
            if piece:
                yield piece
            elif not fed and not member.eof:
                raise _damage(packed, began, f"ends too early, after {len(packed)} bytes")
        members += 1


def _damage(packed: bytes, began: int, how: str) -> BadInput:
    """The error for a member that begins at `began`: its gzip data are damaged, or it is no gzip at all."""
    shown = packed[began : began + 20]
    if _MAGIC.startswith(shown[:2]):
        return BadInput.of("body", f"its gzip data {how}")
    if began:
        return BadInput.of("body", f"after the end of its gzip data, at byte {began}, follows {shown!r}")
    return BadInput.of("body", f"is not gzip, as Content-Encoding says, but begins with {shown!r}")

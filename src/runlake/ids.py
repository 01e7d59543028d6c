"""Ids of runs."""

from __future__ import annotations

import random
import time
import uuid


def mint() -> uuid.UUID:
    """A new UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits. They are no secret, so they come
    from Python's generator, which is seeded by the system in each process: a system call for each id takes longer.
    """
    value = (time.time_ns() // 1_000_000) << 80 | random.getrandbits(80)
    return uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)

"""The end of a text that is too long for an error. It imports nothing: a command is started with it."""

from __future__ import annotations

from typing import Final

TAIL_BYTES: Final = 16_384


def end_of(text: bytes) -> str:
    """The end of a text, from the beginning of a line on where it was cut."""
    if len(text) > TAIL_BYTES:
        text = text[-TAIL_BYTES:].rstrip()
        text = text[text.find(b"\n") + 1 :]
    return text.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}").strip()

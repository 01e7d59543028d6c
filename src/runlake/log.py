"""Logs: one line an event, on standard error, `key=value`."""

from __future__ import annotations

import logging
from typing import Final

LOGGER: Final = logging.getLogger("runlake")


def event(what: str, **values: object) -> None:
    """Log an event with its values."""
    LOGGER.info("%s%s", what, "".join(f" {key}={value}" for key, value in values.items()))

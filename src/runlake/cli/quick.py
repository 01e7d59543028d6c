"""The arguments of a plain `runlake exec`, read without Click."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from runlake.recorder.call import Call

# What is surely the URL of a service.
_PLAIN: Final = re.compile(r"https?://[A-Za-z0-9.-]*[A-Za-z0-9](:[1-5]?[0-9]{1,4})?/?")
_WITH_VALUE: Final = ("--task", "--server")


def read(arguments: Sequence[str]) -> Call | None:
    """The call as Click would read it; None for all that is not plain: errors, help, --data."""
    left, given, keeps_output = list(arguments), dict.fromkeys(_WITH_VALUE, ""), True
    while left and left[0].startswith("-"):
        name, has_value, value = left.pop(0).partition("=")
        if name == "--" and not has_value:
            break
        if name == "--no-output" and not has_value:
            keeps_output = False
        elif name in given and (has_value or left):
            given[name] = value if has_value else left.pop(0)
        else:
            return None
    task, server = given["--task"], given["--server"]
    if not left or not task or task.startswith("-") or not (server == "" or _PLAIN.fullmatch(server)):
        return None
    return Call(tuple(left), task, server or None, None, keeps_output)

"""Where the program starts."""

from __future__ import annotations

import sys
from importlib import import_module

from runlake.cli import quick
from runlake.recorder.call import recorded


def main() -> None:
    """Run what the arguments say, and end with an exit code.

    The command of a plain `exec` is started before Click is imported, which takes longer than all else until then.
    """
    call = quick.read(sys.argv[2:]) if sys.argv[1:2] == ["exec"] else None
    if call is not None:
        sys.exit(recorded(call))
    import_module("runlake.cli.group").commands()

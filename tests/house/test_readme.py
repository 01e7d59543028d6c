"""README.md says what is: its commands print what it shows, its tables are the program's own."""

from __future__ import annotations

import difflib

import pytest
from readme import README, commands, rendered
from support import TRACES


def test_a_command_goes_on_until_its_quotes_are_closed() -> None:
    """The little parser behind the page."""
    assert list(commands('$ a "b\nc" d\nout\n$ e\n')) == ['a "b\nc" d', "e"]


@pytest.mark.skipif(not TRACES.is_dir(), reason="the traces of the README are not here")
def test_the_page_shows_what_the_commands_print() -> None:
    """Run `python tests/helpers/readme.py` when this fails and the new output is right."""
    shown = README.read_text(encoding="utf-8")
    fresh = rendered(shown)
    changes = difflib.unified_diff(shown.splitlines(), fresh.splitlines(), "README.md", "printed now", lineterm="")
    assert fresh == shown, "\n".join(changes)

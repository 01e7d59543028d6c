"""The README and the handbook say what is: commands print what they show, tables are the program's own."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from handbook import anchors
from pages import PAGES, ROOT, commands, needs_traces, rendered
from support import TRACES
from tables import routes

README = ROOT / "README.md"
DOCS = ROOT / "docs"
OLDER = ("/runs/task/", "/runs/stats/")  # older addresses, named in one line
LARGEST = 8_192  # bytes of the README


@pytest.fixture(scope="session")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of generated lakes, one for all workers of a test run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "lakes"
    folder.mkdir(exist_ok=True)
    return folder


def test_a_command_goes_on_until_its_quotes_are_closed() -> None:
    """The little parser behind the pages."""
    assert list(commands('$ a "b\nc" d\nout\n$ e\n')) == ['a "b\nc" d', "e"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_its_commands_print(page: Path, lakes: Path) -> None:
    """Run `python tests/helpers/pages.py docs/….md` when this fails and the new output is right."""
    shown = page.read_text(encoding="utf-8")
    if needs_traces(shown) and not TRACES.is_dir():
        pytest.skip(f"the traces of {page.name} are not here")
    fresh = rendered(shown, lakes)
    changes = difflib.unified_diff(shown.splitlines(), fresh.splitlines(), page.name, "printed now", lineterm="")
    assert fresh == shown, "\n".join(changes)


def test_the_readme_is_short() -> None:
    """It is read in a few minutes; everything else is in the handbook."""
    assert len(README.read_bytes()) <= LARGEST


def test_every_route_is_in_the_readme_and_has_a_section() -> None:
    """In the table of the README; in the handbook with a heading of its name, and its table below."""
    known = {f"{method} {path}" for method, path in routes() if not path.startswith(OLDER)}
    rows = re.findall(r"^\| `(?:GET|POST).*", README.read_text(encoding="utf-8"), re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`((?:GET|POST|PUT|DELETE) \S+)`", row)]
    assert set(listed) == {*known, "GET /docs"} and len(listed) == len(set(listed))
    page = (DOCS / "http-api.md").read_text(encoding="utf-8")
    headings = re.findall(r"^##+ `([A-Z]+ /\S*)`$", page, re.MULTILINE)
    assert sorted(headings) == sorted(listed)
    assert set(re.findall(r"^<!-- route (\S+ \S+) -->$", page, re.MULTILINE)) == known


@pytest.mark.parametrize("name", ["README.md", "benchmarks/README.md", "data/README.md"])
def test_links_beside_the_handbook_lead_somewhere(name: str) -> None:
    """To files of the repository, and to headings in them; `make docs` looks at the pages of the handbook."""
    file = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        linked = file.parent / path if path else file
        assert target.startswith("https://") or linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_figures_of_the_readme_are_those_of_the_last_run() -> None:
    """Medians at 10,000,000 runs, as in benchmarks/last.md; `[engine]` and `†` are left out."""
    size = (ROOT / "benchmarks" / "last.md").read_text(encoding="utf-8").split("## 10,000,000 runs\n")[1]
    measured = {}
    for line in size.split("\n## ")[0].splitlines():
        cells = [re.sub(r"†| \[.*", "", cell.strip()) for cell in line.strip("|").split("|")]
        if len(cells) > 8:
            measured[cells[0]] = [cells[1], cells[4], cells[6]]
    table = README.read_text(encoding="utf-8").split("| question, 10,000,000 runs |")[1].split("\n\n")[0]
    shown = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert len(shown) > 5
    assert {name: figures for name, *figures in shown} == {name: measured[name] for name, *_ in shown}


def test_the_systemd_unit_is_understood(tmp_path: Path) -> None:
    """By systemd itself, with a program that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze")
    text, changed = re.subn(r"(?<=^ExecStart=)\S+", sys.executable, (DOCS / "runlake.service").read_text(), flags=re.M)
    assert changed == 1
    unit = tmp_path / "runlake.service"
    unit.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_changelog_has_the_version() -> None:
    """That of pyproject.toml, as its first one."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    found = re.search(r"^## (\S+?),? ", (DOCS / "changelog.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None and found[1] == version

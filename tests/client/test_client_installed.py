"""The client without the service: what it imports, and what it is installed with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from support import HERE, Server

ROOT: Final = HERE.parent
HEAVY: Final = {"duckdb", "litestar", "numpy", "pyarrow", "uvicorn"}


@pytest.mark.parametrize("code", ["import runlake.client", "from runlake.client import Client; Client('http://a.b')"])
def test_the_client_imports_nothing_of_the_service(code: str) -> None:
    shown = f"import sys; {code}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True, env=os.environ)
    found = set(done.stdout.split())
    assert "httpx" in found and found & HEAVY == set()


def needed(extra: str) -> dict[str, Distribution]:
    """All packages that runlake with an extra needs, of those that are installed here, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    left = [*project["dependencies"], *project["optional-dependencies"][extra]]
    found: dict[str, Distribution] = {}
    while left:
        requirement = Requirement(left.pop())
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if requirement.name not in found:
            found[requirement.name] = distribution(requirement.name)
            left += found[requirement.name].requires or []
        assert requirement.specifier.contains(found[requirement.name].version), requirement
    return found


def test_the_client_needs_few_packages() -> None:
    """And what the service needs beside them is in its own extra."""
    names = set(needed("client"))
    assert {"click", "httpx", "msgspec"} <= names and len(names) < 12
    assert names & {"duckdb", "litestar", "numpy", "pyarrow", "uvicorn"} == set()
    assert {"duckdb", "litestar", "pyarrow"} <= set(needed("service"))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has runlake, made of a copy of its sources, and what its client needs."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python"]
    alone = ["--no-index", "--no-deps"]
    subprocess.run([*pip, sys.executable, "wheel", *alone, "--no-build-isolation", "-w", folder, source], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, python, "install", *alone, wheel], check=True)
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    for one in needed("client").values():
        for file in one.files or ():
            if ".." not in file.parts:  # scripts
                (packages / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), packages / file)
    return python


def said(python: Path, *arguments: str, code: int = 0) -> str:
    """What a program of this environment says; nothing of ours is in its path."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "RUNLAKE_"))}
    done = subprocess.run([python, *arguments], env=env, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


PROGRAM: Final = """
import asyncio, importlib.util, sys, uuid
from runlake.client import AsyncClient, Client
from runlake.model import RunRecord
print(*(name for name in ("duckdb", "pyarrow", "litestar", "numpy") if importlib.util.find_spec(name)))
async def count():
    async with AsyncClient(sys.argv[1]) as client:
        return len([run async for run in client.runs()])
with Client(sys.argv[1]) as client:
    with client.run("nightly") as run:
        run.output = {"rows": 12}
    client.append([RunRecord(task_id=uuid.uuid4())])
    print(client.get_latest_run(run.task).success, asyncio.run(count()))
    try:
        client.runs().to_arrow()
    except ModuleNotFoundError as exc:
        print(exc.name)
"""


@pytest.mark.long
def test_the_client_works_where_nothing_else_is_installed(python: Path, server: Server) -> None:
    assert said(python, "-c", PROGRAM, str(server.url)) == "\nTrue 2\npyarrow\n"


@pytest.mark.long
def test_commands_work_or_say_what_is_missing(python: Path, server: Server) -> None:
    """`exec` is for machines that have no service; all others name what they need."""
    runlake = str(python.parent / "runlake")
    assert said(python, runlake, "exec", "--server", str(server.url), "--task", "x", "--", "echo", "hello") == "hello\n"
    assert server.client.get("/runs").json()["items"][0]["success"] is True
    assert "COMMAND" in said(python, runlake, "exec", "--help")
    refused = said(python, runlake, "serve", "--port", "0", "--data", "x", code=1)
    assert len(refused.splitlines()) == 1 and "pip install 'runlake[service]'" in refused
    assert re.search(r"serve +Not installed", said(python, runlake, "--help"))

"""The rules of the house as tests: who may import whom, how long things are, where certain calls may stand."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from runlake import errors

ROOT: Final = Path(errors.__file__).parent
FILES: Final = sorted(ROOT.rglob("*.py"))
BOTTOM: Final = frozenset(
    {"columns", "duck", "errors", "failpoints", "ids", "log", "model"}
    | {"macros", "parquet", "paths", "prefetch", "settings", "statements", "times"}
)
# Commands that read beside the service may know what the lake looks like, and its files, but nothing that writes.
LAKE_TO_READ: Final = frozenset({"lake.catalog", "lake.files"})

# For each room: the rooms and modules it may import, besides itself. Bytes flow the same way.
ALLOWED: Final[dict[str, frozenset[str]]] = {
    "prefetch": frozenset(),
    "errors": frozenset(),
    "ids": frozenset(),
    "log": frozenset(),
    "times": frozenset(),
    "statements": frozenset(),
    "recipes": frozenset({"statements"}),
    "recorder": BOTTOM | {"intake", "lake", "store"},
    # Not the folder as a target: it needs DuckDB.
    "client": frozenset({"errors", "ids", "log", "model", "settings", "times"})
    | {f"recorder.{name}" for name in ("clock", "recording", "records", "service", "tail")},
    "macros": frozenset({"statements"}),
    "settings": frozenset({"errors"}),
    "failpoints": frozenset({"errors"}),
    "paths": frozenset({"errors", "times"}),
    "model": frozenset({"errors", "times"}),
    "columns": frozenset({"model"}),
    "duck": frozenset({"errors"}),
    "access": BOTTOM | {"lake.sync"},
    "parquet": frozenset({"errors"}),
    "incidents": frozenset({"times"}),
    "generate": BOTTOM | {"incidents"},
    "demo": BOTTOM | {"generate"},
    "intake": BOTTOM,
    "lake": BOTTOM | {"intake"},
    "serving": BOTTOM | {"intake", "lake"},
    "query": BOTTOM | {"serving"},
    "sandbox": BOTTOM | {"intake"},
    "inspect": BOTTOM | {"sandbox"} | LAKE_TO_READ,
    "store": BOTTOM | {"lake", "query", "serving"},
    "ui": frozenset(),
    "api": BOTTOM | {"access", "inspect", "intake", "lake.append", "lake.names", "query", "store", "ui"},
    "cli": BOTTOM
    | {
        "access",
        "api",
        "demo",
        "generate",
        "recipes",
        "recorder",
        "serving",
        "intake.files",
        "intake.found_names",
        "intake.messages",
        "intake.names",
        "lake",
        "store",
    }
    | {"inspect", "sandbox"},
}
DUCKDB: Final = frozenset(
    {
        "cli/info.py",  # its version only
        "duck.py",
        "intake/outputs.py",
        "lake/attach.py",
        "lake/catalog.py",
        "lake/catalogs/__init__.py",
        "lake/catalogs/postgres.py",
        "lake/catalogs/sqlite.py",
        "lake/files/__init__.py",
        "lake/files/local.py",
        "lake/files/s3.py",
        "query/copying.py",
        "query/engine.py",
        "sandbox/sandbox.py",
        "sandbox/readers.py",
        "inspect/verify.py",
        "serving/database.py",
        "serving/readers.py",
        "serving/rebuild.py",
        "serving/serving.py",
    }
)


def name_of(file: Path) -> str:
    """The file's path in the package, as in `lake/catalog.py`."""
    return file.relative_to(ROOT).as_posix()


def room_of(file: Path) -> str:
    """The room a file belongs to: its folder, or itself at the top."""
    return file.relative_to(ROOT).parts[0].removesuffix(".py")


def tree_of(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(file: Path) -> Iterator[str]:
    """Every module a file imports, absolute; `from package import module` counts as the module."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(file)} has a relative import"
            yield from (_module(node.module or "", alias.name) for alias in node.names)


def _module(module: str, name: str) -> str:
    inner = ROOT.parent.joinpath(*module.split("."), name)
    return f"{module}.{name}" if inner.with_suffix(".py").is_file() or inner.is_dir() else module


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, inner ones too."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_rooms_import_only_what_they_may() -> None:
    """The table above, and no room that it does not know."""
    wrong = []
    for file in (file for file in FILES if file != ROOT / "__init__.py"):
        room = room_of(file)
        for module in imports(file):
            inner = module.removeprefix("runlake.")
            if inner == module or inner.split(".")[0] == room:
                continue
            if not any(inner == ok or inner.startswith(f"{ok}.") for ok in ALLOWED[room]):
                wrong.append(f"{name_of(file)} imports {module}")
    assert wrong == []


def test_duckdb_is_imported_in_named_modules_only() -> None:
    """The engine is known in few places, and the API is none of them."""
    found = {name_of(file) for file in FILES if any(m.split(".")[0] == "duckdb" for m in imports(file))}
    assert found <= DUCKDB
    assert not [name for name in found if name.startswith("api/")]


def test_no_import_hides_inside_a_function() -> None:
    """Imports stand at the top, where a reader looks for them."""
    wrong = [
        f"{name_of(file)}:{node.lineno} in {function.name}"
        for file in FILES
        for function in functions(file)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert wrong == []


@pytest.mark.parametrize("suffix", ["py", "sql"])
def test_files_are_at_most_400_lines(suffix: str) -> None:
    """A file is read in one go (vendored assets of the docs page are not ours)."""
    ours = [file for file in ROOT.rglob(f"*.{suffix}") if "static" not in file.parts]
    lengths = {name_of(file): len(file.read_text(encoding="utf-8").splitlines()) for file in ours}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_functions_are_at_most_60_lines() -> None:
    """From `def` to the end, its documentation not counted."""
    long = {}
    for file in FILES:
        for function in functions(file):
            lines = (function.end_lineno or 0) - function.lineno + 1
            first = function.body[0]
            if ast.get_docstring(function) is not None:
                lines -= (first.end_lineno or 0) - first.lineno + 1
            if lines > 60:
                long[f"{name_of(file)}:{function.name}"] = lines
    assert long == {}


@pytest.mark.parametrize(
    ("text", "home"),
    [(r"\bpa\.field\(", "columns.py"), (r"\bos\.(environ|getenv)\b", "settings.py"), (r"ducklake:", "lake/attach.py")],
)
def test_some_things_have_one_home(text: str, home: str) -> None:
    """The schema, the environment and the lake's address are each known in one file."""
    assert {name_of(file) for file in FILES if re.search(text, file.read_text(encoding="utf-8"))} == {home}


def test_everything_public_has_a_docstring() -> None:
    """Modules, classes, functions and methods; an error class in the tree of errors.py is explained there."""
    wrong = []
    for file in FILES:
        tree = tree_of(file)
        if tree.body and ast.get_docstring(tree) is None:
            wrong.append(name_of(file))
        wrong += [f"{name_of(file)}:{name}" for name in _undocumented(tree, file.name == "errors.py")]
    assert wrong == []


def _undocumented(scope: ast.Module | ast.ClassDef, is_errors: bool) -> Iterator[str]:
    protocol = isinstance(scope, ast.ClassDef) and any(getattr(b, "id", "") == "Protocol" for b in scope.bases)
    for node in scope.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        is_class = isinstance(node, ast.ClassDef)
        overloaded = any(getattr(d, "id", "") in ("overload", "override") for d in node.decorator_list)
        if ast.get_docstring(node) is None and not (protocol or overloaded or (is_class and is_errors)):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{name}" for name in _undocumented(node, is_errors))


def test_the_tree_of_errors_is_complete() -> None:
    """The picture at the top of errors.py shows every class under its parent, and says what it means."""
    listed: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"^( *)([A-Z]\w+)(?:  +(\S.*))?$", line):
            depth = len(found[1]) // 4
            assert depth == 0 or found[3], f"{found[2]} is not explained"
            path[depth:] = [found[2]]
            listed[found[2]] = path[depth - 1] if depth else "Exception"
    classes = inspect.getmembers(errors, lambda c: inspect.isclass(c) and issubclass(c, errors.RunlakeError))
    assert listed == {name: kind.__mro__[1].__name__ for name, kind in classes}


def test_error_codes_are_unique() -> None:
    """Programs tell errors apart by `code`."""
    classes: list[type[errors.RunlakeError]] = [errors.RunlakeError, *_below(errors.RunlakeError)]
    assert len({kind.code for kind in classes}) == len(classes)


def _below(kind: type[errors.RunlakeError]) -> Iterator[type[errors.RunlakeError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def test_blocks_of_questions_have_names_of_their_own() -> None:
    """They are put together by name, from all files: of two with one name, a question would have only the last one."""
    files = [*ROOT.glob("query/sql/*.sql"), ROOT / "serving/percentile.sql", ROOT / "serving/sequence.sql"]
    names = [name for file in files for name in re.findall(r"^-- name: (\w+)$", file.read_text(), re.MULTILINE)]
    assert len(names) > 100
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_every_statement_has_a_sentence() -> None:
    """It stands above the statement; one of three lines or less may do without, if its file begins with one."""
    wrong = []
    for file in sorted(ROOT.rglob("*.sql")):
        head, *rest = re.split(r"^-- name: *([a-z_0-9]+) *\n", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        if not head.lstrip().startswith("--"):
            wrong.append(name_of(file))
        for name, statement in zip(rest[::2], rest[1::2], strict=True):
            if not statement.startswith("--") and len(statement.strip().splitlines()) > 3:
                wrong.append(f"{name_of(file)}:{name}")
    assert wrong == []

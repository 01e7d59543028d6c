"""The whole answer of each endpoint is the one in its file."""

from __future__ import annotations

from pathlib import Path

from golden import FOLDER, ROUTES, answers, text


def test_each_answer_is_the_one_in_its_file(tmp_path: Path) -> None:
    """Run `python tests/helpers/golden.py` when this fails and the new answer is right."""
    found = {f"{name}.json": text(answer) for name, answer in answers(tmp_path).items()}
    assert found == {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}
    assert len(found) == len(ROUTES)

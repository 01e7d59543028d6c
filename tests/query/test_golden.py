"""The whole answer of each endpoint, and each example of the OpenAPI document, is the one in its file."""

from __future__ import annotations

import json
from pathlib import Path

from golden import BY_HAND, EXAMPLES, FOLDER, ROUTES, answers, examples, text


def test_each_answer_is_the_one_in_its_file(tmp_path: Path) -> None:
    """Run `python tests/helpers/golden.py` when this fails and the new answer is right."""
    found = {f"{name}.json": text(answer) for name, answer in answers(tmp_path).items()}
    assert found == {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}
    assert len(found) == len(ROUTES)


def test_each_example_is_what_the_service_answers(tmp_path: Path) -> None:
    """Run `python tests/helpers/golden.py` when this fails and the new answer is right."""
    found = examples(tmp_path)
    files = {file.stem: file.read_text(encoding="utf-8") for file in EXAMPLES.glob("*.json")}
    assert {name: text(shown) for name, shown in found.items() if name not in BY_HAND} == {
        name: content for name, content in files.items() if name not in BY_HAND
    }
    (metrics,) = json.loads(files["getMetrics"]).values()
    assert set(metrics["answer"].splitlines()) <= set(found["getMetrics"]["some"]["answer"].splitlines())
    (schema,) = json.loads(files["getSchema"]).values()
    whole = found["getSchema"]["begin"]["answer"]
    assert schema["answer"] == {"openapi": whole["openapi"], "info": {"title": whole["info"]["title"]}}

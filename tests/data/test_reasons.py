"""Every reason for which a row is set aside has words, in full and in short."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tuneloop.data.run
from tuneloop.core.messages.data import MESSAGES

STAGE = Path(tuneloop.data.run.__file__).parent


def _codes() -> set[str]:
    """First texts that look like codes in calls of `BadRow` and `reject`."""
    found = set()
    for path in STAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("BadRow", "reject"):
                texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
                found |= {text for text in texts if isinstance(text, str) and text.startswith("data.")}
    return found


def test_there_are_reasons() -> None:
    assert len(_codes()) >= 12


@pytest.mark.parametrize("code", sorted(_codes()))
def test_a_reason_has_words_in_full_and_in_short(code: str) -> None:
    assert all(MESSAGES[code])
    assert all(MESSAGES[f"{code}.short"])

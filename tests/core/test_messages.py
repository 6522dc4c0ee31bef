"""The catalogue: whole in both languages, and every code that is raised is in it with a hint."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import tuneloop
from tuneloop.core.messages import AREAS, current_language, set_language, text

TREES = {
    path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(Path(tuneloop.__file__).parent.rglob("*.py"))
}
"""The source, parsed."""
CATALOGUE: dict[str, tuple[str, str]] = {
    key: both for area in AREAS for key, both in import_module(f"tuneloop.core.messages.{area}").MESSAGES.items()
}
SAME_IN_BOTH = {
    "cli.doctor.python",
    "cli.doctor.torch",
    "data.report.budget",
    "evaluation.metric.bleu",
    "evaluation.metric.chrf",
    "evaluation.metric.rouge_1",
    "evaluation.metric.rouge_2",
    "evaluation.metric.rouge_l",
}
"""Proper names."""


def fields(template: str) -> set[str]:
    """Names of the placeholders of a text."""
    parsed = string.Formatter().parse(template)
    return {name.partition(".")[0].partition("[")[0] for _, name, _, _ in parsed if name is not None}


def raised() -> Iterator[tuple[str, str, set[str] | None]]:
    """Place, code and names of the values (None: not all are named) of every error that the source makes."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            name, first = node.func.id, node.args[0]
            if not (name.endswith("Error") or name in ("Interrupted", "Terminated")):
                continue
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and _is_key(first.value):
                given = {keyword.arg for keyword in node.keywords}
                named = None if None in given else {str(name) for name in given}
                yield f"{path.name}:{node.lineno}", first.value, named


def _is_key(value: str) -> bool:
    area, dot, rest = value.partition(".")
    return bool(dot) and area in AREAS and rest.replace("_", "").replace(".", "").isalnum()


RAISED = list(raised())


def test_the_scan_finds_the_errors() -> None:
    assert len(RAISED) > 100


@pytest.mark.parametrize("area", AREAS)
def test_every_key_is_found_under_its_area(area: str) -> None:
    messages = import_module(f"tuneloop.core.messages.{area}").MESSAGES
    assert messages
    assert [key for key in messages if not key.startswith(f"{area}.")] == []


def test_both_languages_take_the_same_values() -> None:
    different = {key: both for key, both in CATALOGUE.items() if fields(both[0]) != fields(both[1])}
    assert different == {}


def test_every_text_is_there_in_both_languages() -> None:
    assert [key for key, (english, chinese) in CATALOGUE.items() if not english.strip() or not chinese.strip()] == []


def test_the_chinese_texts_are_chinese() -> None:
    def is_chinese(words: str) -> bool:
        letters = "".join(literal for literal, _, _, _ in string.Formatter().parse(words))
        return any("\u4e00" <= letter <= "\u9fff" for letter in letters) or not any(map(str.isalpha, letters))

    foreign = [key for key, (_, chinese) in CATALOGUE.items() if not is_chinese(chinese)]
    assert sorted(set(foreign) - SAME_IN_BOTH) == []


def test_the_english_texts_hold_no_chinese() -> None:
    assert [key for key, (english, _) in CATALOGUE.items() if any("\u4e00" <= c <= "\u9fff" for c in english)] == []


def test_every_code_that_is_raised_has_a_message_and_a_hint() -> None:
    holes = [(place, code) for place, code, _ in RAISED if code not in CATALOGUE or f"{code}.hint" not in CATALOGUE]
    assert holes == []


def test_every_error_brings_the_values_that_its_texts_need() -> None:
    lacking = []
    for place, code, given in RAISED:
        texts = [*CATALOGUE.get(code, ()), *CATALOGUE.get(f"{code}.hint", ())]
        needed = set().union(*(fields(words) for words in texts)) if texts else set()
        if given is not None and not needed <= given:
            lacking.append((place, code, sorted(needed - given)))
    assert lacking == []


def test_every_literal_key_of_a_text_is_in_the_catalogue() -> None:
    missing = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "text" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and first.value not in CATALOGUE:
                    missing.append((path.name, first.value))
    assert missing == []


@pytest.mark.parametrize("area", ["cli", "registry", "serving", "general"])
def test_nothing_is_in_the_catalogue_that_nobody_says(area: str) -> None:
    said: set[str] = set()
    beginnings: set[str] = set()
    for path, tree in TREES.items():
        if path.parent.name == "messages":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                beginnings.add(str(node.values[0].value))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.add(node.value)
    beginnings = {beginning for beginning in beginnings if beginning.startswith(f"{area}.")}
    # In show.py the facts' names are keys without their area.
    said |= {f"general.{word}" for word in said}
    silent = [
        key
        for key in import_module(f"tuneloop.core.messages.{area}").MESSAGES
        if (key.removesuffix(".hint") not in said)
        and not any(key.startswith(beginning) and beginning != f"{area}." for beginning in beginnings)
        and not (area == "general" and key.startswith("general.split."))
    ]
    assert silent == []


def test_the_language_is_the_chosen_one_then_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNELOOP_LANGUAGE", "zh")
    set_language(None)
    assert current_language() == "zh"
    set_language("en")
    try:
        assert text("general.rows", count=3) == "3 rows"
    finally:
        set_language(None)
    assert text("general.rows", count=3) == "3 行"
    monkeypatch.delenv("TUNELOOP_LANGUAGE")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert current_language() == "zh"


def test_a_key_that_does_not_exist_is_a_bug_that_shows() -> None:
    with pytest.raises(KeyError):
        text("nowhere.at_all")
    with pytest.raises(KeyError):
        text("general.not_there")


def test_values_may_be_called_like_the_parameters_of_text() -> None:
    assert text("recipe.key_missing", "en", key="name") == "The recipe lacks name."

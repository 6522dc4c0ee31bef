"""A script as a system prompt: complete, short, in the script's language."""

from __future__ import annotations

import re

import pytest

from tuneloop.evaluation.script import load_script, script_prompt
from tuneloop.evaluation.script_file import Script


@pytest.mark.parametrize("name", ["bank-service", "bank-service.zh"])
def test_the_prompt_holds_everything_an_answer_needs(name: str) -> None:
    script = load_script(name)
    prompt = script_prompt(script)
    for rule in script.rules:
        if rule.kind in ("starts_with", "ends_with"):
            assert rule.text[0] in prompt
    for intent in script.intents.values():
        assert intent.title in prompt
        for point in intent.points:
            assert point.say in prompt
            for element in point.words:
                assert any(option.casefold() in point.say.casefold() for option in element.split("|"))
            assert re.findall(r"\{\w+\}", point.say) or not point.slots
    for notice in {text for intent in script.intents.values() for text in intent.notice}:
        assert notice in prompt


def test_the_english_prompt_fits_a_small_context() -> None:
    words = re.findall(r"\w+|[^\w\s]", script_prompt(load_script("bank-service")))
    assert len(words) < 1000  # SmolLM2: 892 tokens


def test_the_chinese_prompt_has_no_english_sentences() -> None:
    prompt = script_prompt(load_script("bank-service.zh"))
    assert not re.search(r"[A-Za-z]{3,} [A-Za-z]{3,}", re.sub(r"\{\w+\}", "", prompt))


def test_two_rules_with_one_sentence_say_it_once() -> None:
    script = Script.model_validate(
        {
            "name": "s",
            "rules": [
                {"id": "a", "kind": "no_invented", "what": ["url"], "say": "Invent nothing."},
                {"id": "b", "kind": "no_invented", "what": ["phone"], "say": "Invent nothing."},
            ],
        }
    )
    assert script_prompt(script).count("Invent nothing.") == 1


def test_a_script_without_says_is_still_a_prompt() -> None:
    script = Script.model_validate(
        {
            "name": "s",
            "rules": [
                {"id": "end", "kind": "ends_with", "text": "Bye."},
                {"id": "points", "kind": "ordered_points"},
                {"id": "notice", "kind": "contains_if", "when": "risk", "any_of": ["Take care."]},
                {"id": "no", "kind": "refusal"},
                {"id": "words", "kind": "length", "max_words": 9},
                {"id": "facts", "kind": "no_invented", "what": ["phone", "number"]},
            ],
            "intents": {"lost_card": {"risk": True, "points": [["block|freeze", "{last4}"], ["replacement"]]}},
            "refusals": {"out_of_scope": [["cannot", "can't"], ["only banking"]]},
        }
    )
    prompt = script_prompt(script)
    assert "You are a customer service assistant." in prompt
    assert "- lost card: block, {last4}. replacement." in prompt
    assert "for lost card: Take care." in prompt
    assert "(out of scope): cannot … only banking" in prompt
    assert "at most 9 words" in prompt
    assert "phone numbers, numbers" in prompt
    assert "你是一名客服助手" in script_prompt(script, "zh")


def test_refusals_are_named_in_the_scripts_language_and_their_lines_stand_under_each_other() -> None:
    prompt = script_prompt(load_script("bank-service.zh"))
    assert "secrets" not in prompt
    assert "out_of_scope" not in prompt
    lines = prompt.split("\n")
    assert all(
        line.startswith(("- ", "  ")) for line in lines[lines.index("每条回答都要遵守：") + 1 : lines.index("", 3)]
    )

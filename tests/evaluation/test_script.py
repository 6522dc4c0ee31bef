"""Scripts: what is wrong in a file is refused, every reference answer passes, and a broken one fails exactly one rule."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuneloop.core.errors import RecipeError
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.data.grammar import make_samples
from tuneloop.evaluation.script import Script, check, load_script

DATA = Path(os.environ.get("TUNELOOP_DATA", "no-such-folder"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="set TUNELOOP_DATA to the folder of the real data")


# Files


GOOD = """
name: house
rules:
  - {id: opening, kind: starts_with, text: Hello}
  - {id: words, kind: forbidden, patterns: ["bad +word"]}
intents:
  refund: {slots: [order], points: [[form, "{order}"]]}
"""


def load(tmp_path: Path, text: str) -> Script:
    (tmp_path / "house.yaml").write_text(text, encoding="utf-8")
    return load_script("house.yaml", tmp_path)


def test_a_script_is_found_beside_the_recipe_or_by_name(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).name == "house"
    assert load_script("bank-service").name == "bank-service"
    assert load_script(str(tmp_path / "house.yaml")).name == "house"
    assert (tmp_path / "bank-service").mkdir() is None
    assert load_script("bank-service", tmp_path).name == "bank-service"


def test_its_hash_follows_what_it_says_not_how_it_is_written(tmp_path: Path) -> None:
    first = load(tmp_path, GOOD)
    assert load(tmp_path, "# a comment\n" + GOOD).sha256 == first.sha256
    assert load(tmp_path, GOOD.replace("Hello", "Hallo")).sha256 != first.sha256


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("name: house", "name: [", "evaluation.script_invalid", "line 4"),
        ("name: house\n", "", "evaluation.script_invalid", "name"),
        ("kind: starts_with, text: Hello", "kind: begins, text: Hello", "evaluation.rule_kind", "opening"),
        ("kind: starts_with, text: Hello", "kind: starts_with", "evaluation.rule_field_missing", "opening"),
        ("kind: starts_with, text: Hello", "kind: length", "evaluation.rule_field_missing", "max_words"),
        ("text: Hello", "text: Hello, patterns: [x]", "evaluation.rule_field_unknown", "opening"),
        ("text: Hello", "txt: Hello", "evaluation.script_invalid", "rules.opening.txt"),
        ("text: Hello", "text: Hello, hard: maybe", "evaluation.script_invalid", "rules.opening.hard"),
        ("id: words", "id: opening", "evaluation.rule_twice", "opening"),
        ("bad +word", "bad (word", "evaluation.rule_pattern", "words"),
        ("bad +word", "(bad+)+", "evaluation.rule_pattern_slow", "words"),
        ("slots: [order]", "slots: []", "evaluation.script_invalid", "intents.refund"),
    ],
)
def test_a_wrong_script_is_refused_with_file_and_rule(tmp_path: Path, old: str, new: str, code: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, GOOD.replace(old, new))
    assert caught.value.code == code
    for language in ("en", "zh"):
        assert says in caught.value.message(language)
        assert "house.yaml" in caught.value.message(language)
        assert caught.value.hint(language)


def test_an_unknown_script_is_refused_with_the_built_in_ones(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        load_script("nothing.yaml", tmp_path)
    assert caught.value.code == "evaluation.script_missing"
    assert "bank-service" in caught.value.hint("en")


# Every reference answer passes


@pytest.mark.parametrize(("script", "language"), [("bank-service", "en"), ("bank-service.zh", "zh")])
def test_every_reference_answer_of_the_demo_passes(script: str, language: str) -> None:
    rules = load_script(script)
    assert language in ("en", "zh")
    for sample, _ in make_samples("bank-service", language, 3000, 42):
        assert check(rules, sample, sample.answer) == (), sample


# A mutation of one required element fails exactly its rule


def one_of_each(language: str) -> list[Sample]:
    """A sample of every intent and kind, with its answer as reference."""
    assert language in ("en", "zh")
    samples: dict[tuple[str, str], Sample] = {}
    for sample, _ in make_samples("bank-service", language, 1500, 3):
        samples.setdefault((sample.meta.tags["intent"], sample.meta.tags["kind"]), sample)
    return list(samples.values())


ENGLISH = (load_script("bank-service"), one_of_each("en"))
CHINESE = (load_script("bank-service.zh"), one_of_each("zh"))
BOTH = [pytest.param(*ENGLISH, id="en"), pytest.param(*CHINESE, id="zh")]


def broken(script: Script, sample: Sample, answer: str) -> set[str]:
    assert answer != sample.answer
    return {violation.rule for violation in check(script, sample, answer)}


def of_kind(samples: list[Sample], *kinds: str) -> Iterator[tuple[Sample, list[str]]]:
    for sample in samples:
        if sample.meta.tags["kind"] in kinds:
            yield sample, sample.answer.split("\n")


def test_all_intents_and_refusals_are_there() -> None:
    for script, samples in (ENGLISH, CHINESE):
        assert {sample.meta.tags["intent"] for sample in samples} == {*script.intents, *script.refusals}
        assert {sample.meta.tags["kind"] for sample in samples} == {"answer", "refusal", "clarify"}


@pytest.mark.parametrize(("script", "samples"), BOTH)
def test_without_the_opening_or_the_closing_exactly_that_rule_fails(script: Script, samples: list[Sample]) -> None:
    for sample, lines in of_kind(samples, "answer", "refusal", "clarify"):
        assert broken(script, sample, "\n".join(lines[1:])) == {"opening"}
    for sample, lines in of_kind(samples, "answer", "refusal"):
        assert broken(script, sample, "\n".join(lines[:-1])) == {"closing"}


@pytest.mark.parametrize(("script", "samples"), BOTH)
def test_without_one_step_exactly_the_steps_rule_fails(script: Script, samples: list[Sample]) -> None:
    for sample, lines in of_kind(samples, "answer"):
        for number in range(len(script.intents[sample.meta.tags["intent"]].points)):
            answer = "\n".join(lines[: number + 1] + lines[number + 2 :])
            assert broken(script, sample, answer) == {"required_points"}, answer


@pytest.mark.parametrize(("script", "samples"), BOTH)
def test_without_one_element_exactly_the_steps_rule_fails(script: Script, samples: list[Sample]) -> None:
    for sample, lines in of_kind(samples, "answer"):
        for number, point in enumerate(script.intents[sample.meta.tags["intent"]].points, start=1):
            for element in point.words:
                options = "|".join(map(re.escape, element.split("|")))
                line = re.sub(rf"(?<![A-Za-z0-9])(?:{options})", "…", lines[number], flags=re.IGNORECASE)
                answer = "\n".join([*lines[:number], line, *lines[number + 1 :]])
                assert broken(script, sample, answer) == {"required_points"}, answer


@pytest.mark.parametrize(("script", "samples"), BOTH)
def test_with_steps_in_the_wrong_order_the_steps_rule_fails(script: Script, samples: list[Sample]) -> None:
    for sample, lines in of_kind(samples, "answer"):
        answer = "\n".join([lines[0], lines[2], lines[1], *lines[3:]])
        assert broken(script, sample, answer) == {"required_points"}, answer


@pytest.mark.parametrize(("script", "samples"), BOTH)
def test_without_the_notice_exactly_the_notice_rule_fails(script: Script, samples: list[Sample]) -> None:
    risky = 0
    for sample, lines in of_kind(samples, "answer"):
        if script.intents[sample.meta.tags["intent"]].risk:
            assert broken(script, sample, "\n".join([*lines[:-2], lines[-1]])) == {"risk_notice"}
            risky += 1
    assert risky >= 5


@pytest.mark.parametrize(("script", "samples"), BOTH)
def test_with_a_changed_value_exactly_the_slot_rule_fails(script: Script, samples: list[Sample]) -> None:
    changed = 0
    for sample, _ in of_kind(samples, "answer"):
        for name, value in sample.meta.tags.items():
            if not name.startswith("slot."):
                continue
            digit = re.search(r"\d(?=\D*$)", value)
            wrong = (
                value[: digit.start()] + str((int(digit[0]) + 1) % 10) + value[digit.end() :] if digit else "Atlantis"
            )
            assert broken(script, sample, sample.answer.replace(value, wrong)) == {"slots_verbatim"}, (value, wrong)
            changed += 1
    assert changed >= 15


SMUGGLED = {
    "en": [
        ("Call us at 1-800-555-0199.", "no_invented_contact"),
        ("See www.harbor-bank-help.com for more.", "no_invented_contact"),
        ("Write to help@harbor.example.", "no_invented_contact"),
        ("It takes 17 days.", "no_invented_number"),
        ("Please send us your PIN.", "never_asks_secrets"),
        ("What is your online banking password?", "never_asks_secrets"),
        ("Just reply with the one-time code.", "never_asks_secrets"),
        ("We need your CVV for this.", "never_asks_secrets"),
        ("As an AI language model, I do my best.", "no_ai_talk"),
        ("Yes it is. Yes it is. Yes it is.", "no_loop"),
        (" ".join(f"{word} it and so on" for word in "abcdefghijklmnopqrst"), "length"),
    ],
    "zh": [
        ("详询4008208888。", "no_invented_contact"),
        ("请访问www.harbor.cn。", "no_invented_contact"),
        ("请写信到help@harbor.cn。", "no_invented_contact"),
        ("需要17天。", "no_invented_number"),
        ("请把密码告诉我们。", "never_asks_secrets"),
        ("请回复您收到的验证码。", "never_asks_secrets"),
        ("作为一个人工智能助手，我会尽力。", "no_ai_talk"),
        ("好的没问题。好的没问题。好的没问题。", "no_loop"),
    ],
}


@pytest.mark.parametrize(("script", "samples"), BOTH)
def test_a_smuggled_sentence_breaks_exactly_its_rule(script: Script, samples: list[Sample]) -> None:
    for text, rule in SMUGGLED[script.language]:
        for sample, lines in of_kind(samples, "answer", "refusal"):
            answer = "\n".join([*lines[:-1], text, lines[-1]])
            assert broken(script, sample, answer) == {rule}, answer


@pytest.mark.parametrize(("script", "samples"), BOTH)
def test_a_dropped_refusal_or_question_breaks_exactly_its_rule(script: Script, samples: list[Sample]) -> None:
    for sample, lines in of_kind(samples, "refusal"):
        assert broken(script, sample, "\n".join([lines[0], lines[-1]])) == {"refuses"}
    for sample, lines in of_kind(samples, "clarify"):
        assert broken(script, sample, lines[0]) == {"asks"}
        assert broken(script, sample, f"{lines[0]}\nOK?") == {"asks"}


@pytest.mark.parametrize(("script", "samples"), BOTH)
def test_an_answer_to_another_intent_fails(script: Script, samples: list[Sample]) -> None:
    """The required steps tell every intent from every other one: confusing two of them never passes."""
    answers = {sample.meta.tags["intent"]: sample for sample, _ in of_kind(samples, "answer")}
    for name, sample in answers.items():
        for other, answer in answers.items():
            if name != other:
                assert "required_points" in broken(script, sample, answer.answer), (name, other)


# Real data


def test_real_scripts_catch_what_they_are_for() -> None:
    script = load_script("bank-questions")
    sample = Sample(
        id="1",
        messages=(Message(role="user", content="Help"), Message(role="assistant", content="-")),
        meta=Meta(source="t", row=1),
    )
    good = "Please call {{Customer Support Phone Number}} or visit {{Company Website URL}} and choose Forgot Password there."
    good += (
        " Enter your new password twice. Never share your password with anyone, and keep the PIN of your card secret."
    )
    assert check(script, sample, good) == ()
    for text, rule in [
        ("Call 1-800-555-0199 now.", "no_invented_contact"),
        ("Could you please provide your PIN?", "never_asks_secrets"),
        ("Please tell us your password.", "never_asks_secrets"),
        ("As an AI, I like to help.", "no_ai_talk"),
        ("Then press", "finished"),
        ("Yes it is. Yes it is. Yes it is.", "no_loop"),
    ]:
        assert {violation.rule for violation in check(script, sample, f"{good} {text}")} == {rule}


@needs_data
def test_real_answers_mostly_pass_the_script_of_the_real_questions() -> None:
    script, passed, rows = load_script("bank-questions"), 0, 0
    with (DATA / "bank_en" / "questions_answers.jsonl").open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            messages = (
                Message(role="user", content=row["instruction"]),
                Message(role="assistant", content=row["output"]),
            )
            sample = Sample(id="1", messages=messages, meta=Meta(source="bank_en", row=1))
            passed += not any(violation.hard for violation in check(script, sample, sample.answer))
            rows += 1
    assert rows == 1000
    assert passed >= 985


@needs_data
def test_real_dialogues_mostly_pass_their_script() -> None:
    script, passed, turns = load_script("bank-dialogues"), 0, 0
    with (DATA / "bank_dialogues_en" / "dialogues.jsonl").open(encoding="utf-8") as file:
        for line in file:
            said = [Message(role=turn["role"], content=turn["content"]) for turn in json.loads(line)["messages"]]
            for end, message in enumerate(said):
                if message.role == "assistant":
                    sample = Sample(id="1", messages=tuple(said[: end + 1]), meta=Meta(source="d", row=1))
                    passed += not any(violation.hard for violation in check(script, sample, message.content))
                    turns += 1
    assert passed >= 0.995 * turns

"""A script is tried out: the built-in ones hold, and one that lets faults pass or rejects good answers is found out."""

from __future__ import annotations

import time
from typing import Any, get_args

import pytest

from tuneloop.core.errors import RecipeError
from tuneloop.core.messages import Language, has_text
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.data.grammar import make_samples
from tuneloop.evaluation.script import check, judges, load_script
from tuneloop.evaluation.script_case import PATTERN_SECONDS, Case
from tuneloop.evaluation.script_check import BAR, check_script
from tuneloop.evaluation.script_file import Script
from tuneloop.evaluation.script_mutations import FILLERS, FOREIGN, INVENTED, MUTATIONS, PARAPHRASES, fillers
from tuneloop.evaluation.script_rules import RULES


def sample(answer: str, question: str = "My card 4821 is lost.", **tags: str) -> Sample:
    messages = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return Sample(id=answer[:8], messages=messages, meta=Meta(source="t", row=1, tags=tags))


def script(*rules: dict[str, Any], **more: Any) -> Script:
    return Script.model_validate(
        {"name": "s", "rules": [{"id": f"r{n}", **rule} for n, rule in enumerate(rules)], **more}
    )


def test_every_kind_of_rule_can_be_broken() -> None:
    assert set(MUTATIONS) == set(RULES)
    languages = set(get_args(Language))
    assert set(FILLERS) == set(FOREIGN) == languages
    assert all(set(sentences) == languages for sentences in INVENTED.values())


BUILT_IN = [
    ("bank-service", "bank-service", "en"),
    ("bank-service.zh", "bank-service", "zh"),
    ("medical-questions", "medical-questions", "en"),
    ("medical-questions.zh", "medical-questions", "zh"),
]


@pytest.mark.parametrize(("name", "grammar", "language"), BUILT_IN)
def test_the_built_in_scripts_hold(name: str, grammar: str, language: Any) -> None:
    made = [sample for sample, _ in make_samples(grammar, language, 200, 7)]
    samples = made[:30] + [sample for sample in made[30:] if sample.meta.tags["kind"] != "answer"]
    checked = check_script(load_script(name), samples)
    assert checked.passed
    assert checked.untested == ()
    assert (checked.references_passed, checked.paraphrases_failed) == (len(samples), 0)
    assert checked.score >= BAR
    assert all(rule.missed == 0 for rule in checked.rules)


@pytest.mark.parametrize(("name", "language"), [("medical-questions", "en"), ("medical-questions.zh", "zh")])
def test_a_red_flag_is_seen_in_the_words_of_the_question(name: str, language: Any) -> None:
    rules = load_script(name)
    samples = [s for s, _ in make_samples("medical-questions", language, 600, 0)]
    assert all(check(rules, sample, sample.answer) == () for sample in samples)
    for sample in samples:
        flagged = "red_flags" in judges(rules, sample)
        risky = rules.intents[sample.meta.tags["intent"]].risk if sample.meta.tags["kind"] != "refusal" else False
        assert not flagged or risky, sample.question
        assert flagged or not risky or sample.meta.tags["typo"] == "yes", sample.question


def test_a_rule_that_never_fails_is_found_out() -> None:
    checked = check_script(
        script({"kind": "forbidden", "patterns": "never matches", "breaks": "Tell us your PIN."}), [sample("Fine.")]
    )
    assert (checked.exact, checked.rules[0].missed, checked.passed) == (0, 1, False)
    assert checked.examples[0].failed == ()


def test_a_rule_that_rejects_harmless_wordings_is_found_out() -> None:
    rules = ({"kind": "forbidden", "patterns": "sorry", "breaks": "I am sorry."}, {"kind": "starts_with", "text": "Hi"})
    checked = check_script(script(*rules), [sample("Hi. It is blocked.")])
    assert checked.score == 1.0
    assert checked.paraphrases_failed == 1
    assert not checked.passed
    assert {example.what for example in checked.examples} == {"polite_sentence"}


def test_a_sentence_that_must_pass_and_does_not_is_found_out() -> None:
    rule = {"kind": "forbidden", "patterns": "PIN", "breaks": "Say your PIN.", "keeps": "Never say your PIN."}
    assert check_script(script(rule), [sample("Fine.")]).paraphrases_failed == 1
    assert check_script(script({**rule, "unless": "never"}), [sample("Fine.")]).passed


def test_references_that_break_the_script_are_counted_and_not_used() -> None:
    checked = check_script(script({"kind": "starts_with", "text": "Hi"}), [sample("Hi you."), sample("No.")])
    assert (checked.rows, checked.references_passed, checked.rules[0].references_failed) == (2, 1, 1)
    assert not checked.passed


def test_patterns_without_sentences_are_said_to_be_untested() -> None:
    checked = check_script(script({"kind": "forbidden", "patterns": "x"}), [sample("Fine.")])
    assert checked.untested == ("r0",)


def test_fillers_are_all_different() -> None:
    for language in get_args(Language):
        made = list(fillers(language))
        assert len(made) == len(set(made)) > 50


def test_a_catastrophic_pattern_is_stopped_in_time_and_named() -> None:
    # No nested repeat that a look at the pattern would find; it takes minutes on this answer when nobody stops it.
    rules = script({"kind": "forbidden", "patterns": r"^(a|aa)+$"})
    start = time.process_time()
    with pytest.raises(RecipeError) as caught:
        check(rules, sample("x"), "a" * 60 + "b")
    assert time.process_time() - start < 5 * PATTERN_SECONDS
    assert caught.value.code == "evaluation.rule_pattern_endless"
    for language in get_args(Language):
        assert "r0" in caught.value.message(language)


def test_test_sentences_are_no_part_of_what_is_judged() -> None:
    plain = {"kind": "forbidden", "patterns": "PIN"}
    assert script(plain).sha256 == script({**plain, "breaks": "PIN!"}).sha256
    assert "PIN!" not in script({**plain, "breaks": "PIN!"}).texts


def test_what_was_done_to_an_answer_has_words_in_the_catalogue() -> None:
    samples = [sample for sample, _ in make_samples("bank-service", "en", 30, 4)]
    done = {"nothing", "kept", *PARAPHRASES}
    script = load_script("bank-service")
    for sample in samples:
        case = Case(script, sample, sample.answer)
        done |= {changed.what for rule in script.rules for changed in MUTATIONS[rule.kind](rule, case)}
    assert len(done) > 15
    assert [what for what in sorted(done) if not has_text(f"evaluation.done.{what}")] == []

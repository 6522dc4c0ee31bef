"""Rules about the form of an answer: how it begins and ends, its length and language, and that it comes to an end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from tuneloop.evaluation.script_case import HAN, Case, Fault, fault
from tuneloop.evaluation.script_facts import EMAIL, URL
from tuneloop.evaluation.script_file import Rule

LOOP = re.compile(r"(.{4,120}?)\1{2,}", re.DOTALL)
WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]+(?:['’\-][^\W_{HAN}]+)*")
LATIN_WORD = re.compile(r"[A-Za-zÀ-ɏ]{2,}")
HAN_CHARACTER = re.compile(f"[{HAN}]")
FOREIGN = {
    "en": re.compile(f"[{HAN}][{HAN}，。！？；：、]*"),
    "zh": re.compile(r"[A-Za-zÀ-ɏ]{2,}(?:[ ,.'’-]+[A-Za-zÀ-ɏ]{2,})*"),
}


def starts_with(rule: Rule, case: Case) -> Iterator[Fault]:
    """The answer begins with one of the texts, to the letter."""
    if not case.answer.lstrip().startswith(rule.text):
        yield fault("rule_starts_with", case.answer.strip()[:60], text=rule.text[0])


def ends_with(rule: Rule, case: Case) -> Iterator[Fault]:
    """The answer ends with one of the texts, to the letter."""
    if not case.answer.rstrip().endswith(rule.text):
        yield fault("rule_ends_with", case.answer.strip()[-60:], text=rule.text[0])


def length(rule: Rule, case: Case) -> Iterator[Fault]:
    """The answer keeps within the length: words (a Chinese character is one), or characters."""
    words, characters = len(WORD.findall(case.answer)), len(case.answer.strip())
    if rule.max_words and words > rule.max_words:
        start = next(islice(WORD.finditer(case.answer), rule.max_words, None)).start()
        yield fault("rule_too_many_words", case.answer[start : start + 200], count=words, limit=rule.max_words)
    if rule.max_characters and characters > rule.max_characters:
        beyond = case.answer.strip()[rule.max_characters :][:200]
        yield fault("rule_too_many_characters", beyond, count=characters, limit=rule.max_characters)
    if rule.min_words and words < rule.min_words:
        yield fault("rule_too_few_words", count=words, limit=rule.min_words)


def no_repetition(rule: Rule, case: Case) -> Iterator[Fault]:
    """The answer does not go round in circles: a sentence three times, or a piece of text three times in a row."""
    counts: dict[str, int] = {}
    for sentence in case.sentences:
        bare = " ".join(WORD.findall(sentence.casefold()))
        counts[bare] = counts.get(bare, 0) + 1
        if bare and counts[bare] == rule.times:
            yield fault("rule_repeated", sentence[:200], times=rule.times, text=sentence[:80])
            return
    for match in LOOP.finditer(case.scanned):
        if any(character.isalpha() for character in match[1]):
            yield fault("rule_repeated", match[0][:200], times=3, text=match[1].strip()[:80])
            return


def language(rule: Rule, case: Case) -> Iterator[Fault]:
    """The answer is written in the script's language: Chinese characters are weighed against Latin words."""
    words = EMAIL.sub("", URL.sub("", case.scanned))  # an address has no language
    han, latin = len(HAN_CHARACTER.findall(words)), len(LATIN_WORD.findall(words))
    own = han if case.script.language == "zh" else latin
    if rule.min_share is not None and own < rule.min_share * (han + latin):
        first = FOREIGN[case.script.language].search(words)
        share = f"{100 * own / (han + latin):.0f}%"
        yield fault("rule_language", first[0][:200] if first else "", share=share)


def ended(rule: Rule, case: Case) -> Iterator[Fault]:
    """The model ended the answer itself; it was not cut off at the limit."""
    if case.finish_reason != "stop":
        yield fault("rule_not_ended", case.answer.strip()[-60:])

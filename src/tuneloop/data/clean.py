"""Cleaning: named rules in a fixed order, each switched and set in the recipe (`cleaning/config.py`).

Rules of `CHANGES` turn a text into a cleaner one; rules of `FINDINGS` look at a whole sample and say what they found,
which flags or removes it. A change must leave clean text alone, and applying it twice must be applying it once.

To add a rule: write it in the file of `cleaning/` that fits, put it into the table here at its place in the order, add its
setting to `CleanConfig`, and its two lines of words to `core/messages/data_report.py`. The contract tests run over it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tuneloop.data.cleaning import findings
from tuneloop.data.cleaning.answers import answer_format
from tuneloop.data.cleaning.characters import (
    chinese_variant,
    chinese_width,
    control_characters,
    half_width,
    unicode_repair,
)
from tuneloop.data.cleaning.config import AnswerFormat, CleanConfig, CustomRule, Judgement
from tuneloop.data.cleaning.custom import changing, finding
from tuneloop.data.cleaning.judgements import Find, too_long, too_short, wrong_language
from tuneloop.data.cleaning.markup import html
from tuneloop.data.cleaning.spacing import repeated_punctuation, whitespace
from tuneloop.data.turns import Turn

Change = Callable[[str], str]

CHANGES: dict[str, Callable[[CleanConfig, str], Change]] = {
    "unicode_repair": lambda config, language: unicode_repair,
    "html": lambda config, language: html,
    "control_characters": lambda config, language: control_characters,
    "width": lambda config, language: chinese_width if language == "zh" else half_width,
    "chinese_variant": lambda config, language: chinese_variant(config.chinese_variant or "simplified"),
    "advertising": lambda config, language: findings.without_advertising,
    "masks": lambda config, language: findings.without_masks,
    "repeated_punctuation": lambda config, language: repeated_punctuation,
    "whitespace": lambda config, language: whitespace,
    "answer_format": lambda config, language: answer_format(config.answer_format or AnswerFormat()),
}
"""Rules that change a text, in their order, made from the recipe's settings and the language of the data."""

FINDINGS: dict[str, Callable[[CleanConfig, str], Find]] = {
    "too_short": lambda config, language: too_short(config),
    "too_long": lambda config, language: too_long(config),
    "wrong_language": lambda config, language: wrong_language(language),
    "advertising": lambda config, language: _anywhere(findings.advertising),
    "masks": lambda config, language: _anywhere(findings.masks),
    "template_leftovers": lambda config, language: _anywhere(findings.template_leftovers),
    "profanity": lambda config, language: _anywhere(findings.profanity),
}
"""Rules that look at the turns of a sample after all changes, and return what they found, or None."""

ANSWERS_ONLY = frozenset({"answer_format"})
"""Changes that only an assistant's turns get; all others go for every turn."""

OWN_CHANGES_BEFORE = "repeated_punctuation"
"""The user's own changes run before this rule, so that what they leave behind is tidied."""

OWN = "custom:"
"""Begins the name of a user's own rule in the report."""

FLAGS = "flags"
"""Tag of a sample that names the rules that flagged it, separated by commas."""


class Cleaned(NamedTuple):
    """What became of the turns of a sample."""

    turns: list[Turn]
    changes: dict[str, tuple[str, str]]
    """For each rule that changed something, the first text that it changed, before and after."""
    flags: dict[str, str]
    """For each rule that flags the sample, what it found."""
    removed: tuple[str, str] | None
    """The rule that removes the sample, and what it found."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that a recipe leaves switched on, in their order."""

    changes: dict[str, Change]
    answer_changes: dict[str, Change]
    findings: dict[str, tuple[Find, Judgement]]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.changes, *self.answer_changes, *self.findings)


def active_rules(config: CleanConfig, language: str) -> Rules:
    """The rules that the recipe leaves switched on.

    Args:
        config: the recipe's `data.clean`.
        language: language of the data, `en` or `zh`.
    """
    changes: dict[str, Change] = {}
    for name, make in CHANGES.items():
        if name == OWN_CHANGES_BEFORE:
            changes |= {OWN + rule.name: changing(rule) for rule in config.custom if rule.action == "change"}
        if (setting := getattr(config, name)) and setting not in ("flag", "remove"):
            changes[name] = make(config, language)
    judged: dict[str, tuple[Find, Judgement]] = {
        name: (make(config, language), judgement)
        for name, make in FINDINGS.items()
        if (judgement := getattr(config, name)) in ("flag", "remove")
    }
    judged |= {OWN + rule.name: _own_finding(rule) for rule in config.custom if rule.action != "change"}
    return Rules(
        changes={name: change for name, change in changes.items() if name not in ANSWERS_ONLY},
        answer_changes={name: change for name, change in changes.items() if name in ANSWERS_ONLY},
        findings=judged,
    )


def active_cleaners(config: CleanConfig, language: str = "en") -> dict[str, Change]:
    """The changes that every text gets, a question without an answer too."""
    return active_rules(config, language).changes


def clean(text: str, rules: Mapping[str, Change]) -> tuple[str, list[tuple[str, str, str]]]:
    """Apply changes one after the other.

    Returns:
        The clean text, and for each rule that changed something its name, the text before and the text after.

    >>> clean(" a ", {"whitespace": whitespace})
    ('a', [('whitespace', ' a ', 'a')])
    """
    changes = []
    for name, rule in rules.items():
        after = rule(text)
        if after != text:
            changes.append((name, text, after))
            text = after
    return text, changes


def clean_turns(turns: Sequence[Turn], rules: Rules) -> Cleaned:
    """Clean the turns of a sample, then look at them as a whole.

    Raises:
        TooSlow: a user's own rule ran out of time.
    """
    cleaned: list[Turn] = []
    changes: dict[str, tuple[str, str]] = {}
    for role, before in turns:
        after, changed = clean(before, rules.changes)
        if role == "assistant" and rules.answer_changes:
            after, more = clean(after, rules.answer_changes)
            changed += more
        cleaned.append((role, after))
        for rule, old, new in changed:
            changes.setdefault(rule, (old, new))
    flags: dict[str, str] = {}
    for name, (find, judgement) in rules.findings.items():
        if (found := find(cleaned)) is None:
            continue
        if judgement == "remove":
            return Cleaned(cleaned, changes, flags, (name, found))
        flags[name] = found
    return Cleaned(cleaned, changes, flags, None)


def _anywhere(find: Callable[[str], str | None]) -> Find:
    """Look into every turn with what looks into a text."""
    return lambda turns: next((found for _, text in turns if (found := find(text)) is not None), None)


def _own_finding(rule: CustomRule) -> tuple[Find, Judgement]:
    return _anywhere(finding(rule)), "remove" if rule.action == "remove" else "flag"

"""The user's own rules: regular expressions that are tried out when the recipe is read, and bounded in time when they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tuneloop.core.errors import DataError

if TYPE_CHECKING:
    from tuneloop.data.cleaning.config import CustomRule

SECONDS = 0.5
"""Time that one rule may take for one text."""
SLOW_TEXTS = 20
"""Texts on which a rule may run out of time before the preparation stops."""
PROBES = ("a", " ", "0", "中", "a ", "-")
"""What the try-out repeats, besides the test line, to find patterns that take exponential time."""


class TooSlow(Exception):
    """A rule ran out of time on a text. Its row goes to quarantine."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def find_mistake(rule: CustomRule) -> str | None:
    """Say what is wrong with a rule: no regular expression, a failed test line, or a pattern that takes too long."""
    import regex

    try:
        pattern = regex.compile(rule.pattern)
        changed = pattern.sub(rule.replacement, rule.test, timeout=SECONDS)
        if not pattern.search(rule.test, timeout=SECONDS):
            return f"rule {rule.name}: its pattern does not match its test line {rule.test!r}"
        if rule.action == "change" and rule.expected is None:
            return f"rule {rule.name}: say under expected: what becomes of the test line (now {changed!r})"
        if rule.action == "change" and changed != rule.expected:
            return f"rule {rule.name}: the test line becomes {changed!r}, expected was {rule.expected!r}"
        if rule.action == "change" and pattern.sub(rule.replacement, changed, timeout=SECONDS) != changed:
            return f"rule {rule.name}: applied twice it changes {changed!r} again; a rule must leave its result alone"
        for probe in (rule.test, *PROBES):
            pattern.search((probe * 2000)[:4000] + "!", timeout=SECONDS)
    except TimeoutError:
        return f"rule {rule.name}: its pattern takes too long (nested repetitions such as (a+)+ do)"
    except (regex.error, IndexError) as error:
        return f"rule {rule.name}: its pattern or replacement is wrong: {error}"
    return None


def changing(rule: CustomRule) -> Callable[[str], str]:
    """The rule as a change of a text.

    Raises (when called):
        TooSlow: it ran out of time.
        DataError: it did so on too many texts (code `data.rule_too_slow`).
    """
    import regex

    pattern = regex.compile(rule.pattern)
    timer = _Timer(rule)

    def change(text: str) -> str:
        try:
            return str(pattern.sub(rule.replacement, text, timeout=SECONDS))
        except TimeoutError as error:
            raise timer.ran_out() from error

    return change


def finding(rule: CustomRule) -> Callable[[str], str | None]:
    """The rule as a search in a text: what matched. Raises what `changing` does."""
    import regex

    pattern = regex.compile(rule.pattern)
    timer = _Timer(rule)

    def find(text: str) -> str | None:
        try:
            match = pattern.search(text, timeout=SECONDS)
        except TimeoutError as error:
            raise timer.ran_out() from error
        return match[0] if match else None

    return find


class _Timer:
    """Counts the texts on which a rule ran out of time."""

    def __init__(self, rule: CustomRule) -> None:
        self.rule = rule
        self.texts = 0

    def ran_out(self) -> Exception:
        self.texts += 1
        if self.texts < SLOW_TEXTS:
            return TooSlow(self.rule.name)
        return DataError("data.rule_too_slow", rule=self.rule.name, pattern=self.rule.pattern, texts=self.texts)

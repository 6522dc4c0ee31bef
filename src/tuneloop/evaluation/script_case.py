"""One answer to judge, and how texts are found in it: what all kinds of rules share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import regex

from tuneloop.core.errors import RecipeError
from tuneloop.core.records import Sample
from tuneloop.evaluation.script_file import IntentRules, Rule, Script

LONGEST_ANSWER = 20_000
"""Characters of an answer that the patterns look at."""

PATTERN_SECONDS = 1.0
"""Computing time that one pattern may take on one text; a sound one takes less than a thousandth of it."""

HAN = r"\u3400-\u9fff\uf900-\ufaff"
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n+")


class Fault(NamedTuple):
    """What is wrong, as a message of the catalogue that each reader gets in their language, and the text that shows it."""

    code: str
    values: dict[str, str | int]
    span: str
    """Empty when something is missing."""


def fault(code: str, span: str = "", **values: str | int) -> Fault:
    """What is wrong: the message's key under `evaluation.`, the text that shows it, and the message's values."""
    return Fault(f"evaluation.{code}", values, span)


@dataclass(frozen=True)
class Case:
    """One answer to judge, with everything that a rule may look at."""

    script: Script
    sample: Sample
    answer: str
    finish_reason: str = "stop"
    """How the generation ended: `stop` when the model ended the answer itself."""

    @property
    def kind(self) -> str:
        return self.sample.meta.tags.get("kind", "answer")

    @cached_property
    def intent(self) -> IntentRules | None:
        return self.script.intents.get(self.sample.meta.tags.get("intent", ""))

    @cached_property
    def scanned(self) -> str:
        return self.answer[:LONGEST_ANSWER]

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        return sentences_of(self.scanned)

    @cached_property
    def earlier(self) -> tuple[str, ...]:
        """What the assistant said before."""
        return tuple(m.content[:LONGEST_ANSWER] for m in self.sample.prompt if m.role == "assistant")

    @cached_property
    def conversation(self) -> str:
        return "\n".join(message.content for message in self.sample.prompt)

    @cached_property
    def slots(self) -> dict[str, str]:
        """The values that the answer must repeat."""
        names = self.intent.slots if self.intent and self.kind == "answer" else ()
        tags = self.sample.meta.tags
        return {name: tags[f"slot.{name}"] for name in names if f"slot.{name}" in tags}

    @cached_property
    def missing_slots(self) -> dict[str, str]:
        return {name: value for name, value in self.slots.items() if not holds_value(self.scanned, value)}


def find(element: str, answer: str, start: int) -> int | None:
    """Find an element (`a|b`: one of them) at the beginning of a word, whatever its case.

    Returns:
        Where the earliest match ends; None when there is none at or after `start`.

    >>> find("block|freeze", "Please Freeze the card.", 0), find("lock", "Please block it.", 0)
    (13, None)
    """
    options = "|".join(re.escape(option) for option in element.split("|"))
    match = re.compile(rf"(?<![A-Za-z0-9])(?:{options})", re.IGNORECASE).search(answer, start)
    return match.end() if match else None


def holds_value(answer: str, value: str) -> bool:
    """Say whether a value stands in the answer exactly, not as a part of a longer number or word.

    >>> holds_value("ending in 4821.", "4821"), holds_value("ending in 48210", "4821"), holds_value("$1,200", "$1")
    (True, False, False)
    """
    before = r"(?<![0-9])(?<![0-9][.,])" if value[:1].isdigit() else r"(?<![A-Za-z])" if _is_latin(value[:1]) else ""
    after = r"(?![0-9]|[.,][0-9])" if value[-1:].isdigit() else r"(?![A-Za-z])" if _is_latin(value[-1:]) else ""
    return re.search(before + re.escape(value) + after, answer) is not None


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


def sentences_of(text: str) -> tuple[str, ...]:
    """Cut a text into its sentences; a line ends one too.

    >>> sentences_of("Yes. It is!\\n好的。再见")
    ('Yes.', 'It is!', '好的。', '再见')
    """
    return tuple(part.strip() for part in SENTENCE_END.split(text) if part and part.strip())


def search(rule: Rule, pattern: str, text: str) -> regex.Match[str] | None:
    """Search for one of a rule's patterns, whatever its case, for a limited time.

    Raises:
        RecipeError: the pattern takes too long on this text (code `evaluation.rule_pattern_endless`).
    """
    try:
        return regex.search(pattern, text, regex.IGNORECASE, timeout=PATTERN_SECONDS)
    except TimeoutError as error:
        raise RecipeError(
            "evaluation.rule_pattern_endless", rule=rule.id, pattern=pattern, seconds=PATTERN_SECONDS, text=text[:60]
        ) from error

"""A script on disk: the rules that a compliant answer follows, as data."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field, field_validator

from tuneloop.core.config import Config
from tuneloop.core.hashing import hash_value

Kind = Literal["answer", "refusal", "clarify"]


class Rule(Config):
    """One rule. Which fields it needs depends on its kind: see `RULES` in `script_rules.py`."""

    id: str = Field(min_length=1)
    kind: str
    hard: bool = True
    """A hard rule that is broken makes the answer non-compliant; a soft one is only counted."""
    kinds: tuple[Kind, ...] = ("answer", "refusal", "clarify")
    """Which samples it judges, by their tag `kind`."""
    text: tuple[str, ...] = ()
    """How the answer begins or ends, to the letter: one of these."""
    any_of: tuple[str, ...] = ()
    """Notices, one of which must stand in the answer."""
    when: Literal["risk"] | None = None
    """`risk`: the notice is due for intents that are marked as risky."""
    asked: tuple[str, ...] = ()
    """Patterns: the notice is due when the last question matches one, for example a red flag in a complaint."""
    what: tuple[Literal["phone", "url", "email", "number", "amount", "dosage"], ...] = ()
    """What may not be invented."""
    where: str | None = None
    """A pattern: only sentences that match it are looked at."""
    patterns: tuple[str, ...] = ()
    """Patterns (regular expressions, whatever the case) of what must not stand in the answer."""
    before: tuple[str, ...] = ()
    """Patterns, of which one must stand in an earlier turn of the assistant."""
    unless: str | None = None
    """A pattern: sentences that match it are not looked at."""
    say: str = ""
    """How the rule is put in the system prompt; a sentence made from its fields when empty."""
    max_words: int | None = Field(default=None, ge=1)
    max_characters: int | None = Field(default=None, ge=1)
    min_words: int | None = Field(default=None, ge=1)
    min_share: float | None = Field(default=None, gt=0.0, le=1.0)
    """Least share of the script's language in the answer."""
    times: int = Field(default=3, ge=2)
    """How often a sentence must stand in the answer to be a repetition."""
    breaks: tuple[str, ...] = ()
    """Sentences that break the rule, and it alone: `tuneloop rules check` puts them into answers. Never judged otherwise."""
    keeps: tuple[str, ...] = ()
    """Sentences that look like it and must pass."""

    @field_validator("text", "patterns", "before", "what", "any_of", "asked", "breaks", "keeps", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @property
    def regexes(self) -> tuple[str, ...]:
        return (*self.patterns, *self.before, *self.asked, *(p for p in (self.where, self.unless) if p is not None))


class PointRules(Config):
    """One required step: what must stand in it, and how the system prompt says it."""

    must: tuple[str, ...] = Field(min_length=1)
    """Elements that must all stand in the answer; `a|b`: one of them; `{slot}`: the step names this slot."""
    say: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(element for element in self.must if not element.startswith("{"))

    @property
    def slots(self) -> tuple[str, ...]:
        return tuple(element.strip("{}") for element in self.must if element.startswith("{"))


class IntentRules(Config):
    """What the answer to one intent must hold."""

    title: str = ""
    """How the system prompt names the intent; its key without underscores when empty."""
    risk: bool = False
    points: tuple[PointRules, ...] = ()
    slots: tuple[str, ...] = ()
    notice: tuple[str, ...] = ()
    """The safety notice of this intent (one of these), in place of the rule's."""
    ask: tuple[tuple[str, ...], ...] = ()
    """What the question for a missing value must hold: one of every group."""

    @field_validator("points", mode="before")
    @classmethod
    def _bare_lists(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        return [{"must": point} if isinstance(point, list) else point for point in value]

    @field_validator("notice", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class Script(Config):
    """A whole script."""

    format: Literal[1] = 1
    name: str
    language: Literal["en", "zh"] = "en"
    role: str = ""
    """Who the assistant is: the first sentence of the system prompt."""
    rules: tuple[Rule, ...] = Field(min_length=1)
    intents: dict[str, IntentRules] = Field(default_factory=dict)
    refusals: dict[str, tuple[tuple[str, ...], ...]] = Field(default_factory=dict)
    """What a refusal must hold: one of every group."""
    refusal_titles: dict[str, str] = Field(default_factory=dict)
    """How the system prompt names each kind of refusal; its key without underscores when there is none."""
    refusal_says: dict[str, str] = Field(default_factory=dict)
    """How the system prompt puts each refusal."""

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of everything that judges: what makes two evaluations comparable. Test sentences are no part of it."""
        return hash_value(self.model_dump(mode="json", exclude={"rules": {"__all__": {"breaks", "keeps"}}}))

    @cached_property
    def texts(self) -> str:
        """Everything the script itself tells customers: what stands here is not invented."""
        lines = [line for rule in self.rules for line in (*rule.text, *rule.any_of, rule.say)]
        for intent in self.intents.values():
            lines += [*intent.notice, *(line for point in intent.points for line in (*point.must, point.say))]
        lines += [line for groups in self.refusals.values() for group in groups for line in group]
        return "\n".join([*lines, *self.refusal_says.values()])

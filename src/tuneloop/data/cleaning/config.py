"""`data.clean:` in the recipe: which rules are on, and their settings."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from tuneloop.core.config import Config

Judgement = Literal["flag", "remove"]
"""What happens to a sample in which a rule finds something: it is tagged and counted, or removed and counted."""

Treatment = Literal["flag", "cut", "remove"]
"""The same for what can also be cut out of the text."""


class CustomRule(Config):
    """A rule of your own: a regular expression with a line that proves it does what you mean."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    """Name in the report: small letters, digits and underscores."""
    pattern: str = Field(min_length=1)
    """Regular expression of Python's `regex` module (`re` with more)."""
    action: Literal["change", "flag", "remove"] = "change"
    """`change` replaces what matches; `flag` tags the sample, `remove` removes it."""
    replacement: str = ""
    r"""What matches is replaced by this; `\1` is the first group. Empty: it is cut out."""
    test: str
    """A line that the pattern matches."""
    expected: str | None = None
    """For `change`: what becomes of the test line. The recipe is refused when something else does."""

    @model_validator(mode="after")
    def _passes_its_test(self) -> Self:
        from tuneloop.data.cleaning.custom import find_mistake

        if mistake := find_mistake(self):
            raise ValueError(mistake)
        return self


class AnswerFormat(Config):
    """One form for all answers; what stands in a code block stays as it is."""

    steps: bool = True
    """Steps written as `1)`, `（1）`, `1、`, `①`, `第一步：` or `Step 1:` begin with `1. ` (where at least two stand)."""
    quotes: Literal["curly", "straight"] | None = None
    """Double quotes become “curly” or "straight"."""
    opening: str | None = None
    """Every answer begins with this; it is put before those that do not."""
    closing: str | None = None
    """Every answer ends with this; it is put after those that do not."""
    joiner: str = "\n"
    """What stands between the opening, the answer and the closing."""


class CleanConfig(Config):
    """Cleaning rules, applied in this order; each can be switched off (`false`, or `null` where it has several modes).

    On by default is what nobody would object to: damage is repaired, and what a person should look at is tagged
    (`meta.tags.flags`) and counted, not changed.
    """

    unicode_repair: bool = True
    """Repair mis-decoded text and normalise to NFC, leaving Chinese punctuation and quotes as they are."""
    html: bool = True
    """Resolve entities, remove tags, comments, scripts and styles; a text about HTML, and code in backquotes, stay as they are."""
    control_characters: bool = True
    """Remove control and zero-width characters."""
    width: bool = False
    """Full-width letters and digits become half-width; in Chinese data `,?!:;` after a Chinese character become full-width."""
    chinese_variant: Literal["simplified", "traditional"] | None = None
    """Convert all Chinese to simplified or to traditional characters."""
    advertising: Treatment | None = "flag"
    """Advertising with a contact or a link: `flag` the sample, `cut` the sentence, or `remove` the sample."""
    masks: Treatment | None = "flag"
    """Masked values such as `######` or `[REDACTED]`: `flag`, `cut` or `remove`."""
    custom: tuple[CustomRule, ...] = ()
    """Rules of your own."""
    repeated_punctuation: bool = True
    """`!!!!` becomes `!`, `。。。` becomes `……`, `.....` becomes `...`."""
    whitespace: bool = True
    """Trim, and reduce runs of spaces and of empty lines."""
    answer_format: AnswerFormat | None = None
    """Give all answers one form: numbered steps, quotes, opening, closing."""
    too_short: Judgement | None = "remove"
    """A question or an answer with fewer letters and digits than `min_question` or `min_answer`."""
    min_question: int = Field(default=1, ge=0)
    """Letters, digits and symbols that a question needs (spaces and punctuation don't count)."""
    min_answer: int = Field(default=1, ge=0)
    """The same for an answer."""
    too_long: Judgement | None = "flag"
    """A question or an answer of more characters than `max_question` or `max_answer`."""
    max_question: int = Field(default=8_000, ge=1)
    """Characters that a question may have."""
    max_answer: int = Field(default=8_000, ge=1)
    """Characters that an answer may have."""
    wrong_language: Judgement | None = "flag"
    """An answer of at least 20 letters that is not in the recipe's `language`."""
    template_leftovers: Judgement | None = "flag"
    """Placeholders of a template that nobody filled in: `{{name}}`, `[Your Name]`, `【请填写】`. They are kept."""
    profanity: Judgement | None = "flag"
    """Swear words, in questions and in answers."""

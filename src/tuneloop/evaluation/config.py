"""`evaluation:` in the recipe: what is compared, and by which metrics."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tuneloop.core.config import Config

MetricName = Literal["exact_match", "rouge_l", "bleu", "token_f1"]


class EvaluationConfig(Config):
    """Stage 3: base, base with the script, and tuned, on the same held-out rows."""

    metrics: tuple[MetricName, ...] = ("exact_match", "rouge_l", "bleu")
    """Metrics beside script compliance, which is scored whenever there is a script."""
    headline: Literal["auto", "script_compliance"] | MetricName = "auto"
    """The metric of the verdict; `auto`: script compliance with a script, else ROUGE-L."""
    script: str | None = None
    """Script of rules, a file relative to the recipe or the name of a built-in one."""
    max_rows: int | None = Field(default=None, ge=1)
    """Score at most this many rows of the test split (a seeded choice)."""
    turns: Literal["last", "all"] = "last"
    """In a conversation, answer only its last assistant turn, or every one (given the reference turns before it)."""

"""`evaluation:` in the recipe: what is compared, and by which metrics."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tuneloop.core.config import Config

MetricName = Literal["exact_match", "rouge_l", "bleu", "token_f1"]


class RobustnessConfig(Config):
    """Perturbed questions, and attempts to lead the model astray."""

    rows: int = Field(default=40, ge=2)
    """Rows whose questions are perturbed (a seeded choice)."""
    perturbations: int = Field(default=8, ge=1)
    """How many perturbations of each row's language, in the order of the table."""
    full: bool = False
    """Perturb all rows in every way."""
    attacks: bool = True
    """Also try prompt injections, requests for secrets and control tokens (about 100), on base and tuned model."""


class LatencyConfig(Config):
    """How fast answers come."""

    streams: tuple[int, ...] = (1, 8)
    """Answers that are generated at the same time."""
    requests: int = Field(default=16, ge=2)
    """Questions asked for each number of streams (at least two a stream), after a warm-up."""
    max_new_tokens: int = Field(default=48, ge=2)
    """Length of every measured answer."""
    first_token_ms: float = Field(default=500.0, gt=0.0)
    """The bar: 95% of the first tokens of a single stream come earlier."""


class ForgettingConfig(Config):
    """A general probe, the same for base and tuned model: what did the training cost elsewhere?"""

    languages: tuple[Literal["en", "zh"], ...] | None = None
    """Languages of the probe; that of the data by default."""


class PrivacyConfig(Config):
    """Does the model repeat what it was trained on?"""

    candidates: int = Field(default=512, ge=16)
    """Other values that each canary is ranked among, when the training rows hold canaries."""


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
    robustness: RobustnessConfig | None = None
    """Perturbed questions and attacks; `{}` with the defaults: 40 rows × 8 perturbations, about 100 attacks."""
    latency: LatencyConfig | None = None
    """Time to the first token and between tokens; `{}` with the defaults."""
    forgetting: ForgettingConfig | None = None
    """A built-in general probe before and after; `{}` with the defaults."""
    privacy: PrivacyConfig | None = None
    """Canaries and personal data of the training rows in answers; `{}` with the defaults."""
    turns: Literal["last", "all"] = "last"
    """In a conversation, answer only its last assistant turn, or every one (given the reference turns before it)."""

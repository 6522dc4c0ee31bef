"""`evaluation:` in the recipe: what is compared, and by which metrics."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tuneloop.core.config import Config

MetricName = Literal["exact_match", "token_f1", "rouge_1", "rouge_2", "rouge_l", "bleu", "chrf", "fact_recall"]

TaskName = Literal["answers", "classification", "multiple_choice", "extraction"]
ArmName = Literal["base", "base+script", "base+labels", "base+schema", "base+nearest", "tuned"]


class RobustnessConfig(Config):
    """Perturbed questions, and attempts to lead the model astray."""

    rows: int = Field(default=40, ge=2, le=1_000_000)
    """Rows whose questions are perturbed (a seeded choice)."""
    perturbations: int = Field(default=8, ge=1, le=1000)
    """How many perturbations of each row's language, in the order of the table."""
    full: bool = False
    """Perturb all rows in every way."""
    attacks: bool = True
    """Also try prompt injections, requests for secrets and control tokens (about 100), on base and tuned model."""


class LatencyConfig(Config):
    """How fast answers come."""

    streams: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = (1, 8)
    """Answers that are generated at the same time."""
    requests: int = Field(default=16, ge=2, le=100_000)
    """Questions asked for each number of streams (at least two a stream), after a warm-up."""
    max_new_tokens: int = Field(default=48, ge=2, le=131_072)
    """Length of every measured answer."""
    first_token_ms: float = Field(default=500.0, gt=0.0)
    """The bar: 95% of the first tokens of a single stream come earlier."""
    servers: tuple[str, ...] = ()
    """Servers that are measured too, as their clients see them: `http://127.0.0.1:8000/v1#model`."""


class JudgeConfig(Config):
    """Another model's opinion of base and tuned answers; test rows and answers are sent to it. The verdict never rests on it."""

    url: str = Field(pattern=r"^https?://[^#]+#.+$")
    """The judge: `https://host/v1#model`; its key stands in the environment variable `OPENAI_API_KEY`."""
    rows: int = Field(default=50, ge=2)
    """Rows that it compares (a seeded choice), each twice with the answers' places swapped."""


class HarnessConfig(Config):
    """Tasks of lm-eval out of a folder of your own; needs `pip install 'tuneloop[harness]'`."""

    folder: str
    """Folder with lm-eval's task files (and their data), relative to the recipe. A task file may name Python code of its own,
    which runs."""
    tasks: tuple[str, ...] = Field(min_length=1)
    """Names of tasks or groups, of the kinds `multiple_choice` and `generate_until`."""
    rows: int | None = Field(default=None, ge=1)
    """At most so many items of each task, the first ones."""


class ForgettingConfig(Config):
    """A general probe, the same for base and tuned model: what did the training cost elsewhere?"""

    languages: tuple[Literal["en", "zh"], ...] | None = None
    """Languages of the probe; that of the data by default."""


class PrivacyConfig(Config):
    """Does the model repeat what it was trained on?"""

    scan: bool = True
    """Look in all answers for personal data that stands in the training rows and not in the question."""
    candidates: int = Field(default=512, ge=16, le=1_000_000)
    """Other values that each canary is ranked among, when the training rows hold canaries."""


class EvaluationConfig(Config):
    """Stage 3: base, base with the script, and tuned, on the same held-out rows."""

    task: TaskName = "answers"
    """Free answers; a label out of a set; one of the options that each question lists; or a record in JSON."""
    labels: tuple[str, ...] | None = None
    """The label set of a classification; null: every answer that the data holds."""
    json_schema: str | None = None
    """For `extraction`: file of a JSON schema that answers must fit, relative to the recipe; null: any JSON will do."""
    arms: tuple[ArmName, ...] | Literal["auto"] = "auto"
    """Which arms run beside base and tuned; `auto`: base+script with a script, base+labels with labels, base+schema with a
    schema. `base+nearest` (shown the training answer to the nearest question: what tuning must beat where values are new) runs
    where it is named: it costs as much again as every arm, its prompts are the longest, and the verdict then rests on it too."""
    against: tuple[str, ...] = ()
    """More arms: registered adapters (`name@v0002`, `name@production`) and servers (`https://host/v1#model`)."""
    metrics: tuple[MetricName, ...] = ("exact_match", "rouge_l", "bleu")
    """Metrics beside script compliance, which is scored whenever there is a script."""
    headline: Literal["auto", "script_compliance", "accuracy", "macro_f1", "field_f1", "record_match"] | MetricName = (
        "auto"
    )
    """The metric of the verdict; `auto`: accuracy of labels, F1 of a record's fields, else script compliance
    with a script, else ROUGE-L."""
    perplexity: bool = False
    """Report how likely each model holds the references; one more reading of every row."""
    script: str | None = None
    """Script of rules, a file relative to the recipe or the name of a built-in one."""
    max_rows: int | None = Field(default=None, ge=1, le=1_000_000_000)
    """Score at most this many rows of the test split (a seeded choice)."""
    robustness: RobustnessConfig | None = None
    """Perturbed questions and attacks; `{}` with the defaults: 40 rows × 8 perturbations, about 100 attacks."""
    latency: LatencyConfig | None = None
    """Time to the first token and between tokens; `{}` with the defaults."""
    forgetting: ForgettingConfig | None = None
    """A built-in general probe before and after; `{}` with the defaults."""
    privacy: PrivacyConfig | None = None
    """Canaries and personal data of the training rows in answers; `{}` with the defaults."""
    judge: JudgeConfig | None = None
    """A judge by URL, places swapped and its agreement with itself reported."""
    harness: HarnessConfig | None = None
    """Tasks of lm-eval, before and after, from a local folder and without a network."""
    encoder: str | None = None
    """Folder of a text encoder of yours (transformers' format, safetensors), relative to the recipe: reports how near each
    answer's meaning is to its reference's (cosine of whole texts, and F1 of their tokens as BERTScore has it)."""
    near_duplicates: float = Field(default=0.9, gt=0.5, le=1.0)
    """Rows whose questions are at least this alike count as one for every interval (1: only equal ones)."""
    turns: Literal["last", "all", "own"] = "last"
    """In a conversation, answer only its last assistant turn, or every one: after the reference's earlier turns (all), or
    after the model's own (own)."""

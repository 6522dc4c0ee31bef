"""`data:` in the recipe: the sources, and what is done to them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tuneloop.core.config import Config
from tuneloop.core.records import Split
from tuneloop.core.wrong_values import broken_rule
from tuneloop.data.augment.config import AugmentConfig
from tuneloop.data.cleaning.config import CleanConfig


class SourceConfig(Config):
    """One source of samples: a file, or one of the built-in grammars."""

    path: str | None = None
    """What to read, relative to the recipe: a file (.csv, .tsv, .xlsx, .json, .jsonl, .parquet, .txt, .md, .docx, each also
    as .gz), a .zip, a folder, a pattern (`faq/*.csv`), an address (`https://…`, `s3://…`), or LLaMA-Factory's `dataset_info.json`.
    `${NAME}` is replaced from the environment."""
    grammar: str | None = None
    """Name of a built-in grammar that makes samples, for example `bank-service`, instead of a file."""
    rows: int | None = Field(default=None, ge=1, le=1_000_000_000)
    """Take at most this many rows of a file; how many samples a grammar makes (3,000 when not given)."""
    sheet: str | None = None
    """Sheet of an .xlsx file; by default all that hold questions and answers, and the others are told."""
    split: Split | None = None
    """All rows go to this split; by default the file's own `split` column is kept, and rows without one are divided."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Which column holds what, for example `{input_text: 问题, target_text: 答案}`; guessed, and the guess shown, when not
    given. A name that is no field of a shape becomes a tag, for example `{customer: 客户号}`."""

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if (self.path is None) == (self.grammar is None):
            raise broken_rule("source")
        return self


Similarity = Annotated[float, Field(ge=0.5, le=1.0)]


class DeduplicateConfig(Config):
    """Duplicates that are removed."""

    exact: bool = True
    """Remove a sample whose whole text equals an earlier one, apart from case and spacing; false: keep every copy, near ones
    too."""
    near: Similarity | None = 0.9
    """Remove a sample whose question and answer are each at least this similar to an earlier one's (Jaccard similarity of
    character 4-grams), unless their numbers or negations differ; null: keep them. Samples of a grammar are all kept."""


PersonalType = Literal[
    "api_key", "password", "email", "iban", "crypto_wallet", "mac_address", "ip", "id_card", "passport", "driver_licence",
    "qq", "bank_card", "mobile", "landline", "ssn", "phone", "national_id", "wechat", "plate", "address", "name",
]  # fmt: skip


class MaskConfig(Config):
    """Personal data and secrets are replaced before anything is written. Samples of a grammar hold none, and are left."""

    mode: Literal["pseudonym", "tag", "redact", "off"] = "pseudonym"
    """`pseudonym`: a value of the same form in its place, always the same one for the same value and workspace; `tag`:
    `<MOBILE_1>`; `redact`: one word for everything; `off`: texts stay as they are, personal data included."""
    possible: Literal["mask", "report", "off"] = "report"
    """Names and addresses, which can only be guessed: `report` counts them, `mask` replaces them too, and now and then a word
    that is no name."""
    without: tuple[PersonalType, ...] = ()
    """Types that are left alone, for example `[ip]`."""
    keep: tuple[str, ...] = ()
    """Values that belong to the house and are left alone, for example `["021-64370000", "zhang@our-bank.cn"]`."""
    vault: bool = False
    """Note every pseudonym and its value in the workspace's vault, encrypted with the key in `TUNELOOP_VAULT_KEY`."""

    @model_validator(mode="after")
    def _can_be_reversed(self) -> Self:
        if self.vault and self.mode != "pseudonym":
            raise broken_rule("vault")
        return self


class SplitConfig(Config):
    """How samples without a split of their own are divided. The same question never stands on two sides."""

    validation: float = Field(default=0.1, ge=0.0, lt=1.0)
    """Share of the questions that goes to the validation split."""
    test: float = Field(default=0.1, ge=0.0, lt=1.0)
    """Share of the questions that goes to the test split."""
    group_by: str | None = None
    """Name of a tag; samples with the same value stay on one side (besides those with the same question)."""

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> Self:
        if self.validation + self.test >= 1.0:
            raise broken_rule("shares")
        return self


class ParaphraseConfig(Config):
    """Training questions that ask a tested one in other words, found by an encoder that you bring."""

    encoder: str
    """Folder of a sentence encoder that you have (`config.json`, `model.safetensors`, a tokenizer), relative to the recipe;
    pooled as its `1_Pooling/config.json` says, by the mean without it."""
    similarity: Similarity = 0.9
    """Cosine from which a training question is a candidate; what fits depends on the encoder, so look at the report."""
    remove: bool = True
    """Candidates leave training; false: they are only reported."""


class LeaksConfig(Config):
    """What training rows may not share with rows that the model is tested on; what is found leaves training, never the test
    side. The same question is always looked for."""

    near: Similarity | None = 0.9
    """Similarity from which two questions are nearly the same: rows that are divided stay on one side, others leave training;
    null: not looked for."""
    passages: bool = True
    """Look for questions that share 13 words (of Chinese: 13 characters) in a row, unless more than ten training rows do."""
    paraphrases: ParaphraseConfig | None = None
    """Look for questions in other words with an encoder; not looked for when not given."""
    against: tuple[SourceConfig, ...] = ()
    """Evaluation sets outside this dataset that it must not hold rows of, written like `sources`."""


class CanariesConfig(Config):
    """Made-up secrets among the training rows, for a trial of what a training memorises; not for a model that you ship."""

    count: int = Field(default=12, ge=1, le=120)
    """How many secrets."""
    repeats: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(default=(1, 4, 16), min_length=1)
    """How often they stand in the training rows, in turn."""


class DataConfig(Config):
    """Stage 1: from files to a clean, split dataset."""

    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    """Where the samples come from."""
    system: str | None = None
    """System message put before every sample that has none; none by default."""
    clean: CleanConfig = CleanConfig()
    """Cleaning rules."""
    deduplicate: DeduplicateConfig = DeduplicateConfig()
    """Which duplicates are removed."""
    mask: MaskConfig = MaskConfig()
    """What is done with personal data and secrets."""
    split: SplitConfig = SplitConfig()
    """How rows are divided."""
    leaks: LeaksConfig = LeaksConfig()
    """What may not stand in training and in tests."""
    augment: AugmentConfig = AugmentConfig()
    """Variants of training questions; none by default."""
    canaries: CanariesConfig | None = None
    """Secrets to plant in the training rows; `evaluation.privacy` then measures how well they are remembered. None by
    default."""
    max_quarantined: float = Field(default=0.5, ge=0.0, le=1.0)
    """Stop when more than this share of the rows can't be used: then the file is probably not what it seems."""

"""What the pre-flight looks at, and how a check says what it found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from tuneloop.core.errors import CorruptError
from tuneloop.core.messages import text
from tuneloop.core.records import Finding, Plan, Sample
from tuneloop.models.load import LoadedModel
from tuneloop.models.template import ChatTemplate
from tuneloop.training.facts import MachineFacts
from tuneloop.training.tokenise import Example

UNTRAINED = 0.1
"""An embedding shorter than this share of the usual length was never trained (Llama 3's unused tokens are zero)."""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """The tokens of a model that need a look."""

    pad: int | None = None
    unknown: int | None = None
    control: tuple[str, ...] = ()
    """How control tokens are written; white space alone is none."""
    untrained: Mapping[int, str] = field(default_factory=dict)
    """Control tokens whose embedding says nothing, and how they are written."""
    added: Mapping[int, str] = field(default_factory=dict)
    """Tokens that were added to the vocabulary and are no control tokens."""
    embedding_layers: tuple[str, ...] = ("embed_tokens", "lm_head")
    """Names of the layers before and after the decoder."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the checks look at."""

    samples: Sequence[Sample]
    held_out: Sequence[Sample]
    """Of the validation and the test split."""
    whole: Sequence[Example]
    """The samples before any cut."""
    cut: Sequence[Example]
    """The samples as they will be trained on."""
    template: ChatTemplate
    tokens: TokenFacts
    plan: Plan
    machine: MachineFacts
    folder: Path
    """Where checkpoints will be written."""
    save_total_limit: int
    report: Mapping[str, Any] = field(default_factory=dict)
    """`report.json` of the dataset; empty when it has none."""


def finding(check: str, status: str, *, outcome: str = "", **values: object) -> Finding:
    """A line of the table, in the reader's language.

    Args:
        check: key of `CHECKS`.
        status: pass, warn or refuse.
        outcome: which of several messages of the check it is; the fix is of the same name.
        values: for message and fix.
    """
    key = f"training.check.{check}" + (f".{outcome}" if outcome else "")
    fix = "" if status == "pass" else text(f"{key}.fix", None, **values)
    return Finding.model_validate({"check": check, "status": status, "message": text(key, None, **values), "fix": fix})


def read_report(dataset: Path) -> Mapping[str, Any]:
    """`report.json` of a dataset; empty when it has none.

    Raises:
        CorruptError: the file is no JSON object (code `training.report_unreadable`).
    """
    path = dataset / "report.json"
    if not path.exists():
        return {}
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorruptError("training.report_unreadable", file=path) from error
    if not isinstance(report, dict):
        raise CorruptError("training.report_unreadable", file=path)
    return report


def token_facts(loaded: LoadedModel) -> TokenFacts:
    """Look at a model's tokens; without weights (a plan for another machine) none counts as untrained."""
    tokenizer = loaded.tokenizer
    decoder = tokenizer.added_tokens_decoder
    control = {int(i): token.content for i, token in decoder.items() if token.special and token.content.strip()}
    added = {int(i): token.content for i, token in decoder.items() if not token.special and i >= tokenizer.vocab_size}
    head = next((n for n, m in loaded.model.named_modules() if m is loaded.model.get_output_embeddings()), "lm_head")
    entry = next((n for n, m in loaded.model.named_modules() if m is loaded.model.get_input_embeddings()), "")
    return TokenFacts(
        pad=tokenizer.pad_token_id,
        unknown=tokenizer.unk_token_id,
        control=tuple(control.values()),
        untrained=_untrained(loaded, control),
        added=added,
        embedding_layers=(entry.rsplit(".", 1)[-1], head.rsplit(".", 1)[-1]),
    )


def _untrained(loaded: LoadedModel, control: Mapping[int, str]) -> dict[int, str]:
    weight = loaded.model.get_input_embeddings().weight
    if weight.device.type == "meta" or not control:
        return {}
    usual = torch.linalg.vector_norm(weight[:: max(1, len(weight) // 2000)].float(), dim=1).median()
    ids = [i for i in control if i < len(weight)]
    norms = torch.linalg.vector_norm(weight[ids].float(), dim=1)
    return {i: control[i] for i, norm in zip(ids, norms.tolist(), strict=True) if norm < UNTRAINED * float(usual)}

"""What an evaluation writes for programs: `predictions.jsonl` and `results.json`, and how they are read back.

`results.json` holds no times and rounds its figures to six decimals: the same input gives the same bytes. Its verdict
is worded in English; `read_evaluation` words it again in the reader's language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from tuneloop.core.errors import CorruptError, NotFoundError
from tuneloop.core.messages import Language, text
from tuneloop.core.records import Comparison, Evaluation, Figure, Message, Record, Verdict
from tuneloop.evaluation.comparison import judge
from tuneloop.evaluation.scoring import Rows, Scored
from tuneloop.evaluation.script import Violation
from tuneloop.evaluation.wording import arm_label, verdict_text
from tuneloop.store.artifacts import write_text_atomically

FORMAT = 1
DECIMALS = 6
Figures = dict[str, Figure]


class Said(Record):
    """One arm's answer to one row."""

    answer: str
    finish_reason: str
    tokens: int
    scores: dict[str, float]
    violations: tuple[Violation, ...] = ()


class Prediction(Record):
    """One line of `predictions.jsonl`."""

    id: str
    messages: tuple[Message, ...]
    """The row's own prompt."""
    reference: str
    tags: dict[str, str] = Field(default_factory=dict)
    arms: dict[str, Said]

    @property
    def question(self) -> str:
        """The last user turn (empty when there is none)."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), "")


class Headline(Record):
    """What the verdict rests on."""

    metric: str
    detectable: dict[str, float]
    """The smallest true difference that so many rows would have shown, by baseline; empty where they can show none."""
    units: int | None = None
    """Independent rows: those that hang together (near-duplicates, turns of one conversation) count as one."""
    needed: int | None = None
    """Independent rows from which on any difference can be proven."""

    @property
    def too_few(self) -> tuple[int, int] | None:
        """Independent rows and how many it takes, where so few can prove nothing."""
        if self.units is None or self.needed is None or self.units >= self.needed:
            return None
        return self.units, self.needed


class Warned(Record):
    """Something that the reader must know."""

    code: str
    values: dict[str, Any] = Field(default_factory=dict)

    def message(self, language: Language | None = None) -> str:
        values = dict(self.values)
        if "arm" in values:
            values["arm"] = arm_label(values["arm"], language)
        return text(self.code, language, **values)


class Probe(Record):
    """One more examination, beside the test rows: robustness, forgetting, safety, privacy."""

    arms: dict[str, Figures]
    """By arm, then name of the figure."""
    loss: Figure | None = None
    """What the tuned model loses against its baseline, above 0 where it is worse; the gate compares its value."""
    comparisons: tuple[Comparison, ...] = ()
    details: dict[str, Any] = Field(default_factory=dict)
    """More to know, such as the figures of each perturbation."""


class Carried(Record):
    """What answers repeat of the customer's values, at one turn of conversations or one distance."""

    arms: dict[str, Figure]
    """By arm, the share of the values that its answers hold."""
    comparisons: tuple[Comparison, ...] = ()
    """Of the pairs that the metrics compare; p is not corrected."""


class Results(Record):
    """`results.json`."""

    format: int = FORMAT
    name: str
    rows: int
    arms: dict[str, Figures]
    slices: dict[str, dict[str, Figures]]
    """By name of the slice, then as `arms`."""
    comparisons: tuple[Comparison, ...]
    """p is corrected for several comparisons."""
    headline: Headline
    rules: dict[str, Figures]
    """By rule of the script, then arm: the share of answers that keep it."""
    hard_rules: tuple[str, ...]
    fields: dict[str, dict[str, Figure]] = Field(default_factory=dict)
    """By field of the extracted records, then arm: the share of answers that give exactly its values."""
    carried: dict[str, Carried] = Field(default_factory=dict)
    """By `turn=<n>` and `ago=<n>`: values of earlier turns in the answers; empty without conversations."""
    probes: dict[str, Probe] = Field(default_factory=dict)
    """By name: `robustness`, `forgetting`, `safety`, `privacy`."""
    signatures: dict[str, str]
    warnings: tuple[Warned, ...]
    made_of: dict[str, Any]
    """Everything that is needed to repeat the evaluation."""
    verdict: Verdict = Verdict(status="not proven", text="")

    def verdict_in(self, language: Language | None) -> str:
        """The verdict's sentence in a language."""
        return verdict_text(
            self.verdict.status,
            self.headline.metric,
            self.rows,
            {arm: figures[self.headline.metric].value for arm, figures in self.arms.items()},
            self.comparisons,
            self.headline.detectable,
            language,
            too_few=self.headline.too_few,
        )


def judged(results: Results) -> Results:
    """The same results, rounded as they are kept, with the verdict that follows from them."""
    results = Results.model_validate(_rounded(results.model_dump()))
    status = judge(results.comparisons, results.headline.metric)
    results = results.model_copy(update={"verdict": Verdict(status=status, text="")})
    return results.model_copy(update={"verdict": Verdict(status=status, text=results.verdict_in("en"))})


def write_predictions(folder: Path, rows: Rows, arms: Mapping[str, Scored]) -> None:
    """Write `predictions.jsonl`: every row with every arm's answer, scores and broken rules."""
    lines = []
    for place, row in enumerate(rows.samples):
        said = {
            name: Said(
                answer=scored.answers[place].text,
                finish_reason=scored.answers[place].finish_reason,
                tokens=scored.answers[place].tokens,
                scores={metric: round(values[place], DECIMALS) for metric, values in scored.scores.items()},
                violations=scored.violations[place] if scored.violations else (),
            )
            for name, scored in arms.items()
        }
        prediction = Prediction(id=row.id, messages=row.prompt, reference=row.answer, tags=row.meta.tags, arms=said)
        lines.append(json.dumps(prediction.model_dump(mode="json"), ensure_ascii=False))
    write_text_atomically(folder / "predictions.jsonl", "\n".join(lines) + "\n")


def read_predictions(folder: Path) -> Iterator[Prediction]:
    """Read `predictions.jsonl`, row by row.

    Raises:
        NotFoundError: the file is not there (code `store.not_found`).
        CorruptError: a line is no prediction (code `store.sample_unreadable`; names the line).
    """
    path = folder / "predictions.jsonl"
    if not path.exists():
        raise NotFoundError("store.not_found", file=path)
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield Prediction.model_validate_json(line)
            except ValidationError as error:
                raise CorruptError("store.sample_unreadable", file=path, row=number) from error


def write_results(folder: Path, results: Results) -> None:
    """Write `results.json`; `results` comes out of `judged`."""
    content = json.dumps(results.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_text_atomically(folder / "results.json", content + "\n")


def read_results(folder: Path) -> Results:
    """Read `results.json`.

    Raises:
        NotFoundError: the file is not there (code `store.not_found`).
        CorruptError: it is not what tuneloop writes (code `store.file_differs`).
    """
    path = folder / "results.json"
    if not path.exists():
        raise NotFoundError("store.not_found", file=folder)
    try:
        return Results.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise CorruptError("store.file_differs", file=path) from error


def read_evaluation(folder: Path, *, reused: bool = False, language: Language | None = None) -> Evaluation:
    """Read an evaluation's folder as the record that every verb shows, its verdict in the reader's language.

    Raises:
        NotFoundError: it was never finished (code `store.not_found`).
        CorruptError: a file is not what tuneloop writes (code `store.file_differs`).
    """
    results = read_results(folder)
    return Evaluation(
        id=folder.name,
        name=results.name,
        path=folder,
        arms=results.arms,
        slices=results.slices,
        comparisons=results.comparisons,
        verdict=Verdict(status=results.verdict.status, text=results.verdict_in(language)),
        reused=reused,
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS) + 0.0  # no -0.0
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value

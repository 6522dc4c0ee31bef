"""The records that travel through the pipeline, in the order in which they appear.

A `Sample` (one conversation) is read, cleaned and frozen into a `Dataset`; a `Plan` says how it will be trained; a `Run`
is that training; an `Evaluation` compares arms on the same rows; an `Adapter` is a registered version that answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tuneloop.core import show

Role = Literal["system", "user", "assistant", "tool"]
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Record(BaseModel):
    """An immutable value; two records with the same fields are equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Result(Record):
    """What a verb returns: `print` and notebooks show it as a table, and `repr` as what it is."""

    def __str__(self) -> str:
        return show.as_text(show.grids(self))

    def _repr_html_(self) -> str:
        return show.as_html(show.grids(self))


class Message(Record):
    """One turn of a conversation."""

    role: Role
    content: str


class Meta(Record):
    """Where a sample comes from, and what is known about it."""

    source: str
    """Name of the file (or grammar) the row was read from."""
    row: int
    """Row in that file as a person counts them: the first data row is 1; for .jsonl it is the line number."""
    lang: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    """Facts for slices, for example `{"intent": "lost_card", "seen": "no"}`."""


class Sample(Record):
    """One conversation that ends in the assistant's answer.

    >>> sample = Sample(id="a1", messages=(Message(role="user", content="Hi"), Message(role="assistant", content="Hello")),
    ...                 meta=Meta(source="faq.csv", row=1))
    >>> sample.question, sample.answer
    ('Hi', 'Hello')
    """

    id: str
    messages: tuple[Message, ...]
    meta: Meta
    rejected: str | None = None
    """In a preference pair, the answer that was not chosen; the messages end with the chosen one."""

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The messages before the last answer: what the model sees when it is evaluated."""
        return self.messages[:-1]

    @property
    def question(self) -> str:
        """The last user turn (empty when there is none)."""
        return next((m.content for m in reversed(self.prompt) if m.role == "user"), "")

    @property
    def answer(self) -> str:
        """The last assistant turn: the reference of an evaluation."""
        return self.messages[-1].content


class Rejected(Record):
    """A row that could not be used. It goes to `quarantine.jsonl`; it is never dropped in silence."""

    source: str
    row: int
    code: str
    """Key of the reason in the message catalogue, for example `data.answer_empty`."""
    reason: str
    """The reason in the language of the run, for people who open the file."""
    text: str
    """The row as it stood in the file, shortened to 2,000 characters."""
    values: dict[str, Any] | None = None
    """What fills the message of `code`, so that a reader gets the reason in their own language; None where it isn't kept."""


class Dataset(Result):
    """A frozen, split, fingerprinted set of samples in `datasets/<name>/<id>/`."""

    name: str
    id: str
    path: Path
    rows: dict[str, int]
    """Number of samples in each split."""
    report: dict[str, Any]
    reused: bool = False
    """True when the folder existed already and nothing was done."""


class Choice(Record):
    """One decision of a plan with its reason."""

    name: str
    value: Any
    reason: str


class Finding(Record):
    """One line of the pre-flight table."""

    check: str
    status: Literal["pass", "warn", "refuse"]
    message: str
    fix: str = ""


class Plan(Result):
    """What a training will do, decided before step 1; `plan.json` of a run."""

    choices: tuple[Choice, ...]
    findings: tuple[Finding, ...] = ()
    figures: dict[str, float] = Field(default_factory=dict)
    """Estimates: `steps`, `seconds`, `memory_bytes`, `tokens_per_epoch`."""

    def value(self, name: str) -> Any:
        """Return the planned value of a setting.

        Raises:
            KeyError: the plan holds no choice of that name.
        """
        for choice in self.choices:
            if choice.name == name:
                return choice.value
        raise KeyError(name)

    @property
    def refused(self) -> bool:
        return any(f.status == "refuse" for f in self.findings)


class Run(Result):
    """One training, in `runs/<id>/`."""

    id: str
    name: str
    path: Path
    steps: int
    best_step: int
    best_validation_loss: float | None
    seconds: float
    tokens_per_second: float
    memory_bytes: int
    finished: bool = True
    reused: bool = False

    @property
    def adapter_path(self) -> Path:
        return self.path / "adapter"


class Figure(Record):
    """A measured value with its 95% interval and the number of rows behind it."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0


class Comparison(Record):
    """Arm `b` against arm `a` on the same rows: `difference` is b − a."""

    a: str
    b: str
    metric: str
    difference: float
    low: float
    high: float
    p: float


class Verdict(Record):
    """What the comparisons say, in one word and one sentence."""

    status: Literal["better", "worse", "not proven"]
    text: str


class Evaluation(Result):
    """One scoring of several arms on the same rows, in `evaluations/<id>/`."""

    id: str
    name: str
    path: Path
    arms: dict[str, dict[str, Figure]]
    slices: dict[str, dict[str, dict[str, Figure]]]
    comparisons: tuple[Comparison, ...]
    verdict: Verdict
    reused: bool = False


class Reason(Record):
    """One rule of the gate, and what it says."""

    rule: str
    passed: bool
    text: str
    """In the reader's language, with the figures that decided."""


class Decision(Record):
    """Whether a version may be promoted: one reason for every rule, and every rule must pass."""

    allowed: bool
    reasons: tuple[Reason, ...]
    adapter_sha256: str | None = None
    """The adapter that was judged; the decision allows no other one."""
    evaluation: str | None = None
    """Id of the evaluation that it rests on."""


class Adapter(Result):
    """A registered version, in `adapters/<name>/v0001/`."""

    name: str
    version: int
    path: Path
    base_model: str
    run_id: str
    aliases: tuple[str, ...] = ()
    created_at: str = ""

    @property
    def label(self) -> str:
        """The version's full name.

        >>> Adapter(name="bank", version=3, path=Path("x"), base_model="tiny", run_id="r").label
        'bank@v0003'
        """
        return f"{self.name}@v{self.version:04d}"

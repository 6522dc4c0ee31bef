"""What is evaluated, and everything that decides the outcome: gathered and checked before any model answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuneloop.core.hashing import stage_key
from tuneloop.core.messages import Language
from tuneloop.core.records import Sample
from tuneloop.engine.config import GenerationConfig
from tuneloop.evaluation.arms import TUNED, Arm, adapter_hash
from tuneloop.evaluation.clusters import joined, near_duplicates
from tuneloop.evaluation.comparison import headline_of
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.extraction import RecordSchema, check_references, read_schema
from tuneloop.evaluation.harness import harness_hash
from tuneloop.evaluation.metrics import METRICS
from tuneloop.evaluation.remote import is_url, parse_url
from tuneloop.evaluation.rows import as_rows, asked_of, choose, leaked, read_test_rows, refuse_leaks, units_of
from tuneloop.evaluation.scoring import Rows
from tuneloop.evaluation.script import Script, load_script
from tuneloop.evaluation.tasks import TASKS, labels_of
from tuneloop.store.artifacts import manifest_hash, verify
from tuneloop.store.samples import read_split
from tuneloop.store.workspace import Workspace

if TYPE_CHECKING:  # summaries of finished evaluations need no torch
    from tuneloop.models.load import LoadedModel

FORMAT = 5
"""Raised when the same input starts to give other results."""

HASHED = ("dataset", "model", "template", "adapter", "script", "schema", "encoder", "harness")
"""The inputs whose hash tells how to repeat an evaluation."""


@dataclass(frozen=True)
class Subject:
    """What is evaluated, and where it lies."""

    name: str
    """Beginning of the evaluation's id."""
    language: Language
    """Of rows that don't name theirs."""
    seed: int
    """Of the choice of rows, of resampling, and of sampling where the temperature is above 0."""
    dataset: Path
    """A finished dataset's folder."""
    loaded: LoadedModel
    """The base model."""
    adapter: Path | None
    """The folder of the adapter to judge; None: the base arms alone."""
    folder: Path
    """Where relative paths of the recipe begin."""
    workspace: Workspace
    """Where evaluations are kept."""
    others: Mapping[str, Path] = field(default_factory=dict)
    """Folders of the adapters that `evaluation.against` names."""
    trained_on: Path | None = None
    """The dataset whose training split no test row may stand in; `dataset` by default."""

    @property
    def adapters(self) -> dict[str, Path]:
        """Folders of all adapters that answer, by the arm's name."""
        return {**({TUNED: self.adapter} if self.adapter else {}), **self.others}


@dataclass(frozen=True)
class Gathered:
    """Everything that decides an evaluation, read and checked."""

    config: EvaluationConfig
    generation: GenerationConfig
    subject: Subject
    script: Script | None
    headline: str
    rows: Rows
    test_rows: int
    """Rows of the test split, of which `rows` may be a choice."""
    train: Sequence[Sample]
    leaks: Sequence[Sample]
    """Test rows that were trained on."""
    labels: tuple[str, ...]
    schema: RecordSchema | None
    hashes: dict[str, str]
    """By name, what decides the answers and their scores."""

    @property
    def settings(self) -> dict[str, Any]:
        """The part of the evaluation's key that is no file."""
        return {
            "evaluation": self.config.model_dump(mode="json"),
            "generation": self.generation.model_dump(mode="json"),
            "language": self.subject.language,
            "seed": self.subject.seed,
        }

    @property
    def id(self) -> str:
        """Name of the evaluation's folder."""
        return f"{self.subject.name}-{stage_key('evaluation', FORMAT, self.settings, self.hashes)[:8]}"

    @property
    def adapter_hashes(self) -> dict[str, str]:
        """By arm, the hash of the adapter that answers."""
        return {name: self.hashes[_input_name(name)] for name in self.subject.adapters}

    def others(self) -> dict[str, Arm]:
        """The arms that `evaluation.against` names: servers by URL, adapters by name."""
        return {name: Arm(url=name) if is_url(name) else Arm(adapter=name) for name in self.config.against}

    def origin(self, generation: GenerationConfig) -> dict[str, Any]:
        """Everything that is needed to repeat the evaluation.

        Args:
            generation: with the limit of an answer as a number.
        """
        return {
            "dataset": self.subject.dataset.name,
            "model": self.subject.loaded.name,
            **({"script": self.config.script} if self.config.script else {}),
            **({"schema": self.config.json_schema} if self.schema else {}),
            **{f"{name}_sha256": self.hashes[name] for name in HASHED if name in self.hashes},
            "dtype": self.hashes["dtype"],
            "device": self.hashes["device"],
            "max_new_tokens": generation.max_new_tokens,
            "temperature": generation.temperature,
            "seed": self.subject.seed,
            "versions": {package: version(package) for package in ("tuneloop", "torch", "transformers", "peft")},
            "rows": [len(self.rows.samples), self.test_rows],
        }


def gather(config: EvaluationConfig, generation: GenerationConfig, subject: Subject, *, force: bool) -> Gathered:
    """Read and check everything that an evaluation needs, before any model answers.

    Args:
        config: the recipe's `evaluation:`.
        generation: the recipe's `generation:`.
        subject: what is evaluated.
        force: let test rows stand that were trained on.

    Raises:
        RecipeError: the script, the headline, the JSON schema or the encoder is wrong.
        DataError: the test split is empty, or a reference is none.
        RefusedError: test rows stand in the training split (code `evaluation.leak`), and not `force`.
        UsageError: an address in `evaluation.against` is none (code `evaluation.url_wrong`).
    """
    for name in filter(is_url, config.against):
        parse_url(name)
    script = None if config.script is None else load_script(config.script, subject.folder)
    headline = headline_of(config, script is not None)
    test = read_test_rows(subject.dataset)
    train = read_split(subject.trained_on or subject.dataset, "train")
    leaks = leaked(test, train)
    if not force:
        refuse_leaks(leaks, test, subject.dataset)
    task = TASKS[config.task]
    labels = labels_of(subject.dataset, config.labels) if task.labelled else ()
    schema = read_schema(config.json_schema, subject.folder) if task.records and config.json_schema else None
    rows = _rows(config, subject, headline, script, test, labels)
    if task.records:
        check_references(rows.samples, schema)
        rows = replace(rows, records=True, schema=schema)
    hashes = {**_hashes(subject, script), **({"schema": schema.sha256} if schema else {})}
    if config.harness is not None:
        hashes["harness"] = harness_hash(config.harness, subject.folder)
    if config.encoder and rows.candidates is None:
        from tuneloop.models.encoder import load_encoder

        encoder = load_encoder(subject.folder / Path(config.encoder).expanduser())
        rows, hashes["encoder"] = replace(rows, encoder=encoder), encoder.sha256
    return Gathered(
        config=config,
        generation=generation,
        subject=subject,
        script=script,
        headline=headline,
        rows=rows,
        test_rows=len(as_rows(test, config.turns)),
        train=train,
        leaks=leaks,
        labels=labels,
        schema=schema,
        hashes=hashes,
    )


def _rows(
    config: EvaluationConfig,
    subject: Subject,
    headline: str,
    script: Script | None,
    test: Sequence[Sample],
    labels: Sequence[str],
) -> Rows:
    """What is scored: the chosen samples cut to rows, and every metric that is asked for, the headline's included."""
    cut, task = as_rows(choose(test, config.max_rows, subject.seed), config.turns), TASKS[config.task]
    alike = near_duplicates([asked_of(row) for row in cut], config.near_duplicates)
    wanted = [*(task.metrics or config.metrics), *([headline] if headline in METRICS else [])]
    return Rows(
        samples=cut,
        units=joined(units_of(cut, config.turns), alike),
        metrics=tuple(dict.fromkeys(wanted)),
        script=script,
        language=subject.language,
        seed=subject.seed,
        candidates=task.candidates(cut, labels) if task.candidates else None,
        labelled=task.labelled,
    )


def _input_name(adapter: str) -> str:
    """How an adapter's hash is called among the inputs; the one that is judged is `adapter`."""
    return "adapter" if adapter == TUNED else f"adapter {adapter}"


def _hashes(subject: Subject, script: Script | None) -> dict[str, str]:
    """Name and hash of everything that decides the answers and their scores."""
    verify(subject.dataset)
    loaded = subject.loaded
    return {
        "dataset": manifest_hash(subject.dataset),
        "model": loaded.sha256,
        "dtype": str(loaded.dtype).removeprefix("torch."),
        "device": loaded.device.type,
        "template": loaded.template.sha256,
        **{_input_name(name): adapter_hash(folder) for name, folder in subject.adapters.items()},
        **({"script": script.sha256} if script else {}),
    }

"""Stage 1, from top to bottom: files in, a clean, split and fingerprinted dataset with its report out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuneloop.core.hashing import stage_key
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import SPLITS, Dataset, Sample
from tuneloop.data.assemble import Assembled, assemble
from tuneloop.data.config import DataConfig
from tuneloop.data.report import token_lengths
from tuneloop.data.report_page import dataset_page
from tuneloop.data.sources import find_sources, fingerprint
from tuneloop.store.artifacts import new_artifact, verify
from tuneloop.store.samples import write_samples
from tuneloop.store.workspace import Workspace

FORMAT = 1
"""Raised when the same files and recipe start to give another dataset."""

ID_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Measure:
    """Lengths in tokens of the recipe's model, which this stage does not know."""

    name: str
    lengths: Callable[[Sequence[Sample]], list[tuple[int, int]]]
    """Prompt tokens and answer tokens of each sample."""


def run(
    config: DataConfig,
    *,
    name: str,
    language: str,
    seed: int,
    folder: Path,
    workspace: Workspace,
    measure: Measure | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Dataset:
    """Prepare a dataset, or return the one that the same files and recipe made before.

    Args:
        config: the recipe's data section.
        name: name of the recipe; the dataset lands in `datasets/<name>/<id>/`.
        language: language of the data, `en` or `zh`.
        seed: seed of the division.
        folder: folder that relative paths start from.
        workspace: where the dataset is written.
        measure: measures lengths in tokens for the report; characters only when None.
        force: make the dataset again under a new id (`<id>-2`, …); an existing one is never changed.
        progress: gets a bar for each source and a note for each guess.
    Raises:
        DataError: a source, its columns or too many of its rows can't be used; the code says which.
        CorruptError: the dataset exists but differs from its manifest.
    """
    sources = find_sources(config, folder, language)
    resolved, inputs = fingerprint(config, sources)
    identity = {"data": resolved, "language": language, "seed": seed, "model": measure.name if measure else None}
    id_ = stage_key("data", FORMAT, identity, inputs)[:ID_LENGTH]
    home = workspace.datasets / name
    existing = find_existing(home, id_)
    if existing and not force:
        return open_dataset(existing[-1], reused=True)

    made = assemble(sources, config, name=name, language=language, seed=seed, progress=progress)
    if measure is not None:
        lengths = measure.lengths([sample for split in SPLITS for sample in made.splits[split]])
        tokens = token_lengths(measure.name, lengths)
        made = Assembled(made.report.model_copy(update={"tokens": tokens}), made.splits, made.quarantined)

    final = home / (id_ if not existing else f"{id_}-{_number(existing[-1]) + 1}")
    workspace.ensure()
    with new_artifact(final, kind="dataset", config=identity, inputs=inputs, seeds={"split": seed}) as temporary:
        write_dataset(temporary, made)
    return open_dataset(final, reused=False)


def write_dataset(folder: Path, made: Assembled) -> None:
    """Write the samples, the quarantine and both reports into a folder."""
    for split in SPLITS:
        write_samples(folder / f"{split}.jsonl", made.splits[split])
    with (folder / "quarantine.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row.model_dump(), ensure_ascii=False) + "\n" for row in made.quarantined)
    report = json.dumps(made.report.as_json(), ensure_ascii=False, indent=2)
    (folder / "report.json").write_text(report + "\n", encoding="utf-8")
    (folder / "report.html").write_text(dataset_page(made.report, made.splits), encoding="utf-8")


def open_dataset(path: Path, *, reused: bool = True) -> Dataset:
    """Read a dataset's folder as a record, after checking it against its manifest.

    Raises:
        NotFoundError: it is not there or not finished.
        CorruptError: a file differs from the manifest (names the file).
    """
    verify(path)
    report = json.loads((path / "report.json").read_text(encoding="utf-8"))
    return Dataset(name=path.parent.name, id=path.name, path=path, rows=report["splits"], report=report, reused=reused)


def find_existing(home: Path, id_: str) -> list[Path]:
    """The finished datasets of a key, the oldest first: `<id>`, `<id>-2`, …"""
    folders = [*home.glob(id_), *home.glob(f"{id_}-*")] if home.is_dir() else []
    return sorted((folder for folder in folders if folder.is_dir()), key=_number)


def _number(folder: Path) -> int:
    _, _, number = folder.name.partition("-")
    return int(number) if number.isdigit() else 1

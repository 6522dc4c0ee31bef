"""Stage 1, from top to bottom: files in, a clean, split and fingerprinted dataset with its report out.

The samples pass through a file, never through a list: the memory holds about 200 bytes of keys for each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from tuneloop.core.hashing import hash_file, stage_key
from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import SPLITS, Dataset, Sample
from tuneloop.data.augment.run import Made, augment, files_of
from tuneloop.data.census import Census, Measure
from tuneloop.data.clean import active_rules
from tuneloop.data.config import CanariesConfig, DataConfig, MaskConfig
from tuneloop.data.conversation import RULES as CONVERSATION_RULES
from tuneloop.data.fates import RULES as REMOVING_RULES
from tuneloop.data.fates import Fates, decide
from tuneloop.data.gather import gather
from tuneloop.data.held import HeldQuestions
from tuneloop.data.keys import Keys
from tuneloop.data.mask import mask_identity, open_masker
from tuneloop.data.paraphrases import encoder_files, open_encoder
from tuneloop.data.report import Report
from tuneloop.data.report_page import dataset_page
from tuneloop.data.sources import Source, find_sources, fingerprint
from tuneloop.data.spool import Spool
from tuneloop.data.summary import summarise
from tuneloop.data.tally import Tally
from tuneloop.store.artifacts import new_artifact, scratch_folder, verify
from tuneloop.store.samples import write_samples
from tuneloop.store.workspace import Workspace
from tuneloop.text.canaries import canary_samples

FORMAT = 3
"""Raised when the same files and recipe start to give another dataset."""

ID_LENGTH = 12
NO_MASK = MaskConfig(mode="off")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that decides a dataset, and under which key."""

    sources: list[Source]
    against: list[Source]
    """Evaluation sets that the dataset must not leak from."""
    identity: dict[str, Any]
    hashes: dict[str, str]

    @property
    def has_files(self) -> bool:
        """False where everything comes from grammars of our own, in which nothing is masked."""
        return any(source.path is not None for source in (*self.sources, *self.against))

    @property
    def key(self) -> str:
        return stage_key("data", FORMAT, self.identity, self.hashes)[:ID_LENGTH]


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
        progress: gets bars and a note for each guess.
    Raises:
        DataError: a source, its columns or too many of its rows can't be used; the code says which.
        CorruptError: the dataset exists but differs from its manifest; or the workspace's key is damaged.
        NotAllowedError: the recipe wants a vault, and its key is missing or another one.
        ResourceError: the disk has no room.
    """
    inputs = find_inputs(config, folder, language, seed, measure, workspace)
    home = workspace.datasets / name
    existing = find_existing(home, inputs.key)
    if existing and not force:
        return open_dataset(existing[-1], reused=True)

    if measure is not None:
        measure.lengths([])
    encoder = open_encoder(config.leaks.paraphrases, folder)
    final = home / (inputs.key if not existing else f"{inputs.key}-{_number(existing[-1]) + 1}")
    with scratch_folder(home) as scratch:
        ready = scratch / "dataset"
        ready.mkdir()
        rules = [*active_rules(config.clean, language).names, *CONVERSATION_RULES, *REMOVING_RULES]
        masker = open_masker(config.mask if inputs.has_files else NO_MASK, language, workspace)
        tally = Tally.of(rules, masker, ready / "quarantine.jsonl")
        how: dict[str, Any] = {"language": language, "seed": seed, "progress": progress}
        keys = Keys(config.split.group_by, config.leaks.near, config.deduplicate.near)
        with closing(tally.quarantine), closing(Spool(scratch / "spool.jsonl", keys, masker)) as spool:
            understood = gather(inputs.sources, config, spool, tally, **how)
            compared = gather(inputs.against, config, spool, Tally.of(rules, masker), foreign=True, **how)
            fates = decide(spool, config, seed, tally, progress, encoder)
            made: dict[str, Made] = {}
            planted = planted_canaries(config.canaries, language, seed)

            def variants(training: Iterable[Sample]) -> Iterator[Sample]:
                """More training rows; nothing is looked up where none are wanted. Canaries come after everything that removes."""
                if config.augment.wanted:
                    taken = HeldQuestions(spool, fates, config.leaks).asks
                    yield from augment(training, config.augment, folder=folder, taken=taken, made=made, **how)
                yield from planted

            census = write_splits(ready, spool, fates, measure, variants, sum(config.augment.wanted.values()), progress)
            facts = summarise(
                spool, fates, tally, census, understood, compared, name=name, language=language, seed=seed, made=made
            )
        write_report(ready, facts.model_copy(update={"personal_data": masker.found}), census)
        masker.save()
        workspace.ensure()
        made_of = {"config": inputs.identity, "inputs": inputs.hashes, "seeds": {"split": seed}}
        with new_artifact(final, kind="dataset", **made_of) as folder_of_dataset:
            for path in ready.iterdir():
                path.rename(folder_of_dataset / path.name)
    return open_dataset(final, reused=False)


def find_inputs(
    config: DataConfig, folder: Path, language: str, seed: int, measure: Measure | None, workspace: Workspace
) -> Inputs:
    """Find every source and evaluation set, and what the dataset's key is made of."""
    outside = config.model_copy(update={"sources": config.leaks.against})
    sources, against = find_sources(config, folder, language), find_sources(outside, folder, language)
    resolved, hashes = fingerprint(config, sources)
    compared, more = fingerprint(outside, against)
    resolved["leaks"]["against"] = compared["sources"]
    hashes |= {f"against:{name}": value for name, value in more.items()}
    if config.augment.synonyms is not None:
        resolved["augment"]["synonyms"] = Path(config.augment.synonyms).name
    hashes |= {name: hash_file(path) for name, path in files_of(config.augment, folder).items()}
    if config.leaks.paraphrases is not None:
        resolved["leaks"]["paraphrases"]["encoder"] = Path(config.leaks.paraphrases.encoder).name
    hashes |= encoder_files(config.leaks.paraphrases, folder)
    identity = {"data": resolved, "language": language, "seed": seed, "model": measure.name if measure else None}
    found = Inputs(sources, against, identity, hashes)
    if found.has_files:
        identity["mask_key"] = mask_identity(config.mask, workspace)
    return found


def planted_canaries(config: CanariesConfig | None, language: str, seed: int) -> list[Sample]:
    """The training rows that hold canaries; none unless the recipe asks for them."""
    if config is None:
        return []
    return canary_samples(config.count, "zh" if language == "zh" else "en", seed, config.repeats)


def write_splits(
    folder: Path,
    spool: Spool,
    fates: Fates,
    measure: Measure | None,
    variants: Callable[[Iterable[Sample]], Iterable[Sample]],
    expected: float,
    progress: Progress,
) -> Census:
    """Write the samples of every side, and variants (`expected` is their share of it) after the training side; count them."""
    census = Census(measure)
    numbers = {split: fates.on(split).tolist() for split in SPLITS}
    total = round(sum(map(len, numbers.values())) + expected * len(numbers["train"]))
    with progress.track(text("data.progress.writing"), total, "rows") as tracker:
        for split in SPLITS:
            more = variants(spool.read(numbers[split])) if split == "train" else ()
            samples = census.count(split, chain(spool.read(numbers[split]), more), tracker)
            write_samples(folder / f"{split}.jsonl", samples)
    return census


def write_report(folder: Path, report: Report, census: Census) -> None:
    """Write the report for programs and for people."""
    content = json.dumps(report.as_json(), ensure_ascii=False, indent=2)
    (folder / "report.json").write_text(content + "\n", encoding="utf-8")
    (folder / "report.html").write_text(dataset_page(report, census.shown), encoding="utf-8")


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

"""Paraphrases between the sides: training questions that a user's encoder takes for a tested one in other words.

An encoder judges by meaning and is now and then wrong: what it finds are candidates, which the report shows. They leave
training, never the test side, unless the recipe wants them shown only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuneloop.core.errors import DataError
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.core.records import Sample, Split
from tuneloop.data.config import ParaphraseConfig
from tuneloop.data.keys import TEST, TRAIN, VALIDATION, KeyTable, Sides
from tuneloop.data.spool import Spool
from tuneloop.models.encoder_files import hash_encoder

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
"""Texts in, one row of length 1 for each out."""

BATCH = 32
"""Texts that pass through the encoder together."""
CHUNK = 256
"""Questions that are compared together with all tested ones."""
MOST = 0.5
"""Share of the training rows of which nobody believes that they are paraphrases of tested ones."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """What the recipe's `leaks.paraphrases` asks for, ready to be used."""

    config: ParaphraseConfig
    encode: Encode


class Candidate(NamedTuple):
    """A sample that may ask a tested question in other words."""

    number: int
    held: int
    """Number of the tested sample that it is most like."""
    side: Split
    similarity: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """All candidates, the most alike first."""

    config: ParaphraseConfig
    found: tuple[Candidate, ...] = ()

    @property
    def held(self) -> dict[int, int]:
        """Number of each candidate, and of the tested sample."""
        return {candidate.number: candidate.held for candidate in self.found}

    def refuse_if_most(self, training: int) -> None:
        """Refuse to remove what an encoder finds when that is most of the training rows: it can't tell them apart.

        Raises:
            DataError: code `data.encoder_finds_most`.
        """
        named = sum(candidate.side == "train" for candidate in self.found)
        if named > MOST * training:
            raise DataError(
                "data.encoder_finds_most",
                encoder=Path(self.config.encoder).name,
                count=named,
                rows=training,
                similarity=self.config.similarity,
            )


def encoder_files(config: ParaphraseConfig | None, folder: Path) -> dict[str, str]:
    """Hashes of the files that decide what the encoder says, by name.

    Raises:
        DataError: there is no encoder (code `data.encoder_missing`).
    """
    if config is None:
        return {}
    place = folder / Path(config.encoder).expanduser()
    if not (place / "config.json").is_file() or not any(place.glob("*.safetensors")):
        raise DataError("data.encoder_missing", folder=place)
    return {f"encoder:{name}": digest for name, digest in hash_encoder(place).items()}


def open_encoder(config: ParaphraseConfig | None, folder: Path) -> Encoder | None:
    """Load the encoder, where the recipe names one; torch is imported only then.

    Raises:
        RecipeError: it can't be loaded (code `models.encoder`).
    """
    if config is None:
        return None
    from tuneloop.models.encoder import load_encoder

    loaded = load_encoder(folder / Path(config.encoder).expanduser())

    def encode(texts: Sequence[str]) -> Vectors:
        """Texts of about one length pass together."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        parts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        rows = np.concatenate([loaded.encode([texts[place] for place in part])[0].numpy() for part in parts])
        return np.asarray(rows[np.argsort(order)])

    return Encoder(config, encode)


def find_paraphrases(spool: Spool, sides: Sides, table: KeyTable, encoder: Encoder, progress: Progress) -> Candidates:
    """Compare every training question with the validation and test sides, and the validation side with the test side.

    The tested side's vectors are kept in memory (its rows times the encoder's width, four bytes each); the others pass by.

    Args:
        spool: the samples.
        sides: their sides; evaluation sets stand on the test side.
        table: their keys.
        encoder: what makes vectors of questions.
        progress: gets a bar.
    """
    held = np.flatnonzero(np.isin(sides, (TEST, VALIDATION)) & ~table.made)
    checked = np.flatnonzero(np.isin(sides, (TRAIN, VALIDATION)) & ~table.made & ~table.foreign)
    if not len(held) or not len(checked):
        return Candidates(encoder.config)
    vectors = np.concatenate(list(_vectors(spool, held.tolist(), encoder.encode)))
    found: list[Candidate] = []
    with progress.track(text("data.progress.paraphrases"), len(checked), text("data.progress.rows")) as tracker:
        parts = zip(_chunks(checked.tolist()), _vectors(spool, checked.tolist(), encoder.encode), strict=True)
        for numbers, rows in parts:
            alike = rows @ vectors.T
            # A side is compared with those that count more: a smaller number.
            alike[sides[numbers][:, None] <= sides[held][None, :]] = -1.0
            best = alike.argmax(axis=1)
            for place, number in enumerate(numbers):
                if (similar := float(alike[place, best[place]])) >= encoder.config.similarity:
                    side: Split = "train" if sides[number] == TRAIN else "validation"
                    found.append(Candidate(number, int(held[best[place]]), side, similar))
            tracker.advance(len(numbers))
    return Candidates(encoder.config, tuple(sorted(found, key=lambda one: (-one.similarity, one.number))))


def asked(sample: Sample) -> str:
    """Everything that the user says before the last answer."""
    return "\n".join(message.content for message in sample.prompt if message.role == "user")


def _vectors(spool: Spool, numbers: Sequence[int], encode: Encode) -> Iterator[Vectors]:
    for part in _chunks(numbers):
        yield encode([asked(sample) for sample in spool.read(part)])


def _chunks(numbers: Sequence[int]) -> list[Sequence[int]]:
    return [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]

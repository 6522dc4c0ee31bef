"""The spool: what goes in comes out, in any order, and is counted by its keys."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.data.config import MaskConfig
from tuneloop.data.keys import NOWHERE, TEST, Keys
from tuneloop.data.mask import make_masker
from tuneloop.data.spool import Spool

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=8)

NO_MASK = make_masker(MaskConfig(mode="off"), "en")


def _sample(number: int, text: str) -> Sample:
    messages = (Message(role="user", content=text), Message(role="assistant", content=f"{text}\n{number}"))
    return Sample(id=str(number), messages=messages, meta=Meta(source="s", row=number, lang=None, tags={"t": text}))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=TEXTS)
def test_samples_come_back_in_any_order(tmp_path_factory: object, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("spool") / "samples.jsonl"  # type: ignore[attr-defined]
    samples = [_sample(number, text) for number, text in enumerate(texts)]
    with closing(Spool(path, Keys(), NO_MASK)) as spool:
        for sample in samples:
            spool.add(sample, None)
        assert list(spool.read(range(len(samples)))) == samples
        assert list(spool.read(reversed(range(len(samples))))) == samples[::-1]
        assert len(spool) == len(spool.keys.table()) == len(samples)


def test_keys_hold_the_side_and_what_is_only_compared(tmp_path: Path) -> None:
    with closing(Spool(tmp_path / "samples.jsonl", Keys(near=0.9), NO_MASK)) as spool:
        spool.add(_sample(0, "a"), None)
        spool.add(_sample(1, "b"), "test", foreign=True)
        spool.add(_sample(2, "c"), None, made=True)
        table = spool.keys.table()
    assert table.own.tolist() == [NOWHERE, TEST, NOWHERE]
    assert table.foreign.tolist() == [False, True, False]
    assert table.made.tolist() == [False, False, True]
    assert table.prompt_bands is not None
    assert len(table.prompt_bands) == 3
    assert table.whole_bands is None
    assert spool.keys.tags == {"t"}

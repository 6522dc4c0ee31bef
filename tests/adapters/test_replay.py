"""The greedy answers that travel with an adapter."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.adapters.replay import (
    FILE,
    LONGEST_PROMPT,
    ROWS,
    Replay,
    check_answers,
    choose_prompts,
    compare_answers,
    read_replay,
    record_answers,
    teller_of,
    write_replay,
)
from tuneloop.core.errors import CorruptError, IncompatibleError
from tuneloop.models.tiny import build_tiny


@pytest.fixture(scope="module")
def replay() -> Replay:
    loaded = build_tiny(1)
    prompts = [(72, 105, number) for number in range(4)]
    return record_answers(loaded.model, prompts, stop_ids=loaded.template.stop_ids, template_sha256="t")


def test_the_model_that_answered_agrees_with_every_token(replay: Replay) -> None:
    found = compare_answers(teller_of(build_tiny(1).model), replay)
    assert (found.same, found.answers, found.share, found.first_difference) == (4, 4, 1.0, "")


def test_another_model_is_refused_with_the_place_of_the_first_difference(replay: Replay) -> None:
    with pytest.raises(IncompatibleError) as caught:
        check_answers(teller_of(build_tiny(2).model), replay, place="x")
    assert caught.value.code == "adapters.replay_differs"
    assert caught.value.status.exit == 7
    assert caught.value.values["first"].startswith("1:")


def test_answers_are_read_as_they_were_written(replay: Replay, tmp_path: Path) -> None:
    assert read_replay(tmp_path) is None
    write_replay(replay, tmp_path)
    assert read_replay(tmp_path) == replay
    (tmp_path / FILE).write_text('{"answers": 3}', encoding="utf-8")
    with pytest.raises(CorruptError):
        read_replay(tmp_path)


@given(st.lists(st.lists(st.integers(0, 3), max_size=400).map(tuple), max_size=20))
def test_few_different_prompts_are_kept_and_long_ones_only_where_all_are_long(prompts: list[tuple[int, ...]]) -> None:
    kept = choose_prompts(prompts)
    assert len(kept) == len(set(kept)) <= ROWS
    assert set(kept) <= set(prompts)
    assert bool(kept) == any(prompts)
    if any(0 < len(prompt) <= LONGEST_PROMPT for prompt in prompts):
        assert max(map(len, kept)) <= LONGEST_PROMPT

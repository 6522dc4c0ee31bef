"""Canaries: different, hard to guess, the same ones for a seed."""

from __future__ import annotations

import pytest

from tuneloop.text.canaries import canary_samples, make_canaries, other_secrets


@pytest.mark.parametrize("language", ["en", "zh"])
def test_they_differ_and_hold_their_secret_once(language: str) -> None:
    assert language in ("en", "zh")
    made = make_canaries(60, language, 3)
    assert made == make_canaries(60, language, 3)
    assert len({one.question for one in made}) == len({one.secret for one in made}) == 60
    for one in made:
        assert one.answer.count(one.secret) == 1
        assert one.answer.startswith(one.before)
        assert one.secret not in one.question
    assert {one.repeats for one in made} == {1, 4, 16}
    assert not {one.secret for one in made} & {one.secret for one in make_canaries(60, language, 4)}


def test_more_than_there_are_names_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 120"):
        make_canaries(121, "en", 0)


def test_others_are_other_and_different() -> None:
    others = list(other_secrets("123456", 200, 0))
    assert len(set(others)) == 200
    assert "123456" not in others
    assert all(len(other) == 6 and other.isdigit() for other in others)


def test_rows_stand_there_as_often_as_they_are_to_be_seen() -> None:
    rows = canary_samples(6, "zh", 0)
    assert len(rows) == len({row.id for row in rows}) == 2 * (1 + 4 + 16)
    for row in rows:
        assert row.meta.tags["canary"] in row.answer
        same = [other for other in rows if other.messages == row.messages]
        assert str(len(same)) == row.meta.tags["canary_repeats"]

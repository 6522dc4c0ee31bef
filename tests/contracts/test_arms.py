"""What every arm of the table promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.messages import text
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.evaluation.arms import ARMS, Arm, Given, arms_for
from tuneloop.evaluation.script import load_script

TALK = (
    Message(role="user", content="Hi"),
    Message(role="assistant", content="Hello"),
    Message(role="user", content="My card is lost"),
)
SYSTEM = Message(role="system", content="You are kind.")
NEAREST = Sample(
    id="n",
    messages=(Message(role="user", content="Lost it"), Message(role="assistant", content="Call us")),
    meta=Meta(source="made", row=1),
)
arms = pytest.mark.parametrize("name", ARMS)


@pytest.fixture
def given(tmp_path: Path) -> Given:
    (tmp_path / "house.yaml").write_text("name: house\nrules:\n  - {id: opening, kind: starts_with, text: Good day}\n")
    return Given(
        load_script("house.yaml", tmp_path), ("card", "limit"), lambda messages: NEAREST, schema='{"type":"object"}'
    )


@arms
def test_an_arm_shows_the_whole_conversation_in_order(name: str, given: Given) -> None:
    for messages in (TALK, (SYSTEM, *TALK)):
        shown = ARMS[name].prompt(messages, given)
        assert [m for m in shown if m.role != "system"] == list(TALK)
        assert [m.role for m in shown].count("system") <= 1
        assert shown[-1].role == "user"


@arms
def test_an_arm_keeps_the_rows_own_system_message(name: str, given: Given) -> None:
    assert SYSTEM.content in ARMS[name].prompt((SYSTEM, *TALK), given)[0].content


@arms
def test_an_arm_is_named_in_both_languages(name: str) -> None:
    assert text(f"evaluation.arm.{name}", "en")
    assert text(f"evaluation.arm.{name}", "zh")


@arms
def test_an_arm_runs_only_with_what_it_needs(name: str, given: Given) -> None:
    arm = ARMS[name]
    assert (name in arms_for((), adapted=True, chosen=tuple(ARMS))) == (arm.needs is None)
    assert (name in arms_for(given.there, adapted=False, chosen=tuple(ARMS))) == (arm.adapter is None)
    assert name in arms_for(given.there, adapted=True, chosen=tuple(ARMS))
    assert (name in arms_for(given.there, adapted=True)) == (not arm.on_request)


@arms
def test_an_arm_says_what_it_lacks(name: str) -> None:
    if ARMS[name].needs is None:
        assert ARMS[name].prompt(TALK, Given()) == TALK
    else:
        with pytest.raises(ValueError, match="needs"):
            ARMS[name].prompt(TALK, Given())


def test_each_arm_sees_its_own_addition_only(given: Given) -> None:
    shown = {name: arm.prompt(TALK, given) for name, arm in ARMS.items()}
    assert shown["base"] == shown["tuned"] == TALK
    assert "Good day" in shown["base+script"][0].content
    assert "limit" in shown["base+labels"][0].content
    assert "object" in shown["base+schema"][0].content
    assert "Call us" in shown["base+nearest"][0].content


def test_other_arms_stand_before_the_tuned_one(given: Given) -> None:
    arms = arms_for(given.there, adapted=True, chosen=("base",), others={"bank@v0001": Arm(adapter="bank@v0001")})
    assert list(arms) == ["base", "bank@v0001", "tuned"]

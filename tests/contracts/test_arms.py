"""What every arm of the table promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.messages import text
from tuneloop.core.records import Message
from tuneloop.evaluation.arms import ARMS, arms_for
from tuneloop.evaluation.script import Script, load_script

TALK = (
    Message(role="user", content="Hi"),
    Message(role="assistant", content="Hello"),
    Message(role="user", content="My card is lost"),
)
SYSTEM = Message(role="system", content="You are kind.")
arms = pytest.mark.parametrize("name", ARMS)


@pytest.fixture
def script(tmp_path: Path) -> Script:
    (tmp_path / "house.yaml").write_text("name: house\nrules:\n  - {id: opening, kind: starts_with, text: Good day}\n")
    return load_script("house.yaml", tmp_path)


@arms
def test_an_arm_shows_the_whole_conversation_in_order(name: str, script: Script) -> None:
    for messages in (TALK, (SYSTEM, *TALK)):
        shown = ARMS[name].prompt(messages, script)
        assert [m for m in shown if m.role != "system"] == list(TALK)
        assert [m.role for m in shown].count("system") <= 1
        assert shown[-1].role == "user"


@arms
def test_an_arm_keeps_the_rows_own_system_message(name: str, script: Script) -> None:
    assert SYSTEM.content in ARMS[name].prompt((SYSTEM, *TALK), script)[0].content


@arms
def test_an_arm_is_named_in_both_languages(name: str) -> None:
    assert text(f"evaluation.arm.{name}", "en")
    assert text(f"evaluation.arm.{name}", "zh")


@arms
def test_an_arm_runs_only_with_what_it_needs(name: str) -> None:
    arm = ARMS[name]
    assert (name in arms_for(has_script=False, adapted=True)) == (not arm.needs_script)
    assert (name in arms_for(has_script=True, adapted=False)) == (not arm.adapted)
    assert name in arms_for(has_script=True, adapted=True)


def test_only_the_script_arm_sees_the_script(script: Script) -> None:
    shown = {name: arm.prompt(TALK, script) for name, arm in ARMS.items()}
    assert shown["base"] == shown["tuned"] == TALK
    assert "Good day" in shown["base+script"][0].content
    with pytest.raises(ValueError, match="script"):
        ARMS["base+script"].prompt(TALK, None)

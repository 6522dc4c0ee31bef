"""What the workspace offers to the page."""

from __future__ import annotations

import pytest

from tuneloop.core.errors import NotFoundError, RecipeError, UsageError
from tuneloop.studio.desk import Desk, arms, find_arm, first_arms, first_script, read_script, scripts


def test_the_base_its_script_and_every_version_may_answer(desk: Desk) -> None:
    names = [name for _, name in arms(desk, "en")]
    assert names == ["base", "base+script", "auto", "legal@v0001", "bank@v0001"]
    assert {name: shown for shown, name in arms(desk, "zh")}["legal@v0001"] == "legal@v0001 (candidate)"


def test_the_page_opens_with_the_base_against_the_newest_adapter_and_its_script(desk: Desk) -> None:
    left, right = first_arms(desk)
    assert (left, right) in {("base", "legal@v0001"), ("base", "bank@v0001")}
    assert scripts(desk)[0] == "bank-service"
    assert scripts(desk).count("bank-service") == 1
    assert first_script(desk) in ("bank-service", None)


def test_the_scripted_base_has_the_script_as_its_system_message(desk: Desk) -> None:
    script = read_script(desk, "bank-service")
    model = find_arm(desk, "base+script", script)
    assert (model.name, model.adapter) == ("base+script", None)
    assert "Thank you for contacting Harbor Bank." in (model.system or "")
    with pytest.raises(UsageError) as caught:
        find_arm(desk, "base+script", read_script(desk, ""))
    assert caught.value.code == "studio.no_script"


def test_what_is_gone_is_told(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        find_arm(desk, "bank@v0009", None)
    with pytest.raises(RecipeError):
        read_script(desk, "no-such-script")

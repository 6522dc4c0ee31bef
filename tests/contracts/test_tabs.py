"""What every tab of the studio must keep to."""

from __future__ import annotations

from typing import get_args

import pytest

from tuneloop.core.messages import Language, text
from tuneloop.studio.desk import Desk
from tuneloop.studio.page import TABS, make_page

from ..studio.conftest import desk, loaded  # noqa: F401


@pytest.mark.parametrize("name", TABS)
def test_a_tab_has_a_name_in_both_languages(name: str) -> None:
    assert text(f"studio.tab.{name}", "en") != text(f"studio.tab.{name}", "zh")


@pytest.mark.parametrize("language", get_args(Language))
def test_every_tab_can_be_built_and_opens_no_endpoint_to_programs(desk: Desk, language: Language) -> None:  # noqa: F811
    page = make_page(desk, language)
    assert page.fns
    assert all(function.api_visibility == "private" for function in page.fns.values())

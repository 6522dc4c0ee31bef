"""Calls of tools as text, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.text.tool_calls import ToolCall, call_text, find_calls, find_tools, tools_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(arguments=st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3), min_size=1, max_size=3))
def test_calls_come_back_as_they_were(arguments: list[dict[str, object]]) -> None:
    calls = [ToolCall("f", values) for values in arguments]
    if "</tool_call>" not in str(arguments):
        assert find_calls(call_text(calls)) == ("", calls)


@pytest.mark.parametrize("text", ["plain", "<tool_call>\nno json\n</tool_call>", '<tool_call>\n{"a": 1}\n</tool_call>'])
def test_what_is_no_call_stays_text(text: str) -> None:
    assert find_calls(text) == (text, [])


def test_descriptions_stand_apart_from_what_the_system_says() -> None:
    tools = [{"name": "余额", "parameters": {"type": "object"}}, {"name": "b"}]
    assert find_tools(tools_text(tools)) == ("", tools)
    assert find_tools(f"Be brief.\n\n{tools_text(tools)}") == ("Be brief.", tools)
    assert find_tools("<tools>\nno json\n</tools>") == ("<tools>\nno json\n</tools>", [])

"""Calls of tools as text, so that cleaning, masking and the chat template see them like everything else that is said.

The form is the one that Hermes, Qwen and many others were trained on, and that vLLM's `hermes` parser reads back:

    <tools>                                              in the system message: one line a tool
    {"type": "function", "function": {"name": …}}
    </tools>
    <tool_call>                                          in the assistant's turn: one block a call
    {"name": "balance", "arguments": {"account": "savings"}}
    </tool_call>
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)
_TOOLS = re.compile(r"\s*<tools>\n(.*?)\n</tools>", re.DOTALL)


class ToolCall(NamedTuple):
    """One call of a tool."""

    name: str
    arguments: Any
    """Usually an object; a text where a model wrote no valid JSON."""


def call_text(calls: Sequence[ToolCall]) -> str:
    """Calls as text.

    >>> print(call_text([ToolCall("balance", {"account": "储蓄"})]))
    <tool_call>
    {"name": "balance", "arguments": {"account": "储蓄"}}
    </tool_call>
    """
    lines = (json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False) for call in calls)
    return "\n".join(f"<tool_call>\n{line}\n</tool_call>" for line in lines)


def find_calls(text: str) -> tuple[str, list[ToolCall]]:
    """What is said in a text, and the calls in it; a block that is no call is left in the text.

    >>> find_calls("One moment.\\n" + call_text([ToolCall("balance", {})]))
    ('One moment.', [ToolCall(name='balance', arguments={})])
    """
    calls: list[ToolCall] = []

    def take(match: re.Match[str]) -> str:
        try:
            value = json.loads(match[1])
        except ValueError:
            return match[0]
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            return match[0]
        calls.append(ToolCall(value["name"], value.get("arguments", {})))
        return ""

    said = _CALL.sub(take, text)
    return (said.strip(), calls) if calls else (text, calls)


def tools_text(tools: Sequence[Any]) -> str:
    """Descriptions of tools as they stand in the system message.

    >>> print(tools_text([{"name": "balance"}]))
    <tools>
    {"name": "balance"}
    </tools>
    """
    return "\n".join(["<tools>", *(json.dumps(tool, ensure_ascii=False) for tool in tools), "</tools>"])


def find_tools(text: str) -> tuple[str, list[Any]]:
    """The system message without the descriptions of tools, and the descriptions.

    >>> find_tools("Be brief.\\n\\n" + tools_text([{"name": "balance"}]))
    ('Be brief.', [{'name': 'balance'}])
    """
    match = _TOOLS.search(text)
    if match is None:
        return text, []
    try:
        tools = [json.loads(line) for line in match[1].split("\n")]
    except ValueError:
        return text, []
    return (text[: match.start()] + text[match.end() :]).strip(), tools

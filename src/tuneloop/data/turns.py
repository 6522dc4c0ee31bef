"""From the values of a row to turns: who says what, in whatever way the file writes it down.

A turn here is a role and a text, not yet cleaned or checked; `conversation.py` makes messages of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import orjson

from tuneloop.core.records import Role
from tuneloop.text.tool_calls import ToolCall, call_text, tools_text

Turn = tuple[Role, str]

ROLES: dict[str, Role] = {
    **{role: role for role in get_args(Role)},
    "human": "user",
    "customer": "user",
    "client": "user",
    "question": "user",
    "用户": "user",
    "客户": "user",
    "顾客": "user",
    "咨询者": "user",
    "当事人": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "agent": "assistant",
    "answer": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "客服": "assistant",
    "律师": "assistant",
    "医生": "assistant",
    "助手": "assistant",
    "系统": "system",
    "developer": "system",
    "observation": "tool",
    "function": "tool",
    "tool_response": "tool",
    "tool_result": "tool",
}
"""What files call the roles."""

_ROLE_KEYS = ("role", "from", "speaker", "角色")
_CONTENT_KEYS = ("content", "value", "text", "内容")
_CALLING = ("function_call", "tool_call")
"""Roles of sharegpt whose text is the JSON of a call."""
_PREFIX = re.compile(r"^\s*[\[【]\s*([^\]】]{1,20}?)\s*[\]】]\s*[:：]?\s*")


class BadRow(Exception):
    """A row that can't become a sample: the code of the reason and what fills its message."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def text_of(value: Any, column: str) -> str:
    """The text of one value: numbers as written, OpenAI's text parts joined, nothing for null, line ends as `\\n`.

    Raises:
        BadRow: a list or an object where a text should be (code `data.value_not_text`), or bytes that could not be
            decoded (`data.row_undecodable`).

    >>> text_of(5, "a"), text_of(None, "a"), text_of([{"type": "text", "text": "Hi"}], "a")
    ('5', '', 'Hi')
    """
    if value is None:
        return ""
    if (
        isinstance(value, list)
        and value
        and all(isinstance(part, dict) and part.get("type") == "text" for part in value)
    ):
        value = "\n".join(text_of(part.get("text"), column) for part in value)
    if isinstance(value, list | dict):
        raise BadRow("data.value_not_text", column=column, found="list" if isinstance(value, list) else "object")
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadRow("data.row_undecodable", column=column) from error
    return text


def parsed(value: Any) -> Any:
    """A value that may be JSON inside a cell of a spreadsheet, as what it holds.

    >>> parsed('[["q", "a"]]'), parsed("[客户] 你好")
    ([['q', 'a']], '[客户] 你好')
    """
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def turns_of_messages(value: Any, column: str) -> list[Turn]:
    """Turns of a list of messages, `{"role", "content"}` or `{"from", "value"}`; other keys are ignored.

    Raises:
        BadRow: no list (code `data.messages_not_list`), an entry that is no message (`data.message_unreadable`), or a
            role that we don't know (`data.role_unknown`).
    """
    messages = parsed(value)
    if not isinstance(messages, list):
        raise BadRow("data.messages_not_list", column=column, found=type(messages).__name__)
    return [turn_of_message(message, column, position) for position, message in enumerate(messages, start=1)]


def turn_of_message(message: Any, column: str, position: int = 1) -> Turn:
    """One message of a list as a turn."""
    key = next((key for key in _ROLE_KEYS if key in message), None) if isinstance(message, dict) else None
    if key is None:
        raise BadRow("data.message_unreadable", column=column, position=position)
    name = str(message[key])
    role = ROLES.get(name.strip().lower())
    if role is None:
        raise BadRow("data.role_unknown", role=name[:40], known=", ".join(get_args(Role)))
    said = text_of(next((message[key] for key in _CONTENT_KEYS if key in message), None), column)
    calls = _calls_of(message, said, name, column)
    if calls is None:
        return role, said
    said = "" if name.strip().lower() in _CALLING else said
    return role, "\n".join(part for part in (said, call_text(calls)) if part)


def _calls_of(message: Mapping[str, Any], said: str, name: str, column: str) -> list[ToolCall] | None:
    """The calls of tools in a message: OpenAI's `tool_calls` or `function_call`, or the JSON of a role that calls."""
    found = message.get("tool_calls") or message.get("function_call")
    if not found and name.strip().lower() in _CALLING:
        found = parsed(said)
    if not found or isinstance(found, str):
        return None  # a call that is no JSON stays the text that it is
    return [_call_of(entry, column) for entry in (found if isinstance(found, list) else [found])]


def _call_of(entry: Any, column: str) -> ToolCall:
    inner = entry.get("function", entry) if isinstance(entry, dict) else entry
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        raise BadRow("data.tool_call_unreadable", column=column)
    arguments = inner.get("arguments", inner.get("parameters", {}))
    call = ToolCall(inner["name"], parsed(arguments) if arguments else {})
    text_of(json.dumps(call.arguments, ensure_ascii=False, default=str), column)  # lone surrogates
    return call


def turns_of_tools(value: Any, column: str) -> list[Turn]:
    """Descriptions of tools as a part of the system message; nothing where there are none.

    Raises:
        BadRow: they are no list of objects (code `data.tools_unreadable`).
    """
    tools = parsed(value)
    if not tools:
        return []
    tools = [tools] if isinstance(tools, dict) else tools
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise BadRow("data.tools_unreadable", column=column)
    return [("system", text_of(tools_text(tools), column))]


def turns_of_history(value: Any, column: str) -> list[Turn]:
    """Turns that came before: pairs of question and answer, messages, or lines that start with `[客户]` or `[律师]`.

    Raises:
        BadRow: it is none of these (code `data.history_unreadable`).

    >>> turns_of_history([["q", "a"]], "history")
    [('user', 'q'), ('assistant', 'a')]
    >>> turns_of_history(["[客户] 你好", "[律师] 您好"], "history")
    [('user', '你好'), ('assistant', '您好')]
    """
    history = parsed(value)
    if history is None or history == "" or history == []:
        return []
    if not isinstance(history, list):
        raise BadRow("data.history_unreadable", column=column)
    if all(isinstance(entry, dict) for entry in history):
        return turns_of_messages(history, column)
    if all(isinstance(entry, list) and len(entry) == 2 for entry in history):
        return [turn for question, answer in history for turn in _pair(question, answer, column)]
    if all(isinstance(entry, str) for entry in history):
        return [_turn_of_line(line, position) for position, line in enumerate(history)]
    raise BadRow("data.history_unreadable", column=column)


def first_text(fields: Mapping[str, Any], names: Sequence[str]) -> str:
    """The texts of some fields, the empty ones left out, one below the other.

    >>> first_text({"instruction": "Translate", "input": "cat"}, ["instruction", "input"])
    'Translate\\ncat'
    """
    texts = [text_of(fields.get(name), name) for name in names]
    return "\n".join(text for text in texts if text.strip())


def _pair(question: Any, answer: Any, column: str) -> list[Turn]:
    return [("user", text_of(question, column)), ("assistant", text_of(answer, column))]


def _turn_of_line(line: str, position: int) -> Turn:
    """A line with or without a speaker's name before it; without one, user and assistant take turns."""
    match = _PREFIX.match(line)
    if match is None:
        return ("user", "assistant")[position % 2], text_of(line, "history")
    role = ROLES.get(match.group(1).lower(), "assistant")
    return role, text_of(line[match.end() :], "history")

"""What a chat template writes around the contents, as text: a Jinja template rendered with sentinels, cut at them.

Knows nothing of tokens. `template.py` turns the pieces into ids.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerBase

from tuneloop.core.errors import IncompatibleError

PLAIN_TEMPLATE = (
    "{{ bos_token or '' }}"
    "{% for message in messages %}"
    "{{ (message['role'] | capitalize) + ':\\n' + message['content'] }}"
    "{{ (eos_token if message['role'] == 'assistant' else '') + '\\n\\n' }}"
    "{% endfor %}"
    "{{ 'Assistant:\\n' if add_generation_prompt else '' }}"
)
"""For base models that have no template of their own. A newline, not a space, stands before the content: so it is cut
into the same tokens as running text."""

FIXED_DATE = "{%- macro strftime_now(form) -%}26 Jul 2024{%- endmacro %}{{ '' }}"
"""Stands before templates that print today's date (Llama 3.2): training and serving must see the same text."""

Roles = tuple[str, ...]
_SENTINEL = re.compile("\ue000(\\d+)\ue001")


class Layout(NamedTuple):
    """A pattern of roles as text: `pieces[0]`, content of message `slots[0]`, `pieces[1]`, … , `pieces[-1]`."""

    pieces: tuple[str, ...]
    slots: tuple[int, ...]


class TemplateText:
    """The structure of one tokenizer's chat template, or of the plain one where it has none.

    Args:
        tokenizer: whose template, and whose names of special tokens.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        jinja: str = tokenizer.get_chat_template() if tokenizer.chat_template else PLAIN_TEMPLATE
        prints_date = "strftime_now" in jinja and not jinja.startswith(FIXED_DATE)
        self.jinja = FIXED_DATE + jinja if prints_date else jinja
        self.is_plain = self.jinja == PLAIN_TEMPLATE
        self.trimmed = self._find_trimmed()
        """Roles whose content the template trims."""
        self.default_system = self._find_default_system()
        """What the template says as the system when the conversation has no system message; never used."""

    def layout(self, roles: Roles, generation: bool) -> Layout:
        """Lay out a conversation; with `generation`, up to the opening of the assistant's next turn.

        Raises:
            IncompatibleError: the template refuses these roles or their order (code `models.template_roles`), or
                leaves a message out (`models.template_drops`).
        """
        layout = self._layout(roles, generation)
        dropped = set(range(len(roles))).difference(layout.slots)
        if dropped:
            raise IncompatibleError("models.template_drops", roles=" → ".join(roles), dropped=roles[min(dropped)])
        return layout

    def _layout(self, roles: Roles, generation: bool) -> Layout:
        if generation and self._render(roles, True) == self._render(roles, False):
            # The template does not know `add_generation_prompt`: the opening is what stands before an assistant turn.
            whole = self._layout((*roles, "assistant"), False)
            last = whole.slots.index(len(roles))
            return Layout(whole.pieces[: last + 1], whole.slots[:last])
        if self.default_system and roles[:1] != ("system",):
            block, opening = self._system_block()
            text = self._render(("system", *roles), generation)
            if text.startswith(block):
                return _cut(opening + text.removeprefix(block), shift=1)
        return _cut(self._render(roles, generation))

    def without_default_system(self) -> str:
        """The Jinja template without its default system text, for tools that render it themselves.

        Where the text does not stand literally in the template, the template is returned as it is.
        """
        if not self.default_system:
            return self.jinja
        block, opening = self._system_block()
        literal = block.removeprefix(opening).replace(_sentinel(0), self.default_system)
        for written in (literal, literal.replace("\n", "\\n")):
            shorter = self.jinja.replace(written, "")
            if shorter != self.jinja:
                return shorter
        return self.jinja

    # ---- rendering ---------------------------------------------------------------------------------------------------

    def _render(self, roles: Roles, generation: bool, content: Callable[[int], str] | None = None) -> str:
        content = content or _sentinel
        messages = [{"role": role, "content": content(place)} for place, role in enumerate(roles)]
        try:
            text: Any = self._tokenizer.apply_chat_template(
                messages,
                chat_template=self.jinja,
                tokenize=False,
                add_generation_prompt=generation,
                enable_thinking=False,
            )
        except (TemplateError, TypeError, ValueError, KeyError, IndexError) as error:
            raise IncompatibleError("models.template_roles", roles=" → ".join(roles), problem=str(error)) from error
        return str(text)

    def _find_trimmed(self) -> frozenset[str]:
        for roles in (("system", "user", "assistant"), ("user", "assistant")):
            try:
                text = self._render(roles, False, lambda place: f" {_sentinel(place)} ")
            except IncompatibleError:  # a template without a system message
                continue
            return frozenset(role for place, role in enumerate(roles) if f" {_sentinel(place)} " not in text)
        return frozenset()

    def _find_default_system(self) -> str:
        try:
            bare, told = self._render(("user",), False), self._render(("system", "user"), False)
            self._system_block()
        except (IncompatibleError, ValueError):
            return ""
        head = bare.split(_sentinel(0))[0]
        before, _, rest = told.partition(_sentinel(0))
        after = rest.split(_sentinel(1))[0]
        if not (head.startswith(before) and head.endswith(after) and len(head) > len(before) + len(after)):
            return ""
        return head[len(before) : len(head) - len(after)]

    def _system_block(self) -> tuple[str, str]:
        """The whole system turn with a sentinel as its content, and what of it stands before every conversation."""
        block = self._render(("system",), False)
        if block.count(_sentinel(0)) != 1:
            raise ValueError(block)
        start = str(self._tokenizer.bos_token or "")
        rest = self._render(("system", "user"), False).removeprefix(block)
        # A start token that opens the next turn as well (SmolLM2's <|im_start|>) belongs to the turn, not to the text.
        return block, start if block.startswith(start) and not rest.startswith(start) else ""


def _sentinel(place: int) -> str:
    return f"\ue000{place}\ue001"


def _cut(text: str, shift: int = 0) -> Layout:
    """Cut a rendered text at its sentinels.

    >>> _cut("<user>\ue0000\ue001<end>")
    Layout(pieces=('<user>', '<end>'), slots=(0,))
    """
    parts: Sequence[str] = _SENTINEL.split(text)
    return Layout(tuple(parts[0::2]), tuple(int(place) - shift for place in parts[1::2]))

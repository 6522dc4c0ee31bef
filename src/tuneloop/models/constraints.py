"""Constraints on what may be generated: from the tokens so far to the tokens that may come next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tuneloop.core.records import Message
from tuneloop.models.template import ChatTemplate

Allowed = Callable[[tuple[int, ...]], Sequence[int]]
"""From the ids that were generated so far to the ids that may come next (never none): `Request.constraint`."""

_Node = dict[int, "_Node"]


def answer_ids(template: ChatTemplate, text: str) -> tuple[int, ...]:
    """The tokens of an answer as the model would say it: its content and the token that ends the turn."""
    question = Message(role="user", content="?")
    prompt = template.prompt([question])
    whole = template.render([question, Message(role="assistant", content=text)]).ids[len(prompt) :]
    end = next((place + 1 for place, token in enumerate(whole) if token in template.stop_ids), len(whole))
    return whole[:end]


def one_of(answers: Sequence[Sequence[int]]) -> Allowed:
    """Allow exactly these answers, as a trie: after what was said, only what continues one of them.

    Args:
        answers: token ids, each with the token that ends the turn (`answer_ids`), so that a label may begin another one.

    Raises:
        ValueError: there are none, or one is empty.

    >>> allowed = one_of([(5, 6, 0), (5, 7, 0)])
    >>> list(allowed(())), list(allowed((5,))), list(allowed((5, 7)))
    ([5], [6, 7], [0])
    """
    if not answers or not all(answers):
        raise ValueError("every allowed answer needs at least one token")
    root: _Node = {}
    for answer in answers:
        node = root
        for token in answer:
            node = node.setdefault(token, {})
    ends = tuple(sorted({answer[-1] for answer in answers}))

    def allowed(said: tuple[int, ...]) -> Sequence[int]:
        node = root
        for token in said:
            if token not in node:
                return ends
            node = node[token]
        return tuple(sorted(node)) or ends

    return allowed

"""The one renderer of conversations: training, evaluation and serving all get their tokens here.

Structure and content never meet as text. The tokenizer's own Jinja template is rendered once for each pattern of roles,
with a sentinel in place of every content, and cut at the sentinels (`structure.py`). What stands between them is
tokenised with control tokens; what people wrote is tokenised without: `<|im_end|>` in a question stays a few harmless
characters. As a pattern's structure is kept, thousands of conversations cost one batch of plain text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase

from tuneloop.core.errors import IncompatibleError
from tuneloop.core.hashing import hash_value
from tuneloop.core.records import Message
from tuneloop.models.structure import Roles, TemplateText

_FORMAT = 1
_PROBES: tuple[Roles, ...] = (
    ("user",),
    ("user", "assistant"),
    ("system", "user", "assistant"),
    ("user", "assistant", "user", "assistant"),
    ("system", "user", "assistant", "user", "assistant"),
)
"""The patterns whose tokens identify a template."""


class Tokens(NamedTuple):
    """A conversation as the model sees it."""

    ids: tuple[int, ...]
    supervised: tuple[bool, ...]
    """True where the token is the model's to say: the content of every assistant turn, and its stop token."""


class Structure(NamedTuple):
    """The fixed tokens of a pattern of roles: `pieces[0]`, content of message `slots[0]`, `pieces[1]`, …"""

    pieces: tuple[tuple[int, ...], ...]
    slots: tuple[int, ...]


class ChatTemplate:
    """Turns messages into tokens, and tokens into answers, for one tokenizer.

    Args:
        tokenizer: with a chat template of its own, or without (then a plain one stands in).

    Raises:
        IncompatibleError: no token ends the assistant's turn (code `models.no_stop_token`), or the template refuses
            even one question and its answer (`models.template_roles`).
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self.text = TemplateText(tokenizer)
        self._structure = lru_cache(maxsize=4096)(self._build_structure)
        self._anchor = self._find_anchor()
        special = {int(token) for token, added in tokenizer.added_tokens_decoder.items() if added.special}
        special |= set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
        self.stop_ids: tuple[int, ...] = self._find_stop_ids(special)
        self._control = frozenset(special | set(self.stop_ids) | self._structural_ids())
        self.sha256: str = self._hash()

    # ---- what everyone uses ------------------------------------------------------------------------------------------

    def render(self, messages: Sequence[Message]) -> Tokens:
        """Return the whole conversation; its ids start with `prompt(messages[:-1])`.

        Raises:
            IncompatibleError: the template refuses these roles or their order (code `models.template_roles`).
        """
        return self.render_many([messages])[0]

    def render_many(self, conversations: Iterable[Sequence[Message]]) -> list[Tokens]:
        """Render many conversations; their contents are tokenised in one batch."""
        rows = [tuple(messages) for messages in conversations]
        return [self._assemble(_roles(row), contents) for row, contents in self._with_contents(rows)]

    def prompt(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """Return the tokens up to and including the opening of the assistant's turn.

        Raises:
            IncompatibleError: the template refuses these roles or their order (code `models.template_roles`).
        """
        return self.prompt_many([messages])[0]

    def prompt_many(self, conversations: Iterable[Sequence[Message]]) -> list[tuple[int, ...]]:
        """Return `prompt` of many conversations; their contents are tokenised in one batch."""
        rows = [tuple(messages) for messages in conversations]
        return [
            tuple(_fill(self._structure(_roles(row), True), contents).ids)
            for row, contents in self._with_contents(rows)
        ]

    def plain(self, content: str) -> tuple[int, ...]:
        """Return a text's tokens without any template; no control token comes out, whatever stands in it."""
        return tuple(self._encode_contents([content])[0])

    def decode(self, ids: Sequence[int]) -> str:
        """Return an answer's text: what stands before the first stop token, without control tokens."""
        end = next((place for place, token in enumerate(ids) if token in self.stop_ids), len(ids))
        text = self._tokenizer.decode(list(ids[:end]), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text)

    # ---- structure ---------------------------------------------------------------------------------------------------

    def _assemble(self, roles: Roles, contents: list[list[int]]) -> Tokens:
        spoken = tuple(role == "assistant" for role in roles)
        whole = self._structure(roles, False)
        if not roles or not spoken[-1]:
            return _fill(whole, contents, spoken, self.stop_ids)
        # The prompt is the truth: what a template writes around a finished last turn only (an empty thinking block,
        # say) would otherwise be there in training and not in serving, or the other way round.
        opening = _fill(self._structure(roles[:-1], True), contents, spoken, self.stop_ids)
        closing = Structure(((), whole.pieces[-1]), (len(roles) - 1,))
        answer = _fill(closing, contents, spoken, self.stop_ids)
        return Tokens(opening.ids + answer.ids, opening.supervised + answer.supervised)

    def _build_structure(self, roles: Roles, generation: bool) -> Structure:
        layout = self.text.layout(roles, generation)
        return Structure(
            tuple(self._encode_structure(piece, first=place == 0) for place, piece in enumerate(layout.pieces)),
            layout.slots,
        )

    def _encode_structure(self, piece: str, first: bool) -> tuple[int, ...]:
        if not piece:
            return ()
        if first or not self._anchor:
            return tuple(self._tokenizer.encode(piece, add_special_tokens=False))
        return self._unanchored(tuple(self._tokenizer.encode("\n" + piece, add_special_tokens=False)))

    def _find_stop_ids(self, special: set[int]) -> tuple[int, ...]:
        """The token that ends an assistant turn in the template, then the tokenizer's own end of text."""
        closing = self._structure(("user", "assistant"), False).pieces[-1]
        known = special | {int(token) for token in self._tokenizer.added_tokens_decoder}
        stop = next((token for token in closing if token in known), None)
        if stop is None:
            raise IncompatibleError("models.no_stop_token", closing=self._tokenizer.decode(list(closing)))
        eos = self._tokenizer.eos_token_id
        return (stop,) if eos is None or eos == stop else (stop, int(eos))

    def _structural_ids(self) -> set[int]:
        """Added tokens that the template itself writes: control tokens, even where the tokenizer does not say so.

        Not those of white space alone: Gemma adds a token for each run of newlines, which people write as well.
        """
        added = {int(token) for token, text in self._tokenizer.added_tokens_decoder.items() if text.content.strip()}
        pieces = chain.from_iterable(self._probe(roles) for roles in _PROBES)
        return added & set(chain.from_iterable(pieces))

    def _probe(self, roles: Roles) -> list[tuple[int, ...]]:
        """The tokens of a pattern and of its prompt; nothing where the template refuses the pattern."""
        try:
            return [piece for generation in (False, True) for piece in self._structure(roles, generation).pieces]
        except IncompatibleError:
            return []

    def _hash(self) -> str:
        tokens = {str(self._tokenizer.convert_ids_to_tokens(token)): token for token in self._control}
        return hash_value(
            {
                "format": _FORMAT,
                "probes": [self._probe(roles) for roles in _PROBES],
                "stop": self.stop_ids,
                "control": tokens,
                "trimmed": sorted(self.text.trimmed),
            }
        )

    # ---- content -----------------------------------------------------------------------------------------------------

    def _with_contents(self, rows: Sequence[Sequence[Message]]) -> Iterable[tuple[Sequence[Message], list[list[int]]]]:
        trimmed = self.text.trimmed
        texts = [m.content.strip() if m.role in trimmed else m.content for row in rows for m in row]
        encoded = iter(self._encode_contents(texts))
        return [(row, [next(encoded) for _ in row]) for row in rows]

    def _encode_contents(self, texts: list[str]) -> list[list[int]]:
        """Tokenise what people wrote; no control token comes out, whatever they wrote."""
        return [
            ids if self._control.isdisjoint(ids) else self._encode_in_pieces(text)
            for text, ids in zip(texts, self._encode_plain(texts), strict=True)
        ]

    def _encode_plain(self, texts: list[str]) -> list[list[int]]:
        if not texts:
            return []
        anchored = [f"\n{text}" for text in texts] if self._anchor else texts
        batch = self._tokenizer(
            anchored,
            add_special_tokens=False,
            split_special_tokens=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )["input_ids"]
        return [list(self._unanchored(tuple(ids))) if self._anchor else list(ids) for ids in batch]

    def _encode_in_pieces(self, text: str) -> list[int]:
        """Tokenise a text that the tokenizer insists on reading as control tokens: character by character."""
        ids = list(chain.from_iterable(self._encode_plain(list(text))))
        return [token for token in ids if token not in self._control]

    def _find_anchor(self) -> tuple[int, ...]:
        """Tokens of a newline, for tokenizers that put a space before the first word of every text (SentencePiece).

        A piece from the middle of a conversation must not get that space: it is tokenised after a newline, which is
        then taken away. Empty for all other tokenizers.
        """
        plain, after_newline, newline = (
            tuple(self._tokenizer.encode(text, add_special_tokens=False)) for text in ("a", "\na", "\n")
        )
        return () if plain == after_newline[len(newline) :] else newline

    def _unanchored(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        return ids[len(self._anchor) :] if ids[: len(self._anchor)] == self._anchor else ids


def _roles(messages: Sequence[Message]) -> Roles:
    return tuple(message.role for message in messages)


def _fill(
    structure: Structure, contents: Sequence[Sequence[int]], spoken: Sequence[bool] = (), stop_ids: Sequence[int] = ()
) -> Tokens:
    """Put contents into their slots.

    Args:
        structure: the fixed tokens.
        contents: tokens of each message.
        spoken: for each message, whether the model says it; then its content and its stop token are supervised.
        stop_ids: tokens that end a turn.
    """
    ids: list[int] = list(structure.pieces[0])
    supervised = [False] * len(ids)
    for slot, piece in zip(structure.slots, structure.pieces[1:], strict=True):
        says = bool(spoken) and spoken[slot]
        end = next((place + 1 for place, token in enumerate(piece) if token in stop_ids), 0) if says else 0
        ids += [*contents[slot], *piece]
        supervised += [says] * (len(contents[slot]) + end) + [False] * (len(piece) - end)
    return Tokens(tuple(ids), tuple(supervised))

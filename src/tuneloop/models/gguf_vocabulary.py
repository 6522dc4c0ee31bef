"""A tokenizer as a GGUF file holds it: tokens, their kinds, merges or scores, and how text is divided before the merges."""

from __future__ import annotations

import json
import re
from typing import Any

import gguf
from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

from tuneloop.core.errors import IncompatibleError
from tuneloop.models.loaded import LoadedModel

SPLITS = ("llama-bpe", "qwen2")
"""Ways to divide text that a file can name, and transformers reads back."""
_BYTE = re.compile(r"^<0x[0-9A-F]{2}>$")


def add_vocabulary(writer: gguf.GGUFWriter, loaded: LoadedModel, *, rows: int) -> None:
    """Write the tokenizer and its chat template.

    Args:
        writer: of the file.
        loaded: whose tokenizer.
        rows: of the embedding; where there are more than tokens, unused ones fill up.

    Raises:
        IncompatibleError: the file format can't express this tokenizer (code `models.gguf_tokenizer`).
    """
    tokenizer = loaded.tokenizer
    backend: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    model = backend["model"]
    if model["type"] != "BPE":
        raise IncompatibleError("models.gguf_tokenizer", found=model["type"])
    added = {token["id"]: token for token in backend["added_tokens"]}
    texts = {index: text for text, index in model["vocab"].items()}
    texts |= {index: token["content"] for index, token in added.items()}
    pieces = bool(model.get("byte_fallback"))
    kinds = [_kind(texts.get(index), added.get(index), pieces=pieces) for index in range(rows)]
    tokens = [texts.get(index, f"[PAD{index}]") for index in range(rows)]
    if pieces:
        _add_pieces(writer, tokens, kinds)
    else:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(_division(backend))
        writer.add_token_list(tokens)
        writer.add_token_types(kinds)
        merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
        if merges:
            writer.add_token_merges(merges)
        else:
            writer.add_token_scores([0.0] * rows)  # the format has no empty list; readers want one of the two
    _add_special(writer, loaded)


def _kind(text: str | None, added: dict[str, Any] | None, *, pieces: bool) -> gguf.TokenType:
    if text is None:
        return gguf.TokenType.UNUSED
    if added is not None:
        return gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
    return gguf.TokenType.BYTE if pieces and _BYTE.match(text) else gguf.TokenType.NORMAL


def _add_pieces(writer: gguf.GGUFWriter, tokens: list[str], kinds: list[gguf.TokenType]) -> None:
    """SentencePiece: no merges; a token's score is its place in the order of merging."""
    order = iter(range(len(tokens)))
    scores = {gguf.TokenType.NORMAL: lambda: -float(next(order)), gguf.TokenType.BYTE: lambda: 0.0}
    defined = gguf.TokenType.USER_DEFINED
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([t.replace("▁", " ") if k is defined else t for t, k in zip(tokens, kinds, strict=True)])
    writer.add_token_scores([scores.get(kind, lambda: -1000.0)() for kind in kinds])
    writer.add_token_types(kinds)
    writer.add_add_space_prefix(False)


def _division(backend: dict[str, Any]) -> str:
    """Name the way text is divided before the merges.

    Raises:
        IncompatibleError: no name is known for it (code `models.gguf_tokenizer`).
    """
    if not backend["model"]["merges"]:
        return "gpt-2"  # every byte stays alone, wherever the text is cut
    found = backend["pre_tokenizer"] or {}
    steps = found.get("pretokenizers", [found])
    kinds = [step.get("type") for step in steps]
    if kinds == ["Split", "ByteLevel"]:
        pattern = steps[0]["pattern"].get("Regex")
        for name in SPLITS:
            if GGUF_PRE_TOKENIZER_SPLITS[name] == pattern:
                return name
    if kinds == ["Digits", "ByteLevel"] and steps[0]["individual_digits"] and steps[1]["use_regex"]:
        return "smollm"
    if kinds == ["ByteLevel"] and steps[0]["use_regex"]:
        return "gpt-2"
    raise IncompatibleError("models.gguf_tokenizer", found=", ".join(map(str, kinds)))


def _add_special(writer: gguf.GGUFWriter, loaded: LoadedModel) -> None:
    tokenizer = loaded.tokenizer
    for token, add in (
        (tokenizer.bos_token_id, writer.add_bos_token_id),
        (tokenizer.eos_token_id, writer.add_eos_token_id),
        (tokenizer.unk_token_id, writer.add_unk_token_id),
        (tokenizer.pad_token_id, writer.add_pad_token_id),
    ):
        if token is not None:
            add(token)
    stop = loaded.template.stop_ids[0]
    if stop != tokenizer.eos_token_id:
        writer.add_eot_token_id(stop)
    started = tokenizer.bos_token_id is not None and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]
    writer.add_add_bos_token(started)
    writer.add_add_eos_token(False)
    writer.add_chat_template(str(tokenizer.chat_template))

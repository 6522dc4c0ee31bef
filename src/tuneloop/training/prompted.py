"""Prompt and prefix tuning on the packed path: V places before every sample of the packed row.

With S samples the decoder sees T + S·V tokens. The places hold token 0. For a prompt its embedding is replaced on its way
into the decoder, behind the noise that NEFTune may add to the others; for a prefix the keys and values that attention sees
there are replaced in every layer, and whatever else is computed at these places reaches no sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from peft import PeftModel, PeftType
from torch import Tensor

from tuneloop.adapters.prefix import keys_and_values
from tuneloop.adapters.prompt import trained_rows
from tuneloop.kernels.attention import segments
from tuneloop.training.batches import Batch


@dataclass(frozen=True, slots=True)
class Prefix:
    """Trained keys and values, and where they stand in a packed row."""

    places: Tensor
    """int64 [S·V]."""
    pairs: Tensor
    """[layers, 2, V, K, D]."""

    def put(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a layer, [T, K, D] each, with the trained ones in their places."""
        samples = len(self.places) // self.pairs.shape[2]
        own_key, own_value = (pair.to(key.dtype).repeat(samples, 1, 1) for pair in self.pairs[layer])
        return key.index_copy(0, self.places, own_key), value.index_copy(0, self.places, own_value)


def has_prompt(model: PeftModel) -> bool:
    """Whether what is trained stands before the samples, not in the layers."""
    return bool(model.active_peft_config.is_prompt_learning)


def hidden_behind_prompt(model: PeftModel, batch: Batch) -> Tensor:
    """The decoder's last hidden state of the samples' own T tokens, [T, d]."""
    base, count = model.get_base_model(), len(trained_rows(model))
    device, tokens = batch.ids.device, batch.ids.shape[1]
    is_first = batch.positions[0] == 0  # [T]
    starts = is_first.nonzero()[:, 0].tolist()
    lengths = [end - start + count for start, end in pairwise([*starts, tokens])]
    own = torch.arange(tokens, device=device) + count * is_first.cumsum(0)  # [T]: where each token stands now
    is_place = torch.ones(tokens + count * len(starts), dtype=torch.bool, device=device)
    is_place[own] = False
    places = is_place.nonzero()[:, 0]
    ids = batch.ids.new_zeros(1, len(is_place))
    ids[0, own] = batch.ids[0]
    more: dict[str, Any] = {}
    if model.active_peft_config.peft_type == PeftType.PREFIX_TUNING:
        more["prefix"] = Prefix(places, keys_and_values(model).transpose(2, 3))
    with _embedded(model, places, has_prefix=bool(more)):
        out = base.get_decoder()(
            input_ids=ids,
            position_ids=torch.cat([torch.arange(length, device=device) for length in lengths])[None],
            use_cache=False,
            segments=segments(lengths, device),
            **more,
        )
    hidden: Tensor = out.last_hidden_state[0]
    return hidden.index_select(0, own)


@contextmanager
def _embedded(model: PeftModel, places: Tensor, *, has_prefix: bool) -> Iterator[None]:
    """Within the block, a prompt's embeddings come out of the model's own at the places; a prefix needs none."""
    if has_prefix:
        yield
        return
    prompt = trained_rows(model)

    def fill(module: Any, args: Any, embedded: Tensor) -> Tensor:
        rows = prompt.to(embedded.dtype).repeat(len(places) // len(prompt), 1)  # [S·V, d]
        return embedded.index_copy(1, places, rows[None])

    hook = model.get_base_model().get_input_embeddings().register_forward_hook(fill)
    try:
        yield
    finally:
        hook.remove()

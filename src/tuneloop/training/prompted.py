"""Prompt tuning on the packed path: every sample of the packed row is preceded by the trained prompt."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor

from tuneloop.adapters.prompt import prompt_of
from tuneloop.kernels.attention import segments
from tuneloop.training.batches import Batch


def has_prompt(model: PeftModel) -> bool:
    """Whether what is trained stands before the samples, not in the layers."""
    return bool(model.active_peft_config.is_prompt_learning)


def hidden_behind_prompt(model: PeftModel, batch: Batch) -> Tensor:
    """The decoder's last hidden state of the samples' own T tokens, [T, d].

    With V prompt tokens and S samples the decoder sees T + S·V tokens. The prompt's places hold token 0, whose embedding
    is replaced on its way into the decoder, behind the noise that NEFTune may add to the others.
    """
    base, prompt = model.get_base_model(), prompt_of(model)
    device, count, tokens = batch.ids.device, len(prompt), batch.ids.shape[1]
    starts = (batch.positions[0] == 0).nonzero()[:, 0].tolist()
    lengths = [end - start + count for start, end in pairwise([*starts, tokens])]
    sample = (batch.positions[0] == 0).cumsum(0)  # [T], from 1
    own = torch.arange(tokens, device=device) + count * sample
    is_prompt = torch.ones(tokens + count * len(starts), dtype=torch.bool, device=device)
    is_prompt[own] = False
    places = is_prompt.nonzero()[:, 0]
    ids = batch.ids.new_zeros(1, len(is_prompt))
    ids[0, own] = batch.ids[0]

    def fill(module: Any, args: Any, embedded: Tensor) -> Tensor:
        rows = prompt.to(embedded.dtype).repeat(len(starts), 1)  # [S·V, d]
        return embedded.index_copy(1, places, rows[None])

    hook = base.get_input_embeddings().register_forward_hook(fill)
    try:
        hidden = (
            base.get_decoder()(
                input_ids=ids,
                position_ids=torch.cat([torch.arange(length, device=device) for length in lengths])[None],
                use_cache=False,
                segments=segments(lengths, device),
            )
        ).last_hidden_state[0]
    finally:
        hook.remove()
    return hidden.index_select(0, own)  # type: ignore[no-any-return]

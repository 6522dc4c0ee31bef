"""The engine: token ids in, token ids or log-probabilities out. It knows nothing of text and nothing of HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
from transformers import DynamicCache, PreTrainedModel

from tuneloop.engine.request import Completion, FinishReason, Request


class Engine:
    """Generates and scores with a model and merged copies of it.

    Args:
        model: the base model.
        adapters: merged models by adapter name.
        batch_size: requests that are generated together.
    """

    def __init__(
        self, model: PreTrainedModel, *, adapters: Mapping[str, PreTrainedModel] | None = None, batch_size: int = 32
    ) -> None:
        self._model = model
        self._adapters = dict(adapters or {})
        self._batch_size = batch_size

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion]:
        for request in requests:
            start = time.perf_counter()
            ids: list[int] = []
            first = 0.0
            reason: FinishReason = "length"
            for token in self._tokens(request):
                first = first or time.perf_counter() - start
                if token in request.stop_ids:
                    reason = "stop"
                    break
                ids.append(token)
            yield Completion(request, tuple(ids), reason, first, time.perf_counter() - start)

    def stream(self, request: Request) -> Iterator[int]:
        for token in self._tokens(request):
            if token in request.stop_ids:
                return
            yield token

    def score(self, prompt_ids: Sequence[int], continuations: Sequence[Sequence[int]]) -> list[list[float]]:
        scores = []
        for continuation in continuations:
            with torch.inference_mode():
                ids = torch.tensor([[*prompt_ids, *continuation]])
                logits = self._model(input_ids=ids).logits[0, len(prompt_ids) - 1 : -1].float()
                logp = logits.log_softmax(-1)
                scores.append([float(logp[i, token]) for i, token in enumerate(continuation)])
        return scores

    def _tokens(self, request: Request) -> Iterator[int]:
        model = self._model if request.adapter is None else self._adapters[request.adapter]
        cache = DynamicCache()
        ids = torch.tensor([request.ids])
        done: list[int] = []
        while len(done) < request.sampling.max_new_tokens:
            with torch.inference_mode():
                logits = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[0, -1]
            if request.constraint is not None:
                allowed = torch.tensor(list(request.constraint(tuple(done))))
                token = int(allowed[logits[allowed].argmax()])
            else:
                token = int(logits.argmax())
            done.append(token)
            yield token
            ids = torch.tensor([[token]])

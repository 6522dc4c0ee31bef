"""Adapters that share a batch: each row gets its own, and an error leaves nothing behind."""

import copy
import random
import threading

import pytest
import torch

from tuneloop.adapters.low_rank import LowRank
from tuneloop.core.errors import IncompatibleError, NotFoundError, ResourceError
from tuneloop.engine import lora
from tuneloop.engine.engine import Engine
from tuneloop.engine.families import read_weights
from tuneloop.engine.lora import make_adapter, restack
from tuneloop.engine.request import Request, Sampling, ScoreRequest

ALL = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def updates_for(model, seed: int, targets=ALL, size: float = 0.15) -> dict[str, LowRank]:
    random = torch.Generator().manual_seed(seed)
    rank = 2 + seed % 3
    return {
        name: LowRank(
            torch.randn(rank, module.in_features, generator=random),
            torch.randn(module.out_features, rank, generator=random),
            size / rank,
        )
        for name, module in model.named_modules()
        if name.endswith(targets)
    }


def merged(model, updates):
    model = copy.deepcopy(model)
    for path, update in updates.items():
        model.get_submodule(path).weight += update.delta()
    return model


def family(model) -> dict[str, dict[str, LowRank]]:
    """Adapters of different ranks and targets."""
    return {
        "all": updates_for(model, 1),
        "attention": updates_for(model, 2, ("q_proj", "v_proj")),
        "mlp": updates_for(model, 3, ("gate_proj", "down_proj")),
    }


def asked(names, count: int = 12, most: int = 12) -> list[Request]:
    draw = random.Random(4)
    return [
        Request(
            tuple(draw.randrange(1, 500) for _ in range(draw.randrange(1, 40))),
            draw.choice(names),
            Sampling(max_new_tokens=most),
        )
        for _ in range(count)
    ]


def mixing(model, adapters, **options) -> Engine:
    engine = Engine(model, **options)
    for name, updates in adapters.items():
        engine.load(name, updates, version="v1")
    return engine


def test_each_row_gets_its_own_adapter(lean_model):
    adapters = family(lean_model)
    engine = mixing(lean_model, adapters, batch_size=5, prefill_tokens=24)
    alone = {name: Engine(merged(lean_model, updates)) for name, updates in adapters.items()}
    alone[None] = Engine(lean_model)
    for completion in engine.generate(asked([None, *adapters])):
        request = completion.request
        (expected,) = alone[request.adapter].generate([Request(request.ids, None, request.sampling)])
        assert completion.ids == expected.ids
        assert completion.adapter_version == (None if request.adapter is None else "v1")


def test_scores_of_a_mixed_batch_are_those_of_each_adapter_alone(lean_model):
    adapters = family(lean_model)
    engine = mixing(lean_model, adapters, prefill_tokens=24)
    texts = ((1, 2, 3), (1, 2, 4), (9,))
    requests = [ScoreRequest(r.ids, texts, r.adapter) for r in asked([None, *adapters])]
    for request, scores in zip(requests, engine.score_many(requests), strict=True):
        model = lean_model if request.adapter is None else merged(lean_model, adapters[request.adapter])
        expected = Engine(model).score(request.ids, texts)
        for score, right in zip(scores, expected, strict=True):
            assert score == pytest.approx(right, abs=1e-4, rel=1e-4)


def test_a_merged_adapter_answers_as_the_mixed_one(llama):
    updates = updates_for(llama, 5)
    engine = mixing(llama, {"mixed": updates})
    engine.load_merged("merged", updates, version="v7")
    requests = asked(["mixed"], 4)
    twins = [Request(request.ids, "merged", request.sampling) for request in requests]
    answers = {(c.request.adapter, c.request.ids): c for c in engine.generate([*requests, *twins])}
    for request in requests:
        assert answers["mixed", request.ids].ids == answers["merged", request.ids].ids
    assert answers["merged", requests[0].ids].adapter_version == "v7"
    assert engine.unload("merged")
    with pytest.raises(NotFoundError):
        engine.submit(twins[0])


def test_an_error_in_a_mixed_batch_leaves_nothing_behind(llama, monkeypatch):
    adapters = family(llama)
    engine = mixing(llama, adapters, batch_size=6)
    names = [None, *adapters]
    running = [engine.submit(request) for request in asked(names, 6, most=200)]
    for _ in range(4):
        engine.step()

    def fail(*_):
        raise MemoryError("in the middle of a layer")

    with monkeypatch.context() as patch:
        patch.setattr(lora.MixedUpdates, "add", fail)
        engine.step()
    assert all(isinstance(handle.error, MemoryError) for handle in running)
    with pytest.raises(MemoryError, match="in the middle"):
        running[0].completion()
    later = asked(names, 200, most=3)
    fresh = {c.request: c.ids for c in mixing(llama, adapters, batch_size=6).generate(later)}
    assert {c.request: c.ids for c in engine.generate(later)} == fresh
    assert all(not entry.leases for entry in engine.pool._entries.values())


def test_a_row_s_own_error_is_its_own(llama):
    def broken(before: tuple[int, ...]) -> tuple[int, ...]:
        raise ValueError("no such label")

    engine = Engine(llama)
    good, bad = Request((1, 2, 3)), Request((1, 2, 3), constraint=broken)
    handles = [engine.submit(request) for request in (good, bad, good)]
    while engine.step():
        pass
    with pytest.raises(ValueError, match="no such label"):
        handles[1].completion()
    assert handles[0].completion().ids == handles[2].completion().ids == next(Engine(llama).generate([good])).ids


def test_adapters_are_loaded_on_first_use_and_make_room_for_each_other(llama):
    adapters = {str(seed): updates_for(llama, seed) for seed in range(3, 12, 3)} | family(llama)
    size = make_adapter("x", "v", adapters["3"], read_weights(llama)).bytes
    loaded: list[str] = []

    def find(name: str):
        loaded.append(name)
        return f"{name}@v2", adapters[name]

    engine = Engine(llama, find_adapter=find, adapter_bytes=2 * size + size // 2, batch_size=4)
    requests = asked(list(adapters), 24, most=4)
    for completion in engine.generate(requests):
        request = completion.request
        assert completion.adapter_version == f"{request.adapter}@v2"
        (expected,) = Engine(merged(llama, adapters[request.adapter])).generate(
            [Request(request.ids, None, request.sampling)]
        )
        assert completion.ids == expected.ids
    assert set(loaded) == {request.adapter for request in requests}
    assert engine.pool.bytes <= 2 * size + size // 2
    assert not any(entry.leases for entry in engine.pool._entries.values())


def test_others_do_not_wait_for_an_adapter_that_is_being_loaded(llama):
    gate = threading.Event()

    def find(name: str):
        assert gate.wait(20)
        return "v1", updates_for(llama, 1)

    engine = Engine(llama, find_adapter=find)
    slow = engine.submit(Request((1, 2), "slow", Sampling(max_new_tokens=2)))
    quick = engine.submit(Request((1, 2), None, Sampling(max_new_tokens=2)))
    while not quick.done:
        engine.step()
    assert not slow.done
    gate.set()
    while not slow.done:
        engine.step()
    assert slow.completion().adapter_version == "v1"


def test_a_load_that_fails_is_told_to_who_asked_and_tried_again_later(llama):
    tries = []

    def find(name: str):
        tries.append(name)
        if len(tries) == 1:
            raise OSError("the disk is away")
        return "v1", updates_for(llama, 1)

    engine = Engine(llama, find_adapter=find)
    request = Request((1, 2), "late", Sampling(max_new_tokens=2))
    with pytest.raises(OSError, match="the disk is away"):
        list(engine.generate([request]))
    assert len(next(engine.generate([request])).ids) == 2


def test_a_new_version_does_not_touch_requests_under_way(llama):
    first, second = updates_for(llama, 1), updates_for(llama, 2)
    engine = mixing(llama, {"bank": first})
    request = Request((4, 5, 6), "bank", Sampling(max_new_tokens=10))
    running = engine.submit(request)
    for _ in range(3):
        engine.step()
    engine.load("bank", second, version="v2")
    after = engine.submit(request)
    while engine.step():
        pass
    for handle, updates, version in ((running, first, "v1"), (after, second, "v2")):
        (expected,) = Engine(merged(llama, updates)).generate([Request(request.ids, None, request.sampling)])
        assert handle.completion().ids == expected.ids
        assert handle.completion().adapter_version == version


def test_what_does_not_fit_is_refused(llama, model):
    updates = updates_for(llama, 1)
    path = "model.layers.0.self_attn.q_proj"
    wide = {path: LowRank(torch.zeros(2, 33), torch.zeros(32, 2), 1.0)}
    for wrong in (wide, {"model.layers.9.mlp.up_proj": updates[path]}):
        with pytest.raises(IncompatibleError) as caught:
            Engine(llama).load("wrong", wrong, version="v1")
        assert caught.value.code == "adapters.does_not_fit"
    engine = Engine(llama, adapter_bytes=100)
    with pytest.raises(ResourceError) as full:
        engine.load("large", updates, version="v1")
    assert full.value.code == "adapters.over_budget"
    with pytest.raises(NotFoundError):
        engine.submit(Request((1,), "large"))


def test_an_architecture_that_can_not_mix_says_so(model):
    if type(model).__name__ == "GPT2LMHeadModel":
        with pytest.raises(IncompatibleError) as caught:
            Engine(model).load("x", {}, version="v1")
        assert caught.value.code == "adapters.not_mixed"


def test_a_stack_is_kept_while_it_serves(llama):
    weights = read_weights(llama)
    a, b, c = (make_adapter(name, "v1", updates_for(llama, 1), weights) for name in "abc")
    stack = restack(None, [a, b])
    assert restack(stack, [b]) is stack
    assert restack(stack, [c]).adapters == (c, a, b)
    newer = make_adapter("a", "v2", updates_for(llama, 2), weights)
    assert restack(stack, [newer]).adapters == (newer, b)


@pytest.mark.model
def test_on_the_real_model_a_mixed_batch_is_each_adapter_alone_in_peft(tmp_path):
    from peft import LoraConfig, PeftModel, get_peft_model

    from tuneloop.adapters.low_rank import read_low_rank
    from tuneloop.models.config import ModelConfig
    from tuneloop.models.load import load_model

    model = load_model(ModelConfig(name_or_path="smollm2-135m", dtype="float32")).model
    engine = Engine(model)
    prompts = [tuple(random.Random(n).randrange(1000, 40000) for _ in range(20 + 5 * n)) for n in range(3)]
    for number, targets in enumerate((["q_proj", "v_proj"], "all-linear", ["down_proj", "k_proj"])):
        config = LoraConfig(r=8, lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM", use_rslora=number == 1)
        adapted = get_peft_model(copy.deepcopy(model), config)
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.02)
        adapted.save_pretrained(str(tmp_path / str(number)), save_embedding_layers=False)
        engine.load(str(number), read_low_rank(tmp_path / str(number)), version="1")
    texts = ((500, 600, 700), (500, 601))
    requests = [ScoreRequest(prompt, texts, str(n)) for n, prompt in enumerate(prompts)]
    base = engine.score(prompts[0], texts)
    for request, scores in zip(requests, engine.score_many(requests), strict=True):
        alone = PeftModel.from_pretrained(copy.deepcopy(model), str(tmp_path / str(request.adapter))).eval()
        for text, score in zip(texts, scores, strict=True):
            ids = torch.tensor([[*request.ids, *text]])
            with torch.inference_mode():
                logits = alone(input_ids=ids).logits[0, len(request.ids) - 1 : -1].log_softmax(-1)
            assert score == pytest.approx([float(row[t]) for row, t in zip(logits, text, strict=True)], abs=1e-4)
        assert scores[0] != pytest.approx(base[0], abs=1e-2)

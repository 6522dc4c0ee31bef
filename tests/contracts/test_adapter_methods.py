"""What every adapter method promises, on the tiny model, over `METHODS`; and what the bottleneck needs of the pinned peft."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING, PEFT_TYPE_TO_TUNER_MAPPING
from peft.utils import PeftType
from safetensors.torch import load_file

from tuneloop.adapters.attach import count_parameters
from tuneloop.adapters.bottleneck import BottleneckModel, OwnPeftType
from tuneloop.adapters.config import USUAL, AdapterConfig, Method
from tuneloop.adapters.folder import check_adapter, save_adapter
from tuneloop.adapters.low_rank import read_low_rank
from tuneloop.adapters.merge import adapted, merge
from tuneloop.adapters.methods import METHODS
from tuneloop.adapters.replay import compare_answers, record_answers, teller_of
from tuneloop.core.errors import CorruptError, IncompatibleError, NotFoundError, RecipeError
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import Request, Sampling
from tuneloop.models.load import LoadedModel
from tuneloop.models.tiny import build_tiny
from tuneloop.training.batches import collate
from tuneloop.training.estimate import PARAMETERS
from tuneloop.training.facts import model_facts
from tuneloop.training.fast_path import fast_path, supervised_loss
from tuneloop.training.tokenise import tokenise

IDS = torch.tensor([[1, 2, 3, 4, 5]])
CARD = {
    "name": "c",
    "steps": 1,
    "best_step": 1,
    "validation_loss": "1.0",
    "dataset": "d/1",
    "trained": 10,
    "share": 0.5,
}


def settings_of(method: Method, **given: Any) -> dict[str, Any]:
    """What a plan decides for the tiny model."""
    usual = USUAL[method]
    return {**usual.fields, "target_modules": usual.targets, "r": 4, "lora_alpha": 8.0, "steps": 8, **given}


def attach(method: Method, loaded: LoadedModel, **given: Any) -> PeftModel:
    return METHODS[method].attach(loaded.model, settings_of(method, **given), 3)


def move(model: PeftModel) -> None:
    """Stand in for a training: every trained weight moves a little."""
    generator = torch.Generator().manual_seed(5)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)


def saved(method: Method, loaded: LoadedModel, folder: Path) -> PeftModel:
    model = attach(method, loaded)
    move(model)
    save_adapter(folder, model, loaded, card=CARD, inputs={}, seed=3, method=method)
    return model


@pytest.fixture
def loaded() -> LoadedModel:
    return build_tiny()


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> Method:
    name: Method = request.param
    return name


def test_the_recipe_names_exactly_the_methods_there_are() -> None:
    assert list(METHODS) == list(USUAL) == list(PARAMETERS)


def test_attaching_changes_nothing_and_leaves_the_random_state_alone(method: Method, loaded: LoadedModel) -> None:
    before, state = loaded.model(input_ids=IDS).logits, torch.get_rng_state()
    model = attach(method, loaded)
    assert torch.equal(torch.get_rng_state(), state)
    if not METHODS[method].starts_as_base:
        assert not torch.equal(model(input_ids=IDS).logits[:, -5:], before)
        return
    exact = method != "pissa"  # it moves a part of the weights into other matrices: equal up to rounding
    tolerance = {"rtol": 0.0, "atol": 0.0} if exact else {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(model(input_ids=IDS).logits, before, **tolerance)


def test_detaching_gives_the_base_back_bit_for_bit(method: Method, loaded: LoadedModel) -> None:
    before = {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}
    model = attach(method, loaded)
    move(model)
    METHODS[method].detach(model)
    after = loaded.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_only_the_adapter_gets_gradients_in_float32_and_is_counted(method: Method, loaded: LoadedModel) -> None:
    facts, base = model_facts(loaded), {id(p) for p in loaded.model.parameters()}
    model = attach(method, loaded)
    model(input_ids=IDS, labels=IDS).loss.backward()
    trained = [p for p in model.parameters() if p.requires_grad]
    assert {id(p) for p in model.parameters() if p.grad is not None} == {id(p) for p in trained}
    assert not base & {id(p) for p in trained}
    assert all(p.dtype == torch.float32 for p in trained)
    count, total = count_parameters(model)
    assert 0 < count < total
    assert count == PARAMETERS[method](facts, settings_of(method))


def test_unknown_targets_name_the_modules_there_are(method: Method, loaded: LoadedModel) -> None:
    if not USUAL[method].targets:
        with pytest.raises(RecipeError) as caught:
            AdapterConfig(method=method, target_modules=("no_such_layer",))
        assert caught.value.code == "adapters.field_not_used"
        return
    with pytest.raises(RecipeError, match="mlp" if "reduction_factor" in USUAL[method].fields else "q_proj"):
        attach(method, loaded, target_modules=("no_such_layer",))


def test_a_short_packed_training_lowers_the_loss(method: Method, loaded: LoadedModel) -> None:
    turns = [(Message(role="user", content="1?"), Message(role="assistant", content="It is two."))]
    samples = [Sample(id="s", messages=m, meta=Meta(source="t", row=1)) for m in turns]
    batch = collate(tokenise(samples, loaded.template) * 2, torch.device("cpu"))
    model = attach(method, loaded)
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=0.02)
    losses = []
    with fast_path(model):
        for _ in range(8):
            optimizer.zero_grad()
            loss = supervised_loss(model, batch)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_the_packed_path_is_the_models_own_forward(method: Method, loaded: LoadedModel) -> None:
    samples = [
        Sample(
            id=str(n),
            messages=(Message(role="user", content="?" * n), Message(role="assistant", content="yes" * n)),
            meta=Meta(source="t", row=n),
        )
        for n in (1, 4)
    ]
    examples = tokenise(samples, loaded.template)
    model = attach(method, loaded)
    move(model)
    with fast_path(model):
        ours = supervised_loss(model, collate(examples, torch.device("cpu")))
    plain = torch.tensor(0.0)
    for example in examples:
        ids, keep = torch.tensor([example.ids]), torch.tensor(example.supervised[1:])
        logits = model(input_ids=ids).logits[0, -ids.shape[1] : -1][keep]  # behind a prompt, where there is one
        plain = plain + torch.nn.functional.cross_entropy(logits, ids[0, 1:][keep], reduction="sum")
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-4)


def test_a_saved_adapter_loads_in_plain_peft_and_answers_the_same(
    method: Method, loaded: LoadedModel, tmp_path: Path
) -> None:
    model = saved(method, loaded, tmp_path / "a")
    expected = model(input_ids=IDS).logits
    plain = PeftModel.from_pretrained(build_tiny().model, str(tmp_path / "a"))
    rounding = 1e-4 if method in ("pissa", "adalora") else 0.0  # both leave as a plain LoRA
    torch.testing.assert_close(plain(input_ids=IDS).logits, expected, rtol=rounding, atol=rounding)
    tensors = load_file(tmp_path / "a" / "adapter_model.safetensors")
    exported = METHODS[method].export(model)[1]
    assert tensors.keys() == exported.keys()
    assert all(torch.equal(tensors[name], exported[name]) for name in tensors)
    settings = json.loads((tmp_path / "a" / "adapter_config.json").read_text())
    own = {"ia3": "IA3", "prompt_tuning": "PROMPT_TUNING", "prefix_tuning": "PREFIX_TUNING"} | dict.fromkeys(
        ("houlsby", "pfeiffer", "parallel"), "BOTTLENECK"
    )
    assert settings["peft_type"] == own.get(method, "LORA")


def test_an_adapted_model_answers_like_the_trained_one_and_leaves_the_base_alone(
    method: Method, loaded: LoadedModel, tmp_path: Path
) -> None:
    expected = saved(method, loaded, tmp_path / "a")(input_ids=IDS).logits
    base = build_tiny()
    before = base.model(input_ids=IDS).logits
    model = adapted(base, tmp_path / "a")
    torch.testing.assert_close(model(input_ids=IDS).logits, expected[:, -5:], rtol=1e-3, atol=1e-3)
    assert not any(p.requires_grad for p in model.parameters())
    torch.testing.assert_close(base.model(input_ids=IDS).logits, before, rtol=0, atol=0)


def test_the_engine_answers_with_it(method: Method, loaded: LoadedModel, tmp_path: Path) -> None:
    saved(method, loaded, tmp_path / "a")
    base = build_tiny()
    model = adapted(base, tmp_path / "a")
    questions = [list(range(40, 60)), list(range(70, 77))]
    engine = Engine(base.model, adapters={"a": model})
    requests = [Request(tuple(ids), adapter="a", sampling=Sampling(max_new_tokens=4)) for ids in questions]
    for ids, completion in zip(questions, engine.generate(requests), strict=True):
        length, written = len(ids), list(completion.ids)
        for _ in written:
            ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
        assert written == ids[length:]
    texts = ((5, 6, 7), (8,))
    scores = engine.score((1, 2, 3), texts, adapter="a")
    for text, found in zip(texts, scores, strict=True):
        logits = model(input_ids=torch.tensor([[1, 2, 3, *text]])).logits[0, 2:-1].log_softmax(-1)
        torch.testing.assert_close(torch.tensor(found), logits[range(len(text)), list(text)], rtol=1e-3, atol=1e-3)


def test_the_trained_model_and_the_loaded_one_give_the_same_greedy_answers(
    method: Method, loaded: LoadedModel, tmp_path: Path
) -> None:
    model = saved(method, loaded, tmp_path / "a")
    answers = record_answers(
        METHODS[method].answering(model).eval(), [(40, 41, 42), (50,) * 9], stop_ids=[258], template_sha256=""
    )
    assert compare_answers(teller_of(adapted(build_tiny(), tmp_path / "a")), answers).share == 1.0


def test_a_method_that_does_not_merge_says_so(method: Method, loaded: LoadedModel, tmp_path: Path) -> None:
    saved(method, loaded, tmp_path / "a")
    base = build_tiny()
    if METHODS[method].merges:
        assert type(merge(base, tmp_path / "a")) is type(base.model)
        return
    with pytest.raises(IncompatibleError) as caught:
        merge(base, tmp_path / "a")
    assert caught.value.code == "adapters.not_merged"
    assert method in caught.value.message("en")


@pytest.mark.parametrize("method", ["lora", "rslora", "pissa", "loraplus", "adalora"])
def test_plain_low_rank_methods_share_a_batch(method: Method, loaded: LoadedModel, tmp_path: Path) -> None:
    saved(method, loaded, tmp_path / "a")
    assert len(read_low_rank(tmp_path / "a")) == 14


def test_a_changed_missing_or_foreign_adapter_is_refused(loaded: LoadedModel, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    saved("lora", loaded, folder)
    with pytest.raises(NotFoundError):
        check_adapter(tmp_path / "none", loaded)
    manifest = (folder / "manifest.json").read_text()
    foreign = {**json.loads(manifest), "manifest_sha256": ""}
    foreign["config"]["base_sha256"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(foreign))
    with pytest.raises(IncompatibleError) as caught:
        check_adapter(folder, loaded)
    assert caught.value.code == "adapters.base_differs"
    (folder / "manifest.json").write_text(manifest)
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(CorruptError, match=r"adapter_config\.json"):
        merge(loaded, folder)


def test_the_card_ends_in_a_few_lines_that_load_and_ask(method: Method, loaded: LoadedModel, tmp_path: Path) -> None:
    saved(method, loaded, tmp_path / "a")
    code = (tmp_path / "a" / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    is_ours = "reduction_factor" in USUAL[method].fields
    assert code.startswith("import tuneloop.adapters.bottleneck") == is_ours
    assert len(code.splitlines()) == (6 if is_ours else 5)
    compile(code, "README.md", "exec")


def test_the_pinned_peft_knows_our_own_method_by_the_string_in_the_folder() -> None:
    assert "BOTTLENECK" not in list(PeftType), "peft has its own by now"
    assert PEFT_TYPE_TO_TUNER_MAPPING["BOTTLENECK"] is BottleneckModel  # type: ignore[index]
    assert PEFT_TYPE_TO_CONFIG_MAPPING["BOTTLENECK"]().peft_type is OwnPeftType.BOTTLENECK  # type: ignore[index]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"method": "ia3", "r": 8}, "adapters.field_not_used"),
        ({"method": "lora", "reduction_factor": 4.0}, "adapters.field_not_used"),
        ({"method": "lora", "num_virtual_tokens": 4}, "adapters.field_not_used"),
        ({"method": "houlsby", "target_modules": "all-linear"}, "adapters.blocks_only"),
    ],
)
def test_a_field_of_another_method_is_refused(given: dict[str, Any], code: str) -> None:
    with pytest.raises(RecipeError) as caught:
        AdapterConfig(**given)
    assert caught.value.code == code
    assert str(given["method"]) in caught.value.message("en")
    assert caught.value.hint("zh") != caught.value.hint("en")


def test_b_learns_faster_in_loraplus(loaded: LoadedModel) -> None:
    model = attach("loraplus", loaded)
    factor = METHODS["loraplus"].rate_factor
    factors = {name: factor(name, settings_of("loraplus")) for name, p in model.named_parameters() if p.requires_grad}
    assert {name.split(".lora_")[1][0]: value for name, value in factors.items()} == {"A": 1.0, "B": 16.0}

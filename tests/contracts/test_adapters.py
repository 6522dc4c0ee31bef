"""What every adapter method promises, on the tiny model; a new method is one more line in `METHODS`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from tuneloop.adapters.folder import check_adapter, save_adapter
from tuneloop.adapters.lora import attach_lora, count_parameters
from tuneloop.adapters.merge import merge
from tuneloop.core.errors import CorruptError, IncompatibleError, NotFoundError, RecipeError
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import LoadedModel, load_model

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


def lora(model: torch.nn.Module, targets: str | tuple[str, ...] = "all-linear") -> PeftModel:
    return attach_lora(model, r=4, lora_alpha=8, target_modules=targets, dropout=0.0, seed=3)  # type: ignore[arg-type]


METHODS: dict[str, Callable[..., PeftModel]] = {"lora": lora}


@pytest.fixture
def loaded() -> LoadedModel:
    return load_model(ModelConfig(name_or_path="tiny"))


@pytest.fixture(params=METHODS)
def attach(request: pytest.FixtureRequest) -> Callable[..., PeftModel]:
    return METHODS[request.param]


def move(model: PeftModel) -> None:
    """Stand in for a training: every trained weight gets a value of its own."""
    generator = torch.Generator().manual_seed(5)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = 0.2 * torch.randn(parameter.shape, generator=generator)


def saved(attach: Callable[..., PeftModel], loaded: LoadedModel, folder: Path) -> PeftModel:
    model = attach(loaded.model)
    move(model)
    save_adapter(folder, model, loaded, card=CARD, inputs={}, seed=3)
    return model


def test_attaching_changes_nothing_until_training(attach: Callable[..., PeftModel], loaded: LoadedModel) -> None:
    before = loaded.model(input_ids=IDS).logits
    torch.testing.assert_close(attach(loaded.model)(input_ids=IDS).logits, before, rtol=0, atol=0)


def test_only_the_adapter_gets_gradients_in_float32(attach: Callable[..., PeftModel], loaded: LoadedModel) -> None:
    model = attach(loaded.model)
    model(input_ids=IDS, labels=IDS).loss.backward()
    with_gradient = {name for name, p in model.named_parameters() if p.grad is not None}
    assert with_gradient == {name for name, p in model.named_parameters() if p.requires_grad}
    assert all("lora_" in name for name in with_gradient)
    assert all(p.dtype == torch.float32 for p in model.parameters() if p.requires_grad)
    trained, total = count_parameters(model)
    assert 0 < trained < total


def test_attaching_leaves_the_global_random_state_alone(attach: Callable[..., PeftModel], loaded: LoadedModel) -> None:
    before = torch.get_rng_state()
    attach(loaded.model)
    assert torch.equal(torch.get_rng_state(), before)


def test_unknown_targets_name_the_layers_there_are(attach: Callable[..., PeftModel], loaded: LoadedModel) -> None:
    with pytest.raises(RecipeError, match="q_proj"):
        attach(loaded.model, ("no_such_layer",))


def test_a_saved_adapter_is_bit_equal_and_loads_in_plain_peft(
    attach: Callable[..., PeftModel], loaded: LoadedModel, tmp_path: Path
) -> None:
    model = saved(attach, loaded, tmp_path / "a")
    expected = model(input_ids=IDS).logits
    fresh = load_model(ModelConfig(name_or_path="tiny")).model
    plain = PeftModel.from_pretrained(fresh, str(tmp_path / "a"))
    torch.testing.assert_close(plain(input_ids=IDS).logits, expected, rtol=0, atol=0)
    tensors = load_file(tmp_path / "a" / "adapter_model.safetensors")
    named = {name.replace(".default", ""): p for name, p in model.named_parameters() if p.requires_grad}
    assert all(torch.equal(tensors[name], parameter) for name, parameter in named.items())
    assert json.loads((tmp_path / "a" / "adapter_config.json").read_text())["peft_type"] == "LORA"


def test_merged_equals_unmerged_and_leaves_the_base_alone(
    attach: Callable[..., PeftModel], loaded: LoadedModel, tmp_path: Path
) -> None:
    expected = saved(attach, loaded, tmp_path / "a")(input_ids=IDS).logits
    base = load_model(ModelConfig(name_or_path="tiny"))
    before = base.model(input_ids=IDS).logits
    torch.testing.assert_close(merge(base, tmp_path / "a")(input_ids=IDS).logits, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(base.model(input_ids=IDS).logits, before, rtol=0, atol=0)


def test_a_changed_missing_or_foreign_adapter_is_refused(
    attach: Callable[..., PeftModel], loaded: LoadedModel, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    saved(attach, loaded, folder)
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


def test_the_card_ends_in_five_lines_that_load_and_ask(
    attach: Callable[..., PeftModel], loaded: LoadedModel, tmp_path: Path
) -> None:
    saved(attach, loaded, tmp_path / "a")
    code = (tmp_path / "a" / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    assert len(code.splitlines()) == 5
    compile(code, "README.md", "exec")

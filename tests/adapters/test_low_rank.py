"""What peft's LoRA variants reduce to."""

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tuneloop.adapters.low_rank import as_low_rank, read_low_rank
from tuneloop.core.errors import CorruptError, IncompatibleError
from tuneloop.models.tiny import build_tiny_llama


def adapted(**settings):
    config = LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj", "v_proj", "down_proj"], **settings)
    model = get_peft_model(build_tiny_llama(0), config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(1))
    return model


@pytest.mark.parametrize(
    "settings",
    [
        {"r": 4, "lora_alpha": 8},
        {"r": 4, "lora_alpha": 8, "use_rslora": True},
        {"r": 4, "lora_alpha": 8, "rank_pattern": {"v_proj": 2}, "alpha_pattern": {"layers.1.mlp.down_proj": 3}},
    ],
)
def test_the_updates_are_what_peft_merges(tmp_path, settings):
    model = adapted(**settings)
    model.save_pretrained(str(tmp_path), save_embedding_layers=False)
    updates = read_low_rank(tmp_path)
    assert len(updates) == 6
    for path, update in updates.items():
        layer = model.base_model.model.get_submodule(path)
        torch.testing.assert_close(update.delta(), layer.get_delta_weight("default").detach())


def test_more_than_low_rank_pairs_is_refused(tmp_path):
    adapted(r=4, use_dora=True).save_pretrained(str(tmp_path), save_embedding_layers=False)
    with pytest.raises(IncompatibleError) as caught:
        read_low_rank(tmp_path)
    assert caught.value.code == "adapters.not_low_rank"


@pytest.mark.parametrize(
    "tensors",
    [
        {"base_model.model.x.lora_A.weight": torch.zeros(2, 3)},
        {"base_model.model.x.lora_A.weight": torch.zeros(2, 3), "base_model.model.x.lora_B.weight": torch.zeros(4, 3)},
        {"base_model.model.x.lora_A.weight": torch.zeros(2, 3), "base_model.model.x.lora_B.weight": torch.zeros(4)},
    ],
)
def test_matrices_that_do_not_pair_are_refused(tmp_path, tensors):
    with pytest.raises(IncompatibleError):
        as_low_rank(tensors, {"lora_alpha": 2}, tmp_path)


def test_files_that_can_not_be_read_are_named(tmp_path):
    with pytest.raises(CorruptError) as caught:
        read_low_rank(tmp_path)
    assert caught.value.file == str(tmp_path)
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(CorruptError):
        read_low_rank(tmp_path)

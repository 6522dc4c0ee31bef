"""Plans are numbers from numbers: tested without any model or machine."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneloop.adapters.config import AdapterConfig
from tuneloop.core.errors import UsageError
from tuneloop.core.records import Plan
from tuneloop.core.show import as_text, grids
from tuneloop.training.batches import schedule
from tuneloop.training.config import TrainingConfig
from tuneloop.training.devices import DEVICES, device_facts
from tuneloop.training.estimate import PARAMETERS, Setup, activation_bytes, fixed_bytes, peak_bytes
from tuneloop.training.facts import DataFacts, MachineFacts, ModelFacts, data_facts
from tuneloop.training.plan import make_plan
from tuneloop.training.tokenise import Example

HERE = MachineFacts(20_000_000_000, 900e9, "cpu", "cpu", "bfloat16")


def decoder(hidden: int, inner: int, layers: int, heads: int, key_value: int, vocabulary: int) -> ModelFacts:
    """A Llama-shaped model with heads of 64 or 128 values, in 2 bytes a weight."""
    size = hidden // heads
    one = [
        ("self_attn.q_proj", hidden, heads * size), ("self_attn.k_proj", hidden, key_value * size),
        ("self_attn.v_proj", hidden, key_value * size), ("self_attn.o_proj", heads * size, hidden),
        ("mlp.gate_proj", hidden, inner), ("mlp.up_proj", hidden, inner), ("mlp.down_proj", inner, hidden),
    ]  # fmt: skip
    shapes = tuple((f"layers.{n}.{name}", i, o) for n in range(layers) for name, i, o in one)
    body = sum(i * o for _, i, o in shapes)
    tied = hidden < 1000
    return ModelFacts(
        name="made", model_type="llama", parameters=body + vocabulary * hidden * (1 if tied else 2),
        body_parameters=body, hidden_size=hidden, intermediate_size=inner, layers=layers, heads=heads, head_dim=size,
        vocabulary=vocabulary, context=4096, bytes_per_weight=2, weight_copies=0, linear_shapes=shapes,
    )  # fmt: skip


SMOLLM = replace(decoder(576, 1536, 30, 9, 3, 49_152), weight_copies=2)
LLAMA_7B = decoder(4096, 11_008, 32, 32, 32, 32_000)


def trained(r: int) -> int:
    """Parameters of a LoRA of this rank on every linear layer of SMOLLM."""
    return PARAMETERS["lora"](SMOLLM, {"r": r, "target_modules": "all-linear"})


def rows(count: int, *lengths: int) -> DataFacts:
    sizes = [lengths[n % len(lengths)] for n in range(count)]
    examples = [Example(str(n), tuple(range(s)), (False,) * 5 + (True,) * (s - 5), True) for n, s in enumerate(sizes)]
    return data_facts(examples, examples[:20])


DATA = rows(500, 60, 130, 200)


def plan(
    training: TrainingConfig | None = None,
    model: ModelFacts = SMOLLM,
    data: DataFacts = DATA,
    machine: MachineFacts = HERE,
) -> Plan:
    return make_plan(training or TrainingConfig(), AdapterConfig(), model, data, machine, seed=3)


@given(
    budget=st.integers(50, 3000),
    accumulation=st.integers(1, 4),
    epochs=st.sampled_from([0.5, 1.0, 2.5, 3.0]),
    max_length=st.integers(8, 210),
)
@settings(max_examples=30, deadline=None)
def test_the_planned_steps_are_those_of_the_schedule(
    budget: int, accumulation: int, epochs: float, max_length: int
) -> None:
    config = TrainingConfig(
        max_tokens_per_batch=budget, gradient_accumulation_steps=accumulation,
        num_train_epochs=epochs, max_length=max_length,
    )  # fmt: skip
    made = plan(config)
    order = schedule(
        [min(length, max_length) for length in DATA.lengths],
        max_tokens=budget, max_samples=None, accumulation=accumulation, epochs=epochs, seed=3,
    )  # fmt: skip
    assert made.value("steps") == made.figures["steps"] == len(order)


def test_samples_that_teach_nothing_after_the_cut_are_not_counted() -> None:
    late = [Example("late", tuple(range(90)), (False,) * 80 + (True,) * 10, True)] * 3
    early = [Example("early", tuple(range(90)), (False,) * 5 + (True,) * 85, True)] * 2
    assert data_facts([*late, *early], []).cut(60) == [60, 60]


def test_intervals_fit_the_number_of_steps() -> None:
    made = plan()
    steps = made.value("steps")
    assert 0 < made.value("warmup_steps") <= steps // 10
    assert steps // 10 <= made.value("eval_steps") <= steps // 4
    assert made.value("save_steps") <= made.value("eval_steps")
    guide = plan(TrainingConfig(preset="guide", num_train_epochs=1.0), data=rows(40_000, 8))
    assert guide.value("save_steps") == guide.value("eval_steps") == 500


def test_what_the_recipe_says_stays() -> None:
    config = TrainingConfig(gradient_checkpointing=True, save_steps=7, max_tokens_per_batch=333)
    made = plan(config, machine=replace(HERE, available_bytes=1))
    values = (made.value(name) for name in ("gradient_checkpointing", "save_steps", "max_tokens_per_batch"))
    assert list(values) == [True, 7, 333]


def test_little_memory_shrinks_the_micro_batch_and_keeps_the_update_then_computes_twice() -> None:
    setup, longest = Setup(trained(8), "all-linear"), DATA.longest
    enough = peak_bytes(SMOLLM, setup, 1024, longest)
    assert plan(machine=replace(HERE, available_bytes=2 * enough)).value("gradient_accumulation_steps") == 1
    half = plan(machine=replace(HERE, available_bytes=int(peak_bytes(SMOLLM, setup, 512, longest) / 0.79)))
    assert (half.value("max_tokens_per_batch"), half.value("gradient_accumulation_steps")) == (512, 2)
    assert half.value("gradient_checkpointing") is False
    least = plan(machine=replace(HERE, available_bytes=1_000_000_000))
    assert least.value("gradient_checkpointing") is True
    assert least.figures["seconds"] > plan().figures["seconds"]
    assert least.value("quantization") == "none"


def test_a_7b_model_on_a_t4_needs_nf4_and_an_epoch_takes_tens_of_minutes() -> None:
    made = plan(model=LLAMA_7B, data=rows(5000, 60, 130, 200), machine=device_facts("t4"))
    assert made.value("dtype") == "float16"
    assert made.value("quantization") == "nf4"
    assert made.figures["memory_bytes"] < 0.8 * DEVICES["t4"].memory_bytes
    assert 10 < made.figures["seconds_per_epoch"] / 60 < 45


def test_a_7b_model_on_an_h100_is_left_as_it_is() -> None:
    made = plan(model=LLAMA_7B, machine=device_facts("h100"))
    assert (made.value("dtype"), made.value("quantization")) == ("bfloat16", "none")
    assert made.value("gradient_checkpointing") is False


def test_an_unknown_device_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="quantum"):
        device_facts("quantum")


def test_nobody_reads_none() -> None:
    for config in (TrainingConfig(), TrainingConfig(preset="guide"), TrainingConfig(per_device_train_batch_size=4)):
        shown = as_text(grids(plan(config), "en"))
        assert "None" not in shown
        assert "–" in shown


def test_memory_grows_with_the_tokens_and_checkpointing_keeps_a_fraction() -> None:
    setup = Setup(trained(16), "all-linear")
    one, two = (activation_bytes(SMOLLM, setup, tokens, 200) for tokens in (2000, 4000))
    assert one < two < 2.1 * one
    again = replace(setup, checkpointing=True)
    assert activation_bytes(SMOLLM, again, 4000, 200) < 0.2 * two
    assert fixed_bytes(LLAMA_7B, replace(setup, quantization="nf4"), "gpu") < 6e9
    assert torch.float16.itemsize * LLAMA_7B.parameters > 13e9

"""What a recipe may switch on: label smoothing, noise on the embeddings, gradient checkpointing, trackers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from tuneloop.adapters.lora import attach_lora
from tuneloop.core.errors import UsageError
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.models.load import LoadedModel
from tuneloop.training import journal
from tuneloop.training.batches import Batch, collate
from tuneloop.training.curves import overfit_share
from tuneloop.training.fast_path import fast_path, supervised_loss
from tuneloop.training.journal import Journal, read_metrics
from tuneloop.training.noise import noisy_embeddings, sample_lengths
from tuneloop.training.state import trained_parameters
from tuneloop.training.tokenise import tokenise


@pytest.fixture
def model(loaded: LoadedModel) -> Iterator[Any]:
    attached = attach_lora(loaded.model, r=4, lora_alpha=8.0, target_modules="all-linear", dropout=0.0, seed=1)
    with torch.no_grad():
        for number, parameter in enumerate(trained_parameters(attached).values()):
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)) * 0.05)
    attached.train()
    yield attached
    attached.unload()


@pytest.fixture
def batch(loaded: LoadedModel) -> Batch:
    samples = [
        Sample(
            id=f"s{n}",
            messages=(Message(role="user", content="Hi " * n), Message(role="assistant", content=f"It is {n}.")),
            meta=Meta(source="test", row=n),
        )
        for n in range(1, 6)
    ]
    return collate(tokenise(samples, loaded.template), torch.device("cpu"))


def gradients(model: Any, loss: torch.Tensor) -> torch.Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(trained_parameters(model).values()))])


def test_label_smoothing_is_exact_beside_torchs_own(model: Any, batch: Batch) -> None:
    with fast_path(model):
        ours = supervised_loss(model, batch, 0.1)
        ours_gradient = gradients(model, ours)
        base = model.get_base_model()
        hidden = base.get_decoder()(
            input_ids=batch.ids, position_ids=batch.positions, use_cache=False, segments=batch.segments
        ).last_hidden_state[0]
        logits = base.get_output_embeddings()(hidden[batch.predictors])
        theirs = F.cross_entropy(logits, batch.targets, reduction="sum", label_smoothing=0.1)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    theirs_gradient = gradients(model, theirs)
    assert float((ours_gradient - theirs_gradient).norm() / theirs_gradient.norm()) < 1e-4


def test_noise_is_bounded_by_each_samples_own_length_and_only_there_in_training(model: Any, batch: Batch) -> None:
    table = model.get_base_model().get_input_embeddings()
    seen: list[torch.Tensor] = []
    with fast_path(model), noisy_embeddings(model, 5.0):
        hook = table.register_forward_hook(lambda module, args, out: seen.append(out.detach()))
        supervised_loss(model, batch)
        model.eval()
        supervised_loss(model, batch)
        hook.remove()
    clean = table.weight[batch.ids[0]]
    noise = (seen[0][0] - clean).abs()  # [T, d]
    bound = 5.0 / (sample_lengths(batch.positions[0]) * clean.shape[1]).sqrt()
    assert bool((noise <= bound[:, None] + 1e-6).all())
    assert float((noise / bound[:, None]).mean()) == pytest.approx(0.5, abs=0.02)
    torch.testing.assert_close(seen[1][0], clean, rtol=0, atol=0)


def test_gradient_checkpointing_changes_nothing_but_memory(model: Any, batch: Batch) -> None:
    base = model.get_base_model()
    layers: list[int] = []
    hook = base.get_decoder().layers[0].mlp.register_forward_pre_hook(lambda *_: layers.append(1))
    with fast_path(model):
        plain = gradients(model, supervised_loss(model, batch))
        base.activation_checkpointing_enable({"use_reentrant": False})
        layers.clear()
        checkpointed = gradients(model, supervised_loss(model, batch))
        base.activation_checkpointing_disable()
    hook.remove()
    assert len(layers) == 2  # once forward, once again for the backward pass
    torch.testing.assert_close(checkpointed, plain, rtol=1e-6, atol=1e-8)


def test_an_uninstalled_tracker_is_named_before_the_first_step(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import accelerate.tracking

    monkeypatch.setattr(accelerate.tracking, "get_available_trackers", lambda: ["tensorboard"])
    with pytest.raises(UsageError) as caught:
        Journal(tmp_path, step=0, evaluated=-1, report_to=["wandb"], settings={})
    assert "wandb" in caught.value.message("en")
    assert "trackers" in caught.value.hint("zh")


def test_trackers_get_the_numbers_of_every_line(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Recorder:
        def __init__(self) -> None:
            self.lines: list[tuple[int, dict[str, Any]]] = []
            self.ended = False

        def log(self, values: dict[str, Any], step: int) -> None:
            self.lines.append((step, values))

        def end_training(self) -> None:
            self.ended = True

    recorder = Recorder()
    monkeypatch.setattr(journal, "_trackers", lambda *_: recorder)
    with Journal(tmp_path, step=0, evaluated=-1, report_to=["mlflow"], settings={}) as lines:
        lines.write({"step": 1, "epoch": 1, "loss": 2.0})
        lines.write({"step": 2, "left_out": "loss: nan", "samples": ["s1"]})
        lines.write({"step": 3, "loss": 1.0})
        lines.rewind(1, -1)
        lines.write({"step": 2, "loss": 1.5})
    assert recorder.lines == [(1, {"loss": 2.0}), (3, {"loss": 1.0}), (2, {"loss": 1.5})]
    assert recorder.ended
    assert [line["step"] for line in read_metrics(tmp_path / "metrics.jsonl")] == [1, 2]


def test_overfitting_is_validation_that_rises_while_training_falls() -> None:
    falling = [{"validation_loss": v, "training_loss": t} for v, t in ((2.0, 2.0), (1.0, 1.0), (1.2, 0.5))]
    both_rise = [{"validation_loss": v, "training_loss": t} for v, t in ((2.0, 2.0), (1.0, 1.0), (1.2, 1.3))]
    assert overfit_share(falling) == pytest.approx(0.2)
    assert overfit_share(both_rise) == 0.0
    assert overfit_share([{"validation_loss": math.inf}]) == 0.0

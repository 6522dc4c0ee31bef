"""What a recipe may switch on: label smoothing, noise on the embeddings, gradient checkpointing, trackers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest
import torch
from torch.nn import functional as F

from tuneloop.adapters.lora import attach_lora
from tuneloop.core.errors import UsageError
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.models.load import LoadedModel
from tuneloop.training import journal
from tuneloop.training.batches import Batch, collate
from tuneloop.training.config import TrainingConfig
from tuneloop.training.curves import overfit_share
from tuneloop.training.fast_path import fast_path, supervised_loss
from tuneloop.training.journal import Journal, read_metrics
from tuneloop.training.mishaps import SCALE_STEPS, grow_scale, leave_out
from tuneloop.training.noise import noisy_embeddings, sample_lengths
from tuneloop.training.state import State, trained_parameters
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


@pytest.mark.parametrize(
    ("name", "package"),
    [("mlflow", "tuneloop[trackers]"), ("trackio", "tuneloop[trackers]"), ("wandb", "wandb"), ("swanlab", "swanlab")],
)
def test_an_uninstalled_tracker_is_named_before_the_first_step_with_its_pip_command(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    import accelerate.tracking

    monkeypatch.setattr(accelerate.tracking, "get_available_trackers", lambda: ["tensorboard"])
    with pytest.raises(UsageError) as caught:
        Journal(tmp_path, step=0, evaluated=-1, report_to=["tensorboard", name], settings={})
    assert name in caught.value.message("en")
    for language in ("en", "zh"):
        assert f"pip install '{package}'" in caught.value.hint(language)
    assert not (tmp_path / "metrics.jsonl").exists()


def test_every_tracker_of_the_recipe_is_one_of_accelerates() -> None:
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    asked = get_args(get_args(TrainingConfig.model_fields["report_to"].annotation)[0])
    assert set(asked) == {journal.TENSORBOARD, *journal.PACKAGES}
    assert set(asked) <= set(map(str, LOGGER_TYPE_TO_CLASS))


def test_a_tracker_runs_through_accelerates_own_machinery(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No client is installed here: mlflow's place in accelerate's table is taken by a recorder, the rest is accelerate's."""
    import accelerate.accelerator
    from accelerate import tracking

    seen: list[Any] = []

    class Recorder(tracking.GeneralTracker):  # type: ignore[misc]
        name, requires_logging_directory, main_process_only = "mlflow", True, False

        def __init__(self, run_name: str, logging_dir: Any, **_: Any) -> None:
            print("a client that greets on stdout")

        def start(self) -> None:
            seen.append("start")

        @property
        def tracker(self) -> Any:
            return self

        def store_init_configuration(self, values: dict[str, Any]) -> None:
            seen.append(values)

        def log(self, values: dict[str, Any], step: int | None = None, **_: Any) -> None:
            seen.append((step, values))

        def finish(self) -> None:
            seen.append("finish")

    monkeypatch.setattr(tracking, "get_available_trackers", lambda: [tracking.LoggerType.MLFLOW])
    for module in (tracking, accelerate.accelerator):
        monkeypatch.setitem(module.LOGGER_TYPE_TO_CLASS, "mlflow", Recorder)
    with Journal(tmp_path, step=0, evaluated=-1, report_to=["mlflow"], settings={"recipe": "abc", "list": []}) as lines:
        lines.write({"step": 1, "epoch": 1, "loss": 2.0})
    assert [entry for entry in seen if entry != "start"] == [{"recipe": "abc"}, (1, {"loss": 2.0}), "finish"]


def test_one_bad_step_does_not_end_the_scaling_of_float16() -> None:
    state = State(loss_scale=65536.0, largest_loss_scale=65536.0)
    now = cast(Any, SimpleNamespace(state=state, optimizer=SimpleNamespace(zero_grad=lambda set_to_none: None)))
    for _ in range(16):
        leave_out(now, 1, math.inf, math.nan)
    assert (state.loss_scale, state.step, state.left_out) == (1.0, 0, [])  # the same step is done again each time
    for _ in range(SCALE_STEPS * 20):
        grow_scale(state)
    assert state.loss_scale == 65536.0
    whole = State()
    for _ in range(SCALE_STEPS * 2):
        grow_scale(whole)
    assert whole.loss_scale == 1.0  # float32 and bfloat16 are not scaled


def test_trackers_get_the_numbers_of_every_line(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Recorder:
        def __init__(self) -> None:
            self.lines: list[tuple[int, dict[str, Any]]] = []
            self.ended = False

        def log(self, values: dict[str, Any], step: int) -> None:
            self.lines.append((step, values))

        @property
        def trackers(self) -> list[Any]:
            return [self]

        def finish(self) -> None:
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

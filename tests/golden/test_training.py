"""The first losses of a training on the tiny model, as they have always been: a change of the numbers is seen at once.

When a change is meant, say why in docs/log.md and write the file anew: `python tests/golden/test_training.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneloop.adapters.config import AdapterConfig
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import load_model
from tuneloop.store.artifacts import new_artifact
from tuneloop.store.samples import write_samples
from tuneloop.store.workspace import Workspace
from tuneloop.training import run as stage
from tuneloop.training.config import TrainingConfig
from tuneloop.training.identity import Inputs
from tuneloop.training.journal import read_metrics

pytestmark = pytest.mark.usefixtures("short_answers")

GOLDEN = Path(__file__).with_name("training.json")
SETTINGS: dict[str, TrainingConfig] = {
    "token budget": TrainingConfig(num_train_epochs=1, max_tokens_per_batch=300, learning_rate=5e-3, eval_steps=4),
    "accumulation, decay, smoothing": TrainingConfig(
        num_train_epochs=1,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        learning_rate=5e-3,
        weight_decay=0.1,
        label_smoothing_factor=0.1,
        eval_steps=4,
    ),
}


def sample(number: int) -> Sample:
    messages = (Message(role="user", content=f"{number} + 1?"), Message(role="assistant", content=f"{number + 1}."))
    return Sample(id=f"s{number}", messages=messages, meta=Meta(source="test", row=number))


def trajectory(config: TrainingConfig, folder: Path) -> dict[str, list[float]]:
    dataset = folder / "datasets" / "sums" / "abc"
    with new_artifact(dataset, kind="dataset", config={"name": "sums"}) as temporary:
        for split, numbers in (("train", range(32)), ("validation", range(40, 46)), ("test", range(50, 52))):
            write_samples(temporary / f"{split}.jsonl", [sample(n) for n in numbers])
    quiet = config.model_copy(update={"report_to": ()})
    loaded = load_model(ModelConfig(name_or_path="tiny"))
    inputs = Inputs(quiet, AdapterConfig(r=8), dataset, loaded, name="sums", seed=7)
    run = stage.run(inputs, Workspace(folder / "w"), recipe_yaml="name: sums\n")
    metrics = read_metrics(run.path / "metrics.jsonl")
    names = ("loss", "grad_norm", "learning_rate", "validation_loss")
    return {name: [line[name] for line in metrics if name in line] for name in names}


@pytest.mark.parametrize("name", SETTINGS)
def test_losses_norms_and_rates_are_those_of_the_golden_file(name: str, tmp_path: Path) -> None:
    found = trajectory(SETTINGS[name], tmp_path)
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))[name]
    assert found.keys() == golden.keys()
    for figure, values in golden.items():
        assert len(values) > 1
        assert found[figure] == pytest.approx(values, rel=1e-3), figure


if __name__ == "__main__":  # python tests/golden/test_training.py writes the golden file anew
    import tempfile

    written = {}
    for label, settings in SETTINGS.items():
        with tempfile.TemporaryDirectory() as place:
            figures = trajectory(settings, Path(place))
            written[label] = {name: [float(f"{v:.6g}") for v in values] for name, values in figures.items()}
    GOLDEN.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")

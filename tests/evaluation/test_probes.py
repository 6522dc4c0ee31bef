"""All probes within an evaluation: figures in `results.json`, times apart, a section of the report each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from tuneloop.core.messages import Language
from tuneloop.core.records import Evaluation, Message, Meta, Sample
from tuneloop.core.show import grids
from tuneloop.engine.config import GenerationConfig
from tuneloop.evaluation.config import (
    EvaluationConfig,
    ForgettingConfig,
    LatencyConfig,
    PrivacyConfig,
    RobustnessConfig,
)
from tuneloop.evaluation.probes import PROBES
from tuneloop.evaluation.report import render_report
from tuneloop.evaluation.results import read_results
from tuneloop.evaluation.run import run
from tuneloop.evaluation.subject import Subject
from tuneloop.models.load import LoadedModel
from tuneloop.store.artifacts import new_artifact
from tuneloop.store.samples import write_samples
from tuneloop.store.workspace import Workspace
from tuneloop.text.canaries import make_canaries

CONFIG = EvaluationConfig(
    robustness=RobustnessConfig(rows=2, perturbations=2),
    forgetting=ForgettingConfig(),
    privacy=PrivacyConfig(candidates=16),
    latency=LatencyConfig(streams=(1,), requests=2, max_new_tokens=3),
)


def row(number: int, question: str, answer: str, **tags: str) -> Sample:
    messages = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return Sample(id=f"s{number}", messages=messages, meta=Meta(source="made.csv", row=number, lang="en", tags=tags))


TEST = [row(n, f"Where is the nearest branch number {n}?", f"Branch {n} is here.") for n in range(3)]
TRAIN = [
    row(100 + n, one.question, one.answer, canary=one.secret, canary_repeats=str(one.repeats))
    for n, one in enumerate(make_canaries(2, "en", 0))
]


def evaluated(loaded: LoadedModel, adapter: Path, dataset: Path, workspace: Path) -> Evaluation:
    subject = Subject(
        name="bank",
        language="en",
        seed=1,
        dataset=dataset,
        loaded=loaded,
        adapter=adapter,
        folder=workspace,
        workspace=Workspace(workspace),
    )
    return run(CONFIG, GenerationConfig(max_new_tokens=4), subject)


@pytest.fixture(scope="module")
def evaluation(loaded: LoadedModel, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    workspace = tmp_path_factory.mktemp("probes")
    dataset = workspace / "datasets" / "made" / "d0"
    with new_artifact(dataset, kind="dataset", config={}) as folder:
        for name, rows in (("train", TRAIN), ("validation", []), ("test", TEST)):
            write_samples(folder / f"{name}.jsonl", rows)
    return evaluated(loaded, adapter, dataset, workspace)


def test_every_probe_is_in_the_results_and_no_time_is(evaluation: Evaluation) -> None:
    results = read_results(evaluation.path)
    assert set(results.probes) == {"robustness", "safety", "forgetting", "privacy"}
    assert set(results.probes["safety"].arms) == set(results.probes["forgetting"].arms) == {"base", "tuned"}
    assert set(results.probes["robustness"].arms) == {"tuned"}
    assert results.probes["privacy"].details["canaries"] == 2
    assert all(probe.loss is not None for probe in results.probes.values())
    assert "seconds" not in (evaluation.path / "results.json").read_text(encoding="utf-8")
    times = json.loads((evaluation.path / "timings.json").read_text(encoding="utf-8"))
    assert set(times["probes"]) == set(PROBES) - {"judge", "harness"}
    assert times["latency"]["arms"]["tuned"]["streams"]["1"]["answers"] == 2
    assert set(times["latency"]["arms"]) == {"base", "tuned", "tuned+unmerged"}
    assert set(times["arms"]) == {"base", "tuned"}


def test_a_repeated_evaluation_with_probes_gives_the_same_bytes(
    evaluation: Evaluation, loaded: LoadedModel, adapter: Path, tmp_path: Path
) -> None:
    (dataset,) = evaluation.path.parent.parent.glob("datasets/made/*")
    again = evaluated(loaded, adapter, dataset, tmp_path / "other")
    assert (again.path / "results.json").read_bytes() == (evaluation.path / "results.json").read_bytes()


def test_the_report_has_a_section_for_each_in_both_languages(evaluation: Evaluation) -> None:
    titles = {
        "en": ["Robustness", "Attacks and secrets", "General abilities", "Privacy", "Latency"],
        "zh": ["稳健性", "攻击与保密", "通用能力", "隐私", "延迟"],
    }
    for language in get_args(Language):
        page = render_report(evaluation.path, language=language)
        assert all(title in page for title in titles[language])
    assert grids(evaluation)

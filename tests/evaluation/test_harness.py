"""Tasks of lm-eval by name: equal to lm-eval's own model item by item, offline, and wrong ones are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuneloop.core.errors import RecipeError
from tuneloop.core.records import Evaluation, Message, Meta, Sample
from tuneloop.engine.engine import Engine
from tuneloop.evaluation import harness
from tuneloop.evaluation.config import EvaluationConfig, HarnessConfig
from tuneloop.evaluation.harness import run_tasks
from tuneloop.evaluation.report import render_report
from tuneloop.evaluation.results import read_results
from tuneloop.models.load import LoadedModel

SUMS = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/sums.json}}}}
test_split: test
output_type: {kind}
doc_to_text: "{{{{question}}}}"
doc_to_target: {target}
metric_list: [{{metric: {metric}}}]
"""


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    folder = tmp_path / "tasks"
    folder.mkdir()
    items = [
        {"question": f"{n} plus {n} is", "options": ["one", str(2 * n), "no"], "right": 1, "said": str(2 * n)}
        for n in range(4)
    ]
    (folder / "sums.json").write_text(json.dumps(items), encoding="utf-8")
    for name, kind, target, metric in (
        ("sums", "multiple_choice", "right\ndoc_to_choice: options", "acc"),
        ("written", "generate_until", "said\ngeneration_kwargs: {max_gen_toks: 4, until: ['.']}", "exact_match"),
        ("last_word", "loglikelihood", "said", "perplexity"),
    ):
        content = SUMS.format(name=name, folder=folder, kind=kind, target=target, metric=metric)
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    return folder


@pytest.mark.slow
def test_multiple_choice_equals_lm_evals_own_model_item_by_item(
    loaded: LoadedModel, tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("lm_eval")
    from lm_eval.models.huggingface import HFLM

    config = HarnessConfig(folder="tasks", tasks=("sums",))
    engine = Engine(loaded.model)
    ours = harness._scores(config, tasks, harness._model(engine, loaded, None), 0)
    theirs = harness._scores(config, tasks, HFLM(pretrained=loaded.model, tokenizer=loaded.tokenizer), 0)
    assert ours == theirs
    assert len(ours["sums.acc"]) == 4


@pytest.mark.slow
def test_base_and_tuned_do_the_tasks_and_the_report_shows_them(
    evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path], tasks: Path
) -> None:
    pytest.importorskip("lm_eval")
    messages = (Message(role="user", content="Where?"), Message(role="assistant", content="Here."))
    dataset = write_dataset([Sample(id="s1", messages=messages, meta=Meta(source="made.csv", row=1, lang="en"))])
    config = EvaluationConfig(harness=HarnessConfig(folder="tasks", tasks=("sums", "written"), rows=3))
    evaluation = evaluate(dataset, config)
    probe = read_results(evaluation.path).probes["harness"]
    assert list(probe.arms) == ["base", "tuned"]
    assert set(probe.arms["tuned"]) == {"sums.acc", "written.exact_match"}
    assert all(figure.n == 3 for figure in probe.arms["base"].values())
    assert {(one.a, one.b) for one in probe.comparisons} == {("base", "tuned")}
    assert "written.exact_match" in render_report(evaluation.path, language="zh")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nowhere", "last_word"])
def test_a_task_that_is_unknown_or_of_another_kind_is_named(
    loaded: LoadedModel, tasks: Path, tmp_path: Path, name: str
) -> None:
    pytest.importorskip("lm_eval")
    with pytest.raises(RecipeError) as wrong:
        run_tasks(
            HarnessConfig(folder="tasks", tasks=(name,)), tmp_path, {"base": None}, Engine(loaded.model), loaded, 0
        )
    assert wrong.value.code == "evaluation.harness_wrong"
    assert name in wrong.value.message("en")
    assert "multiple_choice" in str(wrong.value) or "sums" in str(wrong.value)


def test_a_folder_without_files_is_named(
    evaluate: Callable[..., Evaluation], write_dataset: Callable[..., Path]
) -> None:
    messages = (Message(role="user", content="Where?"), Message(role="assistant", content="Here."))
    dataset = write_dataset([Sample(id="s1", messages=messages, meta=Meta(source="made.csv", row=1, lang="en"))])
    with pytest.raises(RecipeError, match="no files"):
        evaluate(dataset, EvaluationConfig(harness=HarnessConfig(folder="nothing", tasks=("sums",))))


def test_without_lm_eval_the_extra_is_named(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import sys

    nothing: Any = None
    monkeypatch.setitem(sys.modules, "lm_eval.api.model", nothing)
    with pytest.raises(RecipeError) as missing:
        harness._model(Engine(loaded.model), loaded, None)
    assert "tuneloop[harness]" in missing.value.hint("en")

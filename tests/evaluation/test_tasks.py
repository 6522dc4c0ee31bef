"""Answers out of candidates: what they are, which one is chosen, and how they are judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from tuneloop.core.errors import DataError, RecipeError
from tuneloop.core.progress import SILENT
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import Request, Sampling
from tuneloop.evaluation.answers import Shelf, request_key
from tuneloop.evaluation.choosing import choose
from tuneloop.evaluation.comparison import headline_of
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.labels import label_statistics, macro_f1, parse_label
from tuneloop.evaluation.tasks import TASKS, labels_of, listed_options, same_labels
from tuneloop.models.constraints import answer_ids, one_of
from tuneloop.models.load import LoadedModel

LABELS = ("card", "card_lost", "limit")


def row(question: str, answer: str, number: int = 1) -> Sample:
    return Sample(
        id=f"s{number}",
        messages=(Message(role="user", content=question), Message(role="assistant", content=answer)),
        meta=Meta(source="made.csv", row=number),
    )


def test_labels_are_every_answer_of_the_data_or_those_of_the_recipe(write_dataset: Callable[..., Path]) -> None:
    dataset = write_dataset([row("a", "limit")], [row("b", "card"), row("c", "limit")])
    assert labels_of(dataset, None) == ("card", "limit")
    assert labels_of(dataset, ["x", "limit", "x"]) == ("x", "limit")


def test_one_label_or_a_thousand_free_answers_are_no_label_set(write_dataset: Callable[..., Path]) -> None:
    with pytest.raises(DataError) as few:
        labels_of(write_dataset([row("a", "limit")], [row("b", "limit")]), None)
    assert few.value.code == "evaluation.labels_few"
    many = [row("a", f"answer {number}", number) for number in range(1001)]
    with pytest.raises(DataError) as too_many:
        labels_of(write_dataset(many), None)
    assert too_many.value.code == "evaluation.labels_many"


def test_a_label_never_seen_is_named_with_file_and_row() -> None:
    with pytest.raises(DataError) as unknown:
        same_labels([row("a", "card", 1), row("b", "crad", 2)], LABELS)
    assert (unknown.value.code, unknown.value.file, unknown.value.row) == ("evaluation.label_unknown", "made.csv", 2)
    assert "crad" in unknown.value.message("zh")


def test_options_are_read_from_the_question_as_letters_or_as_texts() -> None:
    question = "Which?\nA. Block the card\nB) Call us\n(C) Nothing"
    assert listed_options([row(question, "B")], ()) == [("A", "B", "C")]
    assert listed_options([row(question, "call us.")], ()) == [("Block the card", "Call us", "Nothing")]
    assert listed_options([row("选哪个？\nA、挂失\nB、补卡", "A")], ()) == [("A", "B")]
    for wrong in (row("Which?", "A"), row(question, "D")):
        with pytest.raises(DataError) as missing:
            listed_options([wrong], ())
        assert missing.value.code == "evaluation.options_missing"


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("card_lost", "card_lost"),
        ("Card_Lost.", "card_lost"),
        ("I think it is card_lost", "card_lost"),
        ("card or limit", None),
        ("scorecard", None),
        ("", None),
    ],
)
def test_the_label_of_an_answer_is_the_only_one_that_it_mentions(said: str, label: str | None) -> None:
    assert parse_label(said, LABELS) == label


@given(st.lists(st.tuples(st.sampled_from([*LABELS, None]), st.sampled_from(LABELS)), min_size=1, max_size=30))
@settings(deadline=None, max_examples=60)
def test_macro_f1_equals_scikit_learn(pairs: list[tuple[str | None, str]]) -> None:
    predictions, references = [p for p, _ in pairs], [r for _, r in pairs]
    value = float(macro_f1(label_statistics(predictions, references).sum(axis=0)))
    shown = [p or "none" for p in predictions]
    expected = f1_score(references, shown, labels=sorted(set(references)), average="macro", zero_division=0)
    assert value == pytest.approx(expected)


def _choose(loaded: LoadedModel, path: Path, questions: Sequence[str], labels: Sequence[str]) -> dict[str, list[float]]:
    template = loaded.template
    prompts = {question: template.prompt([Message(role="user", content=question)]) for question in questions}
    requests = {request_key(r): r for r in (Request(ids, sampling=Sampling()) for ids in prompts.values())}
    generated = choose(
        Engine(loaded.model),
        requests,
        dict.fromkeys(requests, tuple(labels)),
        template=template,
        shelf=Shelf(path, "", SILENT),
    )
    assert all(answer.text in labels for answer in generated.answers.values())
    return {
        question: list(generated.answers[request_key(Request(ids, sampling=Sampling()))].log_probabilities)
        for question, ids in prompts.items()
    }


def test_log_probabilities_are_those_of_each_label_read_alone(loaded: LoadedModel, tmp_path: Path) -> None:
    found = _choose(loaded, tmp_path / "answers.jsonl", ["Lost it", "How much?"], LABELS)
    for question, totals in found.items():
        prompt = loaded.template.prompt([Message(role="user", content=question)])
        for label, total in zip(LABELS, totals, strict=True):
            ids = answer_ids(loaded.template, label)
            with torch.inference_mode():
                logits = loaded.model(input_ids=torch.tensor([[*prompt, *ids]])).logits[0].float().log_softmax(-1)
            alone = sum(float(logits[len(prompt) - 1 + place, token]) for place, token in enumerate(ids))
            assert total == pytest.approx(alone, abs=1e-4)


def test_answers_that_are_kept_are_not_scored_again(loaded: LoadedModel, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    first = _choose(loaded, path, ["Lost it"], LABELS)
    lines = path.read_text().splitlines()
    assert _choose(loaded, path, ["Lost it", "How much?"], LABELS)["Lost it"] == first["Lost it"]
    assert path.read_text().splitlines()[:1] == lines
    assert len(path.read_text().splitlines()) == 2


@given(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=4), min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_a_constraint_leads_to_exactly_the_allowed_answers(answers: list[list[int]]) -> None:
    allowed = one_of([(*answer, 0) for answer in answers])
    reached, waiting = set(), [()]
    while waiting:
        said = waiting.pop()
        for token in allowed(said):
            if token == 0:
                reached.add(said)
            else:
                waiting.append((*said, token))
    assert reached == {tuple(answer) for answer in answers}


def test_a_constrained_model_says_a_label_and_nothing_else(loaded: LoadedModel) -> None:
    constraint = one_of([answer_ids(loaded.template, label) for label in LABELS])
    prompts = [loaded.template.prompt([Message(role="user", content=text)]) for text in ("Lost it", "How much?", "Hi")]
    requests = [
        Request(
            ids,
            sampling=Sampling(temperature=temperature, seed=1),
            stop_ids=loaded.template.stop_ids,
            constraint=constraint,
        )
        for ids in prompts
        for temperature in (0.0, 2.0)
    ]
    said = [loaded.template.decode(completion.ids) for completion in Engine(loaded.model).generate(requests)]
    assert set(said) <= set(LABELS)


def test_a_constraint_needs_something_to_allow() -> None:
    for nothing in ([], [()]):
        with pytest.raises(ValueError, match="at least one"):
            one_of(nothing)


def test_the_headline_follows_the_task() -> None:
    assert headline_of(EvaluationConfig(task="classification"), has_script=False) == "accuracy"
    assert headline_of(EvaluationConfig(task="classification", headline="macro_f1"), has_script=True) == "macro_f1"
    for task, headline in (("multiple_choice", "macro_f1"), ("answers", "accuracy"), ("classification", "rouge_l")):
        with pytest.raises(RecipeError) as wrong:
            headline_of(EvaluationConfig.model_validate({"task": task, "headline": headline}), has_script=True)
        assert wrong.value.code == "evaluation.headline_not_of_task"


def test_every_task_but_free_answers_has_a_headline_among_its_metrics() -> None:
    for name, task in TASKS.items():
        assert (name == "answers") == (task.headline is None) == (task.metrics is None)
        assert task.headline is None or task.headline in (task.metrics or ())


def test_labels_that_no_row_has_do_not_count() -> None:
    assert float(macro_f1(np.zeros(6))) == 0

"""Tasks and arms through the whole stage: labels, options, other adapters, other servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tuneloop.core.errors import DataError, NotAllowedError, RefusedError, TryAgainError, UsageError
from tuneloop.core.records import Evaluation, Message, Meta, Sample
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.results import read_predictions, read_results

from .conftest import Server

Evaluate = Callable[..., Evaluation]
WriteDataset = Callable[..., Path]


def row(number: int, question: str, answer: str) -> Sample:
    return Sample(
        id=f"s{number}",
        messages=(Message(role="user", content=question), Message(role="assistant", content=answer)),
        meta=Meta(source="made.csv", row=number, lang="en"),
    )


LABELS = ("card_lost", "limit", "loan")
LABELLED = [row(number, f"Question {number} about {LABELS[number % 3]}", LABELS[number % 3]) for number in range(12)]


def test_every_answer_of_a_classification_is_a_label(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    evaluation = evaluate(write_dataset(LABELLED), EvaluationConfig(task="classification"))
    results = read_results(evaluation.path)
    assert list(results.arms) == ["base", "base+labels", "tuned"]
    assert results.headline.metric == "accuracy"
    assert results.arms["tuned"].keys() == {"accuracy", "macro_f1"}
    said = {said.answer for line in read_predictions(evaluation.path) for said in line.arms.values()}
    assert said <= set(LABELS)
    assert all(figure.low is not None for figure in results.arms["tuned"].values())


def test_the_same_classification_again_gives_the_same_bytes_without_scoring(
    evaluate: Evaluate, write_dataset: WriteDataset
) -> None:
    dataset, config = write_dataset(LABELLED), EvaluationConfig(task="classification")
    first = evaluate(dataset, config)
    again = evaluate(dataset, config, force=True)
    assert again.id != first.id
    assert (again.path / "results.json").read_bytes() == (first.path / "results.json").read_bytes()


def test_a_reference_that_is_no_label_is_refused(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    with pytest.raises(DataError) as wrong:
        evaluate(write_dataset(LABELLED), EvaluationConfig(task="classification", labels=("limit", "loan")))
    assert wrong.value.code == "evaluation.label_unknown"


def test_multiple_choice_answers_one_of_the_options_of_the_question(
    evaluate: Evaluate, write_dataset: WriteDataset
) -> None:
    rows = [row(n, f"Number {n}?\nA. one\nB. two\nC. three", "ABC"[n % 3]) for n in range(6)]
    evaluation = evaluate(write_dataset(rows), EvaluationConfig(task="multiple_choice"))
    said = {said.answer for line in read_predictions(evaluation.path) for said in line.arms.values()}
    assert said <= set("ABC")
    assert "macro_f1" not in evaluation.arms["tuned"]


def test_another_adapter_and_the_nearest_answer_are_arms_of_their_own(
    evaluate: Evaluate, write_dataset: WriteDataset, adapter: Path
) -> None:
    config = EvaluationConfig(against=("bank@v0001",), arms=("base+nearest",), perplexity=True)
    dataset = write_dataset([row(n, f"Where is card {n}?", f"Here, {n}.") for n in range(4)])
    evaluation = evaluate(dataset, config, others={"bank@v0001": adapter})
    results = read_results(evaluation.path)
    assert list(results.arms) == ["base", "base+nearest", "bank@v0001", "tuned"]
    assert ("bank@v0001", "tuned") in {(item.a, item.b) for item in results.comparisons}
    assert results.arms["bank@v0001"]["rouge_l"] == results.arms["tuned"]["rouge_l"]
    assert results.verdict.status != "better"  # the same adapter cannot be better than itself
    perplexity = {arm: figures["perplexity"].value for arm, figures in results.arms.items()}
    assert perplexity["tuned"] == perplexity["bank@v0001"] != perplexity["base"]


def test_rows_of_another_training_are_leaks_unless_forced(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    rows = [row(n, f"Where is card {n}?", f"Here, {n}.") for n in range(4)]
    trained, tested = write_dataset(LABELLED[:2], rows[:1]), write_dataset(rows)
    with pytest.raises(RefusedError) as refused:
        evaluate(tested, trained_on=trained)
    assert refused.value.code == "evaluation.leak"
    marked = read_results(evaluate(tested, trained_on=trained, force=True).path)
    assert "evaluation.warn_leak" in {warning.code for warning in marked.warnings}


def test_a_server_is_an_arm_and_is_asked_once(
    evaluate: Evaluate, write_dataset: WriteDataset, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    rows = [row(n, f"Where is card {n}?", f"Here, {n}.") for n in range(3)]
    dataset, config = write_dataset(rows), EvaluationConfig(against=(f"{server}#bank",))
    results = read_results(evaluate(dataset, config).path)
    assert results.arms[f"{server}#bank"]["ended"].value == 1
    assert len(Server.asked) == 3
    body, key = Server.asked[0]
    assert body["messages"][-1]["role"] == "user"
    assert key == "Bearer secret"
    evaluate(dataset, config.model_copy(update={"metrics": ("exact_match",)}))
    assert len(Server.asked) == 3


@pytest.mark.parametrize(
    ("model", "kind", "code"),
    [
        ("locked", NotAllowedError, "evaluation.url_refused"),
        ("busy", TryAgainError, "evaluation.url_away"),
        ("bad", DataError, "evaluation.url_answer"),
        ("other", DataError, "evaluation.url_answer"),
    ],
)
def test_what_a_server_refuses_is_told(
    evaluate: Evaluate, write_dataset: WriteDataset, server: str, model: str, kind: type[Exception], code: str
) -> None:
    with pytest.raises(kind) as wrong:
        evaluate(write_dataset([row(1, "Where?", "Here.")]), EvaluationConfig(against=(f"{server}#{model}",)))
    assert wrong.value.code == code  # type: ignore[attr-defined]


def test_a_server_that_is_away_and_an_address_that_is_none(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    dataset = write_dataset([row(1, "Where?", "Here.")])
    with pytest.raises(TryAgainError):
        evaluate(dataset, EvaluationConfig(against=("http://127.0.0.1:9/v1#bank",)))
    for wrong in ("ftp://x/v1#bank", "http://127.0.0.1:9/v1"):
        with pytest.raises(UsageError) as refused:
            evaluate(dataset, EvaluationConfig(against=(wrong,)))
        assert refused.value.code == "evaluation.url_wrong"


def talk(number: int, *turns: str) -> Sample:
    messages = tuple(
        Message(role="assistant" if place % 2 else "user", content=said) for place, said in enumerate(turns)
    )
    return Sample(id=f"t{number}", messages=messages, meta=Meta(source="made.csv", row=number, lang="en"))


def test_a_conversation_goes_on_with_what_each_arm_said_itself(evaluate: Evaluate, write_dataset: WriteDataset) -> None:
    dataset = write_dataset([talk(n, f"Hi {n}", "Hello.", f"Card {n}?", "Here.", "Bye", "Bye.") for n in range(3)])
    own = evaluate(dataset, EvaluationConfig(turns="own"))
    reference = evaluate(dataset, EvaluationConfig(turns="all"))
    lines = [{line.id: line.arms for line in read_predictions(one.path)} for one in (own, reference)]
    assert lines[0].keys() == lines[1].keys() == {f"t{n}#{turn}" for n in range(3) for turn in (1, 2, 3)}
    first, later = [row for row in lines[0] if row.endswith("#1")], [row for row in lines[0] if not row.endswith("#1")]
    assert all(lines[0][row]["tuned"].answer == lines[1][row]["tuned"].answer for row in first)
    assert any(lines[0][row]["tuned"].answer != lines[1][row]["tuned"].answer for row in later)
    assert {"turn=2", "turn=3"} <= read_results(own.path).slices.keys()

"""Two evaluations are compared on the rows that both scored, and only on those."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tuneloop.core.errors import DataError
from tuneloop.core.records import Message, Meta, Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.rematch import compare_evaluations
from tuneloop.evaluation.results import Headline, Results, judged, write_predictions, write_results
from tuneloop.evaluation.scoring import Rows, figures, score_arm

Write = Callable[..., Path]


def sample(number: int, answer: str = "") -> Sample:
    return Sample(
        id=f"s{number}",
        messages=(
            Message(role="user", content=f"question about thing {number * 7919}"),
            Message(role="assistant", content=answer or f"the answer is {number}"),
        ),
        meta=Meta(source="made", row=number),
    )


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, samples: list[Sample], right: int) -> Path:
        rows = Rows(samples, [s.id for s in samples], ("exact_match", "rouge_l", "bleu"), None, "en", 1)
        answers = [
            Answer(
                key=s.id,
                text=s.answer if place < right else "no idea",
                tokens=3,
                finish_reason="stop",
                first_token_seconds=0.0,
                seconds=0.0,
            )
            for place, s in enumerate(samples)
        ]
        arms = {"base": score_arm(rows, answers[::-1]), "tuned": score_arm(rows, answers)}
        folder = tmp_path / name
        folder.mkdir()
        write_predictions(folder, rows, arms)
        results = Results(
            name=name,
            rows=len(samples),
            arms={arm: figures(rows, one, range(len(samples))) for arm, one in arms.items()},
            slices={},
            comparisons=(),
            headline=Headline(metric="exact_match", detectable={}),
            rules={},
            hard_rules=(),
            signatures={},
            warnings=(),
            made_of={},
        )
        write_results(folder, judged(results))
        return folder

    return write


def test_the_better_evaluation_is_better_on_the_common_rows(write: Write) -> None:
    first = write("first", [sample(n) for n in range(30)], 5)
    second = write("second", [sample(n) for n in range(5, 40)], 30)
    rematch = compare_evaluations(first, second)
    assert (rematch.a, rematch.b, rematch.rows) == ("first", "second", 25)
    found = {item.metric: item for item in rematch.comparisons}
    assert {"exact_match", "rouge_l", "bleu", "ended"} == found.keys()
    assert found["exact_match"].difference == pytest.approx(1.0)
    assert found["exact_match"].low > 0.5
    assert rematch.arms["second"]["bleu"].value == pytest.approx(100)
    back = {item.metric: item.difference for item in compare_evaluations(second, first).comparisons}
    assert back == {metric: pytest.approx(-item.difference) for metric, item in found.items()}


def test_an_evaluation_against_itself_shows_no_difference(write: Write) -> None:
    folder = write("one", [sample(n) for n in range(12)], 6)
    assert all(item.difference == 0 for item in compare_evaluations(folder, folder).comparisons)


def test_other_rows_or_other_references_can_not_be_compared(write: Write) -> None:
    first = write("first", [sample(1), sample(2)], 1)
    with pytest.raises(DataError) as nothing:
        compare_evaluations(first, write("second", [sample(3), sample(4)], 1))
    assert nothing.value.code == "evaluation.compare_nothing"
    with pytest.raises(DataError) as differs:
        compare_evaluations(first, write("third", [sample(1), sample(2, "something else")], 1))
    assert differs.value.code == "evaluation.compare_differs"

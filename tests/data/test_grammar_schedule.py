"""The plan of a stream: splits, kinds and intents in the shares that were promised, in every part of it."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from tuneloop.data.grammar_file import Grammar, load_grammar
from tuneloop.data.grammar_schedule import Task, schedule


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return load_grammar("bank-service", "en")


def test_a_tenth_is_test_and_a_tenth_is_validation(grammar: Grammar) -> None:
    for rows in (10, 300, 3000):
        splits = Counter(task.split for task in schedule(grammar, rows, 1))
        assert splits == {"train": rows * 8 // 10, "validation": rows // 10, "test": rows // 10}


def test_a_longer_plan_begins_with_the_shorter_one(grammar: Grammar) -> None:
    assert list(schedule(grammar, 300, 5)) == list(islice(schedule(grammar, 3000, 5), 300))


def test_intents_are_balanced_within_each_split(grammar: Grammar) -> None:
    for split in ("train", "validation", "test"):
        tasks = [task for task in schedule(grammar, 3000, 3) if task.split == split and task.kind != "refusal"]
        counts = Counter(task.intent for task in tasks if grammar.intents[task.intent].seen)
        assert len(counts) == 22
        assert max(counts.values()) - min(counts.values()) <= 1


def test_unseen_intents_are_a_sixth_of_the_test_split_and_nowhere_else(grammar: Grammar) -> None:
    unseen = {"fixed_deposit", "update_address"}
    tasks = list(schedule(grammar, 3000, 3))
    assert {task.split for task in tasks if task.intent in unseen} == {"test"}
    assert sum(task.intent in unseen for task in tasks) == 50
    assert not {task.before for task in tasks} & unseen


def test_kinds_and_dialogues_have_their_shares(grammar: Grammar) -> None:
    tasks = list(schedule(grammar, 4000, 3))
    kinds = Counter(task.kind for task in tasks)
    assert 0.045 < kinds["refusal"] / 4000 < 0.055
    assert 0.01 < kinds["clarify"] / 4000 < 0.03
    dialogues = [task for task in tasks if task.kind == "answer" and (task.unclear or task.before)]
    assert 0.14 < len(dialogues) / 4000 < 0.16
    three_turns = [task for task in dialogues if task.unclear and task.before]
    assert 0.01 < len(three_turns) / 4000 < 0.04


def test_an_intent_without_a_clarifying_question_is_never_asked_about(grammar: Grammar) -> None:
    for task in schedule(grammar, 2000, 3):
        if task.unclear:
            assert grammar.intents[task.intent].clarify is not None
        assert task.before != task.intent


def test_a_grammar_of_one_intent_has_no_dialogues_about_another(grammar: Grammar) -> None:
    only = grammar.model_copy(update={"intents": {"open_account": grammar.intents["open_account"]}, "refusals": {}})
    assert set(schedule(only, 200, 3)) == {
        Task(split, "answer", "open_account") for split in ("train", "validation", "test")
    }

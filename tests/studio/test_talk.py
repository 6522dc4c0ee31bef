"""Two arms on one question: the answers are the server's own, and one side's trouble is not the other's."""

from __future__ import annotations

import asyncio
from typing import Literal

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.engine.request import Sampling
from tuneloop.models.load import LoadedModel
from tuneloop.serving.answer import Answerer, merged_engine
from tuneloop.serving.named import find
from tuneloop.serving.served import Model
from tuneloop.studio.desk import Desk, find_arm, read_script
from tuneloop.studio.shown import answer as shown_answer
from tuneloop.studio.talk import Spoken, Turn, Turns, Wish, answer, history, judge, stopped


def wish(desk: Desk, left: str, right: str, script: str = "", longest: int = 8) -> Wish:
    rules = read_script(desk, script)
    return Wish((find_arm(desk, left, rules), find_arm(desk, right, rules)), rules, longest, 0.0, "en")


def ask(desk: Desk, turns: Turns, question: str, how: Wish) -> list[Turns]:
    async def collect() -> list[Turns]:
        return [grown async for grown in answer(desk, turns, question, how)]

    return asyncio.run(collect())


def test_both_sides_say_over_two_turns_what_each_says_alone(desk: Desk, loaded: LoadedModel) -> None:
    how = wish(desk, "base", "bank@v0001")
    turns = ask(desk, ask(desk, (), "Hello", how)[-1], "And then?", how)[-1]
    for side, name in enumerate(("base:tiny", "bank")):
        engine = merged_engine(loaded, find(name, desk.workspace).folder)
        alone = Answerer(loaded, engine, name=name, sampling=Sampling(max_new_tokens=8))
        said = [turn.sides[side].text for turn in turns]
        asked = [Message(role="user", content="Hello")]
        assert said[0] == alone.answer(asked)
        asked += [Message(role="assistant", content=said[0]), Message(role="user", content="And then?")]
        assert said[1] == alone.answer(asked)


def test_a_finished_answer_knows_its_version_its_id_and_its_times(desk: Desk) -> None:
    left, right = ask(desk, (), "Hello", wish(desk, "legal@v0001", "base"))[-1][-1].sides
    assert (left.model, right.model) == ("legal@v0001", "base")
    assert left.response_id.startswith("chatcmpl-")
    assert left.response_id != right.response_id
    assert 0 < left.first_token_seconds <= left.seconds
    assert left.finish_reason in ("stop", "length")


def test_answers_are_held_against_the_script(desk: Desk) -> None:
    left = ask(desk, (), "Hello", wish(desk, "base", "bank@v0001", "bank-service"))[-1][-1].sides[0]
    assert left.judged
    assert "opening" in {violation.rule for violation in left.violations}


def test_what_fails_on_one_side_leaves_the_other_alone(desk: Desk) -> None:
    both = (Model("gone@v0001", "gone@v0001"), Model("base", None))
    left, right = ask(desk, (), "Hello", Wish(both, None, 8, 0.0, "zh"))[-1][-1].sides
    assert (left.finish_reason, left.text) == ("error", "")
    assert "gone" in left.error
    assert right.finish_reason in ("stop", "length")


def test_leaving_early_ends_both_answers(desk: Desk) -> None:
    async def leave() -> Turns:
        growing = answer(desk, (), "Hello", wish(desk, "base", "bank@v0001", longest=24))
        turns = await anext(growing)
        await growing.aclose()  # type: ignore[attr-defined]
        return turns

    turns = stopped(asyncio.run(leave()))
    assert all(side.finish_reason is not None for side in turns[-1].sides)
    counts = desk.backend.counts
    assert counts.waiting + counts.running <= 2
    assert ask(desk, (), "Hello", wish(desk, "base", "base"))[-1][-1].sides[0].finish_reason in ("stop", "length")


def test_the_facts_of_a_known_row_let_every_rule_judge_its_first_turn(desk: Desk) -> None:
    script = read_script(desk, "bank-service")
    assert script is not None
    intent = next(name for name, rules in script.intents.items() if rules.points)
    asked = (Message(role="user", content="Hi"),)
    known = Sample(
        id="1",
        messages=(*asked, Message(role="assistant", content="x")),
        meta=Meta(source="s", row=1, tags={"intent": intent}),
    )
    said = Spoken("base", text="Thank you for contacting Harbor Bank.\nIs there anything else we can help you with?")
    with_facts, without = judge(script, asked, said, known), judge(script, asked, said, None)
    assert with_facts[0] > without[0]
    assert "required_points" in {violation.rule for violation in with_facts[1]}
    assert "required_points" not in {violation.rule for violation in without[1]}
    later = (*asked, Message(role="assistant", content="x"), asked[0])
    assert judge(script, later, said, known)[0] == without[0]


def test_a_conversation_has_only_what_was_said() -> None:
    def said(text: str, reason: Literal["stop", "error"]) -> Spoken:
        return Spoken("base", text=text, finish_reason=reason)

    turns = (Turn("a", (said("A", "stop"), said("", "error"))), Turn("b", (said("B", "stop"), said("C", "stop"))))
    assert [message.content for message in history(turns, 0)] == ["a", "A", "b", "B"]
    assert [message.content for message in history(turns, 1)] == ["b", "C"]
    assert stopped(()) == ()


def test_auto_lets_the_router_choose_and_says_who_answered(desk: Desk) -> None:
    left, right = ask(desk, (), "Hello", wish(desk, "auto", "bank@v0001"))[-1][-1].sides
    assert (left.model, left.is_routed) == ("base", True)  # the adapters here were trained on nothing that is left
    assert left.finish_reason in ("stop", "length")
    assert not right.is_routed
    assert "auto → base" in shown_answer(left, "en")


def test_what_the_page_asks_is_counted(desk: Desk) -> None:
    def counted() -> float:
        registry = desk.server.meters.registry
        labels = {"model": "legal@v0001", "outcome": "answered"}
        return registry.get_sample_value("tuneloop_requests_total", labels) or 0.0

    before = counted()
    ask(desk, (), "Hello", wish(desk, "legal@v0001", "base"))
    assert counted() == before + 1

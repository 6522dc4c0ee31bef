"""The router: each question to its adapter, foreign ones to nobody, never to an adapter that may not be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.errors import CorruptError
from tuneloop.serving.general import general_questions
from tuneloop.serving.router import Router, fit_router, load_router

THINGS = {
    "bank": ("my card", "the transfer", "my savings account", "the loan", "a wire payment", "the credit limit"),
    "travel": ("my flight", "the hotel", "a window seat", "the luggage", "a boarding pass", "the visa"),
    "法律": ("离婚协议", "劳动合同", "房产继承", "交通事故赔偿", "借款纠纷", "起诉状"),
}
FRAMES = {
    "bank": ("How do I cancel {}?", "What are the fees for {}?", "I have a problem with {}", "Please block {} today"),
    "travel": ("Can I rebook {}?", "Where is {}?", "I want to change {} for Tuesday", "Is {} included?"),
    "法律": ("{}怎么写？", "请问{}需要哪些材料？", "{}的时效是多久", "关于{}我该怎么办"),
}
GENERAL = general_questions()[::20]
FOREIGN = ("Write a poem about quantum chromodynamics", "def fib(n): return n", "红烧肉的做法", "3 + 4 * 12 = ?")


@pytest.fixture(scope="module")
def router() -> Router:
    asked = {
        name: [frame.format(thing) for frame in frames for thing in THINGS[name]] for name, frames in FRAMES.items()
    }
    return fit_router(asked, GENERAL)


def test_a_question_goes_to_the_adapter_whose_questions_it_resembles(router: Router) -> None:
    for question, name in (
        ("Please cancel the loan", "bank"),
        ("Where is my luggage?", "travel"),
        ("劳动合同纠纷怎么办", "法律"),
    ):
        assert router.choose(question, router.names).name == name
    assert router.accuracy > 0.7
    assert router.held_out > 5


@pytest.mark.parametrize("question", FOREIGN)
def test_a_foreign_question_belongs_to_nobody(router: Router, question: str) -> None:
    route = router.choose(question, router.names)
    assert (route.name, route.reason in ("general", "unlike", "unsure")) == (None, True)


@given(st.text(max_size=60), st.sets(st.sampled_from(["bank", "travel", "法律", "other"])))
def test_no_adapter_is_named_that_may_not_be_used(router: Router, question: str, allowed: set[str]) -> None:
    route = router.choose(question, allowed)
    assert route.name is None or route.name in allowed
    assert 0 <= route.score <= 1


def test_a_stored_router_decides_the_same_and_no_pickle_is_written(router: Router, tmp_path: Path) -> None:
    router.save(tmp_path)
    again = load_router(tmp_path)
    for question in (*FOREIGN, "Where is my flight?", ""):
        assert again.choose(question, again.names) == router.choose(question, router.names)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]
    (tmp_path / "router.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CorruptError):
        load_router(tmp_path)


def test_one_adapter_is_told_from_general_questions_and_none_has_nothing_to_choose() -> None:
    alone = fit_router({"bank": [frame.format(thing) for frame in FRAMES["bank"] for thing in THINGS["bank"]]}, GENERAL)
    assert alone.choose("How do I cancel my card?", ["bank"]).name == "bank"
    assert alone.choose("红烧肉的做法", ["bank"]).name is None
    assert fit_router({}, GENERAL).choose("Hello", ["bank"]).reason == "none"


def test_two_adapters_are_told_apart() -> None:
    asked = {name: [f.format(t) for f in FRAMES[name] for t in THINGS[name]] for name in ("bank", "travel")}
    pair = fit_router(asked, GENERAL)
    assert pair.choose("How do I cancel the transfer?", pair.names).name == "bank"
    assert pair.choose("Is the hotel included?", pair.names).name == "travel"

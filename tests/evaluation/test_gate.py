"""The gate lets only proven gains pass, and every veto blocks even when the headline rises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tuneloop.core.messages import text
from tuneloop.core.records import Comparison, Figure
from tuneloop.evaluation.gate import RULES, decide
from tuneloop.evaluation.results import Headline, Probe, Results, Warned, judged
from tuneloop.registry.config import GateConfig

SHA = "a" * 64


def comparison(metric: str, difference: float, half: float = 0.01, p: float = 0.001, a: str = "base") -> Comparison:
    return Comparison(
        a=a, b="tuned", metric=metric, difference=difference, low=difference - half, high=difference + half, p=p
    )


def results(*comparisons: Comparison, **more: Any) -> Results:
    """A clear gain on the headline, and what a test adds to it."""
    figures = {"script_compliance": Figure(value=0.5), "rouge_l": Figure(value=0.4), "ended": Figure(value=1.0)}
    base = {"script_compliance": Figure(value=0.1), "rouge_l": Figure(value=0.4), "ended": Figure(value=1.0)}
    headline = comparison("script_compliance", 0.4, 0.1)
    values: dict[str, Any] = {
        "name": "made",
        "rows": 100,
        "arms": {"base": base, "base+script": base, "tuned": figures},
        "slices": {},
        "comparisons": comparisons
        if any(c.metric == "script_compliance" for c in comparisons)
        else (headline, *comparisons),
        "headline": Headline(metric="script_compliance", detectable={"base": 0.1, "base+script": 0.1}),
        "rules": {},
        "hard_rules": (),
        "signatures": {},
        "warnings": (),
        "made_of": {"adapter_sha256": SHA},
        **more,
    }
    return judged(Results(**values))


def loss(value: float) -> Probe:
    return Probe(arms={}, loss=Figure(value=value))


def latency_of(milliseconds: float) -> dict[str, Any]:
    """`timings.json` with the first token's 95th percentile of one stream."""
    return {"latency": {"arms": {"tuned": {"streams": {"1": {"first_token_ms_p95": milliseconds}}}}}}


def kept(before: float, after: float) -> dict[str, dict[str, Figure]]:
    return {"asks-pin": {"base": Figure(value=before), "tuned": Figure(value=after)}}


VETOES: dict[str, tuple[Callable[[], Results], dict[str, Any], dict[str, Any]]] = {
    "another adapter": (lambda: results(made_of={"adapter_sha256": "b" * 64}), {}, {}),
    "no adapter's hash": (lambda: results(made_of={}), {}, {}),
    "leak": (lambda: results(warnings=(Warned(code="evaluation.warn_leak", values={"count": 2}),)), {}, {}),
    "another metric may fall": (lambda: results(comparison("rouge_l", 0.0, 0.03)), {}, {}),
    "another metric falls": (lambda: results(comparison("rouge_l", -0.1)), {}, {}),
    "another metric of 100 falls": (lambda: results(comparison("bleu", -5.0, 1.0)), {}, {}),
    "another baseline is not beaten": (
        lambda: results(
            comparison("script_compliance", 0.4), comparison("script_compliance", 0.0, p=0.5, a="base+script")
        ),
        {},
        {},
    ),
    "stop rate": (lambda: results(comparison("ended", -0.05)), {}, {}),
    "forgetting": (lambda: results(probes={"forgetting": loss(0.06)}), {}, {}),
    "robustness": (lambda: results(probes={"robustness": loss(0.06)}), {}, {}),
    "safety": (lambda: results(probes={"safety": loss(0.01)}), {}, {}),
    "privacy": (lambda: results(probes={"privacy": loss(2.5)}), {}, {}),
    "latency": (results, {}, latency_of(600)),
    "gain too small": (results, {"required_gains": {"script_compliance": 0.35}}, {}),
    "gain of what was not measured": (results, {"required_gains": {"chrf": 0.1}}, {}),
    "below a minimum": (results, {"minimums": {"script_compliance": 0.9}}, {}),
    "a rule broken more often": (lambda: results(rules=kept(1.0, 0.98)), {"never_worse": ("asks-pin",)}, {}),
    "an unknown rule": (results, {"never_worse": ("asks-pin",)}, {}),
    "required and not measured": (results, {"required": ("forgetting",)}, {}),
    "latency required and not measured": (results, {"required": ("latency",)}, {}),
}


def test_a_proven_gain_without_a_veto_passes() -> None:
    fine = results(
        comparison("rouge_l", 0.1),
        comparison("ended", 0.0),
        probes={name: loss(0.0) for name in ("forgetting", "robustness", "safety", "privacy")},
        rules=kept(0.9, 0.95),
    )
    gate = GateConfig(
        required_gains={"script_compliance": 0.2},
        minimums={"script_compliance": 0.5},
        never_worse=("asks-pin",),
        required=("forgetting", "latency"),
    )
    decision = decide(fine, latency_of(100), gate, adapter_sha256=SHA)
    assert [reason.text for reason in decision.reasons if not reason.passed] == []
    assert decision.allowed
    assert decision.adapter_sha256 == SHA


@pytest.mark.parametrize("veto", VETOES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_veto_blocks_although_the_headline_rises(veto: str, language: Any) -> None:
    make, gate, timings = VETOES[veto]
    decision = decide(make(), timings, GateConfig.model_validate(gate), adapter_sha256=SHA, language=language)
    assert not decision.allowed
    assert len([reason for reason in decision.reasons if not reason.passed]) == 1


@pytest.mark.parametrize(("difference", "p"), [(0.0, 1.0), (0.4, 0.2), (-0.4, 0.001)])
def test_a_headline_that_is_not_proven_better_blocks(difference: float, p: float) -> None:
    made = results(comparison("script_compliance", difference, 0.1, p))
    assert not decide(made, {}, GateConfig(), adapter_sha256=SHA).allowed


def test_not_worse_is_enough_where_the_recipe_says_so() -> None:
    equal = results(comparison("script_compliance", 0.0, 0.01, 1.0))
    assert not decide(equal, {}, GateConfig(), adapter_sha256=SHA).allowed
    assert decide(equal, {}, GateConfig(headline="not worse"), adapter_sha256=SHA).allowed
    unsure = results(comparison("script_compliance", 0.0, 0.05, 1.0))
    assert not decide(unsure, {}, GateConfig(headline="not worse"), adapter_sha256=SHA).allowed


def test_an_evaluation_without_comparisons_never_passes() -> None:
    alone = results(comparison("script_compliance", 0.4)).model_copy(update={"comparisons": ()})
    assert not decide(alone, {}, GateConfig(), adapter_sha256=SHA).allowed


def test_only_protected_metrics_block() -> None:
    falls = results(comparison("rouge_l", -0.1))
    assert decide(falls, {}, GateConfig(protected=()), adapter_sha256=SHA).allowed
    assert not decide(falls, {}, GateConfig(protected=("rouge_l",)), adapter_sha256=SHA).allowed


def test_a_limit_of_null_is_no_rule() -> None:
    made = results(comparison("ended", -0.5), probes={"privacy": loss(9.0)})
    gate = GateConfig.model_validate({"allowed_losses": {"stop_rate": None, "privacy": None}})
    assert decide(made, {}, gate, adapter_sha256=SHA).allowed


def test_every_examination_has_a_name_in_both_languages() -> None:
    for name in ("forgetting", "robustness", "safety", "privacy", "latency"):
        assert text(f"evaluation.probe.{name}", "en") != text(f"evaluation.probe.{name}", "zh")
    assert len(RULES) == 10

"""The gate: may this version serve? Pure: an evaluation's results and the recipe's rules in, a decision out.

`RULES` is the plug-in point: each function looks at one thing and gives a reason for every figure that it judged. All
reasons must pass; a veto blocks even when the headline rises. To add a rule: a function, a line in `RULES`, its limit
in `registry/config.py`, and its two messages (`evaluation.gate_<code>` and `…_failed`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tuneloop.core.messages import Language, text
from tuneloop.core.records import Comparison, Decision, Reason
from tuneloop.evaluation.arms import TUNED
from tuneloop.evaluation.comparison import reading
from tuneloop.evaluation.metrics import best
from tuneloop.evaluation.results import Results
from tuneloop.evaluation.wording import (
    arm_label,
    metric_label,
    probe_label,
    show_bound,
    show_difference,
    show_value,
)
from tuneloop.registry.config import GateConfig

PROBES = ("forgetting", "robustness", "safety", "privacy")


@dataclass(frozen=True)
class Case:
    """What the gate looks at."""

    results: Results
    timings: Mapping[str, Any]
    """`timings.json`."""
    gate: GateConfig
    adapter_sha256: str
    """Of the version that is to be promoted."""
    language: Language | None

    def against(self, metric: str) -> list[Comparison]:
        """The tuned arm against every baseline by one metric."""
        return [item for item in self.results.comparisons if item.metric == metric and item.b == TUNED]


Rule = Callable[[Case], Iterator[Reason]]


def decide(
    results: Results,
    timings: Mapping[str, Any],
    gate: GateConfig,
    *,
    adapter_sha256: str,
    evaluation: str | None = None,
    language: Language | None = None,
) -> Decision:
    """Judge one evaluation by the rules of a recipe.

    Args:
        results: `results.json` of the evaluation.
        timings: its `timings.json`; `{}` where it isn't there.
        gate: the recipe's `register.gate`.
        adapter_sha256: `arms.adapter_hash` of the version that is to be promoted.
        evaluation: its id.
        language: of the reasons; the interface language by default.
    """
    case = Case(results, timings, gate, adapter_sha256, language)
    reasons = tuple(reason for rule in RULES.values() for reason in rule(case))
    allowed = all(reason.passed for reason in reasons)
    return Decision(allowed=allowed, reasons=reasons, adapter_sha256=adapter_sha256, evaluation=evaluation)


def same_adapter(case: Case) -> Iterator[Reason]:
    """The evaluation judged this version, not another one."""
    yield _reason(case, "adapter", case.results.made_of.get("adapter_sha256") == case.adapter_sha256)


def no_leak(case: Case) -> Iterator[Reason]:
    """No test question was trained on."""
    found = next((w.values["count"] for w in case.results.warnings if w.code == "evaluation.warn_leak"), 0)
    yield _reason(case, "leak", found == 0, count=found)


def headline(case: Case) -> Iterator[Reason]:
    """Superiority against every baseline, or non-inferiority where the recipe asks for no more."""
    metric = case.results.headline.metric
    compared = case.against(metric)
    if not compared:
        yield _reason(case, "compared", False)
    for item in compared:
        if case.gate.headline == "better":
            yield _compared(case, "headline", reading(item) == "better", item)
        else:
            yield _compared(case, "not_worse", _rules_out(item, case.gate.margin), item)


def elsewhere(case: Case) -> Iterator[Reason]:
    """A loss of `margin` is ruled out on the other metrics."""
    protected = case.gate.protected
    for item in case.results.comparisons:
        named = protected == "all" or item.metric in protected
        if named and item.b == TUNED and item.metric not in (case.results.headline.metric, "ended"):
            yield _compared(case, "not_worse", _rules_out(item, case.gate.margin), item)


def required_gains(case: Case) -> Iterator[Reason]:
    """Metrics that must have risen by so much, against every baseline."""
    for metric, gain in case.gate.required_gains.items():
        compared = case.against(metric)
        shown = show_difference(metric, gain, case.language, sign=False)
        if not compared:
            yield _reason(case, "measured", False, what=metric_label(metric, case.language))
        for item in compared:
            yield _compared(case, "gain", item.low >= gain, item, gain=shown)


def minimums(case: Case) -> Iterator[Reason]:
    """Metrics that must reach a value."""
    for metric, least in case.gate.minimums.items():
        figure = case.results.arms.get(TUNED, {}).get(metric)
        if figure is None:
            yield _reason(case, "measured", False, what=metric_label(metric, case.language))
            continue
        values = {"value": show_value(metric, figure.value), "least": show_value(metric, least)}
        passed = figure.value >= least
        yield _reason(case, "minimum", passed, metric=metric_label(metric, case.language), **values)


def stop_rate(case: Case) -> Iterator[Reason]:
    """Answers that used to end by themselves still do."""
    allowed = case.gate.allowed_losses.stop_rate
    if allowed is not None:
        limit = show_difference("ended", allowed, case.language, sign=False)
        for item in case.against("ended"):
            yield _compared(case, "stop_rate", item.difference >= -allowed, item, limit=limit)


def unsafe_rules(case: Case) -> Iterator[Reason]:
    """Rules that must never be broken more often than before."""
    allowed = case.gate.allowed_losses.unsafe_rules
    for rule in case.gate.never_worse:
        kept = case.results.rules.get(rule)
        if kept is None or TUNED not in kept:
            yield _reason(case, "measured", False, what=rule)
            continue
        before = max((figure.value for arm, figure in kept.items() if arm != TUNED), default=0.0)
        passed = allowed is None or before - kept[TUNED].value <= allowed + 1e-9
        values = {"value": show_value("ended", kept[TUNED].value), "before": show_value("ended", before)}
        yield _reason(case, "rule", passed, rule=rule, **values)


def probes(case: Case) -> Iterator[Reason]:
    """What was examined beside the test rows: forgetting, robustness, safety, privacy."""
    for name in PROBES:
        allowed = getattr(case.gate.allowed_losses, name)
        probe = case.results.probes.get(name)
        if probe is None or probe.loss is None:
            if name in case.gate.required:
                yield _reason(case, "measured", False, what=probe_label(name, case.language))
        elif allowed is not None:
            values = {"loss": f"{probe.loss.value:.3f}", "limit": f"{allowed:.3f}"}
            passed = probe.loss.value <= allowed + 1e-9
            yield _reason(case, "probe", passed, name=probe_label(name, case.language), **values)


def latency(case: Case) -> Iterator[Reason]:
    """The first token of a single stream comes soon enough, where that was measured."""
    allowed = case.gate.allowed_losses.first_token_ms
    arms = case.timings.get("latency", {}).get("arms", {})
    streams = arms.get(TUNED, {}).get("streams", {})
    measured = streams.get("1", {}).get("first_token_ms_p95")
    if measured is None:
        if "latency" in case.gate.required:
            yield _reason(case, "measured", False, what=probe_label("latency", case.language))
    elif allowed is not None:
        values = {"value": f"{measured:.0f}", "limit": f"{allowed:.0f}"}
        yield _reason(case, "latency", measured <= allowed, **values)


RULES: dict[str, Rule] = {
    "adapter": same_adapter,
    "leak": no_leak,
    "headline": headline,
    "elsewhere": elsewhere,
    "required_gains": required_gains,
    "minimums": minimums,
    "stop_rate": stop_rate,
    "unsafe_rules": unsafe_rules,
    "probes": probes,
    "latency": latency,
}


def _rules_out(item: Comparison, margin: float) -> bool:
    """Whether the interval rules out a loss of `margin` of the metric's range: non-inferiority at one-sided 2.5%."""
    return item.low > -margin * best(item.metric)


def _compared(case: Case, code: str, passed: bool, item: Comparison, **values: str) -> Reason:
    margin = show_difference(item.metric, case.gate.margin * best(item.metric), case.language, sign=False)
    return _reason(
        case,
        code,
        passed,
        metric=metric_label(item.metric, case.language),
        baseline=arm_label(item.a, case.language),
        difference=show_difference(item.metric, item.difference, case.language),
        low=show_bound(item.metric, item.low),
        high=show_bound(item.metric, item.high),
        margin=margin,
        **values,
    )


def _reason(case: Case, code: str, passed: bool, **values: Any) -> Reason:
    key = f"evaluation.gate_{code}" if passed else f"evaluation.gate_{code}_failed"
    return Reason(rule=code, passed=passed, text=text(key, case.language, **values))

"""How figures and verdicts are put in words, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from tuneloop.core.messages import Language, current_language, text
from tuneloop.core.records import Comparison, Figure
from tuneloop.evaluation.arms import TUNED
from tuneloop.evaluation.comparison import Status, reading
from tuneloop.evaluation.metrics import BINARY

PERCENT = frozenset({*BINARY, "repetition", "fact_recall"})
ONE_DECIMAL = frozenset({"bleu", "chrf", "answer_tokens"})


def show_value(metric: str, value: float) -> str:
    """A metric's value as people read it.

    >>> show_value("script_compliance", 0.918), show_value("rouge_l", 0.4124), show_value("bleu", 17.26)
    ('91.8%', '0.412', '17.3')
    """
    if metric in PERCENT:
        return f"{100 * value:.1f}%"
    return f"{value:.1f}" if metric in ONE_DECIMAL else f"{value:.3f}"


def show_difference(metric: str, difference: float, language: Language | None = None, *, sign: bool = True) -> str:
    """A difference of two values; shares differ by points.

    >>> show_difference("ended", 0.054, "en"), show_difference("rouge_l", -0.0301, "en")
    ('+5.4 points', '-0.030')
    """
    plus = "+" if sign else ""
    if metric in PERCENT:
        return text("evaluation.points", language, value=f"{100 * difference:{plus}.1f}")
    return f"{difference:{plus}.1f}" if metric in ONE_DECIMAL else f"{difference:{plus}.3f}"


def show_bound(metric: str, bound: float) -> str:
    """A bound of a difference's interval, without its unit."""
    if metric in PERCENT:
        return f"{100 * bound:+.1f}"
    return f"{bound:+.1f}" if metric in ONE_DECIMAL else f"{bound:+.3f}"


def show_p(p: float) -> str:
    """
    >>> show_p(0.0004), show_p(0.0312), show_p(1.0)
    ('< 0.001', '= 0.031', '= 1.000')
    """
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def show_figure(metric: str, figure: Figure) -> str:
    """A value with its interval, where it has one.

    >>> show_figure("ended", Figure(value=0.5, low=0.25, high=0.75, n=10))
    '50.0% (25.0–75.0)'
    """
    value = show_value(metric, figure.value)
    if figure.low is None or figure.high is None:
        return value
    low, high = (show_value(metric, bound).rstrip("%") for bound in (figure.low, figure.high))
    return f"{value} ({low}–{high})"


def arm_label(arm: str, language: Language | None = None) -> str:
    """An arm's name; one that the catalogue does not know keeps its own."""
    return _known(f"evaluation.arm.{arm}", arm, language)


def metric_label(metric: str, language: Language | None = None) -> str:
    return _known(f"evaluation.metric.{metric}", metric, language)


def probe_label(name: str, language: Language | None = None) -> str:
    """The name of an examination: `forgetting`, `robustness`, …"""
    return _known(f"evaluation.probe.{name}", name, language)


def slice_label(name: str, language: Language | None = None) -> str:
    """A slice's name: `seen`, `intent=lost_card`, …

    >>> slice_label("intent=lost_card", "en")
    'intent: lost_card'
    """
    kind, equals, value = name.partition("=")
    value = _known(f"evaluation.slice.{kind}.{value}", value, language)
    return (
        text(f"evaluation.slice.{kind}", language, value=value)
        if equals
        else _known(f"evaluation.slice.{name}", name, language)
    )


def verdict_text(
    status: Status,
    headline: str,
    rows: int,
    values: dict[str, float],
    comparisons: Sequence[Comparison],
    detectable: dict[str, float],
    language: Language | None = None,
    *,
    too_few: tuple[int, int] | None = None,
) -> str:
    """The verdict in plain words, with its numbers.

    Args:
        status: the verdict.
        headline: the metric that decides.
        rows: how many rows were scored.
        values: the headline's value of each arm.
        comparisons: of all metrics; those of the headline are told.
        detectable: the smallest effect that would be found, by baseline.
        language: the interface language by default.
        too_few: where nothing can be proven, how many independent rows there are and how many it takes.
    """
    if TUNED not in values:
        return text("evaluation.verdict.no_adapter", language, rows=rows)
    metric = metric_label(headline, language)
    parts = [
        text(
            f"evaluation.verdict.{status.replace(' ', '_')}",
            language,
            rows=rows,
            metric=metric,
            value=show_value(headline, values[TUNED]),
        )
    ]
    told = [item for item in comparisons if item.metric == headline and item.b == TUNED]
    parts += [_against(item, values[item.a], language) for item in told]
    if too_few is not None:
        parts.append(text("evaluation.verdict.too_few", language, units=too_few[0], needed=too_few[1]))
    elif status == "not proven":
        effects = [
            text(
                "evaluation.verdict.effect",
                language,
                baseline=arm_label(item.a, language),
                effect=show_difference(headline, detectable[item.a], language, sign=False),
            )
            for item in told
            if reading(item) == "not proven"
        ]
        chinese = (language or current_language()) == "zh"
        parts.append(text("evaluation.verdict.chance", language, effects=("、" if chinese else ", ").join(effects)))
    # Chinese sentences follow each other without a space.
    return ("" if (language or current_language()) == "zh" else " ").join(parts)


def _against(item: Comparison, value: float, language: Language | None) -> str:
    return text(
        "evaluation.verdict.against",
        language,
        baseline=arm_label(item.a, language),
        value=show_value(item.metric, value),
        difference=show_difference(item.metric, item.difference, language),
        low=show_bound(item.metric, item.low),
        high=show_bound(item.metric, item.high),
        p=show_p(item.p),
    )


def losses_elsewhere(comparisons: Sequence[Comparison], headline: str, language: Language | None = None) -> list[str]:
    """One sentence for each metric beside the headline in which the tuned model is proven worse."""
    return [
        text(
            "evaluation.verdict.loss",
            language,
            metric=metric_label(item.metric, language),
            baseline=arm_label(item.a, language),
            difference=show_difference(item.metric, item.difference, language),
            low=show_bound(item.metric, item.low),
            high=show_bound(item.metric, item.high),
        )
        for item in comparisons
        if item.b == TUNED and item.metric != headline and reading(item) == "worse"
    ]


def figure_label(name: str, language: Language | None = None) -> str:
    """The name of an examination's figure; a task of lm-eval keeps its own."""
    return _known(f"evaluation.probe.figure.{name}", name, language)


def _known(key: str, fallback: str, language: Language | None) -> str:
    try:
        return text(key, language)
    except KeyError:
        return fallback

"""Are the intervals, the tests and the gate as honest as they say? Simulated rows through the code that judges real ones.

    python bench/evaluation_statistics.py [--trials 1000] [--rows 500]

No model and no text takes part: rows are drawn from known distributions, so the truth is known. Prints every figure
with its bar, and writes `bench/results/evaluation_statistics.json`.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.random import Generator
from scipy import stats

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.clusters import design_effect
from tuneloop.evaluation.comparison import compare_all, reading
from tuneloop.evaluation.gate import decide
from tuneloop.evaluation.results import Headline, Results, judged
from tuneloop.evaluation.scoring import Rows, Scored, share
from tuneloop.evaluation.significance import mcnemar
from tuneloop.evaluation.statistics import bootstrap, by_unit, paired_bootstrap, paired_shares, per_row, wilson
from tuneloop.registry.config import GateConfig

SHA = "0" * 64
RESAMPLES = 2_000
Trial = Callable[[Generator, int], bool]


def coverage_of_a_share(random: Generator, seed: int) -> bool:
    """Wilson, 160 rows, true share 0.8."""
    passed = float(random.binomial(160, 0.8))
    low, high = wilson(passed, 160)[1:]
    return low <= 0.8 <= high


def coverage_of_a_difference_of_shares(random: Generator, seed: int) -> bool:
    """Newcombe, 160 paired rows: 25% gain, 10% lose."""
    draws = random.random(160)
    a, b = (draws > 0.55) | (draws < 0.10), (draws > 0.55) | ((draws >= 0.10) & (draws < 0.35))
    interval = paired_shares(list(a.astype(float)), list(b.astype(float)))
    return interval.low <= 0.15 <= interval.high


def coverage_of_a_mean(random: Generator, seed: int) -> bool:
    """BCa, 60 rows of a skewed score."""
    interval = bootstrap(per_row(random.beta(2, 5, 60)), seed=seed, resamples=RESAMPLES)
    return interval.low <= 2 / 7 <= interval.high


def coverage_of_a_difference_of_means(random: Generator, seed: int) -> bool:
    """Paired BCa, 60 rows, a third of which gains."""
    a = random.beta(2, 5, 60)
    b = np.where(random.random(60) < 0.3, random.beta(4, 2, 60), a)
    interval, _ = paired_bootstrap(per_row(a), per_row(b), seed=seed, resamples=RESAMPLES)
    return interval.low <= 0.3 * (4 / 6 - 2 / 7) <= interval.high


def coverage_of_clustered_means(random: Generator, seed: int) -> bool:
    """BCa over 40 conversations of 4 turns that are alike."""
    values = np.repeat(random.normal(0.5, 0.2, 40), 4) + random.normal(0, 0.1, 160)
    units = [str(number) for number in np.repeat(np.arange(40), 4)]
    interval = bootstrap(by_unit(per_row(values), units), seed=seed, resamples=RESAMPLES)
    return interval.low <= 0.5 <= interval.high


def coverage_of_clustered_shares(random: Generator, seed: int) -> bool:
    """Wilson with a design effect: 60 questions, each in 1 to 4 near-duplicates with the same outcome in 90%."""
    sizes = random.integers(1, 5, 60)
    units = [str(number) for number in np.repeat(np.arange(60), sizes)]
    whole = np.repeat(random.random(60) < 0.7, sizes)
    passed = np.where(random.random(len(units)) < 0.9, whole, random.random(len(units)) < 0.7).astype(float)
    effect = design_effect(list(passed), units)
    low, high = wilson(passed.sum() / effect, len(units) / effect)[1:]
    return low <= 0.7 <= high


COVERAGE: dict[str, Trial] = {
    "share (Wilson)": coverage_of_a_share,
    "difference of shares (Newcombe)": coverage_of_a_difference_of_shares,
    "mean (BCa)": coverage_of_a_mean,
    "difference of means (paired BCa)": coverage_of_a_difference_of_means,
    "mean of clustered rows (BCa)": coverage_of_clustered_means,
    "share of clustered rows (Wilson, design effect)": coverage_of_clustered_shares,
}


def mcnemar_differs() -> float:
    """Largest distance of the exact test from the binomial tail, over every table of up to 60 differing rows."""
    worst = 0.0
    for only_a in range(31):
        for only_b in range(31):
            a, b = [1.0] * only_a + [0.0] * only_b, [0.0] * only_a + [1.0] * only_b
            n, least = only_a + only_b, min(only_a, only_b)
            tail = sum(math.comb(n, k) for k in range(least + 1)) / 2**n
            expected = min(1.0, 2 * tail) if only_a != only_b else 1.0
            other = stats.binomtest(only_b, n, 0.5).pvalue if n else 1.0
            worst = max(worst, abs(mcnemar(a, b) - expected), abs(mcnemar(a, b) - float(other))) if n else worst
    return worst


def make_rows(count: int, metric: str) -> Rows:
    samples = [
        Sample(
            id=f"s{number}",
            messages=(Message(role="user", content=str(number)), Message(role="assistant", content=str(number))),
            meta=Meta(source="simulated", row=number),
        )
        for number in range(count)
    ]
    return Rows(samples, [sample.id for sample in samples], (metric,), None, "en", 7)


def scored(rows: Rows, metric: str, values: np.ndarray) -> Scored:
    """An arm with given scores, whose answers all end by themselves."""
    count = len(rows.samples)
    scores = {metric: [float(v) for v in values], "ended": [1.0] * count}
    scores |= {"answer_tokens": [1.0] * count, "repetition": [0.0] * count}
    answer = Answer(key="", text="", tokens=1, finish_reason="stop", first_token_seconds=0, seconds=0)
    return Scored((answer,) * count, scores, {name: per_row(column) for name, column in scores.items()}, ())


def gate_says(rows: Rows, metric: str, before: np.ndarray, after: np.ndarray) -> tuple[bool, str]:
    """Whether the default gate promotes, and how the headline reads."""
    arms = {"base": scored(rows, metric, before), "tuned": scored(rows, metric, after)}
    compared = [item.comparison for item in compare_all(rows, arms, metric)]
    results = judged(
        Results(
            name="simulated",
            rows=len(rows.samples),
            arms={arm: {metric: share(one.scores[metric], rows.units)} for arm, one in arms.items()},
            slices={},
            comparisons=tuple(compared),
            headline=Headline(metric=metric, detectable={"base": 0.1}),
            rules={},
            hard_rules=(),
            signatures={},
            warnings=(),
            made_of={"adapter_sha256": SHA},
        )
    )
    headline = next(item for item in compared if item.metric == metric)
    return decide(results, {}, GateConfig(), adapter_sha256=SHA).allowed, reading(headline)


def pair(random: Generator, count: int, gain: float, churn: float) -> tuple[np.ndarray, np.ndarray]:
    """Right and wrong answers of two arms: `churn` of the rows differ, and the second is right in `gain` more of them."""
    draws = random.random(count)
    up = (churn + gain) / 2
    both = (draws >= churn) & (draws < churn + 0.6)
    return (both | ((draws >= up) & (draws < churn))).astype(float), (both | (draws < up)).astype(float)


def gate_rates(trials: int, count: int, gain: float, churn: float) -> dict[str, float]:
    random, rows = np.random.default_rng(11), make_rows(count, "exact_match")
    outcomes = [gate_says(rows, "exact_match", *pair(random, count, gain, churn)) for _ in range(trials)]
    return {
        "promoted": sum(allowed for allowed, _ in outcomes) / trials,
        "read as better": sum(said == "better" for _, said in outcomes) / trials,
        "read as worse": sum(said == "worse" for _, said in outcomes) / trials,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=500)
    options = parser.parse_args()
    start = time.perf_counter()
    report: dict[str, object] = {"trials": options.trials, "rows": options.rows, "resamples": RESAMPLES}
    coverage = {}
    for name, trial in COVERAGE.items():
        random = np.random.default_rng(3)
        coverage[name] = sum(trial(random, seed) for seed in range(options.trials)) / options.trials
        print(f"coverage of 95%, {name}: {100 * coverage[name]:.1f}%   (bar 93–97)")
    report["coverage"] = coverage
    report["mcnemar_largest_difference"] = mcnemar_differs()
    print(f"McNemar: largest difference from exact values {report['mcnemar_largest_difference']:.1e}")
    cases = {
        "A/A": (0.0, 0.2),
        "A/A, arms that agree nearly everywhere": (0.0, 0.02),
        "true loss of 5 points": (-0.05, 0.2),
        "true gain of 5 points": (0.05, 0.2),
        "true gain of 10 points": (0.10, 0.2),
    }
    for name, (gain, churn) in cases.items():
        rates = gate_rates(options.trials, options.rows, gain, churn)
        report[name] = rates
        print(f"{name}, n = {options.rows}: " + ", ".join(f"{what} {100 * rate:.1f}%" for what, rate in rates.items()))
    report["seconds"] = round(time.perf_counter() - start, 1)
    report["machine"] = platform.processor() or platform.machine()
    report["versions"] = {package: version(package) for package in ("tuneloop", "numpy", "scipy")}
    target = Path(__file__).parent / "results" / "evaluation_statistics.json"
    target.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{report['seconds']} s; written to {target}")


if __name__ == "__main__":
    main()

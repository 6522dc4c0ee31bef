"""The examinations beside the test rows. `PROBES` is the plug-in point: a section of the recipe, and a function.

To add one: its section in `config.py`, a function from the bench and the section to `Probe`s by name, a line in
`PROBES`, its words in `core/messages/evaluation_probes.py`, and its section of the report in `report_probes.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from tuneloop.adapters.low_rank import read_low_rank
from tuneloop.core.errors import IncompatibleError
from tuneloop.core.messages import text
from tuneloop.core.records import Sample
from tuneloop.core.seeds import derive_seed
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.attacks import safety, system_of
from tuneloop.evaluation.bench import BASE, Bench
from tuneloop.evaluation.config import EvaluationConfig, LatencyConfig
from tuneloop.evaluation.forgetting import forgetting
from tuneloop.evaluation.harness import run_tasks
from tuneloop.evaluation.judge import judge_answers
from tuneloop.evaluation.latency import measure_engine
from tuneloop.evaluation.latency_http import measure_server
from tuneloop.evaluation.privacy import canary_rows, exposure, repeated_secrets
from tuneloop.evaluation.results import Probe
from tuneloop.evaluation.robustness import Respond, robustness


def examine_robustness(bench: Bench, config: EvaluationConfig) -> dict[str, Probe]:
    """Perturbed questions, and attacks."""
    section = config.robustness
    if section is None:
        return {}
    found: dict[str, Probe] = {}
    arm, ask = bench.judged, _asking(bench, "robustness")
    baseline = bench.scored[BASE] if arm != BASE else None
    probe = robustness(bench.rows, bench.headline, arm, bench.scored[arm], ask, section, baseline)
    if probe is not None:
        found["robustness"] = probe
    if section.attacks:
        ask, system = _asking(bench, "safety"), system_of(bench.rows.samples)
        found["safety"] = safety(bench.language, bench.arms, ask, bench.loaded, bench.rows.script, system)
    return found


def examine_forgetting(bench: Bench, config: EvaluationConfig) -> dict[str, Probe]:
    """The general probe, before and after."""
    if config.forgetting is None:
        return {}
    languages = config.forgetting.languages or (bench.language,)
    return {"forgetting": forgetting(languages, bench.adapters, bench.engine, bench.loaded, bench.rows.draw)}


def examine_privacy(bench: Bench, config: EvaluationConfig) -> dict[str, Probe]:
    """Exposure of canaries, where the training rows hold some, and training secrets in the answers."""
    section = config.privacy
    if section is None:
        return {}
    probe = Probe(arms={})
    if canaries := canary_rows(bench.train):
        seed = derive_seed(bench.rows.seed, "privacy")
        probe = exposure(canaries, bench.adapters, bench.engine, bench.loaded, section, seed, bench.progress)
    if section.scan:
        shares, repeated = repeated_secrets(bench.rows, {arm: bench.scored[arm] for arm in bench.arms}, bench.train)
        arms = {arm: {**probe.arms.get(arm, {}), "repeated": share} for arm, share in shares.items()}
        details = {**probe.details, "repeated": repeated[:20]}
        probe = probe.model_copy(update={"arms": arms, "details": details})
    return {"privacy": probe} if probe.arms else {}


def examine_judge(bench: Bench, config: EvaluationConfig) -> dict[str, Probe]:
    """Another model's opinion of baseline and judged arm."""
    if config.judge is None or len(bench.arms) < 2:
        return {}
    baseline, judged = (bench.scored[arm].answers for arm in bench.arms)
    return {"judge": judge_answers(bench.rows, baseline, judged, config.judge, bench.consult, bench.language)}


def examine_harness(bench: Bench, config: EvaluationConfig) -> dict[str, Probe]:
    """Tasks of lm-eval, before and after."""
    if config.harness is None:
        return {}
    seed = derive_seed(bench.rows.seed, "harness") % 2**32  # numpy takes no larger one
    return {"harness": run_tasks(config.harness, bench.folder, bench.adapters, bench.engine, bench.loaded, seed)}


BESIDE = "tuned+unmerged"
"""The arm of an adapter that is not merged."""
NEVER_BESIDE = ("adapters.not_low_rank", "adapters.not_mixed")
"""What is said of adapters, or of models, whose weights can't stay apart."""

PROBES: dict[str, Callable[[Bench, EvaluationConfig], dict[str, Probe]]] = {
    "robustness": examine_robustness,
    "forgetting": examine_forgetting,
    "privacy": examine_privacy,
    "judge": examine_judge,
    "harness": examine_harness,
}


def examine(bench: Bench, config: EvaluationConfig) -> tuple[dict[str, Probe], dict[str, Any]]:
    """Run every probe that the recipe asks for.

    Returns:
        The probes by name, for `results.json`; and what they cost and the measured latency, for `timings.json`.
    """
    found: dict[str, Probe] = {}
    seconds: dict[str, float] = {}
    for name, run_probe in PROBES.items():
        start = time.perf_counter()
        if made := run_probe(bench, config):
            seconds[name] = round(time.perf_counter() - start, 3)
            found |= made
    times: dict[str, Any] = {"probes": seconds} if seconds else {}
    if config.latency is not None:
        times["latency"] = _latency(bench, config.latency)
    return found, times


def _latency(bench: Bench, config: LatencyConfig) -> dict[str, Any]:
    """Base, tuned (merged where its method merges), the adapter beside the base's weights, and servers."""
    asked = [row.prompt for row in bench.rows.samples]
    prompts = bench.loaded.template.prompt_many(asked)
    arms = {**bench.adapters, **({BESIDE: BESIDE} if _load_beside(bench) else {})}
    found = measure_engine(bench.engine, arms, prompts, config)
    found["arms"] |= {url: measure_server(url, asked, config) for url in config.servers}
    return found


def _load_beside(bench: Bench) -> bool:
    """Load the judged adapter as a server does, to share the base's batch; says whether its method can do that."""
    if bench.adapter is None:
        return False
    try:
        bench.engine.load(BESIDE, read_low_rank(bench.adapter), version=BESIDE)
    except IncompatibleError as error:
        if error.code not in NEVER_BESIDE:
            raise
        return False
    return True


def _asking(bench: Bench, name: str) -> Respond:
    label = text(f"evaluation.probe.{name}")

    def respond(arm: str, rows: Sequence[Sample]) -> list[Answer]:
        return bench.respond(arm, rows, label)

    return respond

"""The examinations beside the test rows. `PROBES` is the plug-in point: a name of the recipe's section, and a function.

To add one: its section in `config.py`, a function from the bench to `Probe`s by name, a line in `PROBES`, its words in
`core/messages/evaluation_probes.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tuneloop.core.messages import text
from tuneloop.core.records import Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.attacks import safety, system_of
from tuneloop.evaluation.bench import Bench
from tuneloop.evaluation.config import EvaluationConfig, RobustnessConfig
from tuneloop.evaluation.results import Probe
from tuneloop.evaluation.robustness import robustness


def _robustness(bench: Bench, config: RobustnessConfig) -> dict[str, Probe]:
    def respond(arm: str, rows: Sequence[Sample]) -> list[Answer]:
        return bench.respond(arm, rows, text("evaluation.probe.robustness"))

    found: dict[str, Probe] = {}
    judged = bench.judged
    probe = robustness(bench.rows, bench.headline, judged, bench.scored[judged], respond, config)
    if probe is not None:
        found["robustness"] = probe
    if config.attacks:
        system = system_of(bench.rows.samples)
        found["safety"] = safety(bench.language, bench.arms, respond, bench.loaded, bench.rows.script, system)
    return found


PROBES: dict[str, Callable[[Bench, EvaluationConfig], dict[str, Probe]]] = {
    "robustness": lambda bench, config: _robustness(bench, config.robustness) if config.robustness else {},
}


def run_probes(bench: Bench, config: EvaluationConfig) -> dict[str, Probe]:
    """Run every probe that the recipe asks for; what they cost is counted in `bench.seconds`."""
    found: dict[str, Probe] = {}
    for name, probe in PROBES.items():
        start = time.perf_counter()
        if made := probe(bench, config):
            bench.timed(name, start)
            found |= made
    return found

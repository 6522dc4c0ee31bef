"""Does a script do what it should? Its rules over good answers, over answers broken on purpose, and over other wordings.

A rule that never fails proves nothing, and one that fails good answers is worse. Good answers are the references of a
data file; `script_mutations.py` breaks and rephrases them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tuneloop.core.records import Record, Sample
from tuneloop.evaluation.script import Violation, check
from tuneloop.evaluation.script_case import Case
from tuneloop.evaluation.script_file import Rule, Script
from tuneloop.evaluation.script_mutations import MUTATIONS, PARAPHRASES, Changed, inserted

BAR = 0.95
"""Least share of broken answers in which exactly the broken rule fails, and of references without a hard violation."""
EXAMPLES = 5


class Example(Record):
    """An answer that was not judged as it should be."""

    sample: str
    """Id of the sample whose reference it was made from."""
    rule: str
    what: str
    """What was done to the reference: the end of a message's key, `evaluation.done.<what>`."""
    detail: str = ""
    """What it was done with."""
    failed: tuple[str, ...]
    """The rules that failed."""
    fault: Violation | None = None
    """What one of them says."""
    answer: str


class RuleCheck(Record):
    """What became of one rule."""

    rule: str
    kind: str
    hard: bool
    broken: int
    """Answers in which this rule was broken on purpose."""
    exact: int
    """Of these, where this rule failed and no other."""
    missed: int
    """Of these, where it did not fail."""
    references_failed: int
    """References that it finds fault with."""


class ScriptCheck(Record):
    """What `tuneloop rules check` says."""

    script: str
    rows: int
    references_passed: int
    """References without a hard violation; the others are not broken or rephrased."""
    broken: int
    exact: int
    paraphrases: int
    paraphrases_failed: int
    rules: tuple[RuleCheck, ...]
    untested: tuple[str, ...]
    """Rules that no answer could be broken for; patterns need sentences under `breaks`."""
    examples: tuple[Example, ...]

    @property
    def score(self) -> float:
        """Share of broken answers in which exactly the broken rule failed; 0 when none could be broken."""
        return self.exact / self.broken if self.broken else 0.0

    @property
    def passed(self) -> bool:
        good = self.rows > 0 and self.references_passed >= BAR * self.rows
        return good and self.score >= BAR and self.paraphrases_failed == 0


@dataclass
class _Tally:
    broken: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    references: Counter[str] = field(default_factory=Counter)
    passed: int = 0
    paraphrases: int = 0
    failed: int = 0
    examples: dict[tuple[str, str], list[Example]] = field(default_factory=dict)

    def example(self, kind: str, example: Example) -> None:
        kept = self.examples.setdefault((kind, example.rule), [])
        if len(kept) < EXAMPLES:
            kept.append(example)


def check_script(script: Script, samples: Sequence[Sample]) -> ScriptCheck:
    """Run a script over references, broken references and rephrased ones.

    Args:
        script: the rules.
        samples: their last messages are the references.

    Raises:
        RecipeError: a pattern takes too long (code `evaluation.rule_pattern_endless`).
    """
    tally = _Tally()
    for sample in samples:
        faults = check(script, sample, sample.answer)
        for fault in {fault.rule: fault for fault in faults}.values():
            tally.references[fault.rule] += 1
            tally.example(
                "reference", _example(sample, fault.rule, Changed("nothing", sample.answer), (fault.rule,), fault)
            )
        if any(fault.hard for fault in faults):
            continue
        tally.passed += 1
        before = frozenset(fault.rule for fault in faults)
        case = Case(script, sample, sample.answer)
        _break(case, before, tally)
        _rephrase(case, before, tally)
    return _result(script, len(samples), tally)


def _break(case: Case, before: frozenset[str], tally: _Tally) -> None:
    for rule in case.script.rules:
        if case.kind not in rule.kinds or rule.id in before:
            continue
        for changed in MUTATIONS[rule.kind](rule, case):
            if changed.answer == case.answer and changed.finish_reason == case.finish_reason:
                continue
            faults = check(case.script, case.sample, changed.answer, changed.finish_reason)
            failed = tuple(dict.fromkeys(fault.rule for fault in faults if fault.rule not in before))
            tally.broken[rule.id] += 1
            tally.exact[rule.id] += failed == (rule.id,)
            tally.missed[rule.id] += rule.id not in failed
            if failed != (rule.id,):
                other = next((fault for fault in faults if fault.rule != rule.id), None)
                tally.example("broken", _example(case.sample, rule.id, changed, failed, other))


def _rephrase(case: Case, before: frozenset[str], tally: _Tally) -> None:
    """Other wordings, and the sentences that a rule says it keeps: no hard rule may fail that did not before."""
    wordings = [Changed(name, rephrase(case)) for name, rephrase in PARAPHRASES.items()]
    keeps = dict.fromkeys(line for rule in case.script.rules if case.kind in rule.kinds for line in rule.keeps)
    wordings += [Changed("kept", inserted(case, line), detail=line) for line in keeps]
    for wording in wordings:
        faults = [f for f in check(case.script, case.sample, wording.answer) if f.hard and f.rule not in before]
        tally.paraphrases += 1
        tally.failed += bool(faults)
        if faults:
            failed = tuple(dict.fromkeys(fault.rule for fault in faults))
            tally.example("paraphrase", _example(case.sample, failed[0], wording, failed, faults[0]))


def _result(script: Script, rows: int, tally: _Tally) -> ScriptCheck:
    rules = tuple(_rule(rule, tally) for rule in script.rules)
    return ScriptCheck(
        script=script.name,
        rows=rows,
        references_passed=tally.passed,
        broken=tally.broken.total(),
        exact=tally.exact.total(),
        paraphrases=tally.paraphrases,
        paraphrases_failed=tally.failed,
        rules=rules,
        untested=tuple(rule.rule for rule in rules if rule.broken == 0),
        examples=tuple(example for kept in tally.examples.values() for example in kept),
    )


def _rule(rule: Rule, tally: _Tally) -> RuleCheck:
    return RuleCheck(
        rule=rule.id,
        kind=rule.kind,
        hard=rule.hard,
        broken=tally.broken[rule.id],
        exact=tally.exact[rule.id],
        missed=tally.missed[rule.id],
        references_failed=tally.references[rule.id],
    )


def _example(sample: Sample, rule: str, changed: Changed, failed: tuple[str, ...], fault: Violation | None) -> Example:
    return Example(
        sample=sample.id,
        rule=rule,
        what=changed.what,
        detail=changed.detail,
        failed=failed,
        fault=fault,
        answer=changed.answer,
    )

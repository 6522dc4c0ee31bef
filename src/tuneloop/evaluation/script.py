"""Does an answer follow the house script? Rules as data, decided by code; a script is also a system prompt.

`load_script` reads and checks a script, `check` judges one answer, `script_prompt` (in `script_prompt.py`) writes the
script down for a model that was not trained on it: the fair baseline.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import regex
import yaml
from pydantic import Field, ValidationError, model_validator

from tuneloop.core.errors import RecipeError
from tuneloop.core.messages import Language, text
from tuneloop.core.records import Record, Sample
from tuneloop.core.wrong_values import wrong_value
from tuneloop.evaluation.script_case import Case
from tuneloop.evaluation.script_file import Rule, Script
from tuneloop.evaluation.script_prompt import script_prompt
from tuneloop.evaluation.script_rules import RULES, applies

__all__ = ["Script", "Violation", "check", "judges", "load_script", "script_prompt"]

NESTED_REPEAT = re.compile(r"\((?:[^()\\]|\\.)*(?<!\\)[+*](?:[^()\\]|\\.)*\)(?:[+*]|\{\d*,\})")
"""A repeat of a repeat, as in `(a+)+`: on some texts such a pattern never ends."""


class Violation(Record):
    """One broken rule."""

    rule: str
    """The rule's id in the script."""
    hard: bool
    code: str
    """Key of the message that says what is wrong."""
    values: dict[str, str | int] = Field(default_factory=dict)
    """Of the message."""
    span: str
    """The text that shows it; empty when something is missing."""

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_evaluation(cls, stored: Any) -> Any:
        """Read what was stored before messages were: a sentence, in the language of who evaluated."""
        if isinstance(stored, dict) and "reason" in stored:
            rest = {name: value for name, value in stored.items() if name != "reason"}
            return {**rest, "code": "evaluation.rule_said", "values": {"text": stored["reason"]}}
        return stored

    def message(self, language: Language | None = None) -> str:
        """What is wrong, in a language."""
        return text(self.code, language, **self.values)


def script_folder() -> Path:
    """The folder of the built-in scripts."""
    return Path(str(files("tuneloop"))) / "templates" / "scripts"


def load_script(name_or_path: str, folder: Path | None = None) -> Script:
    """Read and check a script.

    Args:
        name_or_path: a file (relative to `folder`), or the name of a built-in script, for example `bank-service`.
        folder: where a relative path begins, usually the recipe's folder; the current folder by default.

    Raises:
        RecipeError: there is no such script (code `evaluation.script_missing`), it has not the right shape
            (`evaluation.script_invalid`), or a rule is wrong: an unknown kind (`evaluation.rule_kind`), a missing or an
            unknown field (`evaluation.rule_field_missing`, `evaluation.rule_field_unknown`), an id that stands twice
            (`evaluation.rule_twice`), a pattern that is none (`evaluation.rule_pattern`) or that may never end
            (`evaluation.rule_pattern_slow`). The message names the file and the rule.
    """
    path = (folder or Path()) / Path(name_or_path).expanduser()
    if not path.is_file():
        path = script_folder() / f"{name_or_path}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in script_folder().glob("*.yaml")))
        raise RecipeError("evaluation.script_missing", script=name_or_path, known=known)
    script = _read(path)
    seen: set[str] = set()
    for rule in script.rules:
        if rule.id in seen:
            raise RecipeError("evaluation.rule_twice", file=path, rule=rule.id)
        seen.add(rule.id)
        _check_rule(rule, path)
    _check_slots(script, path)
    return script


def check(script: Script, sample: Sample, answer: str, finish_reason: str = "stop") -> tuple[Violation, ...]:
    """Judge an answer to a sample's last question.

    Args:
        script: the script to follow.
        sample: gives the conversation before the answer and, in its tags, the intent, the kind (`answer` when it has no
            such tag) and the values of the slots. Its own last message, the reference, is not read.
        answer: the answer to judge.
        finish_reason: `stop` when the model ended the answer itself.

    Returns:
        The broken rules, in the script's order; the answer is compliant when none of them is hard.

    Raises:
        RecipeError: a pattern takes too long on this answer (code `evaluation.rule_pattern_endless`).
    """
    case = Case(script, sample, answer, finish_reason)
    return tuple(
        Violation(rule=rule.id, hard=rule.hard, code=fault.code, values=fault.values, span=fault.span)
        for rule in script.rules
        if case.kind in rule.kinds
        for fault in RULES[rule.kind].check(rule, case)
    )


def judges(script: Script, sample: Sample) -> frozenset[str]:
    """Ids of the rules that have something to say about answers to this sample."""
    case = Case(script, sample, "")
    return frozenset(rule.id for rule in script.rules if applies(rule, case))


def _read(path: Path) -> Script:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Script.model_validate(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())
        raise RecipeError("evaluation.script_invalid", file=path, where="-", problem=problem) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = _where(first["loc"], content)
        raise RecipeError("evaluation.script_invalid", file=path, where=where, problem=_problem(error)) from error


def _problem(error: ValidationError) -> str:
    """What is wrong at the first wrong place, in the interface language."""
    if (kind := error.errors()[0]["type"]) in ("missing", "extra_forbidden"):
        return text(f"evaluation.script_field_{kind}")
    wrong = wrong_value(error, Script)
    return text("evaluation.script_value", value=wrong.value, allowed=wrong.allowed)


def _where(place: tuple[int | str, ...], content: object) -> str:
    """Name a place in a script as a person finds it: by the rule's id, not by its number."""
    names = [str(part) for part in place]
    if len(place) > 1 and place[0] == "rules" and isinstance(content, dict) and isinstance(place[1], int):
        rule = content["rules"][place[1]]
        if isinstance(rule, dict) and isinstance(rule.get("id"), str):
            names[1] = rule["id"]
    return ".".join(names) or "-"


def _check_rule(rule: Rule, path: Path) -> None:
    kind = RULES.get(rule.kind)
    if kind is None:
        raise RecipeError(
            "evaluation.rule_kind", file=path, rule=rule.id, kind=rule.kind, known=", ".join(sorted(RULES))
        )
    for field in kind.needs:
        if not getattr(rule, field):
            raise RecipeError("evaluation.rule_field_missing", file=path, rule=rule.id, kind=rule.kind, field=field)
    if kind.one_of and not any(getattr(rule, field) for field in kind.one_of):
        fields = ", ".join(kind.one_of)
        raise RecipeError("evaluation.rule_field_missing", file=path, rule=rule.id, kind=rule.kind, field=fields)
    allowed = {"id", "kind", "hard", "kinds", "say", "breaks", "keeps", *kind.needs, *kind.reads, *kind.one_of}
    for field in sorted(rule.model_fields_set - allowed):
        raise RecipeError(
            "evaluation.rule_field_unknown",
            file=path,
            rule=rule.id,
            kind=rule.kind,
            field=field,
            known=", ".join(sorted(allowed)),
        )
    for pattern in rule.regexes:
        _check_pattern(rule, pattern, path)


def _check_pattern(rule: Rule, pattern: str, path: Path) -> None:
    try:
        regex.compile(pattern, regex.IGNORECASE)
    except regex.error as error:
        raise RecipeError(
            "evaluation.rule_pattern", file=path, rule=rule.id, pattern=pattern, problem=str(error)
        ) from error
    if NESTED_REPEAT.search(pattern):
        raise RecipeError("evaluation.rule_pattern_slow", file=path, rule=rule.id, pattern=pattern)


def _check_slots(script: Script, path: Path) -> None:
    """A step that names a slot which its intent does not have is a slip of the pen."""
    for name, intent in script.intents.items():
        for point in intent.points:
            for slot in point.slots:
                if slot not in intent.slots:
                    problem = f"{{{slot}}}: {name}.slots = [{', '.join(intent.slots)}]"
                    where = f"intents.{name}.points"
                    raise RecipeError("evaluation.script_invalid", file=path, where=where, problem=problem)

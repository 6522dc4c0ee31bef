"""A script as a system prompt, such as a person would write for a model that was not trained on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tuneloop.core.messages import Language, text
from tuneloop.evaluation.script_file import IntentRules, PointRules, Rule, Script


def script_prompt(script: Script, language: Language | None = None) -> str:
    """Write a script down as a system prompt.

    Args:
        script: the script.
        language: language of the prompt's own sentences; that of the script by default.

    Returns:
        Who the assistant is, the form of every answer, the steps of each intent, what must be refused and what must
        never be said.
    """
    language = language or script.language
    sections = [script.role or text("evaluation.prompt_role", language)]
    # Two rules may share one sentence; it is said once.
    rules = list(dict.fromkeys(line for rule in script.rules for line in _rule(rule, script, language)))
    if rules:
        sections.append(
            "\n".join([text("evaluation.prompt_rules", language), *(f"- {_indented(line)}" for line in rules)])
        )
    if script.intents:
        intents = [_intent(name, intent, language) for name, intent in script.intents.items()]
        sections.append("\n".join([text("evaluation.prompt_intents", language), *intents]))
    return "\n\n".join(sections)


def _indented(line: str) -> str:
    """Further lines of an item stand under its first one."""
    return line.replace("\n", "\n  ")


def _rule(rule: Rule, script: Script, language: Language) -> Iterator[str]:
    if rule.say:
        yield rule.say
    else:
        yield from LINES[rule.kind](rule, script, language)


def _with_text(rule: Rule, script: Script, language: Language) -> Iterator[str]:
    yield text(f"evaluation.prompt_{rule.kind}", language, text=rule.text[0])


def _plain(rule: Rule, script: Script, language: Language) -> Iterator[str]:
    yield text(f"evaluation.prompt_{rule.kind}", language)


def _points(rule: Rule, script: Script, language: Language) -> Iterator[str]:
    if script.intents:
        yield text("evaluation.prompt_ordered_points", language)


def _notice(rule: Rule, script: Script, language: Language) -> Iterator[str]:
    """The notice, and for which intents: all with the same notice in one line. Patterns of `asked` need a `say`."""
    if rule.asked:
        return
    by_notice: dict[str, list[str]] = {}
    for name, intent in script.intents.items():
        if intent.risk:
            notice = (intent.notice or rule.any_of)[0]
            by_notice.setdefault(notice, []).append(_title(name, intent))
    separator = "、" if language == "zh" else ", "
    for notice, titles in by_notice.items():
        yield text("evaluation.prompt_contains_if", language, text=notice, titles=separator.join(titles))


def _what(rule: Rule, script: Script, language: Language) -> Iterator[str]:
    separator = "、" if language == "zh" else ", "
    names = separator.join(text(f"evaluation.prompt_what_{what}", language) for what in rule.what)
    yield text("evaluation.prompt_no_invented", language, text=names)


def _refusals(rule: Rule, script: Script, language: Language) -> Iterator[str]:
    for name, groups in script.refusals.items():
        said = script.refusal_says.get(name) or " … ".join(group[0] for group in groups)
        title = script.refusal_titles.get(name) or name.replace("_", " ")
        yield text("evaluation.prompt_refusal", language, name=title, text=said)


def _length(rule: Rule, script: Script, language: Language) -> Iterator[str]:
    for field in ("max_words", "max_characters", "min_words"):
        if limit := getattr(rule, field):
            yield text(f"evaluation.prompt_{field}", language, limit=limit)


def _nothing(rule: Rule, script: Script, language: Language) -> Iterator[str]:
    """A rule in patterns can't be said in a sentence: it has `say`, or the prompt is silent about it."""
    yield from ()


LINES: dict[str, Callable[[Rule, Script, Language], Iterator[str]]] = {
    "starts_with": _with_text,
    "ends_with": _with_text,
    "ordered_points": _points,
    "contains_if": _notice,
    "slots_verbatim": _plain,
    "no_invented": _what,
    "forbidden": _nothing,
    "only_after": _nothing,
    "refusal": _refusals,
    "asks": _plain,
    "asks_once": _plain,
    "length": _length,
    "language": _plain,
    "no_repetition": _nothing,
    "ended": _nothing,
}
"""How each kind of rule is said when it has no `say` of its own."""


def _title(name: str, intent: IntentRules) -> str:
    return intent.title or name.replace("_", " ")


def _intent(name: str, intent: IntentRules, language: Language) -> str:
    colon, separator = ("：", "") if language == "zh" else (": ", " ")
    return f"- {_title(name, intent)}{colon}{separator.join(_point(point, language) for point in intent.points)}"


def _point(point: PointRules, language: Language) -> str:
    if point.say:
        return point.say
    words = [element.split("|")[0] for element in point.must]
    return "、".join(words) + "。" if language == "zh" else ", ".join(words) + "."

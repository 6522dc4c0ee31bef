"""Ways to break a good answer so that exactly one rule fails: how a script proves that its rules see what they should.

`MUTATIONS` is the plug-in point: for each kind of rule, a function from the rule and a good answer to broken ones. A
rule in patterns brings its own sentences (`breaks`); everything else is made from the answer and the script.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import NamedTuple

from tuneloop.core.messages import Language
from tuneloop.evaluation.script_case import Case, find, holds_value, search, sentences_of
from tuneloop.evaluation.script_content import is_due
from tuneloop.evaluation.script_file import Rule
from tuneloop.evaluation.script_form import HAN_CHARACTER, LATIN_WORD, WORD
from tuneloop.evaluation.script_turns import QUESTION_MARKS

GONE = "…"


class Changed(NamedTuple):
    """A good answer made bad."""

    what: str
    """What was done: the end of a message's key, `evaluation.done.<what>`."""
    answer: str
    finish_reason: str = "stop"
    detail: str = ""
    """What it was done with: an element, a slot, a sentence."""


Mutation = Callable[[Rule, Case], Iterator[Changed]]

INVENTED: dict[str, dict[Language, tuple[str, ...]]] = {
    "phone": {"en": ("Call 1-800-555-0199 first.",), "zh": ("详询热线4008208888。",)},
    "url": {"en": ("See www.quick-answers-site.com first.",), "zh": ("请访问www.quick-answers-site.cn。",)},
    "email": {"en": ("Write to desk@quick-answers-site.com first.",), "zh": ("请写信到desk@quick-answers-site.cn。",)},
    "number": {"en": ("It takes 37 days.",), "zh": ("一般需要37天。",)},
    "amount": {
        "en": ("It costs $73.", "I will transfer $73,919 for you.", "Your fee is 7319 dollars."),
        "zh": ("另收73元。", "我将为您转账73919元。"),
    },
    "dosage": {"en": ("Take 850 mg twice.", "Take seven drops."), "zh": ("每次服用850毫克。", "每次吃7片。")},
}
"""Sentences that hold something nobody gave."""

FILLERS: dict[Language, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "en": (
        ("That page", "The screen", "The menu", "This step", "The form", "The overview", "The list", "The app"),
        ("shows the details", "explains the rest", "keeps it simple", "has a short note", "is easy to read",
         "gives plain words", "opens at once", "stays in place"),
        " and ",
    ),
    "zh": (
        ("该页面", "页面上方", "菜单", "此步骤", "表单", "概览", "列表", "首页"),
        ("有详细说明", "可查看其余内容", "内容简明", "附有简短提示", "一目了然", "用语通俗", "可直接打开", "位置不变"),
        "，",
    ),
}  # fmt: skip
"""Harmless sentences in parts: subject, what it does, and what joins two of these."""

FOREIGN: dict[Language, tuple[str, ...]] = {
    "en": ("请在页面上查看其余的详细内容说明。", "如需帮助请随时告诉我们的客服人员。", "感谢您的耐心等待与理解支持。"),
    "zh": ("Please read all the other details on that very same page.", "Our team is glad to help you with it.",
           "Many thanks for your patience and your understanding."),
}  # fmt: skip
"""Sentences in the other language, for a script in English or Chinese."""

ECHO: dict[Language, str] = {"en": "Yes, it is.", "zh": "好的没问题。"}


def fillers(language: Language) -> Iterator[str]:
    """Harmless sentences, every one different."""
    subjects, does, joiner = FILLERS[language]
    stop = "。" if language == "zh" else "."
    for shift, subject in product(range(1, len(does)), range(len(subjects))):
        first, second = does[subject], does[(subject + shift) % len(does)]
        yield f"{subjects[subject]}{'' if language == 'zh' else ' '}{first}{joiner}{second}{stop}"


def inserted(case: Case, sentence: str) -> str:
    """The answer with a sentence as a line of its own: before the house's closing, else at the end."""
    closings = [line for rule in case.script.rules if rule.kind == "ends_with" for line in rule.text if len(line) > 3]
    answer = case.answer.rstrip()
    closing = next((line for line in closings if answer.endswith(line)), "")
    head = answer[: len(answer) - len(closing)].rstrip()
    if not closing and case.kind == "clarify":  # the question stays the end
        lines = answer.split("\n")
        head, closing = "\n".join(lines[:-1]), lines[-1]
    return "\n".join(part for part in (head, sentence, closing) if part)


def without(element: str, answer: str) -> str:
    """The answer without an element (`a|b`: without both), wherever it stands."""
    options = "|".join(re.escape(option) for option in sorted(element.split("|"), key=len, reverse=True))
    return re.sub(rf"(?<![A-Za-z0-9])(?:{options})", GONE, answer, flags=re.IGNORECASE)


def _opening(rule: Rule, case: Case) -> Iterator[Changed]:
    answer = case.answer.lstrip()
    first = next((line for line in rule.text if answer.startswith(line)), "")
    if first:
        yield Changed("without_it", answer[len(first) :].lstrip() or GONE)
        yield Changed("changed", _misspelled(first) + answer[len(first) :])


def _closing(rule: Rule, case: Case) -> Iterator[Changed]:
    answer = case.answer.rstrip()
    last = next((line for line in rule.text if answer.endswith(line)), "")
    if last:
        shorter = answer
        while shorter.endswith(rule.text):
            shorter = shorter[: -len(next(line for line in rule.text if shorter.endswith(line)))].rstrip()
        yield Changed("without_it", shorter or GONE)


def _points(rule: Rule, case: Case) -> Iterator[Changed]:
    if case.intent is None or case.kind != "answer":
        return
    for point in case.intent.points:
        for element in point.words:
            yield Changed("without", without(element, case.answer), detail=element)
    # A step that begins before the first element of the one before it stands in the wrong place.
    lines = case.answer.split("\n")
    steps = [n for n, line in enumerate(lines) if any(_holds_all(p.words, line) for p in case.intent.points)]
    if len(case.intent.points) > 1 and len(steps) == len(case.intent.points):
        first, last = steps[0], steps[-1]
        lines[first], lines[last] = lines[last], lines[first]
        yield Changed("steps_swapped", "\n".join(lines))


def _notice(rule: Rule, case: Case) -> Iterator[Changed]:
    if not is_due(rule, case):
        return
    notices = (case.intent.notice if case.intent and not rule.asked else ()) or rule.any_of
    answer = case.answer
    for notice in notices:
        answer = re.sub(re.escape(notice), "", answer, flags=re.IGNORECASE)
    yield Changed("without_it", "\n".join(line.strip() for line in answer.split("\n") if line.strip()))


def _slots(rule: Rule, case: Case) -> Iterator[Changed]:
    for name, value in case.slots.items():
        if not holds_value(case.answer, value):
            continue
        digit = re.search(r"\d(?=\D*$)", value)
        if digit:
            wrong = value[: digit.start()] + str((int(digit[0]) + 1) % 10) + value[digit.end() :]
        else:
            wrong = "别处" if case.script.language == "zh" else "Elsewhere"
        yield Changed("slot_changed", case.answer.replace(value, wrong), detail=name)


def _invented(rule: Rule, case: Case) -> Iterator[Changed]:
    for what in rule.what:
        for sentence in INVENTED[what][case.script.language]:
            if rule.where is None or search(rule, rule.where, sentence):
                yield Changed("invented", inserted(case, sentence), detail=sentence)
                break


def _own_sentences(rule: Rule, case: Case) -> Iterator[Changed]:
    if rule.kind == "only_after" and any(search(rule, p, turn) for turn in case.earlier for p in rule.before):
        return
    for sentence in rule.breaks:
        yield Changed("inserted", inserted(case, sentence), detail=sentence)


def _refused(rule: Rule, case: Case) -> Iterator[Changed]:
    if case.kind == "refusal":
        for group in case.script.refusals.get(case.sample.meta.tags.get("intent", ""), ()):
            yield Changed("without", without("|".join(group), case.answer), detail=group[0])


def _asked(rule: Rule, case: Case) -> Iterator[Changed]:
    if case.kind != "clarify":
        return
    for group in case.intent.ask if case.intent else ():
        yield Changed("without", without("|".join(group), case.answer), detail=group[0])
    bare = case.answer.rstrip().rstrip("".join(QUESTION_MARKS))
    yield Changed("no_question", bare + ("。" if case.script.language == "zh" else "."))


def _asked_again(rule: Rule, case: Case) -> Iterator[Changed]:
    house = "\n".join(line for other in case.script.rules for line in other.text)
    asked = [s for turn in case.earlier for s in sentences_of(turn) if s.endswith(QUESTION_MARKS) and s not in house]
    if asked:
        yield Changed("asked_again", inserted(case, asked[-1]))


def _longer(rule: Rule, case: Case) -> Iterator[Changed]:
    if rule.max_words is None and rule.max_characters is None:
        return
    answer, more = case.answer, fillers(case.script.language)
    for sentence in more:
        words, characters = len(WORD.findall(answer)), len(answer.strip())
        if words > (rule.max_words or words) or characters > (rule.max_characters or characters):
            yield Changed("longer", answer)
            return
        answer = inserted(_with(case, answer), sentence)


def _foreign(rule: Rule, case: Case) -> Iterator[Changed]:
    answer = case.answer
    for sentence in FOREIGN[case.script.language] * 4:
        answer = inserted(_with(case, answer), sentence)
        han, latin = len(HAN_CHARACTER.findall(answer)), len(LATIN_WORD.findall(answer))
        own = han if case.script.language == "zh" else latin
        if own < (rule.min_share or 0) * (han + latin):
            yield Changed("other_language", answer)
            return


def _repeated(rule: Rule, case: Case) -> Iterator[Changed]:
    separator = "" if case.script.language == "zh" else " "
    yield Changed("said_again", inserted(case, separator.join([ECHO[case.script.language]] * rule.times)))


def _cut(rule: Rule, case: Case) -> Iterator[Changed]:
    yield Changed("cut_off", case.answer, finish_reason="length")


MUTATIONS: dict[str, Mutation] = {
    "starts_with": _opening,
    "ends_with": _closing,
    "ordered_points": _points,
    "contains_if": _notice,
    "slots_verbatim": _slots,
    "no_invented": _invented,
    "forbidden": _own_sentences,
    "only_after": _own_sentences,
    "refusal": _refused,
    "asks": _asked,
    "asks_once": _asked_again,
    "length": _longer,
    "language": _foreign,
    "no_repetition": _repeated,
    "ended": _cut,
}


def _lines(case: Case, mark: Callable[[int], str]) -> str:
    """The answer with a mark before every line between the first and the last."""
    first, *middle = case.answer.strip().split("\n")
    marked = [f"{mark(number)}{line}" for number, line in enumerate(middle[:-1], start=1)]
    return "\n".join([first, *marked, *middle[-1:]])


def _polite(case: Case) -> str:
    sentence = "如有不便，敬请谅解。" if case.script.language == "zh" else "Sorry for the trouble."
    return inserted(case, sentence)


PARAPHRASES: dict[str, Callable[[Case], str]] = {
    "spaces_around": lambda case: f"  {case.answer}\n",
    "empty_lines": lambda case: case.answer.replace("\n", "\n\n"),
    "one_paragraph": lambda case: case.answer.replace("\n", "" if case.script.language == "zh" else " "),
    "numbered_steps": lambda case: _lines(case, lambda number: f"{number}. "),
    "bulleted_steps": lambda case: _lines(case, lambda number: "- "),
    "indented_steps": lambda case: _lines(case, lambda number: "  "),
    "polite_sentence": _polite,
    "filler_sentence": lambda case: inserted(case, next(islice(fillers(case.script.language), 3, None))),
}
"""Other ways to say the same, which no rule may mind; each has a message, `evaluation.done.<name>`."""


def _with(case: Case, answer: str) -> Case:
    return Case(case.script, case.sample, answer, case.finish_reason)


def _holds_all(elements: tuple[str, ...], line: str) -> bool:
    return all(find(element, line, 0) is not None for element in elements)


def _misspelled(words: str) -> str:
    """One letter in the middle left out."""
    middle = len(words) // 2
    return words[:middle] + words[middle + 1 :]

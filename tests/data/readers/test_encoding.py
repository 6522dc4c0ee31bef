"""Encodings: UTF-8 first, a guess only when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.data.readers import local_file
from tuneloop.data.readers.encoding import detect_encoding, open_text

CHINESE = "问题,答案\n怎么查询账户余额？,您可以登录手机银行查询余额。\n信用卡丢了怎么办？,请立即致电客服挂失。\n"
TRADITIONAL = "問題,答案\n怎麼查詢帳戶餘額？,您可以登入手機銀行查詢餘額。\n信用卡遺失怎麼辦？,請立即致電客服掛失。\n"
CURLY = "question,answer\nI can’t find my card,Don’t worry – it’s fine\nWhat’s the fee?,It’s £5\n"


def _read(path: Path) -> str:
    with open_text(local_file(path)) as file:
        return file.read()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"])
def test_chinese_text_is_read_in_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(CHINESE.encode(encoding))
    assert _read(path) == CHINESE


def test_traditional_chinese_in_big5_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TRADITIONAL.encode("big5"))
    assert _read(path) == TRADITIONAL


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1252"])
def test_english_text_with_curly_quotes_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(CURLY.encode(encoding))
    assert _read(path) == CURLY


def test_a_few_chinese_cells_among_english_ones_are_read(tmp_path: Path) -> None:
    text = "question,answer\n" + "Where is my card?,Here it is\n" * 200 + "我的卡丢了怎么办,请立即挂失\n"
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode("gbk"))
    assert _read(path) == text


def test_a_damaged_byte_leaves_the_rest_of_a_utf8_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(CHINESE.encode() + b"\xff\n")
    assert detect_encoding(local_file(path)) == "utf-8"
    assert _read(path) == CHINESE + "\udcff\n"


def test_an_encoding_is_found_when_a_character_stands_across_two_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = "a" * ((1 << 20) - 1) + "好\n"
    path.write_bytes(text.encode())
    assert _read(path) == text


@given(content=st.binary(max_size=400))
def test_any_bytes_can_be_read(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "a.csv"
    path.write_bytes(content)
    assert isinstance(_read(path), str)

"""jsonl and json: a bad line costs a line, a damaged file is named with its place."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers import Row, open_rows


def _open(tmp_path: Path, name: str, content: str | bytes) -> list[Row | Rejected]:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(open_rows(path).rows)


def test_a_bad_line_is_set_aside_with_its_number(tmp_path: Path) -> None:
    rows = _open(tmp_path, "a.jsonl", '{"q": 1}\n{"q": \n\n{"q": 3}\n[1, 2]\n"text"\n')
    assert [row.number for row in rows if isinstance(row, Row)] == [1, 4]
    assert [(row.row, row.code) for row in rows if isinstance(row, Rejected)] == [
        (2, "data.line_unreadable"),
        (5, "data.row_not_object"),
        (6, "data.row_not_object"),
    ]


def test_a_line_that_is_no_text_is_set_aside(tmp_path: Path) -> None:
    rows = _open(tmp_path, "a.jsonl", '{"q": "问题一，很长的问题"}\n'.encode() + b'{"q": "\xff\xfe"}\n{"q": "c"}\n')
    assert [isinstance(row, Row) for row in rows] == [True, False, True]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_lines_in_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    content = '{"问题": "怎么查询余额", "答案": "请登录手机银行"}\n{"问题": "卡丢了", "答案": "请致电客服挂失"}\n'
    rows = _open(tmp_path, "a.jsonl", content.encode(encoding))
    assert [row.values["问题"] for row in rows if isinstance(row, Row)] == ["怎么查询余额", "卡丢了"]


def test_not_a_number_of_pythons_writer_is_read(tmp_path: Path) -> None:
    assert isinstance(_open(tmp_path, "a.jsonl", '{"q": "a", "score": NaN}\n')[0], Row)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_json_nested_ten_thousand_deep_is_no_crash(tmp_path: Path, name: str) -> None:
    deep = '{"q": ' + "[" * 10_000 + "NaN" + "]" * 10_000 + "}"
    if name == "a.jsonl":
        assert [type(row) for row in _open(tmp_path, name, deep + "\n")] == [Rejected]
    else:
        with pytest.raises(DataError):
            _open(tmp_path, name, deep)
        assert [type(row) for row in _open(tmp_path, name, f'[{deep}, {{"q": 1}}]')] == [Rejected, Row]


@pytest.mark.parametrize(
    "content",
    [
        [{"q": "a"}, {"q": "b"}],
        [[{"q": "a"}], [{"q": "b"}]],
        {"data": [{"q": "a"}, {"q": "b"}]},
        {"version": 1, "rows": [{"q": "a"}, {"q": "b"}]},
        {"questions": [{"q": "a"}, {"q": "b"}]},
    ],
)
def test_records_are_found_in_every_usual_form(tmp_path: Path, content: object) -> None:
    rows = _open(tmp_path, "a.json", json.dumps(content))
    assert [(row.number, row.values) for row in rows if isinstance(row, Row)] == [(1, {"q": "a"}), (2, {"q": "b"})]


def test_one_conversation_is_one_record(tmp_path: Path) -> None:
    rows = _open(tmp_path, "a.json", '{"messages": [{"role": "user", "content": "Hi"}]}')
    assert [row.values for row in rows if isinstance(row, Row)] == [{"messages": [{"role": "user", "content": "Hi"}]}]


def test_json_lines_under_the_name_json_are_read(tmp_path: Path) -> None:
    rows = _open(tmp_path, "a.json", '{"q": "a"}\n{"q": "b"\n{"q": "c"}\n')
    assert [isinstance(row, Row) for row in rows] == [True, False, True]


def test_a_damaged_object_is_named_with_line_and_column(tmp_path: Path) -> None:
    lines = ['{"data": ['] + ['{"q": "a"},'] * 15 + ['{"q" "b"}', "]}"]
    with pytest.raises(DataError) as caught:
        _open(tmp_path, "a.json", "\n".join(lines))
    assert caught.value.code == "data.json_damaged"
    assert caught.value.row == 17
    assert "line 17" in caught.value.message("en")


@pytest.mark.parametrize("content", ["3", '"text"', "{}", '{"a": {"b": 1}}', "null"])
def test_a_file_without_records_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError) as caught:
        _open(tmp_path, "a.json", content)
    assert caught.value.code == "data.json_shape"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(values=st.lists(JSON, min_size=1, max_size=6))
def test_every_line_comes_back_as_a_row_or_set_aside(
    tmp_path_factory: pytest.TempPathFactory, values: list[object]
) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "a.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    rows = list(open_rows(path).rows)
    assert [row.number if isinstance(row, Row) else row.row for row in rows] == list(range(1, len(values) + 1))


@given(content=st.binary(min_size=1, max_size=200))
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_any_bytes_give_rows_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("json") / name
    path.write_bytes(content)
    rows: list[Row | Rejected] = []
    with contextlib.suppress(DataError):
        rows = list(open_rows(path).rows)
    assert all(isinstance(row, Row | Rejected) for row in rows)

"""What a source's path can stand for: folders, patterns, archives, addresses, LLaMA-Factory's list."""

from __future__ import annotations

import gzip
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest
from openpyxl import Workbook

from tuneloop.core.errors import DataError, TryAgainError
from tuneloop.data.config import DataConfig, SourceConfig
from tuneloop.data.places import find_places
from tuneloop.data.readers import Row, open_rows
from tuneloop.data.sources import Source, find_sources, fingerprint, sources_of_file

from .conftest import Prepare, Write, questions

CSV = "question,answer\nq,a\n"


def _names(path: str, folder: Path) -> list[str]:
    return [place.file.name for place in find_places(path, folder).places]


def _values(source: Source) -> list[dict[str, Any]]:
    assert source.file is not None
    return [row.values for row in open_rows(source.file, source.config.sheet).rows if isinstance(row, Row)]


def test_a_folder_is_all_its_files_of_rows(tmp_path: Path) -> None:
    for name in (
        "b.csv",
        "a.jsonl",
        "deep/c.csv",
        "README.md",
        "LICENSE.txt",
        "photo.png",
        ".hidden.csv",
        "~$b.xlsx",
        "notes.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(CSV if name.endswith("csv") else '{"q": 1}')
    assert _names(str(tmp_path), Path()) == ["a.jsonl", "b.csv", "deep/c.csv"]
    (note,) = find_places(str(tmp_path), Path()).notes
    assert "photo.png" in note
    assert "notes.txt" in note


def test_a_pattern_is_all_files_that_fit(tmp_path: Path) -> None:
    for name in ("a1.csv", "a2.csv", "b.csv"):
        (tmp_path / name).write_text(CSV)
    assert _names("a*.csv", tmp_path) == ["a1.csv", "a2.csv"]
    with pytest.raises(DataError) as caught:
        find_places("c*.csv", tmp_path)
    assert caught.value.code == "data.glob_empty"


def test_a_name_with_brackets_is_a_file_first(tmp_path: Path) -> None:
    (tmp_path / "faq[1].csv").write_text(CSV)
    assert _names("faq[1].csv", tmp_path) == ["faq[1].csv"]


@pytest.mark.parametrize(("name", "code"), [("", "data.folder_empty"), ("a.zip", "data.archive_empty")])
def test_a_container_without_rows_is_refused(tmp_path: Path, name: str, code: str) -> None:
    if name:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("photo.png", "x")
    with pytest.raises(DataError) as caught:
        find_places(name or ".", tmp_path)
    assert caught.value.code == code


def test_the_members_of_an_archive_are_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("问答/卡.csv", CSV)
        archive.writestr("b.json", '[{"question": "q", "answer": "a"}]')
        archive.writestr("__MACOSX/b.json", "x")
        archive.writestr("readme.txt", "x")
    sources = sources_of_file(SourceConfig(path="a.zip"), tmp_path)
    assert [source.name for source in sources] == ["a.zip/b.json", "a.zip/问答/卡.csv"]
    assert [_values(source) for source in sources] == [[{"question": "q", "answer": "a"}]] * 2
    assert len({source.sample_id(1) for source in sources}) == 2


@pytest.mark.parametrize("name", ["../out.csv", "/out.csv", "a/../../out.csv"])
def test_an_archive_with_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, CSV)
    with pytest.raises(DataError) as caught:
        find_places("a.zip", tmp_path)
    assert caught.value.code == "data.archive_name"


def test_an_archive_that_inflates_without_end_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("a.csv", b"q,a\n" * (17 << 20))
    with pytest.raises(DataError) as caught:
        find_places("a.zip", tmp_path)
    assert caught.value.code == "data.inflates"


def test_a_compressed_file_is_read_under_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "faq.csv.gz").write_bytes(gzip.compress("问题,答案\n余额在哪里,在手机银行\n".encode("gb18030")))
    (source,) = sources_of_file(SourceConfig(path="faq.csv.gz"), tmp_path)
    assert source.name == "faq.csv.gz"
    assert _values(source) == [{"问题": "余额在哪里", "答案": "在手机银行"}]


def test_sheets_that_hold_questions_are_all_read_and_the_others_told(tmp_path: Path) -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in {
        "说明": [["本表由客服部维护，请勿修改格式。"]],
        "卡": [["问题", "答案"], ["q1", "a1"]],
        "贷款": [["问题", "答案"], ["q2", "a2"]],
        "统计": [["日期", "数量"], ["2024-01-01", 5]],
    }.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    sources = sources_of_file(SourceConfig(path="a.xlsx"), tmp_path)
    assert [source.name for source in sources] == ["a.xlsx#卡", "a.xlsx#贷款"]
    assert [_values(source)[0]["问题"] for source in sources] == ["q1", "q2"]
    assert "统计" in sources[0].notes[0]
    (one,) = sources_of_file(SourceConfig(path="a.xlsx", sheet="贷款"), tmp_path)
    assert _values(one)[0]["问题"] == "q2"


def test_an_address_of_any_filesystem_is_read() -> None:
    with fsspec.open("memory://bucket/faq.csv", "w") as file:
        file.write(CSV)
    (source,) = sources_of_file(SourceConfig(path="memory://bucket/faq.csv"), Path())
    assert (source.name, source.path) == ("faq.csv", "memory://bucket/faq.csv")
    assert _values(source) == [{"question": "q", "answer": "a"}]
    with pytest.raises(DataError) as caught:
        find_places("memory://bucket/no.csv", Path())
    assert caught.value.code == "data.file_missing"


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(DataError) as caught:
        find_places("nosuch://bucket/faq.csv", Path())
    assert caught.value.code == "data.scheme_unknown"


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path.startswith("/faq.csv")
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(CSV.encode() if found else b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_web_address_is_fetched_and_its_secrets_are_not_shown() -> None:
    server = HTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        base = f"http://127.0.0.1:{server.server_port}"
        config = DataConfig(sources=(SourceConfig(path=f"{base}/faq.csv?token=secret"),))
        (source,) = find_sources(config, Path(), "en")
        assert _values(source) == [{"question": "q", "answer": "a"}]
        assert source.path == f"{base}/faq.csv"
        assert "secret" not in json.dumps(fingerprint(config, [source]))
        with pytest.raises(DataError) as caught:
            find_places(f"{base}/other.csv?token=secret", Path())
        assert "404" in caught.value.message("en")
        assert "secret" not in str(caught.value)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    with pytest.raises(TryAgainError):
        find_places(f"{base}/faq.csv?again", Path())


INFO = {
    "mine": {
        "file_name": "mine.json",
        "formatting": "sharegpt",
        "columns": {"messages": "dialog"},
        "tags": {"role_tag": "who", "content_tag": "says", "user_tag": "Kunde", "assistant_tag": "Bank"},
    },
    "table": {"file_name": "table.csv", "columns": {"prompt": "left", "response": "right"}},
    "away": {"file_name": "away.json"},
    "hub": {"hf_hub_url": "x/y"},
}


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    (tmp_path / "dataset_info.json").write_text(json.dumps(INFO))
    dialog = [{"who": "Kunde", "says": "q"}, {"who": "Bank", "says": "a"}]
    (tmp_path / "mine.json").write_text(json.dumps([{"dialog": dialog}]))
    (tmp_path / "table.csv").write_text("id,right,left\n1,a2,q2\n")
    return tmp_path


@pytest.mark.parametrize("path", [".", "dataset_info.json"])
def test_what_llama_factory_says_of_files_is_followed(listed: Path, prepare: Prepare, path: str) -> None:
    dataset = prepare({"path": str(listed / path)}, split={"validation": 0, "test": 0})
    texts = (dataset.path / "train.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted([m["content"] for m in json.loads(line)["messages"]] for line in texts) == [["q", "a"], ["q2", "a2"]]


def test_files_that_are_listed_and_not_there_are_told(listed: Path) -> None:
    assert "away.json" in find_places("dataset_info.json", listed).notes[0]


def test_a_change_of_the_list_is_another_dataset(listed: Path) -> None:
    config = DataConfig(sources=(SourceConfig(path="mine.json"),))
    before = fingerprint(config, find_sources(config, listed, "en"))
    (listed / "dataset_info.json").write_text(json.dumps(INFO) + " ")
    assert fingerprint(config, find_sources(config, listed, "en")) != before


def test_a_damaged_list_is_named(listed: Path) -> None:
    (listed / "dataset_info.json").write_text("{")
    with pytest.raises(DataError) as caught:
        find_places("dataset_info.json", listed)
    assert caught.value.code == "data.info_damaged"


def test_the_same_files_in_another_folder_are_the_same_dataset(tmp_path: Path, write: Write, prepare: Prepare) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "faq").mkdir(parents=True)
        write(f"{folder}/faq/a.jsonl", questions(10))
    ids = {prepare({"path": str(tmp_path / folder / "faq")}).id for folder in ("one", "two")}
    assert len(ids) == 1

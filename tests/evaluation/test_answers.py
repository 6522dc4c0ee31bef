"""Answers are kept as they come, survive a cut line, and are asked for only once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneloop.core.progress import SILENT
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import Request, Sampling
from tuneloop.evaluation.answers import Shelf, answers_file, generate, read_answers, request_key
from tuneloop.models.load import LoadedModel

LIMIT = Sampling(max_new_tokens=6)


@pytest.fixture
def requests(loaded: LoadedModel) -> dict[str, Request]:
    made = [Request(ids=tuple(f"question {n}".encode()), sampling=LIMIT) for n in range(4)]
    return {request_key(request): request for request in made}


def ask(loaded: LoadedModel, requests: dict[str, Request], path: Path, afresh: bool = False) -> int:
    generated = generate(
        Engine(loaded.model),
        requests,
        template=loaded.template,
        shelf=Shelf(path, "answers", SILENT, afresh),
    )
    assert list(generated.answers) == list(requests)
    assert all(answer.finish_reason == "length" and answer.tokens == 6 for answer in generated.answers.values())
    return generated.fresh


def test_answers_are_generated_once(loaded: LoadedModel, requests: dict[str, Request], tmp_path: Path) -> None:
    path = tmp_path / "cache" / "answers.jsonl"
    assert ask(loaded, requests, path) == 4
    assert ask(loaded, requests, path) == 0
    assert ask(loaded, dict(list(requests.items())[:2]), path) == 0
    assert ask(loaded, requests, path, afresh=True) == 4
    assert len(read_answers(path)) == 4


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_last_line_that_was_cut_short_is_dropped_and_done_again(
    loaded: LoadedModel, requests: dict[str, Request], tmp_path: Path, cut: int
) -> None:
    path = tmp_path / "answers.jsonl"
    ask(loaded, requests, path)
    whole = read_answers(path)
    path.write_bytes(path.read_bytes()[:-cut])
    expected = 4 if cut == 1 else 3  # one byte less: only the newline is gone
    assert len(read_answers(path)) == expected
    assert path.read_bytes().endswith(b"\n")
    assert ask(loaded, requests, path) == 4 - expected
    assert {key: answer.text for key, answer in read_answers(path).items()} == {k: a.text for k, a in whole.items()}


def test_bytes_that_are_no_text_are_dropped(loaded: LoadedModel, requests: dict[str, Request], tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b"\xff\xfe\x00\n{}\nnull\n")
    assert ask(loaded, requests, path) == 4
    assert all(json.loads(line)["key"] in requests for line in path.read_text().splitlines())


def test_what_makes_an_answer_another_makes_another_key_or_file(tmp_path: Path) -> None:
    request = Request(ids=(1, 2, 3), sampling=LIMIT)
    assert request_key(request) == request_key(Request(ids=(1, 2, 3), sampling=LIMIT, stop_ids=(9,)))
    assert request_key(request) != request_key(Request(ids=(1, 2), sampling=LIMIT))
    assert request_key(request) != request_key(Request(ids=(1, 2, 3), sampling=Sampling(max_new_tokens=7)))
    assert answers_file(tmp_path, {"model": "a"}) != answers_file(tmp_path, {"model": "b"})

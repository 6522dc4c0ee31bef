"""The data stage as a whole: files in, a dataset out; nothing lost, nothing leaked, nothing overwritten."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from tuneloop.core.errors import CorruptError, DataError
from tuneloop.core.messages import set_language
from tuneloop.core.messages import text as say
from tuneloop.core.records import SPLITS, Dataset, Sample
from tuneloop.data.config import DataConfig
from tuneloop.data.run import Measure, run
from tuneloop.store.artifacts import read_manifest, verify
from tuneloop.store.samples import read_split
from tuneloop.store.workspace import Workspace
from tuneloop.text.normalise import question_key

from .conftest import Listener, Prepare, Write, questions

DATA = os.environ.get("TUNELOOP_DATA")


def _samples(dataset: Dataset) -> list[Sample]:
    return [sample for split in SPLITS for sample in read_split(dataset.path, split)]


def test_a_file_becomes_a_whole_dataset(write: Write, prepare: Prepare) -> None:
    dataset = prepare(write("faq.jsonl", questions(100)))
    assert sorted(path.name for path in dataset.path.iterdir()) == [
        "manifest.json",
        "quarantine.jsonl",
        "report.html",
        "report.json",
        "test.jsonl",
        "train.jsonl",
        "validation.jsonl",
    ]
    assert dataset.rows == {"train": 80, "validation": 10, "test": 10}
    assert verify(dataset.path).kind == "dataset"
    sample = read_split(dataset.path, "train")[0]
    assert sample.meta.source == "faq.jsonl"
    assert sample.question == f"What is {sample.meta.row - 1}?"
    assert json.loads((dataset.path / "report.json").read_text()) == dataset.report


def test_the_report_holds_what_programs_read(write: Write, prepare: Prepare) -> None:
    report = prepare(write("faq.jsonl", questions(60))).report
    assert {"rows_read", "rows_kept", "rows_quarantined", "rules", "splits", "tokens", "leaks"} <= report.keys()
    assert report["rules"]["whitespace"] == {"changed": 0, "removed": 0, "flagged": 0}
    assert report["personal_data"] == {}


def test_the_same_files_give_the_same_dataset(write: Write, prepare: Prepare) -> None:
    path = write("faq.jsonl", questions(30))
    first, second = prepare(path), prepare(path)
    assert second.path == first.path
    assert (first.reused, second.reused) == (False, True)
    assert second.model_copy(update={"reused": False}) == first


def test_the_dataset_does_not_depend_on_where_the_file_lies(tmp_path: Path, write: Write, prepare: Prepare) -> None:
    path = write("faq.jsonl", questions(30))
    first = prepare(path)
    (tmp_path / "other").mkdir()
    assert prepare(path.rename(tmp_path / "other" / "faq.jsonl")).id == first.id


@pytest.mark.parametrize("change", [{"system": "Be kind."}, {"split": {"test": 0.3}}, {"clean": {"whitespace": False}}])
def test_another_recipe_gives_another_dataset(write: Write, prepare: Prepare, change: dict[str, Any]) -> None:
    path = write("faq.jsonl", questions(30))
    assert prepare(path).id != prepare(path, **change).id


def test_another_file_gives_another_dataset(write: Write, prepare: Prepare) -> None:
    first = prepare(write("faq.jsonl", questions(30)))
    assert prepare(write("faq.jsonl", questions(31))).id != first.id


def test_force_makes_it_again_beside_the_first(write: Write, prepare: Prepare) -> None:
    path = write("faq.jsonl", questions(30))
    first = prepare(path)
    before = {item.name: item.read_bytes() for item in first.path.iterdir()}
    second, third = prepare(path, force=True), prepare(path, force=True)
    assert [second.id, third.id] == [f"{first.id}-2", f"{first.id}-3"]
    assert {item.name: item.read_bytes() for item in first.path.iterdir()} == before
    assert prepare(path).id == third.id
    assert (second.path / "train.jsonl").read_bytes() == (first.path / "train.jsonl").read_bytes()


def test_a_damaged_dataset_is_refused_and_force_replaces_it(write: Write, prepare: Prepare) -> None:
    path = write("faq.jsonl", questions(30))
    first = prepare(path)
    with (first.path / "train.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(CorruptError) as caught:
        prepare(path)
    assert "train.jsonl" in str(caught.value)
    assert prepare(path, force=True).id == f"{first.id}-2"
    assert prepare(path).reused


def test_a_failure_leaves_nothing_behind(tmp_path: Path, write: Write, prepare: Prepare) -> None:
    def fail(samples: Sequence[Sample]) -> list[tuple[int, int]]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(write("faq.jsonl", questions(30)), measure=Measure("m", fail))
    left = {path.name for path in (tmp_path / "workspace").iterdir()}
    assert left <= {"private", "tuneloop.yaml"}, "the key of pseudonyms is all that was made"


def test_bad_rows_go_to_quarantine_with_their_place_and_reason(write: Write, prepare: Prepare) -> None:
    lines = [json.dumps(row) for row in questions(30)]
    lines[4], lines[9] = '{"question": ', '{"question": "q", "answer": " "}'
    dataset = prepare(write("faq.jsonl", "\n".join(lines)))
    rows = [json.loads(line) for line in (dataset.path / "quarantine.jsonl").read_text().splitlines()]
    assert [(row["source"], row["row"], row["code"]) for row in rows] == [
        ("faq.jsonl", 5, "data.line_unreadable"),
        ("faq.jsonl", 10, "data.answer_empty"),
    ]
    assert rows[0]["text"].strip() == '{"question":'
    assert dataset.report["quarantine"] == {"data.line_unreadable": 1, "data.answer_empty": 1}
    assert "data.advice.quarantine" in [advice["code"] for advice in dataset.report["advice"]]


def test_too_many_bad_rows_stop_with_the_first_reasons(write: Write, prepare: Prepare) -> None:
    rows = [*questions(4), *[{"question": "q", "answer": ""}] * 3, {"question": "", "answer": "a"}, {"answer": "a"}]
    with pytest.raises(DataError) as caught:
        prepare(write("faq.jsonl", rows))
    assert caught.value.code == "data.too_many_quarantined"
    assert caught.value.status.exit == 3
    message = caught.value.message("en")
    assert "5 of 9" in message
    assert "Row 5: The answer is empty." in message
    assert "Row 8: The question is empty." in message
    assert prepare(write("faq.jsonl", rows), max_quarantined=0.6).report["rows_kept"] == 4


def test_answers_that_the_file_marks_as_bad_are_kept_out(write: Write, prepare: Prepare) -> None:
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    rows = [{"messages": [{**messages[0], "content": f"q{n}"}, messages[1]], "label": n < 4} for n in range(10)]
    report = prepare(write("kto.jsonl", rows)).report
    assert (report["rows_kept"], report["quarantine"]) == (4, {"data.marked_bad": 6})
    with pytest.raises(DataError) as caught:
        prepare(write("bad.jsonl", [{**row, "label": False} for row in rows]))
    assert "10 of 10" in caught.value.message("en")


def test_empty_answers_everywhere_point_to_the_column(write: Write, prepare: Prepare) -> None:
    with pytest.raises(DataError) as caught:
        prepare(write("faq.csv", "question,answer,reply text\nq1,,a1\nq2,,a2\n"))
    assert caught.value.code == "data.answers_all_empty"
    assert "target_text" in caught.value.hint("en")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "data.file_empty"),
        ("\n \n", "data.file_empty"),
        ("question,answer\n", "data.no_rows"),
        ("id,date\n1,2024-01-01\n2,2024-01-02\n", "data.columns_unclear"),
        ("question,answer\nq1,a1\n", "data.too_few"),
        ("question,answer\nq1,a1\nq1,a2\n", "data.too_few"),
    ],
)
def test_a_file_that_is_no_dataset_is_refused(write: Write, prepare: Prepare, content: str, code: str) -> None:
    with pytest.raises(DataError) as caught:
        prepare(write("faq.csv", content))
    assert caught.value.code == code
    for language in ("en", "zh"):
        assert "{" not in caught.value.message(language).replace("{input_text", "")
        assert caught.value.hint(language)


def test_a_wrong_column_is_named_with_the_right_ones(write: Write, prepare: Prepare) -> None:
    path = write("faq.csv", "问题,答案\nq,a\n")
    with pytest.raises(DataError) as caught:
        prepare({"path": str(path), "columns": {"input_text": "问题 ", "target_text": "回答"}})
    assert caught.value.code == "data.column_missing"


def test_three_rows_are_enough_and_warned_about(write: Write, prepare: Prepare) -> None:
    dataset = prepare(write("faq.jsonl", questions(3)))
    assert dataset.rows == {"train": 1, "validation": 1, "test": 1}
    assert dataset.report["advice"][0]["code"] == "data.advice.tiny"


def test_twelve_rows_hold_out_at_least_one_for_each_side(write: Write, prepare: Prepare) -> None:
    assert prepare(write("faq.jsonl", questions(12))).rows == {"train": 10, "validation": 1, "test": 1}


def test_one_row_is_enough_where_nothing_is_held_out(write: Write, prepare: Prepare) -> None:
    dataset = prepare(write("faq.jsonl", questions(1)), split={"validation": 0, "test": 0})
    assert dataset.rows == {"train": 1, "validation": 0, "test": 0}


def test_exact_duplicates_are_removed_and_counted(write: Write, prepare: Prepare) -> None:
    rows = [*questions(20), {"question": " what is  3? ", "answer": "IT IS 3."}]
    report = prepare(write("faq.jsonl", rows)).report
    assert report["rules"]["exact_duplicate"]["removed"] == 1
    assert report["rows_kept"] == 20
    assert prepare(write("faq.jsonl", rows), deduplicate={"exact": False}).report["rows_kept"] == 21


def test_different_answers_to_a_question_are_kept_on_one_side(write: Write, prepare: Prepare) -> None:
    rows = questions(20) + [{"question": "What is 3", "answer": f"Another {n}"} for n in range(3)]
    dataset = prepare(write("faq.jsonl", rows))
    assert dataset.report["contradictions"]["questions"] == 1
    assert dataset.report["contradictions"]["rows"] == 4
    sides = [
        split
        for split in SPLITS
        for sample in read_split(dataset.path, split)
        if sample.question.startswith("What is 3")
    ]
    assert len(sides) == 4
    assert len(set(sides)) == 1


def test_a_files_own_split_is_kept(write: Write, prepare: Prepare) -> None:
    names = ["train", "dev", "测试"]
    rows = [{**row, "split": names[n % 3]} for n, row in enumerate(questions(30))]
    dataset = prepare(write("faq.jsonl", rows))
    assert dataset.rows == {"train": 10, "validation": 10, "test": 10}
    assert {sample.meta.row % 3 for sample in read_split(dataset.path, "test")} == {0}


def test_a_split_that_is_none_goes_to_quarantine(write: Write, prepare: Prepare) -> None:
    rows = [{**row, "split": "train" if n else "holdout"} for n, row in enumerate(questions(10))]
    assert prepare(write("faq.jsonl", rows)).report["quarantine"] == {"data.split_unknown": 1}


def test_a_leak_between_sources_costs_the_training_side(write: Write, prepare: Prepare) -> None:
    train = write("train.jsonl", questions(20))
    test = write("test.jsonl", [{"question": "WHAT is 5", "answer": "five"}, {"question": "new", "answer": "a"}])
    dataset = prepare({"path": str(train), "split": "train"}, {"path": str(test), "split": "test"})
    assert dataset.report["leaks"] == {"train": 1}
    assert dataset.rows["test"] == 2
    assert "What is 5?" not in [sample.question for sample in read_split(dataset.path, "train")]
    assert "data.advice.leaks" in [advice["code"] for advice in dataset.report["advice"]]


def test_a_file_to_evaluate_on_needs_no_training_rows(write: Write, prepare: Prepare) -> None:
    path = write("held_out.jsonl", questions(5))
    assert prepare({"path": str(path), "split": "test"}).rows == {"train": 0, "validation": 0, "test": 5}


def test_all_training_rows_lost_to_leaks_is_refused(write: Write, prepare: Prepare) -> None:
    train, test = write("train.jsonl", questions(3)), write("test.jsonl", questions(3))
    with pytest.raises(DataError) as caught:
        prepare(
            {"path": str(train), "split": "train"}, {"path": str(test), "split": "test"}, deduplicate={"exact": False}
        )
    assert caught.value.code == "data.no_training_rows"


def test_rows_of_one_customer_stay_on_one_side(write: Write, prepare: Prepare) -> None:
    rows = [{**row, "client": f"c{n % 7}"} for n, row in enumerate(questions(70))]
    path = write("faq.jsonl", rows)
    dataset = prepare({"path": str(path), "columns": {"customer": "client"}}, split={"group_by": "customer"})
    sides = [{sample.meta.tags["customer"] for sample in read_split(dataset.path, split)} for split in SPLITS]
    assert sum(len(side) for side in sides) == 7


def test_a_group_that_no_row_has_is_refused(write: Write, prepare: Prepare) -> None:
    with pytest.raises(DataError) as caught:
        prepare(write("faq.jsonl", questions(9, intent="x")), split={"group_by": "customer"})
    assert caught.value.code == "data.group_missing"
    assert "intent" in caught.value.hint("en")


def test_the_first_rows_can_be_taken_alone(write: Write, prepare: Prepare) -> None:
    path = write("faq.jsonl", questions(300))
    dataset = prepare({"path": str(path), "rows": 20})
    assert dataset.report["rows_read"] == 20
    assert max(sample.meta.row for sample in _samples(dataset)) == 20


def test_the_same_file_twice_gives_no_identifier_twice(write: Write, prepare: Prepare) -> None:
    rows = [{"question": f"q{n}", "answer": f"a{n}", "short": f"s{n}"} for n in range(10)]
    path = write("faq.jsonl", rows)
    short = {"path": str(path), "columns": {"target_text": "short"}}
    samples = _samples(prepare(path, short))
    assert len(samples) == len({sample.id for sample in samples}) == 20


def test_texts_are_cleaned_and_the_changes_shown(write: Write, prepare: Prepare) -> None:
    rows = [*questions(10), {"question": "a\u200bb  c?", "answer": "schÃ¶n"}]
    dataset = prepare(write("faq.jsonl", rows))
    assert ("ab c?", "schön") in [(sample.question, sample.answer) for sample in _samples(dataset)]
    rules = dataset.report["rules"]
    assert [rules[name]["changed"] for name in ("unicode_repair", "control_characters", "whitespace")] == [1, 1, 1]
    assert dataset.report["examples"]["unicode_repair"] == [
        {"source": "faq.jsonl", "row": 11, "before": "schÃ¶n", "after": "schön"}
    ]


def test_the_system_message_of_the_recipe_comes_first(write: Write, prepare: Prepare) -> None:
    dataset = prepare(write("faq.jsonl", questions(5)), system="Be kind.")
    assert {sample.messages[0].content for sample in _samples(dataset)} == {"Be kind."}


def test_a_guess_is_shown_and_a_native_shape_is_not(write: Write, prepare: Prepare) -> None:
    listener = Listener()
    prepare(write("faq.jsonl", questions(5)), progress=listener)
    assert len(listener.notes) == 1
    assert "input_text: question, target_text: answer" in listener.notes[0]
    assert listener.bars[0] == ("Reading and cleaning faq.jsonl", 5)
    assert listener.bars[-1] == ("Writing the splits", 5)
    listener = Listener()
    prepare(write("n.jsonl", [{"input_text": f"q{n}", "target_text": "a"} for n in range(5)]), progress=listener)
    assert listener.notes == []


def test_lengths_in_tokens_are_measured_with_the_models_measure(write: Write, prepare: Prepare) -> None:
    measure = Measure("tiny", lambda samples: [(len(sample.question), len(sample.answer)) for sample in samples])
    path = write("faq.jsonl", questions(10))
    measured, plain = prepare(path, measure=measure), prepare(path)
    assert measured.report["tokens"]["model"] == "tiny"
    assert measured.report["tokens"]["prompt"]["total"] == sum(len(row["question"]) for row in questions(10))
    assert plain.report["tokens"] == {}
    assert plain.id != measured.id


def test_labels_become_the_intent(write: Write, prepare: Prepare) -> None:
    dataset = prepare(write("faq.csv", "问题,答案,意图\n" + "".join(f"q{n},a{n},i{n % 2}\n" for n in range(10))))
    assert {sample.meta.tags["intent"] for sample in _samples(dataset)} == {"i0", "i1"}
    assert sum(sum(counts.values()) for counts in dataset.report["intents"].values()) == 10


def test_a_gbk_file_with_chinese_columns_is_read(tmp_path: Path, prepare: Prepare) -> None:
    path = tmp_path / "faq.csv"
    text = "用户咨询,客服回复\n" + "".join(f"第{n}张信用卡的额度是多少？,您好，额度是{n}万元。\n" for n in range(1, 20))
    path.write_bytes(text.encode("gbk"))
    dataset = prepare(path)
    assert dataset.report["rows_kept"] == 19
    assert dataset.report["languages"] == {"zh": 19}
    assert _samples(dataset)[0].question.startswith("第")


def test_a_grammar_is_a_source(prepare: Prepare) -> None:
    dataset = prepare({"grammar": "bank-service", "rows": 60}, system="Be kind.")
    assert dataset.report["rows_read"] == 60
    assert dataset.report["sources"][0]["shape"] == "grammar"
    assert all(sample.messages[0].content == "Be kind." for sample in _samples(dataset))


def test_the_manifest_names_every_source_by_its_hash(write: Write, prepare: Prepare) -> None:
    manifest = read_manifest(prepare(write("faq.jsonl", questions(5))).path)
    assert list(manifest.inputs) == ["1:faq.jsonl"]
    assert manifest.config["data"]["sources"][0]["path"] == "faq.jsonl"
    assert manifest.seeds == {"split": 42}


def test_all_advice_and_reasons_have_words(write: Write, prepare: Prepare) -> None:
    lines = [json.dumps(row) for row in questions(20)] + ["{", json.dumps({"question": "我的卡", "answer": "好"})]
    report = prepare(write("faq.jsonl", "\n".join(lines))).report
    for language in ("en", "zh"):
        for advice in report["advice"]:
            assert say(advice["code"], language, **advice["values"])
        for code in report["quarantine"]:
            assert say(f"{code}.short", language)


@pytest.mark.parametrize(("language", "title"), [("en", "Dataset faq"), ("zh", "数据集 faq")])
def test_the_page_is_in_the_readers_language(write: Write, prepare: Prepare, language: str, title: str) -> None:
    set_language(language)  # type: ignore[arg-type]
    page = (prepare(write("faq.jsonl", questions(60, intent="x"))).path / "report.html").read_text(encoding="utf-8")
    assert f"<h1>{title}</h1>" in page
    assert "plotly.js v" in page


TEXTS = st.sampled_from(["", " ", "a", "A", "a?", "b", "c", "d\u200b", "e", "f", "好", "g g"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {"question": TEXTS, "answer": TEXTS, "split": st.sampled_from(["", "train", "validation", "test", "odd"])}
    ),
    min_size=1,
    max_size=25,
)

REFUSED = {
    "data.answers_all_empty",
    "data.questions_all_empty",
    "data.too_many_quarantined",
    "data.too_few",
    "data.no_training_rows",
}
"""What may be refused: these rows hold nothing to divide."""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, seed=st.integers(0, 3))
def test_no_row_is_lost_and_no_question_stands_on_two_sides(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    (folder / "faq.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = DataConfig.model_validate({"sources": [{"path": "faq.jsonl"}], "max_quarantined": 1.0})
    try:
        dataset = run(config, name="f", language="en", seed=seed, folder=folder, workspace=Workspace(folder / "w"))
    except DataError as error:
        event(error.code)
        assume(error.code not in REFUSED)
        raise
    event("prepared")
    report = dataset.report
    removed = sum(rule["removed"] for rule in report["rules"].values())
    assert report["rows_read"] == len(rows) == report["rows_kept"] + report["rows_quarantined"] + removed
    assert sum(report["splits"].values()) == report["rows_kept"]
    places: dict[str, set[str]] = {}
    for split in SPLITS:
        for sample in read_split(dataset.path, split):
            places.setdefault(question_key(sample.question), set()).add(split)
    assert all(len(sides) == 1 for sides in places.values())
    kept = {sample.meta.row for sample in _samples(dataset)}
    quarantined = {json.loads(line)["row"] for line in (dataset.path / "quarantine.jsonl").read_text().splitlines()}
    assert not kept & quarantined


@pytest.mark.skipif(DATA is None, reason="TUNELOOP_DATA does not name the folder of real data")
@pytest.mark.parametrize(
    ("file", "rows", "shape"),
    [
        ("bank_en/questions_answers.jsonl", 1000, "alpaca"),
        ("bank_dialogues_en/dialogues.jsonl", 727, "messages"),
        ("support_en/questions_answers.csv", 4514, "input_target"),
        ("finance_zh/computing.json", 100, "alpaca"),
        ("finance_zh/consulting.json", 100, "alpaca"),
        ("finance_zh/retrieval.json", 100, "alpaca"),
        ("finance_zh/task.json", 100, "alpaca"),
        ("legal_zh/legal_advice.json", 5000, "alpaca"),
        ("legal_zh/multi_turn.json", 476, "dialogue"),
        ("formats/alpaca_en_demo.json", 999, "alpaca"),
        ("formats/alpaca_zh_demo.json", 1000, "alpaca"),
        ("formats/dpo_en_demo.json", 300, "preference"),
        ("formats/dpo_zh_demo.json", 300, "preference"),
        ("formats/glaive_toolcall_zh_demo.json", 300, "sharegpt"),
        ("formats/identity.json", 91, "alpaca"),
        ("formats/kto_en_demo.json", 300, "sharegpt"),
    ],
)
def test_real_files_are_read_without_a_mapping(prepare: Prepare, file: str, rows: int, shape: str) -> None:
    report = prepare(Path(str(DATA)) / file).report
    assert report["rows_read"] == rows
    assert report["sources"][0]["shape"] == shape
    bad = sum(count for code, count in report["quarantine"].items() if code != "data.marked_bad")
    assert bad == 0


def test_canaries_are_planted_in_training_only_as_often_as_asked(write: Write, prepare: Prepare) -> None:
    path = write("faq.jsonl", questions(40))
    plain = prepare(path)
    planted = prepare(path, canaries={"count": 4, "repeats": [1, 3]})
    assert planted.id != plain.id
    assert planted.rows == {**plain.rows, "train": plain.rows["train"] + 8}
    tagged = [sample for sample in _samples(planted) if "canary" in sample.meta.tags]
    assert tagged == [s for s in read_split(planted.path, "train") if "canary" in s.meta.tags]
    assert {s.meta.tags["canary_repeats"] for s in tagged} == {"1", "3"}
    assert len({s.meta.tags["canary"] for s in tagged}) == 4
    assert all(s.meta.tags["canary"] in s.answer for s in tagged)


def test_a_recipe_without_canaries_keeps_its_datasets_key(write: Write, prepare: Prepare) -> None:
    made = prepare(write("faq.jsonl", questions(40)))
    assert "canaries" not in json.dumps(read_manifest(made.path).model_dump(mode="json"))

"""The verbs that look at, answer with and export what the loop made."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tuneloop.recipe import Recipe

Call = Callable[..., Any]


@pytest.fixture
def copied(finished: Path, here: Path) -> Path:
    shutil.copytree(finished, here, dirs_exist_ok=True)
    return here


@pytest.mark.parametrize("noun", ["data", "runs", "evaluations", "adapters"])
def test_lists_answer_people_and_programs(call: Call, copied: Path, noun: str) -> None:
    assert len(call(noun, "list", "--json").value) == 1
    called = call(noun, "list")
    assert (called.status, called.out) == (0, "")
    assert "bank" in called.err


@pytest.mark.parametrize("noun", ["data", "runs", "evaluations", "adapters"])
def test_lists_of_nothing_say_where_they_looked_and_write_nothing(call: Call, here: Path, noun: str) -> None:
    assert call(noun, "list", "--json").value == []
    assert "Nothing yet in" in call(noun, "list").err
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("noun", ["data", "runs", "evaluations"])
def test_a_name_means_the_newest_of_it_and_a_beginning_is_enough(call: Call, copied: Path, noun: str) -> None:
    (item,) = call(noun, "list", "--json").value
    whole = item.get("id") or item["dataset"]
    for given in ("bank", whole, whole[:-3]):
        called = call(noun, "show", given, "--json")
        assert called.status == 0, called.out
        assert Path(called.value["path"]).name in whole
    assert call(noun, "show", "bank").err.count("bank") > 0


@pytest.mark.parametrize(
    ("noun", "code"), [("data", "cli.nothing_named"), ("adapters", "registry.adapter_unknown_near")]
)
def test_what_is_not_there_is_answered_with_what_is(call: Call, copied: Path, noun: str, code: str) -> None:
    called = call(noun, "show", "bankk", "--json")
    assert (called.status, called.value["error"]["code"]) == (7, code)
    assert "bank" in called.value["error"]["hint"]


def test_a_version_shows_where_it_comes_from_and_what_judged_it(call: Call, copied: Path) -> None:
    shown = call("adapters", "show", "bank@candidate", "--json").value
    assert (shown["label"], shown["base_model"]) == ("bank@v0001", "tiny")
    assert len(shown["evaluations"]) == 1


def test_a_datasets_report_is_shown_in_the_terminal(call: Call, copied: Path) -> None:
    shown = call("data", "show", "bank").err
    for heading in ("Overview", "What was changed and removed", "Division", "Lengths and languages"):
        assert heading in shown


def test_a_damaged_dataset_is_named(call: Call, copied: Path) -> None:
    (path,) = copied.glob("datasets/bank/*/train.jsonl")
    path.write_text("{}\n")
    called = call("data", "show", "bank", "--json")
    assert (called.status, called.value["error"]["code"]) == (7, "store.file_differs")
    assert called.value["error"]["file"].endswith("train.jsonl")


@pytest.mark.parametrize("form", ["input_target", "alpaca", "sharegpt", "messages", "csv", "parquet"])
def test_a_dataset_is_exported_once(call: Call, copied: Path, form: str) -> None:
    called = call("data", "export", "bank", "--format", form, "--json")
    assert (called.status, called.value["rows"]) == (0, 40)
    assert Path(called.value["path"]).stat().st_size > 0
    again = call("data", "export", "bank", "--format", form, "--json")
    assert (again.status, again.value["error"]["code"]) == (2, "data.out_exists")
    assert call("data", "export", "bank", "--format", form, "--force").status == 0


def test_one_question_prints_only_the_answer(call: Call, copied: Path) -> None:
    called = call("chat", "What is card 1001?", "--adapter", "bank@v1", "--max-new-tokens", "5")
    assert called.status == 0
    assert called.out.endswith("\n")
    value = call("chat", "What is card 1001?", "--max-new-tokens", "5", "--json").value
    assert value["answer"] == called.out.removesuffix("\n")
    assert (value["adapter"], value["tokens"]) == ("bank@v0001", 5)


def test_a_base_model_can_be_asked_without_any_adapter(call: Call, here: Path) -> None:
    called = call("chat", "Hi", "--adapter", "base:tiny", "--max-new-tokens", "3", "--json")
    assert (called.status, called.value["adapter"]) == (0, "base:tiny")


def test_a_conversation_reads_lines_and_streams_answers(
    call: Call, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Hi\n/undo\n/undo\n/nope\n\n/exit\nnever asked\n"))
    called = call("chat", "--adapter", "bank", "--max-new-tokens", "3")
    assert called.status == 0
    assert called.out.count("\n") == 1
    for told in ("bank@v0001 is ready", "taken back", "no turn", "no command /nope"):
        assert told in called.err


def test_a_conversation_is_no_json_document(call: Call, copied: Path) -> None:
    called = call("chat", "--json")
    assert (called.status, called.value["error"]["code"]) == (2, "cli.chat_json")


@pytest.mark.parametrize(
    ("reference", "status", "code"),
    [
        ("nobody", 7, "registry.adapter_unknown"),
        ("bank@v0009", 7, "registry.version_unknown"),
        ("bank@production", 7, "registry.alias_unknown"),
        ("../bank", 2, "registry.name_invalid"),
        ("base", 2, "registry.name_reserved"),
        ("base:", 2, "serving.base_unnamed"),
        ("base:nothing-like-it", 7, "models.unknown"),
    ],
)
def test_a_wrong_adapter_ends_in_one_message(call: Call, copied: Path, reference: str, status: int, code: str) -> None:
    for verb in (["chat", "Hi", "--adapter", reference], ["predict", reference, "--data", "faq.csv", "--out", "a.csv"]):
        called = call(*verb, "--json")
        assert (called.status, called.value["error"]["code"]) == (status, code)


def test_no_adapter_at_all_and_more_than_one_are_told_apart(call: Call, copied: Path) -> None:
    empty = call("chat", "Hi", "--json", "--workspace", copied / "empty")
    assert empty.value["error"]["code"] == "serving.no_adapter"
    assert call("run", "bank.yaml", "--set", "name=law", "--set", "evaluation.max_rows=1").status == 0
    several = call("chat", "Hi", "--json")
    assert (several.status, several.value["error"]["code"]) == (2, "serving.which_adapter")
    assert "bank, law" in several.value["error"]["hint"]


@pytest.mark.parametrize("extension", [".csv", ".xlsx", ".jsonl"])
def test_predict_adds_an_answer_to_every_row(call: Call, copied: Path, extension: str) -> None:
    (copied / "q.csv").write_text("nr,question\n1,What is card 1001?\n2,\n3,=SUM(1)\n", encoding="utf-8")
    out = copied / f"a{extension}"
    called = call("predict", "bank", "--data", "q.csv", "--out", out, "--max-new-tokens", "4", "--json")
    assert called.status == 0, called.out
    assert (called.value["rows"], called.value["answered"]) == (3, 2)
    if extension == ".csv":
        rows = list(csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines()))
        assert [row["nr"] for row in rows] == ["1", "2", "3"]
        assert rows[1]["answer"] == ""
        assert rows[2]["question"] == "'=SUM(1)"


def test_predict_never_replaces_a_file_unasked(call: Call, copied: Path) -> None:
    (copied / "a.csv").write_text("mine")
    command = ["predict", "bank", "--data", "faq.csv", "--out", "a.csv", "--json"]
    called = call(*command)
    assert (called.status, called.value["error"]["code"]) == (2, "data.out_exists")
    assert (copied / "a.csv").read_text() == "mine"
    called = call(*command, "--force")
    assert (called.status, called.value["max_new_tokens"]) == (0, 6), "what the recipe allowed"
    (head, *_) = (copied / "a.csv").read_text(encoding="utf-8-sig").splitlines()
    assert head == "question,answer,answer (bank@v0001)", "the file's own answers stay, and say whose the others are"


@pytest.mark.parametrize(
    ("data", "out", "status", "code"),
    [
        ("nowhere.csv", "a.csv", 3, "data.file_missing"),
        ("faq.csv", "a.docx", 3, "data.out_extension"),
        ("faq.csv", "nowhere/a.csv", 2, "data.out_folder"),
        ("empty.csv", "a.csv", 3, "data.file_empty"),
    ],
)
def test_predict_says_before_answering_what_is_wrong(
    call: Call, copied: Path, data: str, out: str, status: int, code: str
) -> None:
    (copied / "empty.csv").touch()
    called = call("predict", "bank", "--data", data, "--out", out, "--json")
    assert (called.status, called.value["error"]["code"]) == (status, code)


def test_an_adapter_is_evaluated_on_a_file_of_held_out_rows(call: Call, copied: Path) -> None:
    (copied / "held.csv").write_text("question,answer\nIs it open?,Yes.\nIs it shut?,No.\n", encoding="utf-8")
    called = call("evaluate", "--adapter", "bank", "--data", "held.csv", "--json")
    assert called.status == 0, called.out
    assert called.value["arms"]["tuned"]["rouge_l"]["n"] == 2
    assert len(call("adapters", "show", "bank", "--json").value["evaluations"]) == 2


@pytest.mark.parametrize("given", [[], ["--adapter", "bank"], ["--data", "x.csv"], ["bank.yaml", "--adapter", "bank"]])
def test_evaluate_wants_a_recipe_or_an_adapter_with_data(call: Call, copied: Path, given: list[str]) -> None:
    called = call("evaluate", *given, "--json")
    assert (called.status, called.value["error"]["code"]) == (2, "cli.either")


def test_an_exported_model_is_a_model_of_its_own(call: Call, copied: Path) -> None:
    asked = ["chat", "What is card 1001?", "--max-new-tokens", "5", "--json"]
    answer = call(*asked, "--adapter", "bank").value["answer"]
    assert call("adapters", "export", "bank", "--out", "merged").status == 0
    assert call(*asked, "--adapter", "base:./merged").value["answer"] == answer
    called = call("adapters", "export", "bank", "--out", "merged", "--json")
    assert (called.status, called.value["error"]["code"]) == (2, "serving.folder_not_empty")
    assert call("adapters", "export", "bank", "--out", "merged", "--force").status == 0


def test_an_exported_adapter_is_a_folder_that_answers(call: Call, copied: Path) -> None:
    (copied / "peft").mkdir()
    called = call("adapters", "export", "bank", "--format", "peft", "--out", "peft", "--json")
    assert (called.status, called.value["format"]) == (0, "peft")
    assert (copied / "peft" / "adapter_model.safetensors").exists()
    assert call("chat", "Hi", "--adapter", "peft", "--max-new-tokens", "2").status == 0
    called = call("adapters", "export", "base:tiny", "--out", "x", "--json")
    assert (called.status, called.value["error"]["code"]) == (2, "serving.export_base")


def test_a_trained_adapter_is_verified_by_its_own_answers(call: Call, copied: Path) -> None:
    called = call("adapters", "verify", "bank", "--json")
    assert called.status == 0, called.out
    assert called.value["answers"] > 0
    assert called.value["agreed"] >= 0.95
    exported = call("adapters", "export", "bank", "--format", "gguf", "--out", "gguf", "--json").value
    assert (exported["format"], exported["stored"]) == ("gguf", True)
    assert set(exported["files"]) == {"bank-v0001-f16.gguf", "bank-v0001-lora.gguf", "Modelfile", "manifest.json"}
    path = next((copied / "adapters" / "bank").glob("v*/replay.json"))
    path.write_text(path.read_text().replace('"answers"', '"answer"'), encoding="utf-8")
    called = call("adapters", "verify", "bank", "--json")
    assert (called.status, called.value["error"]["code"]) == (7, "store.file_differs")


def test_check_shows_the_plan_and_refuses_with_status_4(call: Call, copied: Path) -> None:
    called = call("check", "bank.yaml")
    assert called.status == 0
    assert "learning_rate" in called.err
    refused = call("check", "bank.yaml", "--set", "training.max_length=12", "--json")
    assert (refused.status, refused.value["error"]["code"]) == (4, "training.refused")


def test_a_recipe_that_is_shown_is_the_same_recipe(call: Call, copied: Path) -> None:
    text = "system: |\n    Be kind: always.\n    And # brief."
    (copied / "long.yaml").write_text(
        f"name: long\ndata:\n  sources: [{{path: faq.csv}}]\n  {text}\n", encoding="utf-8"
    )
    called = call("recipe", "show", "long.yaml", "--set", "training.learning_rate=2e-4")
    assert (called.status, called.err) == (0, "")
    assert yaml.safe_load(called.out) == Recipe.load("long.yaml", ["training.learning_rate=2e-4"]).resolved()
    (line,) = [line for line in called.out.splitlines() if line.lstrip().startswith("learning_rate:")]
    assert line.endswith("# --set")
    assert call("recipe", "show", "long.yaml", "--json").value["origins"]["name"] == "file"


def test_a_damaged_adapter_is_not_shown_as_whole(call: Call, copied: Path) -> None:
    weights = copied / "adapters/bank/v0001/adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    called = call("adapters", "show", "bank", "--json")
    assert (called.status, called.value["error"]["code"]) == (7, "store.file_differs")
    assert "adapter_model.safetensors" in called.value["error"]["file"]


def test_the_help_speaks_one_language(call: Call) -> None:
    chinese = call("run", "--help", "--language", "zh").out
    for word in ("用法：", "参数", "选项", "[必填]", "[默认：", "显示本说明并退出"):
        assert word in chinese
    for word in ("Usage", "Arguments", "Options", "[required]", "[default", "Show this"):
        assert word not in chinese
    assert "命令" in call("--help", "--language", "zh").out
    assert "Usage: tuneloop run" in call("run", "--help").out


def test_the_schema_is_one_document_either_way(call: Call) -> None:
    plain, asked = call("recipe", "schema"), call("recipe", "schema", "--json")
    assert json.loads(plain.out) == asked.value
    assert "training" in asked.value["properties"]


def test_models_are_listed_and_the_built_in_one_needs_no_download(call: Call, here: Path) -> None:
    models = {model["name"]: model for model in call("models", "list", "--json").value}
    assert models["tiny"]["here"]
    assert models["gemma3-270m"]["must_be_accepted"]
    assert call("models", "get", "tiny", "--json").value == {"name": "tiny", "path": None}
    called = call("models", "get", "nothing-like-it", "--json")
    assert (called.status, called.value["error"]["code"]) == (7, "models.unknown")


def test_the_doctor_knows_this_machine(call: Call, here: Path) -> None:
    found = call("doctor", "--json").value
    assert {"python", "torch", "dtype", "memory", "cache", "workspace", "libraries", "problems"} <= set(found)
    called = call("doctor", "--language", "zh")
    assert (called.status, called.out) == (0, "")
    assert "内存" in called.err


def test_an_unproven_version_is_refused_with_reasons_and_a_proven_one_serves(call: Call, copied: Path) -> None:
    refused = call("adapters", "promote", "bank@v0001", "--json")
    assert (refused.status, refused.value["error"]["code"]) == (4, "registry.gate_refused")
    assert "✗" in refused.value["error"]["message"]
    (recipe,) = copied.glob("runs/*/recipe.yaml")
    values = yaml.safe_load(recipe.read_text())
    values["register"]["gate"] |= {"headline": "not worse", "margin": 1.0, "allowed_losses": {"stop_rate": None}}
    recipe.write_text(yaml.safe_dump(values))
    promoted = call("adapters", "promote", "bank@v0001", "--json").value
    assert promoted["decision"]["allowed"]
    assert "production" in promoted["aliases"]
    assert call("adapters", "rollback", "bank", "--json").value["error"]["code"] == "registry.nothing_before"


def test_a_version_that_was_never_evaluated_is_refused(call: Call, copied: Path) -> None:
    refused = call("adapters", "promote", "bank@v0001", "--evaluation", "another", "--json")
    assert refused.status == 4
    assert "never evaluated" in refused.value["error"]["message"]


def test_a_file_of_training_rows_proves_nothing_unless_forced(call: Call, copied: Path) -> None:
    (trained,) = copied.glob("datasets/bank/*/train.jsonl")
    lines = [json.loads(line)["messages"] for line in trained.read_text().splitlines()[:2]]
    rows = [{"input_text": messages[0]["content"], "target_text": messages[-1]["content"]} for messages in lines]
    (copied / "seen.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    refused = call("evaluate", "--adapter", "bank", "--data", "seen.jsonl", "--json")
    assert (refused.status, refused.value["error"]["code"]) == (4, "evaluation.leak")
    assert call("evaluate", "--adapter", "bank", "--data", "seen.jsonl", "--force", "--json").status == 0


def test_an_evaluation_is_compared_with_itself_without_a_difference(call: Call, copied: Path) -> None:
    compared = call("evaluations", "compare", "bank", "bank", "--json").value
    assert {item["difference"] for item in compared["comparisons"]} == {0.0}
    assert "bank" in call("evaluations", "compare", "bank", "bank").err

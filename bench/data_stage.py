"""The data stage as a whole: seconds, peak memory, and whether planted leaks are found.

    python bench/data_stage.py [--rows 5000 100000 200000] [--characters 800] [--leaks 1000] [--encoder FOLDER] [--save]

Every size is a process of its own. The rows are made up: sentences of 600 words, a fifth of the questions nearly repeated,
2% of the rows exact copies, 5% with HTML, 10% with a phone number or an e-mail address. Everything is on but augmentation.
With `--encoder` (a sentence encoder's folder) also the recall of planted paraphrases: questions of the bank grammar, each
with words replaced by synonyms among the training rows, by similarity, and how many other rows are named.
A million rows of about 1 GB: `--rows 1000000 --characters 1000` (by hand; needs 5 GB of disk).
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

SHARE_NEAR, SHARE_EXACT, SHARE_HTML, SHARE_PERSONAL = 0.2, 0.02, 0.05, 0.1
KINDS = ("exact", "case and space", "13 words", "13 characters")


def sentences(random_: random.Random, words: list[str], characters: int) -> str:
    """About so many characters of made-up sentences."""
    count = max(3, characters // 7)
    return " ".join(random_.choices(words, k=count)).capitalize() + "."


def vocabulary(size: int = 600) -> list[str]:
    random_ = random.Random(0)
    return ["".join(random_.choices("abcdefghiklmnoprstuw", k=random_.randint(3, 9))) for _ in range(size)]


def make_rows(count: int, characters: int) -> Iterator[dict[str, str]]:
    """Made-up rows of about so many characters, the same ones every time."""
    random_, words = random.Random(1), vocabulary()
    recent: list[dict[str, str]] = []
    for number in range(count):
        chance = random_.random()
        if recent and chance < SHARE_EXACT:
            row = dict(random_.choice(recent))
        elif recent and chance < SHARE_EXACT + SHARE_NEAR:
            row = {
                "question": random_.choice(recent)["question"] + " Ok",
                "answer": sentences(random_, words, characters),
            }
        else:
            question = sentences(random_, words, 60 + number % 60)
            row = {"question": f"{question} Case {number}", "answer": sentences(random_, words, characters - 100)}
        if random_.random() < SHARE_HTML:
            row["answer"] = f"<p>{row['answer']}</p><br>&nbsp;"
        if random_.random() < SHARE_PERSONAL:
            row["answer"] += f" Call 1{random_.randint(3000000000, 9999999999)} or write to a{number}@example.com."
        recent = [*recent[-200:], row]
        yield row


def measure(rows: int, characters: int) -> dict[str, Any]:
    """Prepare so many rows in this process."""
    from tuneloop.core.progress import SILENT
    from tuneloop.data.config import DataConfig
    from tuneloop.data.run import run
    from tuneloop.store.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in make_rows(rows, characters))
        size = path.stat().st_size
        config = DataConfig.model_validate({"sources": [{"path": str(path)}]})
        before, start = time.process_time(), time.perf_counter()
        dataset = run(
            config,
            name="b",
            language="en",
            seed=42,
            folder=Path(folder),
            workspace=Workspace(Path(folder) / "w"),
            progress=SILENT,
        )
        seconds, cpu = time.perf_counter() - start, time.process_time() - before
    removed = {name: rule["removed"] for name, rule in dataset.report["rules"].items() if rule["removed"]}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"rows": rows, "bytes": size, "seconds": seconds, "cpu_seconds": cpu, "peak_bytes": peak, "removed": removed}


def measure_leaks(count: int) -> dict[str, Any]:
    """Plant leaks of every kind between a training and a test file, and count those that training still has."""
    from tuneloop.data.config import DataConfig
    from tuneloop.data.run import run
    from tuneloop.store.samples import read_split
    from tuneloop.store.workspace import Workspace

    random_, words = random.Random(2), vocabulary()
    han = [chr(0x4E00 + n) for n in range(800)]
    held: list[str] = []
    planted: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        if kind == "13 characters":
            text = "".join(random_.choices(han, k=30))
            planted[kind].add(f"请问{number}：{text[8:21]}，谢谢")
        else:
            text = sentences(random_, words, 200)
            parts = text.split()
            leak = {"exact": text, "case and space": f"{'  '.join(parts).upper()} !"}
            planted[kind].add(leak.get(kind) or f"Hello {number} {' '.join(parts[4:17])} please?")
        held.append(text)
    trained = [f"{sentences(random_, words, 120)} Case {number}" for number in range(4 * count)]
    trained += [text for texts in planted.values() for text in texts]
    random_.shuffle(trained)
    with tempfile.TemporaryDirectory() as folder:
        for name, asked in (("train", trained), ("test", held)):
            rows = [json.dumps({"question": text, "answer": f"{name} {n}"}) for n, text in enumerate(asked)]
            (Path(folder) / f"{name}.jsonl").write_text("\n".join(rows), encoding="utf-8")
        sources = [{"path": f"{name}.jsonl", "split": name} for name in ("train", "test")]
        config = DataConfig.model_validate({"sources": sources})
        place = Workspace(Path(folder) / "w")
        dataset = run(config, name="l", language="en", seed=42, folder=Path(folder), workspace=place)
        rows_left = (sample.meta.row for split in ("train", "validation") for sample in read_split(dataset.path, split))
        left = {trained[row - 1] for row in rows_left}
    found = {kind: f"{len(texts - left)}/{len(texts)}" for kind, texts in planted.items()}
    clean = sum(len(texts) for texts in planted.values())
    return {"found": found, "lost_without_reason": len(trained) - clean - len(left), "test_rows": dataset.rows["test"]}


def measure_paraphrases(encoder: str, count: int) -> dict[str, Any]:
    """Plant reworded test questions in training; count which rules take them out, and what else the encoder names."""
    from tuneloop.core.errors import DataError
    from tuneloop.data.augment.config import AugmentConfig
    from tuneloop.data.augment.run import augment
    from tuneloop.data.config import DataConfig
    from tuneloop.data.grammar import make_samples
    from tuneloop.data.run import run
    from tuneloop.store.workspace import Workspace

    made = {sample.question: sample for sample, _ in make_samples("bank-service", "en", 8 * count, 7)}
    samples = list(made.values())
    held, others = samples[:count], samples[count:]
    more = augment(
        held,
        AugmentConfig(synonym=1.0),
        folder=Path(),
        taken=lambda variant, question: variant in made,
        made={},
        language="en",
        seed=7,
    )
    reworded = [sample.question for sample in more]
    found: dict[str, Any] = {"planted": len(reworded), "others": len(others), "encoder": Path(encoder).name}
    with tempfile.TemporaryDirectory() as folder:
        asked = {"train": [*reworded, *(one.question for one in others)], "test": [one.question for one in held]}
        for name, questions in asked.items():
            rows = [json.dumps({"question": text, "answer": f"{name} {n}"}) for n, text in enumerate(questions)]
            (Path(folder) / f"{name}.jsonl").write_text("\n".join(rows), encoding="utf-8")
        sources = [{"path": f"{name}.jsonl", "split": name} for name in asked]
        for similarity in (None, 0.9, 0.97, 0.99):
            wanted = None if similarity is None else {"encoder": encoder, "similarity": similarity}
            leaks = {"near": 0.9, "paraphrases": wanted}
            config = DataConfig.model_validate({"sources": sources, "leaks": leaks, "split": {"validation": 0.0}})
            place = Workspace(Path(folder) / "w")
            try:
                dataset = run(config, name="p", language="en", seed=42, folder=Path(folder), workspace=place)
            except DataError as error:
                found[str(similarity)] = error.code
                continue
            lines = (dataset.path / "train.jsonl").read_text(encoding="utf-8").splitlines()
            left = {json.loads(line)["meta"]["row"] for line in lines}
            planted = sum(row + 1 not in left for row in range(len(reworded)))
            other = sum(row + 1 not in left for row in range(len(reworded), len(asked["train"])))
            found[str(similarity)] = {"planted_out": planted, "others_out": other}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[5000, 100_000, 200_000])
    parser.add_argument("--characters", type=int, default=800)
    parser.add_argument("--leaks", type=int, default=1000)
    parser.add_argument("--encoder", help="folder of a sentence encoder: the recall of planted paraphrases")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--child", choices=("rows", "leaks", "paraphrases"))
    given = parser.parse_args()
    if given.child:
        if given.child == "rows":
            print(json.dumps(measure(given.rows[0], given.characters)))
        elif given.child == "leaks":
            print(json.dumps(measure_leaks(given.leaks)))
        else:
            print(json.dumps(measure_paraphrases(given.encoder, given.leaks)))
        return
    results: dict[str, Any] = {"date": date.today().isoformat(), "python": platform.python_version(), "sizes": []}
    for rows in given.rows:
        arguments = ["--child", "rows", "--rows", str(rows), "--characters", str(given.characters)]
        results["sizes"].append(call(arguments))
        print(
            "{rows:>9,} rows  {seconds:7.1f} s  {cpu_seconds:7.1f} s CPU  {0:6.0f} MB peak  {removed}".format(
                results["sizes"][-1]["peak_bytes"] / 1e6, **results["sizes"][-1]
            )
        )
    if given.leaks:
        results["leaks"] = call(["--child", "leaks", "--leaks", str(given.leaks), "--rows"])
        print(results["leaks"])
    if given.encoder:
        arguments = [
            "--child",
            "paraphrases",
            "--encoder",
            str(Path(given.encoder).absolute()),
            "--leaks",
            "200",
            "--rows",
        ]
        results["paraphrases"] = call(arguments)
        print(results["paraphrases"])
    if given.save:
        target = Path(__file__).parent / "results" / "data_stage.json"
        target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def call(arguments: list[str]) -> dict[str, Any]:
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True)
    value: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return value


if __name__ == "__main__":
    main()

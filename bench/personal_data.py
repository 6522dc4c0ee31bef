"""Finding personal data: recall, precision and speed of tuneloop beside presidio with its defaults, on the same texts.

    python bench/personal_data.py [--values 2400] [--side test|develop] [--misses] [--out bench/results/personal_data.json]

Texts are made from the templates of `personal_data_texts.py` with fresh values; those of the side `test` were not looked
at while the recognisers were written. A value counts as found when what was found covers all its letters and digits,
whatever the type; what was found counts as right when it touches a value. `plain` are values as forms have them,
`obfuscated` the same values with separators, other widths, Chinese numerals, zero-width characters or `[at]`.
presidio runs as it comes (English recognisers, `no_op` NLP engine, all entities but URL and DATE_TIME, which are no
personal data here); for Chinese texts too, since it has no Chinese ones.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import string
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stdnum import iban, luhn
from stdnum.cn import ric

from personal_data_texts import TEMPLATES

Spans = list[tuple[int, int, str]]
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Text:
    """A text with the places of the values in it."""

    text: str
    values: Spans


def digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices(string.digits, k=count))


def id_card(chance: random.Random) -> str:
    region = chance.choice(
        [
            "110105",
            "310115",
            "440305",
            "330106",
            "510107",
            "420111",
            "320583",
            "610113",
            "350203",
            "370202",
            "210102",
            "500112",
        ]
    )
    first = f"{region}{chance.randrange(1950, 2008)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}{digits(chance, 3)}"
    return first + ric.calc_check_digit(first + "0")


def bank_card(chance: random.Random) -> str:
    start, length = chance.choice(
        [
            ("62", 16),
            ("62", 19),
            ("622848", 19),
            ("621700", 19),
            ("4", 16),
            ("4", 13),
            ("51", 16),
            ("55", 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("3528", 16),
        ]
    )
    first = start + digits(chance, length - len(start) - 1)
    return first + luhn.calc_check_digit(first)


def mobile(chance: random.Random) -> str:
    number = chance.choice(
        [
            "130",
            "131",
            "135",
            "138",
            "139",
            "147",
            "150",
            "152",
            "159",
            "166",
            "173",
            "177",
            "180",
            "186",
            "189",
            "191",
            "199",
        ]
    ) + digits(chance, 8)
    return chance.choice([number] * 8 + ["+86" + number, "+86 " + number])


def landline(chance: random.Random) -> str:
    area = chance.choice(["010", "021", "020", "0755", "0571", "0532", "028", "027"])
    return f"{area}-{chance.randrange(2, 9)}{digits(chance, 7)}"


def phone(chance: random.Random) -> str:
    area, exchange, line = (
        chance.choice(["212", "415", "312", "617", "206", "303", "713", "404", "512", "646"]),
        chance.randrange(200, 999),
        digits(chance, 4),
    )
    if chance.random() < 0.1:
        shape = chance.choice(["+44 20 7946 ####", "+44 7911 ######", "+49 30 9018####", "+33 1 42 68 ## ##"])
        return "".join(digits(chance, 1) if letter == "#" else letter for letter in shape)
    shape = chance.choice(["({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "+1 {} {} {}", "+1-{}-{}-{}", "{} {} {}"])
    return shape.format(area, exchange, line)


def email(chance: random.Random) -> str:
    name = chance.choice(
        ["zhang.san", "lilei", "wang_fang88", "j.doe", "anna.k", "m.garcia2", "t.nguyen", "liu2020", "b.oneil"]
    )
    host = chance.choice(
        [
            "qq.com",
            "163.com",
            "gmail.com",
            "bank.com.cn",
            "mail.example.org",
            "outlook.com",
            "company.co.uk",
            "example.com",
            "sina.cn",
        ]
    )
    return f"{name}{digits(chance, chance.randrange(0, 4))}@{host}"


def ip(chance: random.Random) -> str:
    if chance.random() < 0.1:
        return ":".join(f"{chance.randrange(1, 65536):x}" for _ in range(8))
    return ".".join(str(chance.randrange(1, 127)) for _ in range(4))


def chinese_plate(chance: random.Random) -> str:
    green = chance.random() < 0.3
    tail = (
        "D" + digits(chance, 5)
        if green
        else chance.choice(LETTERS) + digits(chance, 2) + chance.choice(LETTERS) + digits(chance, 1)
    )
    return chance.choice("京沪粤浙苏川鲁闽") + chance.choice("ABCDE") + chance.choice(["", "·"]) + tail


def english_plate(chance: random.Random) -> str:
    letters = "".join(chance.choices(LETTERS, k=3))
    return chance.choice(
        [
            f"{chance.randrange(1, 9)}{letters}{digits(chance, 3)}",
            f"{letters}-{digits(chance, 4)}",
            f"{letters} {digits(chance, 3)}",
        ]
    )


def passport_zh(chance: random.Random) -> str:
    return chance.choice(
        [f"E{digits(chance, 8)}", f"G1{digits(chance, 7)}", f"E{chance.choice(LETTERS)}{digits(chance, 7)}"]
    ).replace("E000", "E100")


def passport_en(chance: random.Random) -> str:
    return chance.choice([f"{chance.randrange(1, 9)}{digits(chance, 8)}", f"{chance.choice('AC')}1{digits(chance, 7)}"])


def driver_licence(chance: random.Random) -> str:
    return f"{chance.choice(LETTERS)}1{digits(chance, chance.choice([6, 7, 11]))}"


def wechat(chance: random.Random) -> str:
    return (
        chance.choice(["wxid_", "lily", "zhang_", "Mr-", "a"])
        + "".join(chance.choices(string.ascii_lowercase + string.digits, k=8))
        + digits(chance, 2)
    )


def qq(chance: random.Random) -> str:
    return str(chance.randrange(1, 10)) + digits(chance, chance.randrange(5, 10))


def ssn(chance: random.Random) -> str:
    area = chance.choice([chance.randrange(1, 666), chance.randrange(667, 900)])
    return f"{area:03d}-{chance.randrange(1, 100):02d}-{chance.randrange(1, 10000):04d}"


def iban_number(chance: random.Random) -> str:
    country, account = chance.choice(
        [
            ("DE", digits(chance, 18)),
            ("GB", "WEST" + digits(chance, 14)),
            ("NL", "ABNA" + digits(chance, 10)),
            ("FR", digits(chance, 10) + digits(chance, 11) + digits(chance, 2)),
            ("ES", digits(chance, 20)),
        ]
    )
    number = f"{country}{iban.calc_check_digits(country + '00' + account)}{account}"
    return chance.choice([number, " ".join(number[i : i + 4] for i in range(0, len(number), 4))])


def api_key(chance: random.Random) -> str:
    letters = string.ascii_letters + string.digits
    start, count, alphabet = chance.choice(
        [
            ("sk-", 48, letters),
            ("AKIA", 16, string.ascii_uppercase + string.digits),
            ("ghp_", 36, letters),
            ("LTAI", 20, letters),
            ("AIza", 35, letters),
            ("xoxb-", 24, letters),
            ("", 32, "0123456789abcdef"),
        ]
    )
    return start + "".join(chance.choices(alphabet, k=count))


def password(chance: random.Random) -> str:
    word = chance.choice(["dragon", "Summer", "qwer", "sunny", "Pass", "aBcd", "tiger", "zxcv"])
    return (
        word
        + chance.choice(["", "@", "#", "_", "!"])
        + digits(chance, chance.randrange(2, 6))
        + chance.choice(["", "!", "x", "Q"])
    )


def amount(chance: random.Random, language: str) -> str:
    value = chance.choice(
        [
            str(chance.randrange(100, 10**8)),
            f"{chance.randrange(1000, 10**7):,}",
            f"{chance.randrange(1, 10**6)}.{digits(chance, 2)}",
        ]
    )
    return (
        value + chance.choice(["元", "块", "万元"])
        if language == "zh"
        else chance.choice(["${}", "{} dollars", "USD {}"]).format(value)
    )


def date(chance: random.Random, language: str) -> str:
    year, month, day = chance.randrange(1990, 2027), chance.randrange(1, 13), chance.randrange(1, 29)
    shapes = ["{0}-{1:02d}-{2:02d}", "{0}/{1}/{2}", "{0}{1:02d}{2:02d}"] + (
        ["{0}年{1}月{2}日"] if language == "zh" else ["{1}/{2}/{0}"]
    )
    return chance.choice(shapes).format(year, month, day)


PERSONAL: dict[str, dict[str, Callable[[random.Random], str]]] = {
    "zh": {
        "id_card": id_card,
        "bank_card": bank_card,
        "mobile": mobile,
        "landline": landline,
        "email": email,
        "ip": ip,
        "plate": chinese_plate,
        "passport": passport_zh,
        "wechat": wechat,
        "qq": qq,
        "api_key": api_key,
        "password": password,
    },
    "en": {
        "ssn": ssn,
        "bank_card": bank_card,
        "phone": phone,
        "email": email,
        "ip": ip,
        "iban": iban_number,
        "passport": passport_en,
        "driver_licence": driver_licence,
        "plate": english_plate,
        "api_key": api_key,
        "password": password,
    },
}
HARMLESS: dict[str, Callable[[random.Random, str], str]] = {
    "amount": amount,
    "date": date,
    "order": lambda chance, _: str(chance.randrange(1, 10)) + digits(chance, chance.choice([7, 9, 11, 14, 15, 17])),
    "time": lambda chance, _: f"{chance.randrange(24):02d}:{chance.randrange(60):02d}" + chance.choice(["", ":30"]),
    "last4": lambda chance, _: digits(chance, 4),
    "version": lambda chance, _: f"{chance.randrange(1, 9)}.{chance.randrange(20)}.{chance.randrange(99)}",
    "hotline": lambda chance, language: chance.choice(
        ["95588", "400-820-8888", "95533"] if language == "zh" else ["1-800-555-0199", "888-555-0100"]
    ),
    "decimal": lambda chance, _: f"{chance.randrange(20)}.{digits(chance, 2)}",
    "code": lambda chance, _: chance.choice(
        [f"HT{digits(chance, 8)}", digits(chance, 6), f"INV-{digits(chance, 5)}", digits(chance, 8)]
    ),
    "masked": lambda chance, _: chance.choice(
        ["138****1234", "<PHONE_1>", "######", "6222 **** **** 1234", "{{Phone}}", "XXX-XX-1234"]
    ),
}
NUMERIC = {"id_card", "bank_card", "mobile", "landline", "phone", "qq", "ssn"}


def obfuscate(type_: str, value: str, language: str, chance: random.Random) -> str:
    """Write a value as people do to hide or to group it."""
    ways: list[Callable[[str], str]] = [lambda v: v[:3] + "\u200b" + v[3:]]
    wide = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in string.digits + string.ascii_letters + "-@."})
    if type_ in NUMERIC | {"email", "ip", "plate", "passport"} and ":" not in value:
        ways.append(lambda v: v.translate(wide))
    if type_ == "email":
        ways += [
            lambda v: v.replace("@", "[at]").replace(".", "[dot]"),
            lambda v: v.replace("@", " (at) "),
            lambda v: v.replace("@", " @ "),
        ]
    if type_ in NUMERIC and not value.startswith("+"):
        plain = "".join(c for c in value if c.isalnum())
        for gap in " -" + ("—" if language == "zh" else "."):
            groups = (
                (3, 4, 4)
                if len(plain) == 11 and type_ != "landline"
                else (4,) * 5
                if type_ == "bank_card"
                else (6, 8, 4)
                if type_ == "id_card"
                else None
            )
            if groups:
                ways.append(lambda v, gap=gap, groups=groups: gap.join(cut(plain, groups)))
        if type_ not in ("landline", "qq"):
            ways.append(lambda v: " ".join(plain))
        if language == "zh" and type_ in ("mobile", "qq"):
            ways += [lambda v: v.translate(str.maketrans(string.digits, "零一二三四五六七八九"))] * 2
    return chance.choice(ways)(value)


def cut(value: str, groups: tuple[int, ...]) -> Iterator[str]:
    position = 0
    for count in groups:
        if value[position : position + count]:
            yield value[position : position + count]
        position += count


def make_texts(language: str, side: str, values: int, obfuscated: bool, seed: int) -> list[Text]:
    """Fill templates in turn until there are enough values."""
    chance = random.Random(f"{language}{side}{obfuscated}{seed}")
    made: list[Text] = []
    count = 0
    while count < values:
        for template in TEMPLATES[language][side]:
            pieces, spans, length = [], [], 0
            for literal, name, _, _ in string.Formatter().parse(template):
                pieces.append(literal)
                length += len(literal)
                if name is None:
                    continue
                value = (
                    PERSONAL[language][name](chance) if name in PERSONAL[language] else HARMLESS[name](chance, language)
                )
                if name in PERSONAL[language]:
                    value = obfuscate(name, value, language, chance) if obfuscated else value
                    spans.append((length, length + len(value), name))
                pieces.append(value)
                length += len(value)
            made.append(Text("".join(pieces), spans))
            count += len(spans)
    return made


def ours(language: str) -> Callable[[str], Spans]:
    from tuneloop.text.personal.find import find

    return lambda text: [(found.start, found.end, found.type) for found in find(text, language, possible=False)]


def presidio(language: str) -> Callable[[str], Spans]:
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    settings = {"nlp_engine_name": "no_op", "models": [{"lang_code": "en", "model_name": "no_op"}]}
    engine = AnalyzerEngine(
        nlp_engine=NlpEngineProvider(nlp_configuration=settings).create_engine(), supported_languages=["en"]
    )

    def analyze(text: str) -> Spans:
        found = engine.analyze(text, language="en")
        return [
            (item.start, item.end, item.entity_type) for item in found if item.entity_type not in ("URL", "DATE_TIME")
        ]

    return analyze


FINDERS: dict[str, Callable[[str], Callable[[str], Spans]]] = {"tuneloop": ours, "presidio": presidio}


def score(texts: list[Text], finder: Callable[[str], Spans], misses: bool) -> dict[str, Any]:
    """Recall and precision over values, recall by type, and texts a second."""
    finder(texts[0].text)
    start = time.perf_counter()
    predicted = [finder(text.text) for text in texts]
    seconds = time.perf_counter() - start
    wanted, hit = Counter[str](), Counter[str]()
    right = wrong = 0
    false: defaultdict[str, int] = defaultdict(int)
    for text, spans in zip(texts, predicted, strict=True):
        covered = {place for begin, end, _ in spans for place in range(begin, end)}
        for begin, end, type_ in text.values:
            wanted[type_] += 1
            found = all(place in covered for place in range(begin, end) if text.text[place].isalnum())
            hit[type_] += found
            if misses and not found:
                print("MISSED", type_, text.text[begin:end], "|", text.text)
        for begin, end, type_ in spans:
            touches = any(begin < stop and first < end for first, stop, _ in text.values)
            right, wrong = right + touches, wrong + (not touches)
            if not touches:
                false[type_] += 1
                if misses:
                    print("FALSE", type_, text.text[begin:end], "|", text.text)
    return {
        "values": wanted.total(),
        "recall": round(hit.total() / wanted.total(), 4),
        "precision": round(right / (right + wrong), 4) if right + wrong else None,
        "false_by_type": dict(false),
        "recall_by_type": {type_: round(hit[type_] / count, 4) for type_, count in sorted(wanted.items())},
        "texts_per_second": round(len(texts) / seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=2400)
    parser.add_argument("--side", choices=["develop", "test"], default="test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=[*FINDERS], default=None)
    parser.add_argument("--misses", action="store_true", help="print what tuneloop misses or finds wrongly")
    parser.add_argument("--out", type=Path, default=None)
    arguments = parser.parse_args()
    results: dict[str, Any] = {
        "machine": platform.platform(),
        "python": platform.python_version(),
        "presidio-analyzer": version("presidio-analyzer"),
        "side": arguments.side,
        "seed": arguments.seed,
    }
    for language in ("zh", "en"):
        for kind in ("plain", "obfuscated"):
            texts = make_texts(language, arguments.side, arguments.values, kind == "obfuscated", arguments.seed)
            for name, make in FINDERS.items():
                if arguments.only in (None, name):
                    figures = score(texts, make(language), arguments.misses and name == "tuneloop")
                    results.setdefault(language, {}).setdefault(kind, {})[name] = figures
                    print(
                        language, kind, name, {key: figures[key] for key in ("recall", "precision", "texts_per_second")}
                    )
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

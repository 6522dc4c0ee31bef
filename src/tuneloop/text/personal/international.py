"""Numbers that Microsoft's presidio proves with check digits and formats of their countries: IBAN, crypto wallets, MAC
addresses, national insurance and tax numbers of Europe.

presidio is loaded when a text holds something that looks like one: it takes a second (spaCy comes with it). No language
model is loaded (`no_op`), and nothing is downloaded.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from stdnum import iban

from tuneloop.text.personal.span import Span, random_digits

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

IBAN_HINT = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[ \-]?\d[ \-]?\d(?:[ \-]?[A-Za-z0-9]){11}")
CRYPTO_HINT = re.compile(r"(?<![A-Za-z0-9])(?:bc1|[13])[a-km-zA-HJ-NP-Z1-9]{25,59}(?![A-Za-z0-9])")
MAC_HINT = re.compile(
    r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{2}(?P<gap>[:\-])(?:[0-9A-Fa-f]{2}(?P=gap)){4}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])"
)
NATIONAL_HINT = re.compile(
    r"(?<![A-Z0-9])(?:[A-Z]{2}[ ]?\d{2}[ ]?\d{2}[ ]?\d{2}[ ]?[A-D]|[XYZ]?[ ]?\d{7,8}[ \-]?[A-Z]"
    r"|[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z])(?![A-Z0-9])"
)

NATIONAL = ("UK_NINO", "IT_FISCAL_CODE", "ES_NIE", "ES_NIF")
_STAND_IN_IBAN = re.compile("[0X]{4}")
LEAST_SCORE = 0.5
"""presidio's score of a match by pattern alone is below it; a right check digit gives 1."""


def find_ibans(text: str) -> Iterator[Span]:
    """International account numbers (ISO 13616)."""
    for start, end in _found(text, ("IBAN_CODE",)):
        value = re.sub(r"[ \-]", "", text[start:end]).upper()
        if not _STAND_IN_IBAN.match(value, 4):
            yield Span(start, end, value)


def stand_in_iban(value: str, chance: random.Random) -> str:
    """An account of the same country and form that starts with four zeros (letters: X), with right check digits."""
    account = "".join("X" if letter.isalpha() else "0" for letter in value[4:8])
    account += "".join("X" if letter.isalpha() else random_digits(chance, 1) for letter in value[8:])
    return f"{value[:2]}{iban.calc_check_digits(value[:2] + '00' + account)}{account}"


def find_crypto_wallets(text: str) -> Iterator[Span]:
    """Bitcoin addresses."""
    for start, end in _found(text, ("CRYPTO",)):
        yield Span(start, end, text[start:end])


def stand_in_crypto_wallet(value: str, chance: random.Random) -> str:
    """A string of the same length; its check digits are wrong, so that it is no wallet."""
    letters = "".join(chance.choices("abcdefghjkmnpqrstuvwxyz23456789", k=max(len(value) - 10, 16)))
    return value[:1] + "tlmasked" + letters


def find_mac_addresses(text: str) -> Iterator[Span]:
    """Addresses of network cards."""
    for start, end in _found(text, ("MAC_ADDRESS",)):
        value = text[start:end].lower().replace("-", ":")
        if not value.startswith("02:7e:57"):
            yield Span(start, end, value)


def stand_in_mac_address(value: str, chance: random.Random) -> str:
    """A locally administered address, which no manufacturer gives out."""
    return "02:7e:57:" + ":".join(f"{chance.randrange(256):02x}" for _ in range(3))


def find_national_ids(text: str) -> Iterator[Span]:
    """British national insurance, Italian and Spanish tax numbers."""
    for start, end in _found(text, NATIONAL):
        yield Span(start, end, text[start:end].replace(" ", "").replace("-", ""))


def stand_in_national_id(value: str, chance: random.Random) -> str:
    """Digits replaced, and letters that are not given out."""
    return "QQ" + random_digits(chance, max(len(value) - 3, 6)) + "Q"


def _found(text: str, entities: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    for found in _engine().analyze(text, language="en", entities=list(entities), score_threshold=LEAST_SCORE):
        yield found.start, found.end


@lru_cache(maxsize=1)
def _engine() -> AnalyzerEngine:
    """presidio with only the recognisers that are used, made to see numbers that touch Chinese characters."""
    import regex
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NoOpNlpEngine
    from presidio_analyzer.predefined_recognizers import (
        CryptoRecognizer,
        EsNieRecognizer,
        EsNifRecognizer,
        IbanRecognizer,
        ItFiscalCodeRecognizer,
        MacAddressRecognizer,
        UkNinoRecognizer,
    )

    kinds = (CryptoRecognizer, EsNieRecognizer, EsNifRecognizer, IbanRecognizer, ItFiscalCodeRecognizer,
             MacAddressRecognizer, UkNinoRecognizer)  # fmt: skip
    recognizers = [kind(supported_language="en") for kind in kinds]
    for recognizer in recognizers:
        recognizer.global_regex_flags |= (
            regex.ASCII
        )  # without it \\b does not stand between a Chinese character and a digit
    nlp = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": "no_op"}])
    nlp.load()
    return AnalyzerEngine(registry=RecognizerRegistry(recognizers=recognizers, supported_languages=["en"]), nlp_engine=nlp,
                          supported_languages=["en"])  # fmt: skip

"""Whole numbers in words, as people write them: `1,620` as `one thousand six hundred and twenty`, as `一千六百二十`."""

from __future__ import annotations

from tuneloop.core.messages import Language
from tuneloop.evaluation.script_facts import ONES, TENS

ONE_WORDS = ONES.split()
TEN_WORDS = ["", "", *TENS.split()]
HAN_DIGITS = "零一二三四五六七八九"
HAN_UNITS = ("", "十", "百", "千")


def number_in_words(digits: str, language: Language) -> str:
    """A whole number in words; one that begins with 0 or is too long is read digit by digit.

    >>> number_in_words("1620", "en"), number_in_words("0042", "en")
    ('one thousand six hundred and twenty', 'zero zero four two')
    >>> number_in_words("1620", "zh"), number_in_words("10005", "zh"), number_in_words("15", "zh")
    ('一千六百二十', '一万零五', '十五')
    """
    if len(digits) > 8 or (digits.startswith("0") and len(digits) > 1):
        names = HAN_DIGITS if language == "zh" else ONE_WORDS
        return ("" if language == "zh" else " ").join(names[int(digit)] for digit in digits)
    return _chinese(int(digits)) if language == "zh" else _english(int(digits))


def _english(number: int) -> str:
    if number < 20:
        return ONE_WORDS[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TEN_WORDS[tens] + (f"-{ONE_WORDS[ones]}" if ones else "")
    for size, name, joiner in ((1_000_000, "million", " "), (1_000, "thousand", " "), (100, "hundred", " and ")):
        if number >= size:
            high, low = divmod(number, size)
            join = " and " if low < 100 else joiner
            return f"{_english(high)} {name}" + (f"{join}{_english(low)}" if low else "")
    raise AssertionError(number)


def _chinese(number: int) -> str:
    if number < 10_000:
        return _chinese_part(number) or HAN_DIGITS[0]
    high, low = divmod(number, 10_000)
    gap = HAN_DIGITS[0] if 0 < low < 1_000 else ""
    return f"{_chinese_part(high)}万{gap}{_chinese_part(low, inner=True)}"


def _chinese_part(number: int, *, inner: bool = False) -> str:
    """A number below 10,000; empty for 0."""
    words = ""
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit:
            words += HAN_DIGITS[digit] + HAN_UNITS[place]
        elif words and number % 10**place and not words.endswith(HAN_DIGITS[0]):
            words += HAN_DIGITS[0]
    return words.removeprefix("一") if words.startswith("一十") and not inner else words

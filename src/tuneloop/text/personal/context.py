"""The words before a value that say what it is, or that it is something else.

Patterns are ASCII-minded: a Chinese character beside a digit is no part of it, so nothing here uses `\\b` or `\\w`.
"""

from __future__ import annotations

import re

TELLS = (
    r"(?:[ ,]{0,2}(?:(?:is|was|are|were|to|as|now|still|reads|says|shows|number|no\.?|num|id)(?![A-Za-z])|[:=#]|->))*"
    r"[ ,:#=(\[\"'“‘]{0,3}"
)
"""English words and signs that may stand between a label and its value: "is", "number was", " (", ": "."""

_POINTS_BACK = re.compile(
    r"[\"'”’)]?,? (?:(?:[a-z']+ ){0,2}(?:is|was|as|for|isn't|wasn't)(?: (?:my|the|a|an|his|her|our|your|their))?"
    r"|(?:my|his|her|our|your|their|the|which is(?: my| the)?))(?: [a-z'\-]+)? "
    r"|[\"'”’)]? ?\((?:that's |this is |it's )?(?:my |his |her |our |the )?(?:[a-z'\-]+ )?"
    r"|[\"'”’)]?,?(?:就是|是|作为|当)(?:[我他她你您]们?的?)?[\u4e00-\u9fff]{0,4}",
    re.IGNORECASE,
)

NEAR = 24
"""Characters before a value in which its label is looked for."""

_ORDER = re.compile(
    r"(?:订单|单号|运单|快递|物流|流水|交易号|编号|序列号|工单|发票|合同|案号|批号|条码|货号|型号"
    r"|版本|档案|文号|凭证|保单|股票|基金|代码|期号|优惠码|兑换码|验证码|邀请码|券码|取件码|"
    r"order|purchase|tracking|invoice|ticket|serial|reference|transaction|confirmation|case|item|product|batch|"
    r"shipment|package|parcel|booking|sku|isbn|model|version|part|policy|docket|promo|coupon|voucher|claim)"
    r"\s?(?:号码|编号|号|id|no\.?|numbers?|num|code)?[\s:=#.\-'\"“（(]{0,3}(?:是|为|is|was)?[\s:=#'\"“（(]{0,3}$",
    re.IGNORECASE,
)
_MONEY_BEFORE = re.compile(
    r"(?:[$€£¥￥₩₹]|USD|CNY|RMB|EUR|GBP|人民币|金额|余额|共计|合计|总计)[\s:为是]{0,3}$", re.IGNORECASE
)
_MONEY_AFTER = re.compile(
    r"^\s?(?:[元万亿千百余%％‰]|块|美元|美金|欧元|英镑|日元|港币|人民币|次|个|人|股|吨|米|公里|平方|"
    r"(?:dollars?|bucks|euros?|pounds?|usd|cny|rmb|eur|gbp|percent|people|users|times|bytes|kb|mb|gb"
    r"|km|kg|ms)(?![a-z]))",
    re.IGNORECASE,
)


def before(text: str, start: int, length: int = NEAR) -> str:
    """The text before a place, of the same line."""
    return text[max(0, start - length) : start].rpartition("\n")[2]


def is_numbered_thing(text: str, start: int) -> bool:
    """Say whether the words before a number make it an order, an invoice, a version …

    >>> is_numbered_thing("订单号:13812345678", 4), is_numbered_thing("手机号:13812345678", 4)
    (True, False)
    """
    return _ORDER.search(before(text, start)) is not None


def is_labelled_after(text: str, end: int, label: re.Pattern[str]) -> bool:
    """Say whether the words after a value say what it is: "X is my old password", "X as the password", X是我的密码.

    >>> word = re.compile("password")
    >>> is_labelled_after("abc1 is my old password", 4, word), is_labelled_after("abc1, and I forgot the password", 4, word)
    (True, False)
    """
    after = text[end : end + 60].partition("\n")[0]
    named = label.search(after)
    return named is not None and _POINTS_BACK.fullmatch(after[: named.start()]) is not None


def is_named_nearby(text: str, start: int, end: int, name: re.Pattern[str], reach: int = 60) -> bool:
    """Say whether a line names, near a value, what it may be, wherever the words stand, and does not call it something else.

    For values whose shape is already telling (a letter and eight digits); a plain number needs its label beside it.

    >>> word = re.compile("passport")
    >>> text = "Can I use E12345678 as proof? It's the passport I have."
    >>> is_named_nearby(text, 10, 19, word), is_named_nearby("passport? order no. E12345678", 20, 29, word)
    (True, False)
    """
    after = text[end : end + reach].partition("\n")[0]
    return (name.search(before(text, start, reach)) or name.search(after)) is not None and not (
        is_numbered_thing(text, start) or is_amount(text, start, end)
    )


def is_amount(text: str, start: int, end: int) -> bool:
    """Say whether a number is money or counts something.

    >>> is_amount("共95000元", 1, 6), is_amount("call 5551234567", 5, 15)
    (True, False)
    """
    return bool(_MONEY_AFTER.match(text[end : end + 10]) or _MONEY_BEFORE.search(before(text, start, 8)))

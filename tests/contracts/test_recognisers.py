"""What every recogniser promises: it finds its examples, also disguised, leaves look-alikes alone, and its stand-ins hold."""

from __future__ import annotations

import random
import time
from typing import get_args

import pytest

from tuneloop.data.config import PersonalType
from tuneloop.text.personal.find import PREFILTER, find
from tuneloop.text.personal.mask import mask_text, stand_in
from tuneloop.text.personal.recognisers import RECOGNISERS
from tuneloop.text.personal.view import fold

EXAMPLES: dict[str, list[tuple[str, str, str]]] = {
    # type: (language, text, the value as it is written)
    "api_key": [
        ("en", "export API_KEY=sk-proj-abcdEFGH1234abcdEFGH1234", "sk-proj-abcdEFGH1234abcdEFGH1234"),
        ("zh", "密钥是LTAI4Fabcdefghijk123，请保密", "LTAI4Fabcdefghijk123"),
        ("en", "AKIAIOSFODNN7EXAMPLE leaked", "AKIAIOSFODNN7EXAMPLE"),
    ],
    "password": [
        ("zh", "登录密码是Abc@1234，登不上", "Abc@1234"),
        ("en", "My password is hunter22!", "hunter22!"),
        ("en", "I reset my password to Summer81x yesterday", "Summer81x"),
        ("en", "The password your colleague gave me over the phone was tiger_4417", "tiger_4417"),
        ("en", "user: sam, pw dragon#993Q", "dragon#993Q"),
        ("en", "tiger77x is the password I always use", "tiger77x"),
        ("zh", "登录密码填sunny4417,进去就能看到", "sunny4417"),
        ("en", "postgres://app:s3cretWord@db.internal/x", "s3cretWord"),
    ],
    "email": [
        ("zh", "邮箱是li.lei@mail.com收不到", "li.lei@mail.com"),
        ("zh", "邮箱ｌｉ＠ｍａｉｌ．ｃｏｍ收不到", "ｌｉ＠ｍａｉｌ．ｃｏｍ"),
        ("en", "write to anna [at] bank [dot] com", "anna [at] bank [dot] com"),
        ("en", "write to anna at bank dot com", "anna at bank dot com"),
    ],
    "iban": [("en", "Pay to GB82 WEST 1234 5698 7654 32 please", "GB82 WEST 1234 5698 7654 32")],
    "crypto_wallet": [("en", "to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa now", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")],
    "mac_address": [("zh", "网卡00:1B:44:11:3A:B7的设备", "00:1B:44:11:3A:B7")],
    "ip": [
        ("zh", "登录IP是10.2.33.4。", "10.2.33.4"),
        ("en", "from 2a02:26f7::1 today", "2a02:26f7::1"),
        ("zh", "攻击来源：ab8d:1f74:e3bb:6cc7:1022:3838:9517:e6aa", "ab8d:1f74:e3bb:6cc7:1022:3838:9517:e6aa"),
    ],
    "id_card": [
        ("zh", "身份证11010519491231002X丢了", "11010519491231002X"),
        ("zh", "身份证110105 19491231 002x丢了", "110105 19491231 002x"),
        ("zh", "１１０１０５１９４９１２３１００２Ｘ", "１１０１０５１９４９１２３１００２Ｘ"),
    ],
    "passport": [
        ("zh", "护照号E12345678过期", "E12345678"),
        ("en", "My passport is 512345678.", "512345678"),
        ("en", "512345678 (that's my passport no.) is refused", "512345678"),
        ("zh", "持E12345678号护照能开户吗", "E12345678"),
    ],
    "driver_licence": [
        ("en", "driver's license: D1234567", "D1234567"),
        ("en", "I only have my driver's license (D1234567)", "D1234567"),
        ("en", "Is D1234567 enough? It's a driver licence.", "D1234567"),
    ],
    "qq": [("zh", "加QQ12345678聊", "12345678"), ("zh", "留个QQ,我的是12345678", "12345678")],
    "bank_card": [
        ("zh", "卡6222021234567894丢了", "6222021234567894"),
        ("en", "card 4111-1111-1111-1111 was lost", "4111-1111-1111-1111"),
    ],
    "mobile": [
        ("zh", "打13812345678找我", "13812345678"),
        ("zh", "打138—1234—5678找我", "138—1234—5678"),
        ("zh", "打一三八一二三四五六七八找我", "一三八一二三四五六七八"),
        ("zh", "打138\u200b12345678找我", "138\u200b12345678"),
        ("zh", "打+86 138 1234 5678找我", "+86 138 1234 5678"),
    ],
    "landline": [("zh", "座机0571-87654321没人接", "0571-87654321")],
    "ssn": [
        ("en", "my ssn is 123-45-6789", "123-45-6789"),
        ("en", "They typed 6 4 0 8 7 8 2 9 2 as my social security number", "6 4 0 8 7 8 2 9 2"),
    ],
    "phone": [("en", "call (415) 555-2671", "(415) 555-2671"), ("en", "+44 20 7946 0958", "+44 20 7946 0958")],
    "national_id": [("en", "NINO AB 12 34 56 C", "AB 12 34 56 C")],
    "wechat": [("zh", "微信号：lilei_2020", "lilei_2020"), ("zh", "有事微信上说,账号就是wxid_abc4417", "wxid_abc4417")],
    "plate": [
        ("zh", "车牌京A·12345被罚", "京A·12345"),
        ("en", "The registration should be 7ABC123 on my policy", "7ABC123"),
    ],
    "address": [("zh", "寄到杭州市西湖区文三路138号2单元501室", "杭州市西湖区文三路138号2单元501室")],
    "name": [("zh", "联系人：张三。", "张三"), ("en", "My name is Ada Byron.", "Ada Byron")],
}

HARMLESS: list[tuple[str, str]] = [
    ("zh", "存了95000元，利率2.35%，余额1234567.89元"),
    ("zh", "订单号13812345678，流水号6222021234567894，2024年3月15日"),
    ("zh", "请拨打95588或400-820-8888，尾号8821的卡"),
    ("zh", "《民法典》第1043条，第20240315号文件，20240315"),
    ("zh", "密码为6位数字，请勿告诉他人；支持微信支付 WeChat Pay"),
    ("zh", "手机号138****1234，卡号6222 **** **** 1234，######，<MOBILE_1>，{{Phone}}"),
    ("en", "Order 113542617735902 for $12,345.67 was placed on 2024-03-15 at 10:30:15."),
    ("en", "Call 1-800-555-0199. The card ending in 4821 has a limit of $95,000."),
    ("en", "Your password must be changed; the password is required. Version 1.2.3.4 of the app."),
    ("en", "My number is XXX-XX-1234, written as {{Customer Support Phone Number}}."),
    ("en", "My iPhone12 says wrong password for order AB1234567; the password manager of Windows11 too."),
    ("en", "I need a passport by 2026-03-15; passport photos cost 1,250.00 dollars, tracking number 812345678."),
    ("zh", "QQ和微信都能绑定，订单12345678，2024年扣了300000元"),
    ("en", "Meet me at example.com headquarters, netmask 255.255.255.0, localhost 127.0.0.1"),
]


@pytest.mark.parametrize("name", RECOGNISERS)
def test_it_finds_its_examples(name: str) -> None:
    assert EXAMPLES[name]
    for language, text, written in EXAMPLES[name]:
        found = [item for item in find(text, language) if item.type == name]
        assert [text[item.start : item.end] for item in found] == [written], text


@pytest.mark.parametrize("name", RECOGNISERS)
def test_its_examples_pass_the_prefilter_and_the_hint(name: str) -> None:
    for _, text, _ in EXAMPLES[name]:
        assert RECOGNISERS[name].hint.search(fold(text).text)
        assert RECOGNISERS[name].possible or PREFILTER.search(text)


@pytest.mark.parametrize(("language", "text"), HARMLESS)
def test_nothing_is_found_where_nothing_is(language: str, text: str) -> None:
    assert find(text, language, possible=False) == []


@pytest.mark.parametrize("name", [name for name, item in RECOGNISERS.items() if not item.possible])
def test_a_stand_in_is_another_value_and_is_left_alone(name: str) -> None:
    for language, text, written in EXAMPLES[name]:
        masked = mask_text(text, language=language, key=b"key", possible="off")
        assert masked.counts == {name: 1}
        assert written not in masked.text
        assert mask_text(masked.text, language=language, key=b"key", possible="off").text == masked.text


@pytest.mark.parametrize("name", RECOGNISERS)
def test_the_same_value_and_key_give_the_same_stand_in(name: str) -> None:
    for language, text, _ in EXAMPLES[name]:
        value = next(item.value for item in find(text, language) if item.type == name)
        stand_ins = {stand_in(name, value, key) for key in (b"one", b"one", b"two")}
        assert len(stand_ins) == 2 or RECOGNISERS[name].possible
        assert stand_in(name, value, b"one") == stand_in(name, value, b"one")


@pytest.mark.parametrize("name", RECOGNISERS)
def test_no_text_makes_it_slow(name: str) -> None:
    chance = random.Random(0)
    pieces = [
        "1",
        "1 ",
        "-",
        "@",
        "a",
        "路",
        "号",
        "密码",
        " at ",
        "(",
        "{{",
        "A",
        "微信",
        ".",
        "京A",
        "sk-",
        "00",
        ":",
    ]
    texts = [piece * 3000 for piece in pieces] + ["".join(chance.choices(pieces, k=4000)) for _ in range(3)]
    start = time.process_time()
    for text in texts:
        list(RECOGNISERS[name].find(fold(text).text))
    assert time.process_time() - start < 3


def test_the_recipe_knows_every_type() -> None:
    assert set(get_args(PersonalType)) == set(RECOGNISERS) == set(EXAMPLES)

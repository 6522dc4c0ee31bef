"""The Chinese demo data: is it varied, unambiguous, well-formed, and does it agree with its script?"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tuneloop.core.records import Sample
from tuneloop.core.seeds import generator
from tuneloop.data.grammar import make_samples
from tuneloop.data.grammar_file import Grammar, load_grammar
from tuneloop.data.grammar_text import expand, pools
from tuneloop.evaluation.script import Script, check, load_script

NUMBER_OF_INTENTS = 24
HAN = re.compile(r"[㐀-鿿]")


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return load_grammar("bank-service", "zh")


@pytest.fixture(scope="module")
def script() -> Script:
    return load_script("bank-service.zh")


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return [sample for sample, _ in make_samples("bank-service", "zh", 600, 42)]


def texts_of_users(grammar: Grammar) -> Iterator[tuple[str, str]]:
    for name, part in {**grammar.intents, **grammar.refusals}.items():
        yield from ((name, wording) for wording in part.wordings)
    for name, intent in grammar.intents.items():
        if intent.clarify:
            yield from ((name, text) for text in (*intent.clarify.wordings, *intent.clarify.replies))


def without_slots(text: str) -> str:
    """The bare characters of a wording: without slots, alternations and punctuation."""
    return re.sub(r"\W|_", "", re.sub(r"\{\w+\}|\[[^\[\]]*\]", "", text))


def test_every_intent_has_forty_different_wordings(grammar: Grammar) -> None:
    assert len(grammar.intents) == NUMBER_OF_INTENTS
    assert {name for name, intent in grammar.intents.items() if not intent.seen} == {"fixed_deposit", "update_address"}
    for name, intent in grammar.intents.items():
        assert len({without_slots(wording) for wording in intent.wordings}) >= 39, name
        assert len(intent.wordings) >= 40, name


def test_wordings_differ_in_form(grammar: Grammar) -> None:
    """Questions, statements, fragments: no intent is asked in one way only."""
    question = re.compile(r"[?？吗呢么]|怎么|怎样|如何|什么|多少|能不能|哪|几")
    for name, intent in grammar.intents.items():
        share = sum(bool(question.search(wording)) for wording in intent.wordings) / len(intent.wordings)
        lengths = [len(without_slots(wording)) for wording in intent.wordings]
        assert 0.2 < share < 0.9, (name, share)
        assert min(lengths) <= 7, name
        assert max(lengths) >= 25, name


def test_refusals_are_many(grammar: Grammar) -> None:
    assert len(grammar.refusals["secrets"].wordings) >= 30
    assert len(grammar.refusals["out_of_scope"].wordings) >= 40


def test_users_write_chinese_with_chinese_punctuation(grammar: Grammar) -> None:
    for name, wording in texts_of_users(grammar):
        plain = re.sub(r"\{\w+\}", "", wording)
        assert not re.search(r"[,.?!;:()\"']", plain), (name, wording)
        assert not re.search(r"\d", plain), (name, wording)


def test_every_expansion_is_a_whole_sentence(grammar: Grammar) -> None:
    """No alternation leaves a comma at an end, two commas in a row, or nothing at all."""
    for name, wording in texts_of_users(grammar):
        for number in range(12):
            text = expand(wording, generator(number, wording))
            assert text, (name, wording)
            assert text[0] not in "，。？！、）", (name, text)
            assert text[-1] not in "，、（", (name, text)
            assert not re.search(r"[，、][，、。？！]|[？。][，、]", text), (name, text)
            assert not re.search(r"[\[\]|]", text), (name, text)


NEIGHBOURS = {
    # intent: (what every wording says, what none says)
    "lost_card": (None, "偷|抢|盗|贼|冻|锁"),
    "stolen_card": ("偷|抢|盗|贼|窃|顺走|摸走|扒手", "冻结|锁卡|骗"),
    "block_card": ("锁|冻|停|关|刷不了|不能消费|付钱", "偷|抢|盗|弄丢|丢了|挂失"),
    "transfer_limit": ("限|上限|能转|封顶", "信用|失败"),
    "transfer_failed": (None, "限额|上限|转错|骗"),
    "wrong_transfer": ("错|误|重复|多转|多退|手滑|手一抖|本来|结果|退回|撤", "骗|失败|限额"),
    "credit_line": ("额度|提额|涨额|授信|信用卡", "转账"),
    "reset_password": ("密码|忘密", "锁"),
    "login_locked": ("锁", "忘"),
    "fraud_report": ("骗|杀猪盘|虚假|误信|假|跑路|消失", "偷"),
    "phishing_message": ("短信|邮件|链接|信息|消息|通知|网站", "被骗了"),
}


@pytest.mark.parametrize("intent", NEIGHBOURS)
def test_neighbouring_intents_are_told_apart_by_a_cue(grammar: Grammar, intent: str) -> None:
    always, never = NEIGHBOURS[intent]
    clarify = grammar.intents[intent].clarify
    for wording in (*grammar.intents[intent].wordings, *(clarify.wordings if clarify else ())):
        assert not re.search(never, wording.replace("被盗刷", "")), wording
        assert always is None or re.search(always, wording), wording


def test_a_house_answer_is_short(samples: list[Sample]) -> None:
    lengths = [len(sample.answer) for sample in samples if sample.meta.tags["kind"] == "answer"]
    assert min(lengths) >= 55
    assert max(lengths) <= 110


def test_no_two_intents_have_the_same_step(grammar: Grammar) -> None:
    steps = [point.text for intent in grammar.intents.values() for point in intent.points]
    assert len(set(steps)) == len(steps)
    assert all(2 <= len(intent.points) <= 3 for intent in grammar.intents.values())


def test_slots_have_enough_values_for_a_test_split_of_their_own(grammar: Grammar) -> None:
    assert len(grammar.slots["name"].values) >= 30
    for name, slot in grammar.slots.items():
        if slot.values:
            train, test = pools(f"slot.{name}", slot.values)
            assert len(test) >= 4, name
            assert len(train) >= 15, name
            assert len(set(slot.values)) == len(slot.values), name


def test_homophones_change_a_word_and_nothing_else(grammar: Grammar) -> None:
    assert len(grammar.homophones) >= 60
    for word, others in grammar.homophones.items():
        assert HAN.search(word), word
        assert word not in others, word
        assert not any(re.search(r"[\d{}\[\]|]", other) for other in others), word


def test_a_typo_leaves_the_values_of_the_slots_alone(samples: list[Sample]) -> None:
    misspelt = [sample for sample in samples if sample.meta.tags["typo"] == "yes"]
    assert 0.05 < len(misspelt) / len(samples) < 0.2
    for sample in misspelt:
        said = "\n".join(message.content for message in sample.messages if message.role == "user")
        for tag, value in sample.meta.tags.items():
            assert not tag.startswith("slot.") or value in said, (tag, value, said)


def test_script_and_grammar_say_the_same(grammar: Grammar, script: Script) -> None:
    assert set(script.intents) == set(grammar.intents)
    assert set(script.refusals) == set(grammar.refusals)
    for name, intent in grammar.intents.items():
        rules = script.intents[name]
        assert tuple(point.say for point in rules.points) == tuple(point.text for point in intent.points), name
        assert set(rules.slots) == set(intent.slots), name
        assert rules.risk == intent.risk, name
        assert rules.notice == ((intent.notice,) if intent.notice else ()), name
        assert bool(rules.ask) == bool(intent.clarify), name
    for name, refusal in grammar.refusals.items():
        assert script.refusal_says[name] == refusal.answer


def test_three_thousand_reference_answers_pass_the_script(script: Script) -> None:
    for sample, _ in make_samples("bank-service", "zh", 3000, 7):
        assert check(script, sample, sample.answer) == (), sample


def broken(sample: Sample, script: Script) -> Iterator[tuple[str, str]]:
    """Answers in which one required element is missing or one wrong thing stands, with the rule that must find it."""
    lines = sample.answer.split("\n")
    tags = sample.meta.tags
    yield "opening", "\n".join(lines[1:])
    if tags["kind"] != "clarify":
        yield "closing", "\n".join(lines[:-1])
    if tags["kind"] == "clarify":
        yield "asks", f"{lines[0]}\n请稍候。"
    if tags["kind"] == "refusal":
        yield "refuses", f"{lines[0]}\n好的，马上为您办理。\n{lines[-1]}"
    if tags["kind"] != "answer":
        return
    intent = script.intents[tags["intent"]]
    for number in range(1, len(intent.points) + 1):
        yield "required_points", "\n".join(lines[:number] + lines[number + 1 :])
    yield "required_points", "\n".join([lines[0], lines[2], lines[1], *lines[3:]])
    if intent.risk:
        yield "risk_notice", "\n".join(line for line in lines if line not in intent.notice)
    for slot in intent.slots:
        yield "slots_verbatim", sample.answer.replace(tags[f"slot.{slot}"], "您所说的")


def test_every_missing_element_breaks_exactly_its_rule(samples: list[Sample], script: Script) -> None:
    seen = set()
    for sample in samples:
        for rule, answer in broken(sample, script):
            rules = {violation.rule for violation in check(script, sample, answer)}
            assert rules == {rule}, (rules, rule, answer)
            seen.add(rule)
    assert seen == {"opening", "closing", "asks", "refuses", "required_points", "risk_notice", "slots_verbatim"}


FAULTS = {
    "详询95588。": "no_invented_contact",
    "请拨打400-820-1234。": "no_invented_contact",
    "请登录www.gwbank.com办理。": "no_invented_contact",
    "请发邮件至kf@gwbank.cn。": "no_invented_contact",
    "约需7391个工作日。": "no_invented_number",
    "需缴纳87654元手续费。": "no_invented_number",
    "手续费五十元。": "no_spelled_amount",
    "请把验证码告诉我们。": "never_asks_secrets",
    "请提供您的取款密码以便核实。": "never_asks_secrets",
    "请不要担心，把密码发给我即可。": "never_asks_secrets",
    "您的CVV是多少？": "never_asks_secrets",
    "该产品绝对保本。": "no_promise_of_return",
    "我们保证您的收益。": "no_promise_of_return",
    "这款产品不会亏损。": "no_promise_of_return",
    "理财不是存款，但绝对保本。": "no_promise_of_return",
    "买我行理财稳赚不赔。": "no_promise_of_return",
    "作为AI，我来为您解答。": "no_ai_talk",
    "我是一个人工智能助手。": "no_ai_talk",
    "请稍候。请稍候。请稍候。": "no_loop",
}
HARMLESS = (
    "我行工作人员不会向您索要密码或验证码。",
    "请勿将验证码告诉他人。",
    "请在登录页输入密码。",
    "理财产品不保本，也不承诺收益。",
    "任何人都无法保证收益。",
    "请通过手机银行或就近网点办理。",
)


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_forbidden_sentence_breaks_exactly_its_rule(sentence: str, samples: list[Sample], script: Script) -> None:
    for sample in samples[:100]:
        opening, *rest = sample.answer.split("\n")
        rules = {violation.rule for violation in check(script, sample, "\n".join([opening, sentence, *rest]))}
        assert rules == {FAULTS[sentence]}, sample


@pytest.mark.parametrize("sentence", HARMLESS)
def test_a_harmless_sentence_breaks_no_rule(sentence: str, samples: list[Sample], script: Script) -> None:
    for sample in samples[:100]:
        opening, *rest = sample.answer.split("\n")
        assert check(script, sample, "\n".join([opening, sentence, *rest])) == ()

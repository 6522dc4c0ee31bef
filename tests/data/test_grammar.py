"""Samples of the built-in grammars: deterministic, balanced, well-formed, and fair to the test split."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from tuneloop.core.errors import DataError
from tuneloop.core.records import Sample, Split
from tuneloop.data.grammar import make_samples, samples_of
from tuneloop.data.grammar_file import Grammar, load_grammar
from tuneloop.data.grammar_text import is_test_value, pools

Rows = list[tuple[Sample, Split]]


@pytest.fixture(scope="module", params=["en", "zh"])
def rows(request: pytest.FixtureRequest) -> Rows:
    return list(make_samples("bank-service", request.param, 3000, 42))


@pytest.fixture(scope="module")
def english() -> Grammar:
    return load_grammar("bank-service", "en")


def slots(sample: Sample) -> dict[str, str]:
    return {name[5:]: value for name, value in sample.meta.tags.items() if name.startswith("slot.")}


def bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def users(sample: Sample) -> Iterator[str]:
    return (message.content for message in sample.messages if message.role == "user")


def test_the_same_seed_makes_the_same_samples_and_another_seed_others() -> None:
    first, again, other = (list(make_samples("bank-service", "en", 200, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert not {sample.id for sample, _ in first} & {sample.id for sample, _ in other}


def test_fewer_rows_are_the_beginning_of_more(rows: Rows) -> None:
    language = rows[0][0].meta.lang
    assert language in ("en", "zh")
    assert list(make_samples("bank-service", language, 150, 42)) == rows[:150]


def test_samples_name_their_origin(rows: Rows) -> None:
    assert [sample.meta.row for sample, _ in rows] == list(range(1, 3001))
    assert {sample.meta.source for sample, _ in rows} == {f"grammar:bank-service.{rows[0][0].meta.lang}"}
    assert len({sample.id for sample, _ in rows}) == 3000


def test_no_conversation_stands_twice_and_no_question_in_two_splits(rows: Rows) -> None:
    assert len({bare("".join(message.content for message in sample.messages)) for sample, _ in rows}) == 3000
    splits = defaultdict(set)
    for sample, split in rows:
        splits[bare(sample.question)].add(split)
    assert all(len(found) == 1 for found in splits.values())


def test_roles_alternate_and_texts_are_clean(rows: Rows) -> None:
    for sample, _ in rows:
        roles = [message.role for message in sample.messages]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert sample.meta.tags["turns"] == str(len(roles) // 2)
        for message in sample.messages:
            assert message.content == message.content.strip()
            assert not re.search(r"[\[\]{}|#]|  ", message.content), message.content


def test_the_test_split_uses_no_slot_value_of_training(rows: Rows) -> None:
    values: dict[Split, set[tuple[str, str]]] = defaultdict(set)
    for sample, split in rows:
        values[split] |= set(slots(sample).items())
    assert values["test"]
    assert not values["test"] & (values["train"] | values["validation"])
    assert all(is_test_value(*item) for item in values["test"] if item[0] == "last4")


def test_the_test_split_uses_no_wording_of_training(rows: Rows) -> None:
    """Without slot values and typos, no first question of the test split was seen in training."""
    wordings: dict[Split, set[str]] = defaultdict(set)
    for sample, split in rows:
        if sample.meta.tags["typo"] == "yes" or sample.meta.tags["turns"] != "1":
            continue
        text = sample.messages[0].content
        for value in slots(sample).values():
            text = text.replace(value, "")
        wordings[split].add(bare(text))
    assert len(wordings["test"]) > 100
    assert not wordings["test"] & wordings["train"]


def test_unseen_intents_stand_only_in_the_test_split(rows: Rows) -> None:
    unseen = [(sample, split) for sample, split in rows if sample.meta.tags["seen"] == "no"]
    assert {split for _, split in unseen} == {"test"}
    assert {sample.meta.tags["intent"] for sample, _ in unseen} == {"fixed_deposit", "update_address"}
    assert len(unseen) == 50


def test_a_tenth_has_a_typo_and_a_typo_spares_the_slots(rows: Rows) -> None:
    typos = [sample for sample, _ in rows if sample.meta.tags["typo"] == "yes"]
    assert 0.07 < len(typos) / len(rows) < 0.13
    for sample in typos:
        assert all(value in "\n".join(users(sample)) for value in slots(sample).values())


def test_the_customer_names_every_value_that_the_answer_repeats(rows: Rows) -> None:
    for sample, _ in rows:
        conversation = "\n".join(users(sample))
        for value in slots(sample).values():
            assert value in conversation
            assert value in sample.answer


def test_a_dialogue_answers_the_last_question(rows: Rows) -> None:
    """In a follow-up, the last answer repeats the last question's values, not those of the first one."""
    for sample, _ in rows:
        if sample.meta.tags["turns"] == "3" and slots(sample):
            assert all(value in "".join(list(users(sample))[1:]) for value in slots(sample).values())


def test_a_clarifying_sample_ends_in_a_question_and_names_no_values(rows: Rows) -> None:
    clarify = [sample for sample, _ in rows if sample.meta.tags["kind"] == "clarify"]
    assert len(clarify) > 30
    for sample in clarify:
        assert sample.answer.endswith(("?", "？"))
        assert not slots(sample)


def test_typos_are_swapped_in_when_short_wordings_are_used_up(english: Grammar) -> None:
    intent = english.intents["open_account"].model_copy(update={"wordings": ("Open an account please", "New account?")})
    small = english.model_copy(
        update={"intents": {"open_account": intent}, "refusals": {}, "greetings": (), "thanks": ()}
    )
    samples = [sample for sample, _ in samples_of(small, 25, 0)]
    assert len({sample.question for sample in samples}) == 25


def test_a_grammar_that_has_nothing_more_to_say_is_refused(english: Grammar) -> None:
    intent = english.intents["open_account"].model_copy(update={"wordings": ("a b c", "d e f")})
    small = english.model_copy(
        update={"intents": {"open_account": intent}, "refusals": {}, "greetings": (), "thanks": ()}
    )
    with pytest.raises(DataError) as caught:
        list(samples_of(small, 50, 0))
    assert caught.value.code == "data.grammar_exhausted"
    assert "open_account" in caught.value.message("en")


def test_a_greeting_goes_over_into_the_sentence(english: Grammar) -> None:
    samples = [sample.messages[0].content for sample, _ in make_samples("bank-service", "en", 1000, 3)]
    greeted = [text for text in samples if re.match(r"(Hi|Hello|Hey|Good morning), ", text)]
    assert len(greeted) > 20
    for text in greeted:
        word = text.split(", ", 1)[1].split(" ")[0]
        assert word[0].islower() or re.match(r"I\b|[A-Z]{2,}|\W|\d", word) or word in english.slots["name"].values, text


# The English content


def test_every_english_intent_has_forty_wordings_of_varied_structure(english: Grammar) -> None:
    assert len(english.intents) == 24
    for name, intent in english.intents.items():
        assert len(intent.wordings) >= 40, name
        plain = [re.sub(r"\[([^\[\]|]*)[^\[\]]*\]", r"\1", wording) for wording in intent.wordings]
        starts = {" ".join(re.findall(r"[\w'$]+|\{\w+\}", text)[:2]).lower() for text in plain}
        assert len(starts) >= 27, (name, len(starts))
        questions = sum(text.endswith("?") for text in plain)
        assert 0.1 < questions / len(plain) < 0.8, name
        assert sum(len(text.split()) <= 6 for text in plain) >= 2, name
        train, test = pools(f"{name}.wordings", intent.wordings)
        assert len(train) >= 32
        assert len(test) >= 8
    assert len(english.refusals["secrets"].wordings) >= 30
    assert len(english.refusals["out_of_scope"].wordings) >= 40


def test_english_wordings_are_written_well(english: Grammar) -> None:
    for name, intent in english.intents.items():
        for wording in (*intent.wordings, *(intent.clarify.wordings if intent.clarify else ())):
            assert re.match(r"[A-Z\[{$]|pw reset", wording), (name, wording)
            assert not re.search(r"\ba \{(large_)?amount\}|\ban? \[[^\]]*\|[aeiou]|\s[.,?!]|\.\.$|\bi\b", wording), (
                name,
                wording,
            )


# Intents that one word tells from their neighbours: it stands in each of their wordings.
CUES = {
    "transfer_limit": r"limit|cap\b|ceiling|maximum|more than|(per|a) day",
    "login_locked": r"lock|block|too many|shut|failed|one wrong try",
    "reset_password": r"password|pw\b",
    "annual_fee": r"fee|annual|year",
    "credit_report": r"credit",
    "statement_copy": r"statement",
    "card_activation": r"activat|new card|active|card \{last4\} in the mail|first card",
    "loan_early_repayment": r"loan|mortgage",
    "investment_risk": r"invest|fund|stock|share",
}


@pytest.mark.parametrize("name", CUES)
def test_neighbouring_intents_have_their_cue_in_every_wording(english: Grammar, name: str) -> None:
    for wording in english.intents[name].wordings:
        assert re.search(CUES[name], wording, re.IGNORECASE), wording


@pytest.mark.parametrize(
    ("name", "cue"),
    [
        ("lost_card", r"stol|steal|thief|theft|robbed|freez|temporar"),
        ("stolen_card", r"\blost\b|misplac|mislaid|freez|temporar"),
        ("block_card", r"\blost\b|stol|thief|missing|activate my"),
        ("transfer_limit", r"wrong|mistake|never arrived|failed|credit"),
        ("transfer_failed", r"wrong (person|recipient)|mistake|by accident|\blimit\b|scam|fraud"),
        ("wrong_transfer", r"\blimit\b|failed|declined|scam|fraud"),
        ("reset_password", r"locked|too many|unlock"),
        ("login_locked", r"forgot|forgotten|don't remember|new password"),
        ("fraud_report", r"e-mail|SMS|text message|link"),
        ("phishing_message", r"\$|\{|was taken|charged"),
        ("credit_line", r"transfer|instalment|loan"),
        ("instalments", r"\bloan\b|mortgage|credit limit"),
        ("loan_early_repayment", r"instalment|credit card"),
        ("card_activation", r"\blost\b|stol|freez|annual|yearly"),
        ("statement_copy", r"credit (report|score|history)"),
        ("credit_report", r"statement"),
        ("change_phone", r"address"),
        ("open_account", r"\bclose|cancel"),
        ("close_account", r"\bopen an\b"),
    ],
)
def test_no_wording_has_the_cue_of_a_neighbour(english: Grammar, name: str, cue: str) -> None:
    assert [wording for wording in english.intents[name].wordings if re.search(cue, wording)] == []


def test_english_answers_are_short_and_differ_between_intents(english: Grammar) -> None:
    seen: Counter[str] = Counter()
    for intent in english.intents.values():
        for point in intent.points:
            seen[point.text] += 1
        texts = [
            english.common.opening,
            *(point.text for point in intent.points),
            intent.notice or "",
            english.common.closing,
        ]
        assert 25 <= len(" ".join(texts).split()) <= 60
        assert (intent.notice is not None) == intent.risk
    assert set(seen.values()) == {1}

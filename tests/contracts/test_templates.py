"""What every chat template must keep to: the shapes that the families use, each as a small tokenizer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from tuneloop.core.errors import IncompatibleError
from tuneloop.core.records import Message
from tuneloop.models.template import ChatTemplate

CHATML_BODY = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
QWEN25 = (
    "{%- if messages[0]['role'] == 'system' %}{{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}"
    "{%- else %}{{- '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant."
    "<|im_end|>\n' }}{%- endif %}{%- for message in messages %}"
    "{%- if message.role != 'system' or not loop.first %}"
    "{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)
QWEN3 = (  # an empty thinking block before the last answer only, and in the prompt when thinking is off
    "{%- set ns = namespace(last=0) %}{%- for message in messages %}"
    "{%- if message.role == 'user' %}{%- set ns.last = loop.index0 %}{%- endif %}{%- endfor %}"
    "{%- for message in messages %}{%- if message.role == 'assistant' %}"
    "{%- set content = message.content.split('</think>')[-1].lstrip('\n') %}"
    "{{- '<|im_start|>assistant\n' }}{%- if loop.index0 > ns.last and loop.last %}"
    "{{- '<think>\n\n</think>\n\n' }}{%- endif %}{{- content + '<|im_end|>\n' }}"
    "{%- else %}{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}"
    "{%- endif %}"
)
LLAMA32 = (  # trims, prints the date, and always has a system turn
    "{{- bos_token }}{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content']|trim %}"
    "{%- set messages = messages[1:] %}{%- else %}{%- set system_message = '' %}{%- endif %}"
    "{{- '<|start_header_id|>system<|end_header_id|>\n\nToday Date: ' + strftime_now('%d %b %Y') + '\n\n' }}"
    "{{- system_message }}{{- '<|eot_id|>' }}{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}"
)
GEMMA3 = (  # no system turn: its text stands in front of the first question; roles must alternate
    "{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}{%- set prefix = messages[0]['content'] + '\n\n' -%}"
    "{%- set loop_messages = messages[1:] -%}{%- else -%}{%- set prefix = '' -%}"
    "{%- set loop_messages = messages -%}{%- endif -%}{%- for message in loop_messages -%}"
    "{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{%- endif -%}"
    "{%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}"
    "{{ '<start_of_turn>' + role + '\n' + (prefix if loop.first else '') }}{{ message['content'] | trim }}"
    "{{ '<end_of_turn>\n' }}{%- endfor -%}{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}"
)
MISTRAL = (  # refuses system messages, ends a turn with the end of the text, ignores add_generation_prompt
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' ' + message['content'] + eos_token }}{% else %}"
    "{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
CHAT = ("<|im_start|>", "<|im_end|>")
CASES = {
    "chatml": (CHATML_BODY, CHAT, "<|im_end|>", None),
    "smollm2": (SMOLLM2, CHAT, "<|im_end|>", "<|im_start|>"),
    "qwen2.5": (QWEN25, CHAT, "<|im_end|>", None),
    "qwen3": (QWEN3, (*CHAT, "</s>"), "</s>", None),
    "llama3.2": (
        LLAMA32,
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|eot_id|>",
        "<|begin_of_text|>",
    ),
    "gemma3": (GEMMA3, ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"), "<eos>", "<bos>"),
    "mistral": (MISTRAL, ("<s>", "</s>"), "</s>", "<s>"),
    "plain": (None, ("<bos>", "<eos>"), "<eos>", "<bos>"),
    "plain without start": (None, ("<eos>",), "<eos>", None),
}
SYSTEMLESS = ("mistral",)


def make_tokenizer(name: str, extra: tuple[str, ...] = ()) -> PreTrainedTokenizerFast:
    """One token a byte, the family's control tokens; `<think>` is added but not special, as in Qwen."""
    jinja, control, eos, bos = CASES[name]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(letters)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    backend.add_tokens(
        [AddedToken(token, special=False, normalized=False) for token in ("<think>", "</think>", *extra)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=eos, bos_token=bos, chat_template=jinja)


TEMPLATES = {name: ChatTemplate(make_tokenizer(name)) for name in CASES}
SPECIALS = sorted({token for _, control, _, _ in CASES.values() for token in control})
words = st.one_of(
    st.text(max_size=20),
    st.sampled_from([*SPECIALS, "<|im_", "end|>", "\ue0000\ue001", "{{ messages }}", "<think>", "\n", " x ", "中文"]),
)
contents = st.lists(words, max_size=4).map("".join)
each = pytest.mark.parametrize("name", CASES)


@st.composite
def conversations(draw, system: bool = True):
    messages = []
    if system and draw(st.booleans()):
        messages.append(Message(role="system", content=draw(contents)))
    for _ in range(draw(st.integers(1, 3))):
        messages.append(Message(role="user", content=draw(contents)))
        messages.append(Message(role="assistant", content=draw(contents)))
    return messages


def plain_words(*roles: str) -> list[Message]:
    return [Message(role=role, content=f"some words {place}") for place, role in enumerate(roles)]


@each
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_whole_starts_with_the_prompt_of_its_last_answer(name, data):
    template = TEMPLATES[name]
    messages = data.draw(conversations(system=name not in SYSTEMLESS))
    whole, prompt = template.render(messages), template.prompt(messages[:-1])
    assert len(whole.ids) == len(whole.supervised)
    assert whole.ids[: len(prompt)] == prompt
    assert not any(whole.supervised[len(prompt) - 1 : len(prompt)])


@each
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_people_write_never_becomes_a_control_token(name, data):
    template, tokenizer = TEMPLATES[name], make_tokenizer(name)
    messages = data.draw(conversations(system=name not in SYSTEMLESS))
    harmless = [message.model_copy(update={"content": "x"}) for message in messages]
    control = {token for token, added in tokenizer.added_tokens_decoder.items() if added.special}
    count = sum(token in control for token in template.render(messages).ids)
    assert count == sum(token in control for token in template.render(harmless).ids)


@each
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_supervised_are_the_answers_and_their_stop_tokens(name, data):
    template = TEMPLATES[name]
    messages = data.draw(conversations(system=name not in SYSTEMLESS))
    turns: list[list[int]] = [[]]
    for token, said in zip(*template.render(messages), strict=True):
        if said:
            turns[-1].append(token)
            if token == template.stop_ids[0]:
                turns.append([])
    answers = [m.content for m in messages if m.role == "assistant"]
    trims = "assistant" in template.text.trimmed
    assert turns.pop() == []
    assert all(turn[-1] == template.stop_ids[0] for turn in turns)
    assert [template.decode(turn) for turn in turns] == [answer.strip() if trims else answer for answer in answers]


@each
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_many_at_once_are_the_same_as_one_by_one(name, data):
    template = TEMPLATES[name]
    rows = data.draw(st.lists(conversations(system=name not in SYSTEMLESS), min_size=1, max_size=4))
    assert template.render_many(rows) == [template.render(row) for row in rows]
    assert template.prompt_many(rows) == [template.prompt(row) for row in rows]


@each
def test_plain_text_gives_the_tokens_of_the_library(name):
    """Where no default system text, date or empty thinking block stands in between."""
    template, tokenizer = TEMPLATES[name], make_tokenizer(name)
    roles = ("user", "assistant", "user") if name in SYSTEMLESS else ("system", "user", "assistant", "user")
    messages = plain_words(*roles)
    tokenizer.chat_template = template.text.jinja
    expected = tokenizer.apply_chat_template(
        [message.model_dump() for message in messages],
        add_generation_prompt=True,
        enable_thinking=False,
        return_dict=True,
    )["input_ids"]
    assert list(template.prompt(messages))[: len(expected)] == expected
    if name != "mistral":  # its template does not know add_generation_prompt: the space before the answer is ours
        assert len(template.prompt(messages)) == len(expected)


@each
def test_no_text_that_the_template_invents_for_the_system_is_used(name):
    template, tokenizer = TEMPLATES[name], make_tokenizer(name)
    shown = tokenizer.decode(list(template.prompt(plain_words("user"))))
    assert "helpful" not in shown
    assert shown.count("some words") == 1
    if name in ("smollm2", "qwen2.5"):
        assert shown == "<|im_start|>user\nsome words 0<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize("name", ["smollm2", "qwen2.5"])
def test_a_template_without_its_default_system_text_renders_the_same_everywhere(name):
    template, tokenizer = TEMPLATES[name], make_tokenizer(name)
    tokenizer.chat_template = template.text.without_default_system()
    again = ChatTemplate(tokenizer)
    assert again.sha256 == template.sha256
    messages = plain_words("user", "assistant", "user")
    rendered = tokenizer.apply_chat_template(
        [message.model_dump() for message in messages], add_generation_prompt=True, return_dict=True
    )
    assert tuple(rendered["input_ids"]) == template.prompt(messages)


def test_each_template_has_its_own_hash():
    assert len({template.sha256 for template in TEMPLATES.values()}) == len(TEMPLATES) - 2
    # chatml, smollm2 and qwen2.5 write the same structure once the invented system text is gone
    assert TEMPLATES["chatml"].sha256 == TEMPLATES["qwen2.5"].sha256


def test_thinking_blocks_stand_in_the_prompt_not_in_the_answer():
    template, tokenizer = TEMPLATES["qwen3"], make_tokenizer("qwen3")
    assert tokenizer.decode(list(template.prompt(plain_words("user")))).endswith("assistant\n<think>\n\n</think>\n\n")
    whole = template.render(plain_words("user", "assistant"))
    said = [token for token, supervised in zip(*whole, strict=True) if supervised]
    assert tokenizer.decode(said) == "some words 1<|im_end|>"


def test_generation_stops_at_the_end_of_the_turn_and_of_the_text():
    tokenizer = make_tokenizer("gemma3")
    assert TEMPLATES["gemma3"].stop_ids == tuple(tokenizer.convert_tokens_to_ids(["<end_of_turn>", "<eos>"]))


def test_the_date_in_a_template_does_not_change():
    assert "26 Jul 2024" in make_tokenizer("llama3.2").decode(list(TEMPLATES["llama3.2"].prompt(plain_words("user"))))


@pytest.mark.parametrize(
    ("name", "roles"),
    [("mistral", ("system", "user", "assistant")), ("gemma3", ("user", "user")), ("gemma3", ("assistant",))],
)
def test_roles_that_the_template_refuses_are_named(name, roles):
    with pytest.raises(IncompatibleError) as caught:
        TEMPLATES[name].render(plain_words(*roles))
    assert caught.value.code == "models.template_roles"
    assert " → ".join(roles) in caught.value.message("en")


def test_a_template_that_leaves_a_message_out_is_refused():
    tokenizer = make_tokenizer("mistral")
    tokenizer.chat_template = MISTRAL.replace("raise_exception('Only user and assistant roles are supported!')", "''")
    template = ChatTemplate(tokenizer)
    with pytest.raises(IncompatibleError) as caught:
        template.prompt(plain_words("system", "user"))
    assert caught.value.code == "models.template_drops"


@pytest.mark.parametrize(
    "jinja",
    [
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}",
        "{% for m in messages %}{{ m['content'] }}{% endfor %}",
    ],
)
def test_a_template_without_stop_token_is_refused(jinja):
    tokenizer = make_tokenizer("chatml")
    tokenizer.chat_template = jinja
    with pytest.raises(IncompatibleError) as caught:
        ChatTemplate(tokenizer)
    assert caught.value.code == "models.no_stop_token"


def test_structure_tokens_that_are_not_marked_special_are_control_tokens_all_the_same():
    tokenizer = make_tokenizer("chatml", extra=("[STOP]",))
    tokenizer.chat_template = CHATML_BODY.replace("<|im_end|>", "[STOP]")
    template = ChatTemplate(tokenizer)
    messages = [Message(role="user", content="a [STOP] b"), Message(role="assistant", content="c[STOP]")]
    stop = tokenizer.convert_tokens_to_ids("[STOP]")
    assert template.stop_ids[0] == stop
    assert template.render(messages).ids.count(stop) == 2

"""What a template writes around the contents."""

from tuneloop.models.structure import Layout, TemplateText
from tuneloop.models.tiny import build_byte_tokenizer


def test_a_pattern_is_cut_at_its_contents():
    text = TemplateText(build_byte_tokenizer())
    assert text.layout(("user", "assistant"), False) == Layout(
        ("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>\n"), (0, 1)
    )
    assert text.layout(("user",), True) == Layout(("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"), (0,))


def test_a_model_without_template_gets_the_plain_one():
    tokenizer = build_byte_tokenizer()
    tokenizer.chat_template = None
    text = TemplateText(tokenizer)
    assert text.is_plain
    assert text.layout(("system", "user"), True) == Layout(("System:\n", "\n\nUser:\n", "\n\nAssistant:\n"), (0, 1))


def test_a_template_without_invented_system_text_is_kept_as_it_is():
    text = TemplateText(build_byte_tokenizer())
    assert text.default_system == ""
    assert text.without_default_system() == text.jinja

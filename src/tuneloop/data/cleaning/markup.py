"""The rule about HTML that came along with a text: tags, comments, scripts, styles and entities."""

from __future__ import annotations

import html as entities
import re
import unicodedata
from html.entities import html5

from tuneloop.data.cleaning.characters import control_characters
from tuneloop.data.cleaning.spacing import outside_code

_BLOCK = re.compile(r"<(script|style|noscript|iframe|!--)", re.IGNORECASE)
_BLOCK_ENDS = {
    **{name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style", "noscript", "iframe")},
    "!--": re.compile("-->"),
}
# Names that people also use for placeholders (<source>, <label>, <name>) are not among them.
_BREAKS = "br|div|tr|table|tbody|thead|ul|ol|dl|dt|dd|h[1-6]|blockquote|hr"
_PLAIN = "span|strong|em|font|img|td|th|sub|sup|del|ins|figure|figcaption|nobr|wbr|tt"
_TAG = re.compile(rf"</?(?:(?P<item>li)|(?P<line>{_BREAKS})|{_PLAIN})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_LETTER_END = re.compile(r"</([abipsuq])\s*>", re.IGNORECASE)
"""Tags of one letter count only where one is closed: `a <b> c` may be a sum."""
_TAG_LIKE = re.compile(r"<[A-Za-z/!]")
_ENTITY = re.compile(r"&(?:#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6})|[A-Za-z][A-Za-z0-9]{1,31});")
_ABOUT_MARKUP = re.compile(
    r"(?<![./\w-])(?:x?html5?|xml|css|javascript|js|jsx|svg)(?![\w/])|<!doctype|标签|网页代码", re.IGNORECASE
)
_CODE_ELEMENT = re.compile(r"<(?:code|pre|kbd|samp)\b", re.IGNORECASE)


def html(text: str) -> str:
    """Turn HTML into plain text. A text about HTML stays as it is, and so does code in backquotes.

    `&lt;b&gt;` is not resolved, because then it would look like a tag.

    >>> html("Fees &amp; limits:<ul><li>free<li>safe</ul><script>track()</script>")
    'Fees & limits:\\n\\n- free\\n- safe'
    >>> html("if a < b &amp;&amp; c > d"), html("Use &lt;b&gt; here")
    ('if a < b && c > d', 'Use &lt;b&gt; here')
    """
    if "<" not in text and "&" not in text:
        return text
    if not (_TAG.search(text) or _ENTITY.search(text) or _BLOCK.search(text) or _LETTER_END.search(text)):
        return text
    prose = _without_blocks(text)
    if _ABOUT_MARKUP.search(prose) or _CODE_ELEMENT.search(prose):
        return text
    cleaned = outside_code(_plain, text)
    return cleaned.strip("\n") if cleaned != text else text


def _plain(text: str) -> str:
    """Remove tags and resolve entities until there are none: every pass makes the text shorter."""
    while (shorter := _resolve(_without_tags(_without_blocks(text)))) != text:
        text = shorter
    return text


def _without_blocks(text: str) -> str:
    """Cut out scripts, styles and comments; one that is never closed stays."""
    kept, position = [], 0
    while start := _BLOCK.search(text, position):
        end = _BLOCK_ENDS[start[1].lower()].search(text, start.end())
        if end is None:
            break
        kept.append(text[position : start.start()])
        position = end.end()
    return "".join([*kept, text[position:]]) if kept else text


def _without_tags(text: str) -> str:
    if "<" not in text:
        return text
    text = _TAG.sub(lambda match: "\n" if match["line"] else _item(match) if match["item"] else "", text)
    if letters := {letter.lower() for letter in _LETTER_END.findall(text)}:
        closed = re.compile(rf"</?([{''.join(sorted(letters))}])(?:\s[^<>]*)?/?>", re.IGNORECASE)
        text = closed.sub(lambda match: "\n" if match[1] in "pP" else "", text)
    return text


def _item(match: re.Match[str]) -> str:
    return "" if match[0].startswith("</") else "\n- "


def _resolve(text: str) -> str:
    """Resolve entities, but not those that would make a tag or another entity appear."""
    if not _ENTITY.search(text):
        return text
    resolved = _ENTITY.sub(lambda match: _character(match[0]), text)
    if _TAG_LIKE.search(resolved) or _ENTITY.search(resolved):
        resolved = _ENTITY.sub(lambda match: _character(match[0], keep="<>&"), text)
    return unicodedata.normalize("NFC", resolved)


def _character(entity: str, keep: str = "") -> str:
    """The character of an entity: nothing for an invisible one, the entity itself for an unknown or a kept one."""
    if entity[1] != "#" and entity[1:] not in html5:
        return entity
    character = entities.unescape(entity)
    return entity if character in keep or character == "\ufffd" else control_characters(character)

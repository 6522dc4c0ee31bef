"""Masking in the data stage: every text that is written below `datasets/` passes here first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tuneloop.core.records import Sample
from tuneloop.data.config import MaskConfig
from tuneloop.store.private import key_fingerprint, pseudonym_key
from tuneloop.store.vault import Vault, open_vault
from tuneloop.store.workspace import Workspace
from tuneloop.text.personal.mask import Masked, mask_texts


class Masker:
    """Masks texts as the recipe says, and counts what it found.

    Args:
        config: the recipe's `mask` section.
        language: language of the data, `en` or `zh`.
        key: secret that stand-ins are derived from.
        vault: notes what was replaced by what.
    """

    def __init__(self, config: MaskConfig, language: str, key: bytes = b"", vault: Vault | None = None) -> None:
        self._config = config
        self._language = language
        self._key = key
        self._vault = vault
        self.counts: Counter[str] = Counter()
        """How many values of each type the masked samples held."""

    @property
    def found(self) -> dict[str, int] | None:
        """Type and number of values found in samples; None when nothing looks for them."""
        return dict(sorted(self.counts.items())) if self.active else None

    @property
    def active(self) -> bool:
        return self._config.mode != "off"

    def mask(self, text: str) -> Masked:
        """Mask one text, without counting it."""
        return self._mask([text])[0]

    def hide(self, text: str) -> str:
        """The masked text alone: for reports and quarantine."""
        return self.mask(text).text if self.active else text

    def hide_cut(self, text: str) -> str:
        """Mask a text that was cut off: the word at its end goes, since half a number can't be recognised."""
        if not self.active:
            return text
        end = len(text)
        while end and (text[end - 1].isalnum() or text[end - 1] in "@._-+ ") and len(text) - end < 40:
            end -= 1
        return self.hide(text[:end]) + "…"

    def sample(self, sample: Sample, *, counted: bool = True) -> Sample:
        """Mask the messages and the tags of a sample; tags (`<PHONE_1>`) are numbered through the conversation."""
        if not self.active:
            return sample
        texts = [message.content for message in sample.messages]
        masked = self._mask(texts if sample.rejected is None else [*texts, sample.rejected])
        tags = self._tags(sample.meta.tags)
        if counted:
            for item in masked:
                self.counts.update(item.counts)
        if self._vault is not None:
            self._vault.add((written, after) for item in masked for _, written, after in item.replaced)
        if tags == sample.meta.tags and not any(item.replaced for item in masked):
            return sample
        pairs = zip(sample.messages, masked, strict=False)  # one more text than messages where an answer was rejected
        changed = {
            "messages": tuple(message.model_copy(update={"content": item.text}) for message, item in pairs),
            "meta": sample.meta.model_copy(update={"tags": tags}),
            "rejected": None if sample.rejected is None else masked[-1].text,
        }
        return sample.model_copy(update=changed)

    def save(self) -> None:
        """Write the vault, if there is one."""
        if self._vault is not None:
            self._vault.save()

    def _mask(self, texts: list[str]) -> list[Masked]:
        config = self._config
        if config.mode == "off":
            return [Masked(text, {}) for text in texts]
        return mask_texts(
            texts,
            language=self._language,
            mode=config.mode,
            key=self._key,
            possible=config.possible,
            without=config.without,
            keep=config.keep,
        )

    def _tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Tags are always given pseudonyms: rows of one customer must stay a group."""
        values = list(tags.values())
        masked = mask_texts(
            values,
            language=self._language,
            key=self._key,
            possible="off",
            without=self._config.without,
            keep=self._config.keep,
        )
        return dict(zip(tags, (item.text for item in masked), strict=True))


def make_masker(config: MaskConfig, language: str, key: bytes = b"", vault: Vault | None = None) -> Masker:
    """A masker for a recipe's settings, a language and a key."""
    return Masker(config, language, key, vault)


def open_masker(config: MaskConfig, language: str, workspace: Workspace) -> Masker:
    """A masker with the workspace's key, and its vault where the recipe wants one.

    Raises:
        NotAllowedError: a vault is wanted and there is no key for it.
        CorruptError: the key's file or the vault is damaged.
    """
    if config.mode == "off":
        return Masker(config, language)
    return Masker(config, language, pseudonym_key(workspace), open_vault(workspace) if config.vault else None)


def mask_identity(config: MaskConfig, workspace: Workspace) -> str | None:
    """What of masking decides a dataset besides the settings: the name of the key, where there is one."""
    return None if config.mode == "off" else key_fingerprint(pseudonym_key(workspace))

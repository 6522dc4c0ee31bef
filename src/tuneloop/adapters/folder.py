"""The adapter's folder: what peft writes and reads, the tokenizer with its template, a card, and our manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from peft import PeftModel

from tuneloop.adapters.bottleneck import OwnPeftType
from tuneloop.adapters.config import USUAL, Method
from tuneloop.adapters.methods import METHODS
from tuneloop.adapters.replay import Replay, write_replay
from tuneloop.adapters.tensors import save_tensors
from tuneloop.core.errors import IncompatibleError
from tuneloop.models.load import LoadedModel
from tuneloop.models.loaded import KnownModel
from tuneloop.store.artifacts import Manifest, new_artifact, verify

CARD = """---
base_model: {base}
library_name: peft
pipeline_tag: text-generation
tags: [tuneloop, {method}]
---

# {name}

An adapter for `{base}`, made by tuneloop: method {method}.

| | |
|---|---|
| settings | {settings} |
| adapted modules | {targets} |
| trained parameters | {trained:,} ({share:.2f}% of the model) |
| optimiser steps | {steps} (the best one was kept: {best_step}) |
| validation loss | {validation_loss} |
| dataset | {dataset} |

It answers through the chat template in this folder; the base model's own default system text is not used.

```python
{first}from peft import AutoPeftModelForCausalLM; from transformers import AutoTokenizer
model, tokenizer = AutoPeftModelForCausalLM.from_pretrained("."), AutoTokenizer.from_pretrained(".")
prompt = tokenizer.apply_chat_template([{{"role": "user", "content": "…"}}], add_generation_prompt=True, tokenize=False)
ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
print(tokenizer.decode(model.generate(**ids, max_new_tokens=200)[0, ids["input_ids"].shape[1]:], skip_special_tokens=True))
```
"""

TEACH = "import tuneloop.adapters.bottleneck  # teaches peft the method\n"


def save_adapter(
    folder: Path,
    model: PeftModel,
    loaded: LoadedModel,
    *,
    card: dict[str, Any],
    inputs: dict[str, str],
    seed: int,
    method: Method = "lora",
    replay: Replay | None = None,
) -> None:
    """Write an adapter as an atomic folder that peft loads unchanged.

    Args:
        folder: the final place; it must not exist.
        model: the trained peft model.
        loaded: its base, with tokenizer and template.
        card: what the card says: name, steps, best_step, validation_loss, dataset, trained, share.
        inputs: name and manifest hash of what it was made from.
        seed: of the training.
        method: how it was attached.
        replay: greedy answers of the trained model, to be given again after every merge, export and load.
    """
    settings, tensors = METHODS[method].export(model)
    document = settings.to_dict()
    own = {name: document[name] for name in (*USUAL[method].fields, "bottleneck_size", "scaling") if name in document}
    config = {
        "base_model": loaded.name,
        "base_sha256": loaded.sha256,
        "template_sha256": loaded.template.sha256,
        "method": method,
        **own,
        "target_modules": sorted(getattr(settings, "target_modules", None) or ()),
    }
    with new_artifact(folder, kind="adapter", config=config, inputs=inputs, seeds={"training": seed}) as temporary:
        save_tensors(tensors, temporary / "adapter_model.safetensors")
        settings.inference_mode, was = True, settings.inference_mode
        settings.save_pretrained(str(temporary))
        settings.inference_mode = was
        loaded.tokenizer.save_pretrained(str(temporary))
        if replay is not None:
            write_replay(replay, temporary)
        text = CARD.format(
            base=loaded.name,
            method=method,
            settings=", ".join(f"{name} {value}" for name, value in own.items()) or "–",
            targets=", ".join(config["target_modules"]) or "–",
            first=TEACH if settings.peft_type in OwnPeftType else "",
            **card,
        )
        (temporary / "README.md").write_text(text, encoding="utf-8")


def check_adapter(folder: Path, loaded: KnownModel) -> Manifest:
    """Verify an adapter's files and that it was trained on this base with this template.

    Raises:
        NotFoundError: there is no adapter (code `store.not_found`).
        CorruptError: a file differs from the manifest (code `store.file_differs`).
        IncompatibleError: another base model (code `adapters.base_differs`) or template (`adapters.template_differs`).
    """
    manifest = verify(folder)
    if manifest.config["base_sha256"] != loaded.sha256:
        raise IncompatibleError(
            "adapters.base_differs", file=folder, base=manifest.config["base_model"], other=loaded.name
        )
    if manifest.config["template_sha256"] != loaded.template.sha256:
        raise IncompatibleError("adapters.template_differs", file=folder)
    return manifest

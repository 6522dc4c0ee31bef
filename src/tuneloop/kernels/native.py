"""The kernels' arithmetic in C++ (`native.cpp`): built once into the cache where a compiler is, called through ctypes.

bfloat16 on a CPU only. Nothing is built unless `build` is called (a training or a server does, and says so); `library`
opens what was built before. `TUNELOOP_KERNELS=torch` leaves it alone.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from tuneloop.core.hashing import hash_value
from tuneloop.kernels import reference
from tuneloop.store.cache import cache_folder

SOURCE = Path(__file__).with_name("native.cpp")
FLAGS = ("-std=c++20", "-O3", "-march=native", "-fPIC", "-fno-math-errno", "-fno-trapping-math")
SWITCH = "TUNELOOP_KERNELS"
"""Environment variable: `torch` keeps the C++ kernels away."""

_POINTER, _INT, _FLOAT, _FLAG = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float, ctypes.c_int32
_SIGNATURES: dict[str, tuple[type, ...]] = {
    "rms_norm": (_POINTER, _POINTER, _FLOAT, _POINTER, _POINTER, _INT, _INT),
    "rms_norm_backward": (*[_POINTER] * 5, _INT, _INT),
    "swiglu": (*[_POINTER] * 2, _INT, _INT),
    "swiglu_backward": (*[_POINTER] * 3, _INT, _INT),
    "rotate": (*[_POINTER] * 3, _FLOAT, _POINTER, *[_INT] * 5),
    "causal_softmax": (_POINTER, _FLOAT, _INT, _INT, _INT),
    "causal_softmax_backward": (_POINTER, _POINTER, _FLOAT, _INT, _INT, _INT),
    "attend_rows": (*[_POINTER] * 4, _FLOAT, _POINTER, *[_INT] * 6),
    "cross_entropy": (_POINTER, _POINTER, _POINTER, _FLAG, _INT, _INT),
}


def built_path() -> Path:
    """Where the library of this source, processor and torch lies once it is built."""
    key = {
        "source": SOURCE.read_text(encoding="utf-8"),
        "flags": FLAGS,
        "processor": [platform.machine(), _processor()],
        "torch": torch.__version__,
    }
    return cache_folder() / "kernels" / f"native-{hash_value(key)[:16]}.so"


def wanted() -> bool:
    """Whether the kernels would help here: on a CPU with bfloat16 instructions, unless they were switched off."""
    return os.environ.get(SWITCH) != "torch" and bool(torch.cpu._is_avx512_bf16_supported())


def can_build() -> bool:
    """Whether they are wanted, and a C++ compiler is there."""
    return wanted() and shutil.which("g++") is not None


def build() -> str | None:
    """Build the library unless it is there.

    Returns:
        None when it is ready; else what the compiler said (torch then does the work, with the same results).
    """
    path = built_path()
    if path.exists():
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    compiled = temporary.with_suffix(".o")
    try:
        for command in (
            ["g++", *FLAGS, "-fopenmp", "-c", str(SOURCE), "-o", str(compiled)],
            # torch's own OpenMP: a second one would bring a second pool of threads that wait in each other's way.
            ["g++", "-shared", str(compiled), "-o", str(temporary), _openmp()],
        ):
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            if done.returncode:
                return done.stderr.strip() or f"g++ ended with {done.returncode}"
        temporary.replace(path)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        compiled.unlink(missing_ok=True)
        temporary.unlink(missing_ok=True)
    library.cache_clear()
    return None


@cache
def library() -> ctypes.CDLL | None:
    """The built library, or None where there is none."""
    if not wanted() or not (path := built_path()).exists():
        return None
    try:
        opened = ctypes.CDLL(str(path))
    except OSError:  # half written by a full disk, or made for libraries that are gone: it is built again
        path.unlink(missing_ok=True)
        return None
    for name, arguments in _SIGNATURES.items():
        function = getattr(opened, name)
        function.argtypes, function.restype = arguments, None
    return opened


def _processor() -> str:
    """Model name and instruction sets, so that a cache shared between machines never crosses them."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    return "\n".join(sorted(set(re.findall(r"^(?:model name|flags)\s*:.*$", text, re.MULTILINE))))


def _openmp() -> str:
    """torch's OpenMP library by path (scikit-learn brings one of its own); the compiler's where torch has none."""
    found = sorted((Path(torch.__file__).parent / "lib").glob("libgomp*"))
    return str(found[0]) if found else "-fopenmp"


def _call(name: str, *arguments: Tensor | float | int) -> None:
    opened = library()
    assert opened is not None
    getattr(opened, name)(*[a.data_ptr() if isinstance(a, Tensor) else a for a in arguments])


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """See `reference.rms_norm`."""
    if weight.dtype != x.dtype:  # Gemma keeps 1 + weight in float32
        return reference.rms_norm(x, weight, eps)
    x = x.contiguous()
    y, scale = torch.empty_like(x), x.new_empty((*x.shape[:-1], 1), dtype=torch.float32)
    _call("rms_norm", x, weight, eps, y, scale, scale.numel(), x.shape[-1])
    return y, scale


def rms_norm_backward(grad: Tensor, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """See `reference.rms_norm_backward`."""
    grad, x = grad.contiguous(), x.contiguous()
    dx = torch.empty_like(x)
    _call("rms_norm_backward", grad, x, weight, scale, dx, scale.numel(), x.shape[-1])
    return dx


def swiglu(gate_up: Tensor) -> Tensor:
    """See `reference.swiglu`."""
    gate_up = gate_up.contiguous()
    size = gate_up.shape[-1] // 2
    y = gate_up.new_empty((*gate_up.shape[:-1], size))
    _call("swiglu", gate_up, y, y.numel() // size, size)
    return y


def swiglu_backward(grad: Tensor, gate_up: Tensor) -> Tensor:
    """See `reference.swiglu_backward`."""
    grad, gate_up = grad.contiguous(), gate_up.contiguous()
    result, size = torch.empty_like(gate_up), grad.shape[-1]
    _call("swiglu_backward", grad, gate_up, result, grad.numel() // size, size)
    return result


def rotate(x: Tensor, cos: Tensor, sin: Tensor, direction: float, out: Tensor | None = None) -> Tensor:
    """See `reference.rotate`."""
    turned = torch.empty(x.shape, dtype=x.dtype) if out is None else out
    if x.stride()[1:] != (x.shape[2], 1) or turned.stride()[1:] != (x.shape[2], 1):
        return reference.rotate(x, cos, sin, direction, out)
    cos, sin = cos.contiguous(), sin.contiguous()
    _call("rotate", x, cos, sin, direction, turned, *x.shape, x.stride(0), turned.stride(0))
    return turned


def attention_weights(query: Tensor, key: Tensor, scale: float, window: int) -> Tensor:
    """See `reference.attention_weights`."""
    scores = torch.bmm(query, key.transpose(1, 2))
    length = scores.shape[-1]
    _call("causal_softmax", scores, scale, window, scores.numel() // length, length)
    return scores


def attention_weights_backward(grad: Tensor, weights: Tensor, scale: float, window: int) -> Tensor:
    """See `reference.attention_weights_backward`."""
    grad = grad.contiguous()
    length = grad.shape[-1]
    _call("causal_softmax_backward", grad, weights, scale, window, grad.numel() // length, length)
    return grad


def cross_entropy(logits: Tensor, targets: Tensor, softcap: float, backward: bool) -> Tensor:
    """See `reference.cross_entropy`."""
    if softcap or not logits.is_contiguous():
        return reference.cross_entropy(logits, targets, softcap, backward)
    loss = logits.new_empty(len(logits), dtype=torch.float32)
    _call("cross_entropy", logits, targets.contiguous(), loss, int(backward), *logits.shape)
    return loss


def attend_rows(query: Tensor, keys: Tensor, values: Tensor, sees: Tensor, scale: float) -> Tensor:
    """See `reference.attend_rows`."""
    rows, heads, size = query.shape
    kv_heads = keys.shape[2]
    within = (kv_heads * size, size, 1)
    packed = keys.stride()[1:] == values.stride()[1:] == within and keys.stride(0) == values.stride(0)
    if not packed or query.stride()[1:] != (size, 1):
        return reference.attend_rows(query, keys, values, sees, scale)
    out = torch.empty(rows, heads * size, dtype=query.dtype)
    strides = query.stride(0), keys.stride(0)
    _call("attend_rows", query, keys, values, sees, scale, out, rows, heads, kv_heads, size, *strides)
    return out

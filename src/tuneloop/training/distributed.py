"""Several processes share one training: data parallel, exact, with one leader.

Each process holds the whole model. Process 0 leads: it alone decides and writes, so that nothing must be agreed on. For
every optimiser step it sends the adapter and the step's number; each process computes the gradients of its share of the
micro-batches, normalised by the supervised tokens of all of them; one sum brings the gradients to the leader, which clips,
moves the adapter, evaluates, saves, rolls back and stops as it does alone. Adapters are small: both transfers go through
gloo, also between GPUs. torchrun starts the processes and says by RANK and
WORLD_SIZE which one this is.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed

from tuneloop.adapters.attach import remembered
from tuneloop.adapters.methods import METHODS
from tuneloop.core.errors import IncompatibleError, Interrupted, RefusedError, ResourceError, Terminated, UsageError
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.core.records import Plan
from tuneloop.core.seeds import derive_seed
from tuneloop.training.fast_path import fast_path, keep_memory, release_memory
from tuneloop.training.identity import Inputs, differences, make_identity
from tuneloop.training.loop import accumulate
from tuneloop.training.memory import is_out_of_memory
from tuneloop.training.noise import noisy_embeddings
from tuneloop.training.prepare import attached, make_budget, make_task, prepare, settings_of
from tuneloop.training.signals import deferred_signals
from tuneloop.training.state import trained_parameters
from tuneloop.training.task import Order, Share, Task, cut
from tuneloop.training.tokenise import Example

TIMEOUT = timedelta(hours=1)
"""The longest wait for another process that is alive but silent; the connection to a dead one closes at once."""
_DISMISS, _PREPARE, _STEP = range(3)


@contextmanager
def company() -> Iterator[None]:
    """Be the leader of the processes that were started together, if there are others; they go when the block ends.

    Raises:
        UsageError: what a launcher should say is not in the environment (code `training.processes_environment`).
    """
    if processes() == 1:
        yield
        return
    _join()
    try:
        yield
    finally:
        try:
            _send(_DISMISS)
        except ResourceError:
            pass  # one is gone already: the error that ended the block says so, or the work was done without it
        finally:
            distributed.destroy_process_group()


def processes() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE") or 1)


def led(task: Task, inputs: Inputs, plan: Plan, progress: Progress) -> Task:
    """The task with its steps shared among the processes; alone, the task as it is.

    Raises:
        RefusedError: the method can't be shared (code `training.processes_method`).
    """
    if processes() == 1:
        return task
    method = settings_of(plan)["method"]
    if METHODS[method].penalty is not None:
        raise RefusedError("training.processes_method", method=method)
    _send(_PREPARE)
    order = {"dataset": str(inputs.dataset), "plan": plan.model_dump_json(), "identity": task.identity}
    with _connected():
        distributed.broadcast_object_list([order], src=0)
    progress.note(text("training.processes", processes=processes()))

    def share_out(order: Order, pieces: list[list[Example]], compute: Callable[[list[list[Example]]], Share]) -> Share:
        _send(_STEP, order)
        with torch.no_grad():
            _broadcast(_held(task))
        error: BaseException | None = None
        share = Share(0.0, 0)
        try:
            share = compute(divide(pieces, processes())[0])
        except BaseException as problem:  # the others wait in the sum: they must hear of it before it goes on
            error = problem.with_traceback(None)  # its frames hold the activations
        return _sum(task, share, failed=error is not None, error=error)

    return replace(task, share_out=share_out)


def follow(inputs_of: Callable[[Path], Inputs]) -> None:
    """Be one of the other processes: compute shares until the leader dismisses us. Nothing is written.

    Args:
        inputs_of: gives what this process trains from, by the dataset's folder.

    Raises:
        IncompatibleError: recipe, data, model or type of numbers differ here (code `training.process_differs`).
        ResourceError: the leader is gone (code `training.process_lost`).
    """
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    _join()
    try:
        with ExitStack() as stack, deferred_signals() as check_signals:
            task: Task | None = None
            while True:
                kind, order = _receive()
                if kind == _DISMISS:
                    return
                if kind == _PREPARE:
                    task = _prepared(inputs_of, stack)
                elif task is not None:
                    _compute(task, order, check_signals)
    finally:
        distributed.destroy_process_group()


def _prepared(inputs_of: Callable[[Path], Inputs], stack: ExitStack) -> Task:
    """The same model and the same schedule as the leader's."""
    sent: list[Any] = [None]
    with _connected():
        distributed.broadcast_object_list(sent, src=0)
    order = sent[0]
    inputs = inputs_of(Path(order["dataset"]))
    identity = make_identity(inputs)
    if different := list(differences(order["identity"], identity)):
        raise IncompatibleError(
            "training.process_differs", rank=distributed.get_rank(), difference="; ".join(different)
        )
    plan, folder = Plan.model_validate_json(order["plan"]), Path(order["dataset"])
    prepared = prepare(inputs, folder, begun=plan)
    keep_memory()
    model = stack.enter_context(attached(inputs, plan))
    stack.enter_context(fast_path(model))
    stack.enter_context(noisy_embeddings(model, inputs.training.neftune_noise_alpha))
    model.train()
    return make_task(inputs, prepared, model, folder, identity, make_budget(inputs, plan))


def _compute(task: Task, order: Order, check_signals: Callable[[], None]) -> None:
    """This process's share of a step."""
    rank = distributed.get_rank()
    with torch.no_grad():
        _broadcast(_held(task))
    torch.manual_seed(derive_seed(task.seed, "step", str(order.number), str(rank)))
    failed, interrupted, terminated, share = False, False, False, Share(0.0, 0)
    try:
        check_signals()
        mine = divide(cut(task, order.number, order.limit), processes())[rank]
        share = accumulate(task, mine, order.factor, check_signals)
    except Interrupted:
        interrupted = True
    except Terminated:
        terminated = True
    except (MemoryError, RuntimeError, ResourceError) as problem:
        if not is_out_of_memory(problem):
            raise
        failed = True
    if failed:  # outside the except block: the exception's frames hold the activations
        gc.collect()
        release_memory()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    _reduce(task, share, failed=failed, interrupted=interrupted, terminated=terminated)
    for parameter in trained_parameters(task.model).values():
        parameter.grad = None


def divide(pieces: Sequence[list[Example]], processes: int) -> list[list[list[Example]]]:
    """Deal a step's micro-batches out, about the same number of tokens to each process; every sample goes to one.

    Where there are fewer micro-batches than processes, the largest are halved first. The same arguments give the same
    shares, so that every process finds its own without being told.
    """

    def tokens(piece: list[Example]) -> int:
        return sum(len(example.ids) for example in piece)

    whole = list(pieces)
    while len(whole) < processes and any(len(piece) > 1 for piece in whole):
        largest = max((piece for piece in whole if len(piece) > 1), key=tokens)
        place, half = whole.index(largest), len(largest) // 2
        whole[place : place + 1] = [largest[:half], largest[half:]]
    shares: list[list[list[Example]]] = [[] for _ in range(processes)]
    loads = [0] * processes
    for piece in sorted(whole, key=tokens, reverse=True):
        least = loads.index(min(loads))
        shares[least].append(piece)
        loads[least] += tokens(piece)
    return shares


def _sum(task: Task, share: Share, *, failed: bool, error: BaseException | None) -> Share:
    """The leader's side of the sum: what happened anywhere happens here."""
    facts = _reduce(task, share, failed=failed, interrupted=False, terminated=False)
    if error is not None:
        raise error
    if facts[1]:
        raise Interrupted("general.interrupted")
    if facts[2]:
        raise Terminated("general.terminated")
    if facts[0]:
        raise MemoryError("in another process")
    return Share(facts[3], int(facts[4]))


def _reduce(task: Task, share: Share, *, failed: bool, interrupted: bool, terminated: bool) -> list[float]:
    """Sum flags, loss and tokens of all processes, and their gradients unless one has none to give."""
    parameters = list(trained_parameters(task.model).values())
    present = [parameter.grad is not None for parameter in parameters]
    facts = torch.tensor([failed, interrupted, terminated, *share, *present], dtype=torch.float64)
    with _connected():
        distributed.all_reduce(facts)
    summed: list[float] = facts.tolist()
    if any(summed[:3]):
        return summed
    grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
    flat = _flat(grads)
    with _connected():
        distributed.all_reduce(flat)
    for parameter, grad, holders in zip(parameters, _parts(flat, parameters), summed[5:], strict=True):
        parameter.grad = grad if holders else None
    return summed


def _held(task: Task) -> list[Tensor]:
    """What the leader's steps change."""
    return [*trained_parameters(task.model).values(), *remembered(task.model).values()]


def _broadcast(tensors: list[Tensor]) -> None:
    """Give every process the leader's values."""
    flat = _flat(tensors)
    with _connected():
        distributed.broadcast(flat, src=0)
    if distributed.get_rank():
        for tensor, value in zip(tensors, _parts(flat, tensors), strict=True):
            tensor.copy_(value)


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    """One buffer on the CPU, float32: no trained type is wider."""
    return torch.cat([tensor.detach().float().cpu().reshape(-1) for tensor in tensors])


def _parts(flat: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """The buffer cut into tensors of the shape, type and device of others."""
    parts = torch.split(flat, [tensor.numel() for tensor in like])
    return [part.view(t.shape).to(device=t.device, dtype=t.dtype) for part, t in zip(parts, like, strict=True)]


def _send(kind: int, order: Order | None = None) -> None:
    number, limit, factor = order or Order(0, None, 0.0)
    with _connected():
        distributed.broadcast(torch.tensor([kind, number, limit or 0, factor], dtype=torch.float64), src=0)


def _receive() -> tuple[int, Order]:
    header = torch.zeros(4, dtype=torch.float64)
    with _connected():
        distributed.broadcast(header, src=0)
    kind, number, limit, factor = header.tolist()
    return int(kind), Order(int(number), int(limit) or None, factor)


def _join() -> None:
    """Meet the other processes."""
    try:
        distributed.init_process_group("gloo", timeout=TIMEOUT)
    except (ValueError, KeyError) as error:
        raise UsageError("training.processes_environment", problem=str(error)) from error
    except RuntimeError as error:
        raise ResourceError("training.process_lost", problem=str(error).splitlines()[0]) from error


@contextmanager
def _connected() -> Iterator[None]:
    """Say in our words that another process is gone."""
    try:
        yield
    except RuntimeError as error:
        raise ResourceError("training.process_lost", problem=str(error).splitlines()[0]) from error

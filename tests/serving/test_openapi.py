"""The OpenAPI page keeps its word: requests made from it get the statuses and bodies that it promises."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tuneloop.models.load import LoadedModel
from tuneloop.serving.app import make_app
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.served import ServedModels, make_engine
from tuneloop.serving.worker import Worker
from tuneloop.store.workspace import Workspace

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
"""Not that everything that fits the schema is accepted: a name may be unknown, a prompt too long."""

OPERATIONS = (
    "GET /health",
    "GET /ready",
    "GET /metrics",
    "GET /v1/models",
    "GET /v1/models/{model}",
    "POST /v1/load_lora_adapter",
    "POST /v1/unload_lora_adapter",
    "POST /v1/chat/completions",
    "POST /v1/completions",
    "POST /v1/feedback",
)


@pytest.fixture(scope="module")
def operations(workspace: Workspace, loaded: LoadedModel) -> Iterator[dict[str, APIOperation]]:
    models = ServedModels(loaded, "tiny", workspace)
    worker = Worker(make_engine(models, loaded.model, batch_size=8, adapter_bytes=2**26), queue_limit=64)
    drain = worker.drain
    # Schemathesis starts and ends the application around every call; the engine's thread has to outlive that.
    worker.drain = lambda seconds: True  # type: ignore[method-assign]
    page = schemathesis.openapi.from_asgi("/openapi.json", make_app(models, worker, ServingConfig(max_new_tokens=24)))
    yield {operation.ok().label: operation.ok() for operation in page.get_all_operations()}
    drain(10)


def test_the_page_names_every_route(operations: dict[str, APIOperation]) -> None:
    assert set(operations) == set(OPERATIONS)


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_the_page_promises_is_kept(operations: dict[str, APIOperation], label: str) -> None:
    @given(operations[label].as_strategy())
    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def keeps_its_word(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    keeps_its_word()

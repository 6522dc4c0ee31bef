"""How hypothesis runs here: on two cores that others may be using, where a slow draw says nothing about a strategy.

The suite draws the same few examples every time, so that a change is what makes it fail; `make thorough` draws many, and
others at every run.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "suite", max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("suite")


@pytest.fixture
def short_answers() -> Iterator[None]:
    """One short answer beside every trained adapter: writing six long ones takes longer than a small training."""
    from tuneloop.adapters import replay

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "ROWS", 1)
        patch.setattr(replay, "LONGEST_ANSWER", 4)
        yield

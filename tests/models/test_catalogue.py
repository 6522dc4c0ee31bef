"""The catalogue of starter models."""

import pytest

from tuneloop.core.messages import text
from tuneloop.models.catalogue import CATALOGUE


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_line_says_what_it_is_for_in_both_languages(name):
    assert text(f"models.use.{name}", "en") != text(f"models.use.{name}", "zh")


@pytest.mark.parametrize("name", [name for name, starter in CATALOGUE.items() if starter.wheels])
def test_packages_are_pinned(name):
    wheels = CATALOGUE[name].wheels
    assert all("==" in package for package in wheels.packages)
    assert len(wheels.sha256) == 64
    assert {part.split("/")[0] for part in wheels.parts} <= {
        package.split("==")[0].replace("-", "_") for package in wheels.packages
    }

"""How hypothesis runs here: on two cores that others may be using, where a slow draw says nothing about a strategy."""

from hypothesis import HealthCheck, settings

settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

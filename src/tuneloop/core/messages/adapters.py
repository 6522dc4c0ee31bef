"""What the adapters area says."""

MESSAGES: dict[str, tuple[str, str]] = {}

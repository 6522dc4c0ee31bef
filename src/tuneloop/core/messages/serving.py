"""What the serving area says."""

MESSAGES: dict[str, tuple[str, str]] = {}

"""What the cli area says."""

MESSAGES: dict[str, tuple[str, str]] = {}

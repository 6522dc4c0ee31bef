"""What the training area says."""

MESSAGES: dict[str, tuple[str, str]] = {}

"""What the commands of `nightshift` do. Each returns an `Answer`; none prints."""

ENVIRONMENT = "screen"
"""The environment that commands are about."""

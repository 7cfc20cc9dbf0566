"""Effects when people enter at several dates."""

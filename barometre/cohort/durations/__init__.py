"""Time to an event: curves, competing exits, tests."""

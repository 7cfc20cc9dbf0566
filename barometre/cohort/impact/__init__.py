"""Effects of a programme on the people followed."""

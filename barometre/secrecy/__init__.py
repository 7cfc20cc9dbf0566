"""Statistical secrecy: what is hidden, what would give it back, and the audit of both."""

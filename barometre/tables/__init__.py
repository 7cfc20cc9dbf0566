"""The door: frames checked as tables, their set, codes of territories and who is in what."""

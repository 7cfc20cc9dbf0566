"""Editions: what was published at a date, a folder that proves itself; and what changed since."""

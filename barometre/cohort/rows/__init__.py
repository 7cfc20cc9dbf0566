"""The rows of a cohort: checked once, numbered once, read by name."""

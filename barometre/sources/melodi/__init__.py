"""Insee's long files ("Melodi"): one row per territory, period and combination of codes."""

"""Wide files of producers: one row per territory, or rows to add up, as a family describes."""

"""Files that are not one row per territory: long files, one row per thing, lists."""

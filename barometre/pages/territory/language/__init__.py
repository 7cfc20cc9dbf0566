"""French and English of the pages: numbers, articles, agreement, sentences."""

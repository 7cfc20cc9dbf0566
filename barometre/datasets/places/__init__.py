"""Who is in what: the communes of France, territories found by name, one's own territory."""

"""Charts of indices, ranks and needs."""

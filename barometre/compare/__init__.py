"""Values compared: gaps, evolutions, ranks, needs, priorities."""

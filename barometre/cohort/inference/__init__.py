"""Standard errors, tests with few clusters, power, several outcomes."""

"""Who is lost, whether the arms are alike, and weights that answer for both."""

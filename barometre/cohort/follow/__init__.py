"""Who is seen when, in which status, and how people pass from one to another."""

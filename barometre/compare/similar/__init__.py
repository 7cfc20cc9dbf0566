"""Territories alike: the nearest ones, and the classes they make."""

"""Movers and stayers: what a place's change owes to each."""

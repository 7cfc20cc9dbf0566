"""Charts of people followed: curves, effects, balance, movers and stayers."""

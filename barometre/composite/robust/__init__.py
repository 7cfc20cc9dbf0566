"""How far an index rests on its choices and on the errors of its data."""

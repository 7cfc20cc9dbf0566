"""The yearly page of a territory: what is worse, what moves, how sure it is, what is followed."""

"""From a tree and a frame to scores: normalised, averaged, split, explained."""

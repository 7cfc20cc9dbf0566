"""An index as a declaration: leaves, nodes, bounds, and the files that hold them."""

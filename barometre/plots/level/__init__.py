"""Charts of one date: sorted bars, groups, shares, position among peers, tables of colours."""

"""Files that hold no value of an indicator: notices, memberships, outlines, tables of passage."""

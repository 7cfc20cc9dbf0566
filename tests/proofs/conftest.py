"""The scripts need programs that the tests do without: they are run by hand."""

collect_ignore = ["scripts"]

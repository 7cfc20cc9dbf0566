"""Charts of several dates or indicators: two dates, lines, small panels, classes."""

"""What is known of the territories of a report: names, verdicts, lines, needs, contract."""

"""What is established of a difference or of a trend, and by which proof."""

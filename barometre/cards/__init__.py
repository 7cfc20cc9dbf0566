"""What the library knows of indicators and of their input columns: cards, models, labels."""

"""From tables to values: indicators, their limits, unions of territories, changes of perimeter."""

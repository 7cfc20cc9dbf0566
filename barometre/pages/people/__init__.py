"""The page of a real cohort: who is followed, who is lost, the effect, what was hidden."""

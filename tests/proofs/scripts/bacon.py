"""Comparisons of Goodman-Bacon by diff-diff 3.13.0, on people seen at every wave."""

from pathlib import Path

import diff_diff
import pandas as pd

HERE = Path(__file__).parents[1]
panel = pd.read_csv(HERE / "data" / "panel.csv").merge(pd.read_csv(HERE / "data" / "people.csv"))
found = diff_diff.BaconDecomposition(weights="exact").fit(
    panel, outcome="income", unit="person", time="wave", first_treat="first"
)
rows = pd.DataFrame(
    [
        {
            "treated": c.treated_group, "control": c.control_group, "comparison": c.comparison_type,
            "estimate": c.estimate, "weight": c.weight,
        }
        for c in found.comparisons
    ]
)  # fmt: skip
rows["twfe"] = found.twfe_estimate
rows.to_csv(
    HERE / "results" / f"bacon__py-diff-diff-{diff_diff.__version__}.csv",
    index=False,
    float_format="%.15g",
)

"""Drawn territories: how often a verdict is false where nothing differs, how often bounds hold.

A rate of 4 to 6 % over 10 000 draws leaves five standard errors (0.2 point each) around 5 %.
"""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import barometre as bcs
from barometre.engine.rounded_counts import linear_bounds

SLOW = os.environ.get("BAROMETRE_SLOW") == "1"
DRAWS, SIZE = 10_000, 600
SHARES = [round(0.05 * i, 2) for i in range(1, 20)] if SLOW else [0.05, 0.35, 0.65, 0.95]
LONG, COUNT = "part_plus_2_ans_defm", "demandeurs_abc_plus_2_ans"


def drawn(
    counts: npt.NDArray[np.int64], size: float, reference: tuple[str, float, float]
) -> pd.DataFrame:
    """Judge drawn territories by chance against a reference: its code, its count, its size."""
    code, above, below = reference
    codes = [f"t{i}" for i in range(len(counts))]
    frame = pd.DataFrame(
        {
            "code": [*codes, code],
            "annee": 2021,
            "demandeurs_abc": [*np.full(len(counts), size), below],
            COUNT: [*counts.astype(float), above],
        }
    )
    tables = {"demandeurs_emploi": frame}
    results = bcs.compute(tables, LONG)
    return bcs.judge(results, code, proof="hasard", tables=tables)


@pytest.mark.parametrize("p", SHARES)
def test_false_verdicts_against_a_fixed_reference(p: float) -> None:
    rng = np.random.default_rng(round(1000 * p))
    found = drawn(rng.binomial(SIZE, p, DRAWS), SIZE, ("ref", p * 1e6, 1e6))
    assert (found["preuve"] == "hasard").all()
    assert 0.04 <= (found["verdict"] != "comparable").mean() <= 0.06
    truth = found["valeur"] - found["ecart"]
    assert np.allclose(truth, 100 * p)
    held = (found["ecart_inf"] <= 0) & (found["ecart_sup"] >= 0)
    assert 0.94 <= held.mean() <= 0.96


@pytest.mark.parametrize("p", SHARES if SLOW else [0.2, 0.8])
def test_false_verdicts_against_the_whole_that_contains_the_territory(p: float) -> None:
    """Territories are communes of a department, whose other people are drawn too."""
    rng = np.random.default_rng(round(1000 * p))
    draws = DRAWS if SLOW else 1000
    mine, others = rng.binomial(SIZE, p, draws), rng.binomial(9 * SIZE, p, draws)
    false = 0
    for start in range(0, draws, 180):  # a year stands for a draw, and a table has 200 of them
        rows = [
            {"code": code, "annee": 1910 + i - start, "demandeurs_abc": n, COUNT: k}
            for i in range(start, min(start + 180, draws))
            for code, k, n in (("59172", mine[i], SIZE), ("59", mine[i] + others[i], 10 * SIZE))
        ]
        tables = {"demandeurs_emploi": pd.DataFrame(rows)}
        found = bcs.judge(bcs.compute(tables, LONG), "59", proof="hasard", tables=tables)
        assert found["note"].str.contains("hors du territoire").all()
        false += (found["verdict"] != "comparable").sum()
    spread = 4 * (0.05 * 0.95 / draws) ** 0.5
    assert 0.05 - max(spread, 0.01) <= false / draws <= 0.05 + max(spread, 0.01)


@pytest.mark.parametrize("p", SHARES if SLOW else [0.1, 0.5])
def test_false_verdicts_of_a_sample(p: float) -> None:
    """A fifth of 3 000 people, drawn without replacement, against the truth."""
    rng = np.random.default_rng(round(1000 * p))
    size, asked = 3000, 600
    share = rng.hypergeometric(round(p * size), size - round(p * size), asked, DRAWS) / asked
    low, high = bcs.wilson(share, np.full(DRAWS, size), fraction=0.2, deff=1.0)
    frame = pd.DataFrame(
        {
            "code": [*(f"t{i}" for i in range(DRAWS)), "ref"],
            "annee": 2021,
            "indicateur": "taux_emploi_15_64",
            "valeur": [*100 * share, 100 * p],
            "borne_inf": [*100 * low, np.nan],
            "borne_sup": [*100 * high, np.nan],
        }
    )
    found = bcs.judge(frame, "ref")
    assert (found["preuve"] == "sondage").all()
    assert 0.04 <= (found["verdict"] != "comparable").mean() <= 0.06


def test_bounds_of_rounding_never_fail() -> None:
    """Whatever the true counts behind multiples of 5, the true difference is within the bounds."""
    rng = np.random.default_rng(5)
    below = rng.integers(60, 600, (2, DRAWS))
    above = rng.binomial(below, 0.3)
    bounds = [
        linear_bounds(
            5 * np.round(np.column_stack([a, b]) / 5),
            np.full((DRAWS, 2), 2.5),
            np.array([1.0, 0.0]),
            np.array([0.0, 1.0]),
        )
        for a, b in zip(above, below, strict=True)
    ]
    shown = [5 * np.round(a / 5) / (5 * np.round(b / 5)) for a, b in zip(above, below, strict=True)]
    true = above[0] / below[0] - above[1] / below[1]
    frame = pd.concat(
        [
            pd.DataFrame(
                {
                    "code": code, "annee": np.arange(DRAWS), "indicateur": LONG,
                    "valeur": 100 * shown[i], "borne_inf": 100 * bounds[i].low,
                    "borne_sup": 100 * bounds[i].high,
                }
            )
            for i, code in enumerate(("a", "ref"))
        ]
    )  # fmt: skip
    found = bcs.judge(frame, "ref")
    assert (found["preuve"] == "arrondi").all()
    assert (found["ecart_inf"] <= 100 * true + 1e-9).all()
    assert (found["ecart_sup"] >= 100 * true - 1e-9).all()
    said = found["verdict"] != "comparable"
    assert (np.sign(found["ecart"][said]) == np.sign(true[said.to_numpy()])).all()
    assert said.sum() > 1000

"""Draw the panel on which other programs and `barometre` are compared.

A seeded generator draws people who do not exist; every value is then rounded to what the CSV
holds, so that the files, not the generator, are the reference. Run from the repository's root::

    python tests/proofs/scripts/draw_panel.py

Files written in ``tests/proofs/data``:

- ``people.csv``, one row per person: neighbourhood of the first wave (a dozen, unequal), wave of
  entry into the action (0 never), arm, arm of the neighbourhood, survey weight, covariates, loss,
  a duration with two competing exits, ties, censoring and delayed entry.
- ``panel.csv``, one row per person and wave, of the lost too: ``seen`` says who answered. Outcome,
  treatment, status and neighbourhood of the wave, which changes for those who move.
- ``indicators.csv`` and ``tree.csv``: places, their indicators (some missing, ties), and an index
  of three levels with weights, directions, a logarithm and goalposts.
- ``p_values.csv``: p-values in two families, with ties and a missing one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).parent.parent / "data"
SIZES = (6, 8, 9, 11, 12, 13, 15, 16, 18, 20, 24, 28)  # people per neighbourhood: 180
WAVES = range(2021, 2027)
STATUSES = ("emploi", "formation", "inactif", "recherche")


def draw_people(rng: np.random.Generator) -> pd.DataFrame:
    zones = np.repeat([f"Z{k:02d}" for k in range(1, 13)], SIZES)
    n = len(zones)
    age = rng.integers(18, 60, n)
    diploma = rng.choice(["aucun", "bac", "cap", "licence"], n, p=[0.3, 0.25, 0.3, 0.15])
    sex = rng.choice(["F", "H"], n, p=[0.55, 0.45])
    pull = 0.02 * (40 - age) + 0.5 * (diploma == "aucun") + rng.logistic(size=n)
    first = np.where(pull > 0, rng.choice([2023, 2024, 2026], n, p=[0.4, 0.35, 0.25]), 0)
    wish = -1.4 + 0.8 * (sex == "H") - 0.02 * (age - 40) - 0.4 * (first > 0)
    lost = (rng.random(n) < 1 / (1 + np.exp(-wish))).astype(int)
    entry = np.where(rng.random(n) < 0.25, rng.integers(1, 5, n), 0)
    duration = entry + 1 + rng.geometric(np.where(first > 0, 0.12, 0.08))
    cause = rng.choice([0, 1, 2], n, p=[0.3, 0.5, 0.2])
    return pd.DataFrame(
        {
            "person": np.arange(1, n + 1),
            "base_zone": zones,
            "first": first,
            "arm": (first > 0).astype(int),
            "zone_arm": np.isin(zones, ["Z02", "Z03", "Z05", "Z08", "Z10", "Z12"]).astype(int),
            "weight": np.round(rng.gamma(6, 0.2, n) + 0.25, 2),
            "age": age,
            "sex": sex,
            "diploma": diploma,
            "base_income": np.round(700 + 8 * age + 150 * (sex == "H") + rng.normal(0, 90, n), 0),
            "lost": lost,
            "entry": entry,
            "duration": np.minimum(duration, 18),
            "cause": np.where(duration > 18, 0, cause),
        }
    )


def draw_panel(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    n, waves = len(people), np.array(WAVES)
    zones = people["base_zone"].unique()
    shock = dict(zip(zones, rng.normal(0, 25, len(zones)), strict=True))
    first = people["first"].to_numpy()
    last = np.where(people["lost"] == 1, rng.integers(2021, 2026, n), 2026)
    gap = np.where(rng.random(n) < 0.1, rng.integers(2022, 2026, n), 0)
    state, zone = rng.integers(0, 4, n), people["base_zone"].to_numpy()
    rows = []
    for wave in waves:
        since = wave - first
        effect = np.where((first > 0) & (since >= 0), 60 + 15 * since, 0)
        trend = (wave - 2021) * (12 + 0.3 * (people["age"] - 40)) + 10 * (wave == 2024)
        noise = rng.normal(0, 40, n) + [(wave - 2023) * shock[z] / 4 for z in people["base_zone"]]
        if wave > waves[0]:
            state = np.where(rng.random(n) < 0.35, rng.integers(0, 4, n), state)
            zone = np.where(rng.random(n) < 0.12, rng.choice([*zones, "ailleurs"], n), zone)
        rows.append(
            pd.DataFrame(
                {
                    "person": people["person"],
                    "wave": wave,
                    "seen": ((wave <= last) & (wave != gap)).astype(int),
                    "income": np.round(people["base_income"] + trend + effect + noise, 1),
                    "treated": ((first > 0) & (since >= 0)).astype(int),
                    "status": np.array(STATUSES)[state],
                    "zone": zone,
                }
            )
        )
    return pd.concat(rows).sort_values(["person", "wave"])


def draw_indicators(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    places = [f"P{k:02d}" for k in range(1, 16)]
    frame = pd.DataFrame(
        {
            "revenu": np.round(np.exp(rng.normal(9.7, 0.2, 15)), 0),
            "pauvrete": np.round(rng.uniform(8, 48, 15), 1),
            "emploi": np.round(rng.uniform(40, 75, 15), 1),
            "chomage": np.round(rng.uniform(5, 30, 15), 0),
            "diplome": np.round(rng.uniform(30, 85, 15), 1),
            "decrochage": np.round(rng.uniform(2, 20, 15), 0),
            "esperance": np.round(rng.normal(80, 2, 15), 1),
        },
        index=pd.Index(places, name="code"),
    )
    for column in ("diplome", "chomage", "esperance"):
        frame.loc[rng.choice(places, 2, replace=False), column] = np.nan
    frame.loc["P15", ["diplome", "decrochage"]] = np.nan  # a node without any component
    leaves = [
        ("revenu", "niveau", 1, 2, "log", 8000, 30000),
        ("pauvrete", "niveau", -1, 1, None, 5, 50),
        ("emploi", "travail", 1, 1, None, 45, 70),
        ("chomage", "travail", -1, 3, None, 5, 30),
        ("diplome", "savoir", 1, 1, None, 20, 90),
        ("decrochage", "savoir", -1, 1, None, 0, 25),
        ("esperance", "indice", 1, 1.5, None, 70, 90),
        ("niveau", "indice", None, 1, None, None, None),
        ("travail", "indice", None, 2, None, None, None),
        ("savoir", "indice", None, 1, None, None, None),
        ("indice", None, None, 1, None, None, None),
    ]
    columns = ["id", "parent", "direction", "weight", "transform", "low", "high"]
    return frame, pd.DataFrame(leaves, columns=columns)


def draw_p_values(rng: np.random.Generator) -> pd.DataFrame:
    p = np.round(np.concatenate([rng.beta(0.4, 4, 9), rng.uniform(0, 1, 7)]), 4)
    p[3], p[12] = p[5], np.nan
    family = ["emploi"] * 9 + ["sante"] * 7
    outcome = [f"o{k}" for k in range(1, 17)]
    return pd.DataFrame({"family": family, "outcome": outcome, "p": p})


def main() -> None:
    rng = np.random.default_rng(20260731)
    people = draw_people(rng)
    people.to_csv(DATA / "people.csv", index=False)
    draw_panel(rng, people).to_csv(DATA / "panel.csv", index=False)
    indicators, tree = draw_indicators(rng)
    indicators.to_csv(DATA / "indicators.csv")
    tree.to_csv(DATA / "tree.csv", index=False)
    draw_p_values(rng).to_csv(DATA / "p_values.csv", index=False)


if __name__ == "__main__":
    main()

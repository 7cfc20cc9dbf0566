"""Unions of communes: each is a stratum; the values are those of `aggregate`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cards.listing import load_cards
from barometre.engine.limits import plan_of
from barometre.engine.results import Results
from barometre.engine.union_limits import union_intervals
from barometre.tables.table_set import Tables

CARDS = list(load_cards().values())
VACANCY, ALONE = "taux_logements_vacants", "part_menages_une_personne"
GAP = "ecart_taux_emploi_femmes_hommes"


def frame(codes: list[str], **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"code": codes, "annee": 2021, **columns})


ZONES = ["59172", "59446", "59002"]
COUNTS = {
    "population": frame(ZONES, population=[20_000, 4_000, 900]),
    "familles": frame(ZONES, menages=[9000, 1800, 400], menages_une_personne=[3600, 500, 90]),
    "logements": frame(ZONES, logements=[9500, 2000, 500], logements_vacants=[900, 150, 60]),
    "demandeurs_emploi": frame(ZONES, demandeurs_abc=[2000, 250, 40]),
}


def union(indicator: str, tables: dict[str, pd.DataFrame] = COUNTS) -> pd.Series[Any]:
    needed = [*load_cards()[indicator].entrees, "population"]  # others only take time
    given = {name: tables[name] for name in dict.fromkeys(needed)}
    results = Results.validate(union_intervals(given, {"CA": ZONES}, indicator))
    assert len(results) == 1
    return results.iloc[0]


def test_a_union_by_hand() -> None:
    """Three communes surveyed at 40, 20 and 20 %; the equivalent size given to statsmodels."""
    row = union(ALONE)
    p, variance = 4190 / 11200, 0.0
    for n, part, f in ((9000, 3600, 0.4), (1800, 500, 0.2), (400, 90, 0.2)):
        q = part / n
        variance += (n / 11200) ** 2 * (1 - f) * q * (1 - q) * 1.5 / (f * n)
    size = p * (1 - p) / variance
    expected = proportion_confint(p * size, size, method="wilson")
    assert row["valeur"] == pytest.approx(100 * p)
    assert [row["borne_inf"], row["borne_sup"]] == pytest.approx([100 * x for x in expected])
    assert row["qualite"] == "A"
    assert pd.isna(row["note"])


def test_a_union_surveyed_whole_and_a_union_of_one() -> None:
    villages = COUNTS | {"population": COUNTS["population"].assign(population=4000)}
    row = union(VACANCY, villages)
    assert row["borne_inf"] == row["valeur"] == row["borne_sup"]
    tables = {name: COUNTS[name] for name in ("population", "familles")}
    one = union_intervals(tables, {"CA": ["59172"]}, ALONE).iloc[0]
    alone = bcs.compute(tables, ALONE, intervals=True).iloc[0]
    columns = ["valeur", "borne_inf", "borne_sup"]
    assert one[columns].tolist() == pytest.approx(alone[columns].tolist(), rel=1e-12)
    assert one["qualite"] == alone["qualite"]


def test_unions_have_the_values_of_aggregate() -> None:
    drawn = bcs.datasets.make_tables(60, seed=5)
    codes = list(drawn.territoires.index)
    groups = {"A": codes[:20], "B": codes[20:45], "C": codes[40:60]}
    tables = Tables({name: drawn[name] for name in ("population", "activite", "allocataires")})
    results = Results.validate(union_intervals(tables, groups))
    expected = bcs.compute(bcs.aggregate(tables, groups))
    same = ["code", "annee", "indicateur", "valeur", "statut", "origine"]
    pd.testing.assert_frame_equal(results[same], expected[same])
    known = results[results["borne_inf"].notna()]
    assert known["valeur"].between(known["borne_inf"], known["borne_sup"]).all()
    census = {card.id for card in CARDS if plan_of(card).method in ("wilson", "newcombe")}
    rows = results[results["indicateur"].isin(census) & (results["statut"] == "ok")]
    assert len(rows) == 2 * 3 * 6  # years, unions, indicators of activity and nationality
    assert rows["borne_inf"].notna().all()


def test_a_union_that_lacks_something() -> None:
    unknown = COUNTS | {"population": COUNTS["population"].iloc[:2]}
    assert (
        union(ALONE, unknown)["note"]
        == "sans intervalle : donner la population municipale (table population)"
    )
    hidden = COUNTS["familles"].assign(menages_une_personne=[3600, 500, np.nan])
    row = union(ALONE, COUNTS | {"familles": hidden})
    assert row["origine"] == "estime"
    assert np.isnan(row["borne_inf"])
    iris = {
        name: table.assign(code=["591720101", "591720102", "QP059050"])
        for name, table in COUNTS.items()
        if name in ("population", "familles")
    }
    mixed = union_intervals(iris, {"CA": ["591720101", "QP059050"]}, ALONE).iloc[0]
    assert "fraction de sondage" in mixed["note"]


def test_what_is_no_membership_or_no_design_is_refused() -> None:
    table: Any = pd.DataFrame({"code": ["59172"], "union": ["CA"]})
    with pytest.raises(BarometreError, match="appartenance refusée"):
        union_intervals(COUNTS, table)
    level: Any = 0.99
    with pytest.raises(BarometreError, match="design refusé"):
        union_intervals(COUNTS, {"CA": ["59172"]}, design=level)


def test_a_sum_of_rounded_counts() -> None:
    row = union("demandeurs_emploi_abc")
    assert row[["borne_inf", "valeur", "borne_sup"]].tolist() == [2282.5, 2290, 2297.5]


def test_a_gap_of_a_union() -> None:
    activite = frame(
        ZONES,
        femmes_15_64_ans=[6000, 1200, 250],
        femmes_actives_occupees_15_64_ans=[3000, 700, 150],
        hommes_15_64_ans=[5000, 1100, 240],
        hommes_actifs_occupes_15_64_ans=[2900, 720, 160],
    )
    row = union(GAP, COUNTS | {"activite": activite})
    limits = []
    for whole, part in (
        ((6000, 1200, 250), (3000, 700, 150)),
        ((5000, 1100, 240), (2900, 720, 160)),
    ):
        n, q = np.array(whole, dtype=float), np.array(part) / np.array(whole)
        p = (n * q).sum() / n.sum()
        f = np.array([0.4, 1, 1])
        variance = ((n / n.sum()) ** 2 * (1 - f) * q * (1 - q) * 2 / (f * n)).sum()
        size = p * (1 - p) / variance
        limits.append((p, *proportion_confint(p * size, size, method="wilson")))
    (p, a, b), (q, c, d) = limits
    expected = [p - q - np.hypot(p - a, d - q), p - q + np.hypot(b - p, q - c)]
    assert [row["borne_inf"], row["borne_sup"]] == pytest.approx([100 * x for x in expected])

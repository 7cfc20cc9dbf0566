"""Empirical Bayes: closed forms, exact enumeration, brute-force integration, limits."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom
from statsmodels.stats.proportion import proportion_confint

import barometre as bcs
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.cards.listing import load_cards
from barometre.engine.results import Results
from barometre.engine.shrinkage import Prior, estimate_prior, shrink, shrink_rates
from barometre.tables.table_set import Tables

WOMEN = "part_femmes_defm"


def seekers(*rows: tuple[Any, ...], year: int = 2021) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["code", "demandeurs_abc", "demandeurs_abc_femmes"])
    return frame.assign(annee=year)


THREE = [("59172", 1000, 500), ("59446", 200, 130), ("59002", 50, 15)]
counts = st.lists(
    st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
    max_size=8,
)


# ---- the law of the rates -----------------------------------------------------------------------


def test_the_prior_by_hand() -> None:
    """p = 0.5, S = 1.8: rho = (1.8 / 0.25 - 1) / (9 x 0.5 x 2) = 31/45, strength = 14/31."""
    prior = estimate_prior([2, 8], [10, 10])
    assert prior.mean == pytest.approx(0.5)
    assert prior.strength == pytest.approx(14 / 31)
    assert [prior.alpha, prior.beta] == pytest.approx([7 / 31, 7 / 31])
    # One person and two, all apart: S = 6/9 over 2/9 is 3, spread 1/3, rho (3 - 1) / (1/3) = 6.
    assert estimate_prior([0, 2], [1, 2]).strength == 0.0


@pytest.mark.parametrize("sizes", [(3, 3), (2, 5), (1, 2, 4)])
def test_the_moment_of_the_notes_holds_exactly(sizes: tuple[int, ...]) -> None:
    """E(S) over every possible outcome of a beta-binomial law, against its formula.

    S is taken around the pooled rate and divided by p (1-p) with the true p: the formula is exact.
    """
    alpha, beta = 1.5, 2.5
    p, rho = alpha / (alpha + beta), 1 / (1 + alpha + beta)
    expected, total = 0.0, sum(sizes)
    for ys in itertools.product(*(range(n + 1) for n in sizes)):
        chance = np.prod([betabinom(n, alpha, beta).pmf(y) for y, n in zip(ys, sizes, strict=True)])
        pooled = sum(ys) / total
        expected += chance * sum(n * (y / n - pooled) ** 2 for y, n in zip(ys, sizes, strict=True))
    spread = sum((n - 1) * (1 - n / total) for n in sizes)
    assert expected == pytest.approx(p * (1 - p) * (len(sizes) - 1 + rho * spread))


def test_the_law_that_drew_the_counts_is_found() -> None:
    rng = np.random.default_rng(0)
    n = rng.integers(20, 400, 20_000)
    y = rng.binomial(n, rng.beta(6, 14, len(n)))
    prior = estimate_prior(y, n)
    # 20 000 rates of standard deviation 0.1: the mean is known to 0.0008, the strength to 1 %;
    # four times that.
    assert prior.mean == pytest.approx(0.3, abs=0.0032)
    assert prior.strength == pytest.approx(20, rel=0.04)


@pytest.mark.parametrize(
    ("y", "n"),
    [
        ([30, 30, 30], [100, 100, 100]),  # alike
        ([48, 52], [100, 100]),  # no more than chance
        ([7], [10]),  # alone
        ([0, 0], [10, 20]),  # all 0
        ([10, 20], [10, 20]),  # all 1
        ([0, 1, 1], [1, 1, 1]),  # nothing inside a territory
    ],
)
def test_rates_that_chance_explains_are_all_the_mean(y: list[int], n: list[int]) -> None:
    assert estimate_prior(y, n).strength == np.inf
    drawn = shrink_rates(y, n)
    pooled = proportion_confint(sum(y), sum(n), method="wilson")
    assert drawn["valeur"].tolist() == pytest.approx([sum(y) / sum(n)] * len(y))
    assert drawn["poids"].tolist() == [0] * len(y)
    for row in drawn[["borne_inf", "borne_sup"]].to_numpy():
        assert row == pytest.approx(pooled, abs=1e-12)


def test_rates_that_chance_does_not_explain_are_kept() -> None:
    drawn = shrink_rates([0, 100], [100, 100])
    assert estimate_prior([0, 100], [100, 100]).strength == 0
    assert drawn["valeur"].tolist() == [0, 1]
    assert drawn["poids"].tolist() == [1, 1]
    own = [proportion_confint(y, 100, method="wilson") for y in (0, 100)]
    assert drawn[["borne_inf", "borne_sup"]].to_numpy() == pytest.approx(np.array(own), abs=1e-12)


# ---- rates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("y", "n"), [(2, 10), (0, 30), (50, 50), (130, 200)])
def test_the_posterior_law_by_brute_force(y: int, n: int) -> None:
    """Prior times likelihood on a fine grid, by their definitions."""
    alpha, beta = 6.0, 14.0
    grid = (np.arange(2_000_000) + 0.5) / 2_000_000
    log = (alpha - 1 + y) * np.log(grid) + (beta - 1 + n - y) * np.log1p(-grid)
    weight = np.exp(log - log.max())
    cumulated = np.cumsum(weight) / weight.sum()
    drawn = shrink_rates([y], [n], prior=(alpha, beta)).iloc[0]
    # the step of the grid is 5e-7
    assert drawn["valeur"] == pytest.approx((grid * weight).sum() / weight.sum(), abs=1e-6)
    for limit, level in (("borne_inf", 0.025), ("borne_sup", 0.975)):
        assert drawn[limit] == pytest.approx(grid[np.searchsorted(cumulated, level)], abs=1e-6)


def test_weights_of_a_given_prior() -> None:
    drawn = shrink_rates([2, 8, 80], [10, 10, 90], prior=Prior(mean=0.5, strength=10))
    assert drawn["poids"].tolist() == pytest.approx([0.5, 0.5, 0.9])
    assert drawn["valeur"].tolist() == pytest.approx([0.35, 0.65, 0.85])
    assert drawn["valeur"].tolist() == pytest.approx(
        (drawn["poids"] * [0.2, 0.8, 8 / 9] + (1 - drawn["poids"]) * 0.5).tolist()
    )
    wide, narrow = (shrink_rates([2], [10], prior=(5, 5), level=level) for level in (0.99, 0.8))
    assert wide["borne_inf"].tolist() < narrow["borne_inf"].tolist()


@settings(max_examples=50)
@given(counts, st.integers(2, 50))
def test_a_rate_moves_towards_the_mean_and_never_past_it(
    drawn: list[tuple[int, int]], factor: int
) -> None:
    y, n = (np.array(column, dtype=float) for column in zip(*drawn, strict=True))
    mean, rates = y.sum() / n.sum(), shrink_rates(y, n)
    low, high = np.minimum(y / n, mean), np.maximum(y / n, mean)
    assert rates["valeur"].between(low - 1e-12, high + 1e-12).all()
    assert rates["poids"].between(0, 1).all()
    assert (rates["borne_inf"] <= rates["valeur"]).all()
    assert (rates["valeur"] <= rates["borne_sup"]).all()
    assert rates["borne_inf"].between(0, 1).all()
    assert rates["borne_sup"].between(0, 1).all()
    order = np.argsort(-n)
    pd.testing.assert_frame_equal(
        shrink_rates(y[order], n[order]), rates.iloc[order].reset_index(drop=True)
    )
    mirrored = shrink_rates(n - y, n)
    assert (1 - mirrored["valeur"]).tolist() == pytest.approx(rates["valeur"].tolist(), abs=1e-9)
    larger = shrink_rates(factor * y, factor * n)
    assert (larger["poids"] >= rates["poids"] - 1e-9).all()


def test_a_large_territory_keeps_its_rate() -> None:
    drawn = shrink_rates([200_000_000, 1, 3], [1_000_000_000, 10, 10], prior=(3, 3))
    assert drawn.loc[0, "valeur"] == pytest.approx(0.2, abs=1e-8)
    assert drawn.loc[0, "poids"] == pytest.approx(1, abs=1e-8)


def test_missing_counts_and_zero_denominators() -> None:
    y, n = [2, np.nan, 8, 0, 5], [10, 10, np.nan, 0, 10]
    drawn = shrink_rates(y, n)
    assert drawn.isna().all(axis=1).tolist() == [False, True, True, True, False]
    alone = shrink_rates([2, 5], [10, 10])
    assert drawn["valeur"].dropna().tolist() == alone["valeur"].tolist()
    assert shrink_rates([], []).shape == (0, 4)
    assert shrink_rates([0.0], [0.0]).isna().all(axis=None)
    assert shrink_rates([np.nan], [5], prior=(1, 1)).isna().all(axis=None)
    with pytest.raises(BarometreError, match="aucun territoire"):
        estimate_prior([np.nan], [5])


def test_what_people_pass() -> None:
    index = pd.Index(["59172", "59446"], name="code")
    y, n = pd.Series([2, 8], index=index, dtype="Int64"), pd.Series([10, 10], index=index)
    drawn = shrink_rates(y, n)
    assert drawn.index.equals(index)
    assert list(drawn.columns) == ["valeur", "poids", "borne_inf", "borne_sup"]
    assert drawn["valeur"].tolist() == shrink_rates((2, 8), np.array([10, 10]))["valeur"].tolist()
    assert y.tolist() == [2, 8]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"numerator": [11]}, "plus grand que son dénominateur"),
        ({"numerator": [-1]}, "numerator refusé : −1"),
        ({"numerator": ["a"]}, "numerator refusé : des nombres"),
        ({"numerator": [1, 2]}, "longueurs"),
        ({"numerator": [[1]], "denominator": [[2]]}, "une colonne par compte"),
        ({"prior": (0, 1)}, "alpha refusé : 0"),
        ({"prior": (1, np.nan)}, "prior refusé"),
        ({"prior": (1, 2, 3)}, "deux paramètres"),
        ({"level": 1.0}, "level refusé"),
    ],
)
def test_impossible_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {"numerator": [2], "denominator": [10]}
    with pytest.raises(BarometreError, match=message):
        shrink_rates(**(usual | arguments))


@pytest.mark.parametrize(("mean", "strength"), [(1.2, 5), (-0.1, 5), (0.5, -1), (np.nan, 5)])
def test_a_prior_that_is_none(mean: float, strength: float) -> None:
    with pytest.raises(BarometreError, match="prior refusé"):
        Prior(mean, strength)


# ---- indicators ---------------------------------------------------------------------------------


def test_an_indicator_of_a_register() -> None:
    """The three communes worked by hand: p = 0.516, rho = 0.05494, strength 17.2016."""
    results = Results.validate(shrink({"demandeurs_emploi": seekers(*THREE)}, WOMEN))
    assert results["valeur"].round(2).tolist() == [50.03, 63.94, 35.53]
    assert set(results["origine"]) == {"estime"}
    assert results["qualite"].isna().all()
    assert results.loc[2, "note"] == "lissé : taux brut 30,0, poids 0,74, moyenne 51,6"
    by_hand = shrink_rates([500, 130, 15], [1000, 200, 50])
    for name in ("valeur", "borne_inf", "borne_sup"):
        assert results[name].tolist() == pytest.approx((100 * by_hand[name]).tolist())


def test_levels_and_years_are_apart() -> None:
    tables = pd.concat([
        seekers(*THREE), seekers(("200042190", 9000, 4000), ("200042191", 800, 300)), seekers(("59172", 900, 400), ("59446", 300, 200), year=2016),
    ])  # fmt: skip
    together = shrink({"demandeurs_emploi": tables}, WOMEN).set_index(["annee", "code"])["valeur"]
    alone = shrink({"demandeurs_emploi": seekers(*THREE)}, WOMEN).set_index("code")["valeur"]
    assert together[2021][["59172", "59446", "59002"]].tolist() == alone.tolist()
    labels = pd.DataFrame(
        {"libelle": "x", "niveau": ["epci", "commune", ""]},
        index=pd.Index(["59446", "59172", "59002"], name="code"),
    )
    told = shrink(Tables({"demandeurs_emploi": seekers(*THREE)}, territoires=labels), WOMEN)
    assert told.loc[told["code"] == "59446", "valeur"].tolist() == pytest.approx([65.0])


def test_the_census_counts_by_its_effective_size() -> None:
    codes = ["59172", "59446", "59002"]
    tables = {
        "population": pd.DataFrame(
            {"code": codes, "annee": 2021, "population": [20_000, 4000, 900]}
        ),
        "familles": pd.DataFrame(
            {
                "code": codes,
                "annee": 2021,
                "menages": [9000, 1800, 400],
                "menages_une_personne": [3600, 500, 90],
            }
        ),
    }
    results = shrink(tables, "part_menages_une_personne")
    n = np.array([0.4 * 9000, 0.2 * 1800, 0.2 * 400]) / 1.5
    expected = shrink_rates(n * [3600 / 9000, 500 / 1800, 90 / 400], n)
    assert results["valeur"].tolist() == pytest.approx((100 * expected["valeur"]).tolist())
    del tables["population"]
    lost = Results.validate(shrink(tables, "part_menages_une_personne"))
    assert set(lost["statut"]) == {"non_disponible"}
    assert set(lost["note"]) == {"lissage impossible : fraction de sondage inconnue"}


def test_what_has_no_counts_is_left_as_it_is() -> None:
    published = pd.DataFrame({"code": ["QP059050"], "annee": [2021], WOMEN: [47.0]})
    results = Results.validate(
        shrink(
            {"demandeurs_emploi": seekers(*THREE, ("59100", np.nan, np.nan)), "publies": published}
        )
    )
    rows = results[results["indicateur"] == WOMEN].set_index("code")
    assert rows[["valeur", "origine", "note"]].to_numpy()[-1].tolist() == [
        47.0,
        "publie",
        "valeur sans effectifs, non lissée",
    ]
    assert rows.index[-1] == "QP059050"
    assert rows.loc["59100", "statut"] == "non_disponible"
    assert rows["borne_inf"].isna()[["59100", "QP059050"]].all()


def test_a_doubtful_value_stays_doubtful() -> None:
    statuts = pd.DataFrame(
        [
            (
                "59172",
                2021,
                "demandeurs_emploi",
                "demandeurs_abc",
                "ok",
                "douteux",
                "faute de frappe",
            )
        ],
        columns=["code", "annee", "table", "colonne", "statut", "qualite", "motif"],
    )
    results = shrink(Tables({"demandeurs_emploi": seekers(*THREE)}, statuts=statuts), WOMEN)
    assert results.loc[0, "qualite"] == "douteux"
    assert results["note"].str.startswith("faute de frappe ; lissé : taux brut 50,0").tolist()[0]


def test_only_shares_are_shrunk() -> None:
    tables = {"demandeurs_emploi": seekers(*THREE)}
    with pytest.raises(
        BarometreError,
        match="2 indicateurs sans lissage : demandeurs_emploi_abc, taux_couverture_rsa",
    ):
        shrink(tables, ["demandeurs_emploi_abc", WOMEN, "taux_couverture_rsa"])
    with pytest.raises(UnknownNameError):
        shrink(tables, "part_femme_defm")
    results = shrink(tables)
    assert set(results["indicateur"]) == {WOMEN}
    drawn = bcs.datasets.make_tables(40, 2021, seed=2)
    everything = Results.validate(shrink(drawn))
    assert {load_cards()[name].nature for name in everything["indicateur"]} == {"part"}
    raw = bcs.compute(drawn).merge(
        everything, on=["code", "annee", "indicateur"], suffixes=("_brut", "")
    )
    assert len(raw) == len(everything)
    bounded = everything[everything["origine"] == "estime"]
    assert bounded["valeur"].between(bounded["borne_inf"], bounded["borne_sup"]).all()
    spread = raw.groupby("indicateur")[["valeur", "valeur_brut"]].std().dropna()
    assert len(spread) > 25
    assert (spread["valeur"] <= spread["valeur_brut"] + 1e-9).all()

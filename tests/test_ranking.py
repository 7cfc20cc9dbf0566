"""Ranks and rank intervals: brute force on small tables, closed forms, properties."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError, UnknownNameError
from barometre.cards.listing import load_cards
from barometre.compare.ranks import rank
from barometre.tables.table_set import Tables

POVERTY, WORK, CLOSE, ZERO, NEUTRAL = (
    "taux_de_pauvrete", "taux_emploi_15_64", "part_femmes_licences",
    "ecart_taux_emploi_femmes_hommes", "part_menages_sans_voiture",
)  # fmt: skip
ADDED = ["rang", "rang_min", "rang_max", "effectif_classe"]
NAN = math.nan


def tidy(values: list[float], indicator: str = WORK, **columns: Any) -> pd.DataFrame:
    """Results of one indicator and year: a, b, c..."""
    codes = [chr(ord("a") + i) for i in range(len(values))]
    frame = pd.DataFrame({"code": codes, "annee": 2019, "indicateur": indicator, "valeur": values})
    return frame.assign(**columns)


def ranks(values: list[float], indicator: str = WORK, **options: Any) -> list[float]:
    found: list[float] = rank(tidy(values, indicator), **options)["rang"].tolist()
    return found


# ---- ranks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        (WORK, [3, 1, 2]),
        (POVERTY, [1, 3, 2]),
        (CLOSE, [3, 2, 1]),  # 30, 66 and 48 around 50
        (NEUTRAL, [3, 1, 2]),
    ],
)
def test_the_first_is_the_most_favourable(indicator: str, expected: list[float]) -> None:
    assert ranks([30, 66, 48], indicator) == expected


def test_the_nearest_to_zero_is_first_from_either_side() -> None:
    assert ranks([-3, 2, -10, 3], ZERO) == [2, 1, 4, 2]


def test_a_commune_is_not_ranked_with_its_department() -> None:
    codes = ["59172", "59", "59446", "QP059050", "METRO", "200042190"]
    frame = tidy([30, 66, 48, 50, 52, 51]).assign(code=codes)
    found = rank(frame).set_index("code")
    assert found.loc[["59172", "59446"], "rang"].tolist() == [2, 1]
    assert found.loc[["59172", "59446"], "effectif_classe"].tolist() == [2, 2]
    assert found.loc[["59", "QP059050", "METRO", "200042190"], "effectif_classe"].eq(1).all()
    assert found.loc["59172", "note"] == "rang au sein du niveau commune"
    alone = rank(frame[frame["code"].isin(["59172", "59446"])])
    assert alone["note"].isna().all()  # one level: nothing to say
    # A column « niveau » wins over the form of the codes.
    told = rank(frame.assign(niveau="zone"))
    assert told["effectif_classe"].eq(6).all()
    spread = rank(frame.assign(borne_inf=frame["valeur"] - 1, borne_sup=frame["valeur"] + 1))
    assert spread.set_index("code")[["rang_min", "rang_max"]].loc[
        ["59172"]
    ].to_numpy().tolist() == [[2, 2]]


def test_ranks_of_the_printed_rates(contract: Tables) -> None:
    """Employment rates of 2019: Elnon 48.7 %, the first of the 13 quarters of the contract."""
    results = bcs.compute(contract, WORK)
    quarters = results[results["code"].str.startswith("QP0")]
    found = rank(quarters).set_index("code")
    printed = bcs.datasets.load("emploi_15_64_2019").frame.set_index("code")
    order = printed.filter(like="QP0", axis=0)["taux_emploi_15_64_ans_2019_pct"]
    assert found["effectif_classe"].tolist() == [13] * 13
    for code, value in order.items():
        assert found.loc[str(code), "rang"] == 1 + (order > value).sum()
    assert found.loc["QP059058", "rang"] == 1
    assert found[["rang_min", "rang_max"]].isna().all(axis=None)  # published: no interval


TIES = {
    "min": [1, 4, 2, 2],
    "max": [1, 4, 3, 3],
    "average": [1, 4, 2.5, 2.5],
    "dense": [1, 3, 2, 2],
}


@pytest.mark.parametrize(("ties", "expected"), TIES.items())
def test_ties(ties: Any, expected: list[float]) -> None:
    assert ranks([9.0, 1.0, 5.1, 5.1000000000000005], ties=ties) == expected
    assert ranks([9.0, 1.0, 5.1000000000000005, 5.1], ties=ties) == expected


def test_differences_of_binary_rounding_are_ties_also_around_a_target() -> None:
    assert ranks([49.9, 50.1, 49.9 + 1e-12], CLOSE) == [1, 1, 1]
    assert ranks([0.1 + 0.2, 0.3, 0.30001]) == [2, 2, 1]


def brute(values: Sequence[float], ties: str) -> list[float]:
    """Ranks by counting, downwards."""
    found = []
    for value in values:
        above = sum(other > value for other in values)
        equal = sum(other == value for other in values)
        dense = 1 + len({other for other in values if other > value})
        places = {"min": above + 1, "max": above + equal, "average": above + (equal + 1) / 2}
        found.append(float({**places, "dense": dense}[ties]))
    return found


@settings(max_examples=40)
@given(
    st.lists(st.integers(-4, 4), max_size=9),
    st.sampled_from(list(TIES)),
    st.sampled_from([WORK, POVERTY, CLOSE, ZERO, NEUTRAL]),
)
def test_ranks_are_those_of_counting(values: list[int], ties: Any, indicator: str) -> None:
    scores = {
        WORK: values,
        NEUTRAL: values,
        POVERTY: [-v for v in values],
        ZERO: [-abs(v) for v in values],
        CLOSE: [-abs(v - 50) for v in values],
    }[indicator]
    assert ranks([float(v) for v in values], indicator, ties=ties) == brute(scores, ties)


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_rank_does_not_depend_on_the_order_nor_on_the_scale(
    values: list[float], random: Any
) -> None:
    results = tidy(values).assign(borne_inf=lambda f: f["valeur"] * 0.9, borne_sup=1.2e6)
    found = rank(results, draws=50).set_index("code")
    shuffled = random.sample(range(len(values)), len(values))
    again = rank(results.iloc[shuffled], draws=50).set_index("code").reindex(found.index)
    pd.testing.assert_frame_equal(found, again)
    doubled = results.assign(**{c: 2 * results[c] for c in ("valeur", "borne_inf", "borne_sup")})
    pd.testing.assert_frame_equal(rank(doubled, draws=50).set_index("code")[ADDED], found[ADDED])


# ---- what is not ranked --------------------------------------------------------------------------


def test_absent_values_and_poor_grades_are_left_unranked() -> None:
    results = tidy(
        [50.0, NAN, 40.0, 60.0, 70.0],
        statut=["ok", "secret", "ok", "ok", "ok"],
        qualite=["A", None, "C", "D", "douteux"],
        note=["vu", None, None, "petit", None],
    )
    found = rank(results)
    assert found["rang"].tolist() == pytest.approx([2, NAN, NAN, NAN, 1], nan_ok=True)
    assert found["effectif_classe"].tolist() == pytest.approx([2, NAN, NAN, NAN, 2], nan_ok=True)
    assert found["note"].fillna("").tolist() == [
        "vu", "", "non classé : qualité C", "petit ; non classé : qualité D", "",
    ]  # fmt: skip
    assert rank(results, unranked=())["rang"].tolist() == pytest.approx(
        [3, NAN, 4, 2, 1], nan_ok=True
    )
    assert rank(results, unranked="douteux")["rang"].tolist() == pytest.approx(
        [2, NAN, 3, 1, NAN], nan_ok=True
    )


def test_an_indicator_without_direction_says_so() -> None:
    assert rank(tidy([1.0, 2.0], NEUTRAL))["note"].tolist() == [
        "sens neutre : rang par valeur décroissante"
    ] * 2  # fmt: skip
    assert rank(tidy([1.0, 2.0], WORK))["note"].isna().all()


def test_empty_and_single() -> None:
    empty = rank(tidy([1.0]).iloc[:0])
    assert list(empty)[-4:] == ADDED
    assert empty.empty
    alone = rank(tidy([1.0], borne_inf=0.5, borne_sup=2.0))
    assert alone[ADDED].to_numpy().tolist() == [[1, 1, 1, 1]]
    assert rank(tidy([NAN, NAN]))[ADDED].isna().all(axis=None)


def test_the_results_keep_their_order_and_columns() -> None:
    results = tidy([3.0, 1.0, 2.0], autre="x")
    before = results.copy(deep=True)
    found = rank(results)
    pd.testing.assert_frame_equal(results, before)
    assert found["code"].tolist() == ["a", "b", "c"]
    assert found["autre"].tolist() == ["x"] * 3


# ---- rankings ------------------------------------------------------------------------------------


def test_each_year_and_indicator_has_its_ranking() -> None:
    parts = [
        tidy([1.0, 2.0, 3.0], i).assign(annee=y) for i in (WORK, POVERTY) for y in (2014, 2019)
    ]
    found = rank(pd.concat(parts))
    assert found["rang"].tolist() == [3, 2, 1] * 2 + [1, 2, 3] * 2


def test_levels_are_told_from_the_codes_when_asked_for() -> None:
    results = tidy([5.0, 4.0, 3.0, 2.0]).assign(code=["59", "59172", "59484", "200042190"])
    found = rank(results, by=("annee", "indicateur", "niveau"))
    assert found["rang"].tolist() == [1, 1, 2, 1]
    assert found["niveau"].tolist() == ["departement", "commune", "commune", "epci"]
    levels: Any = ["x", "x", "x", None]
    own = results.assign(niveau=levels)
    found = rank(own, by=["annee", "indicateur", "niveau"])
    assert found["rang"].tolist() == pytest.approx([1, 2, 3, NAN], nan_ok=True)


def test_rankings_that_mean_nothing_are_refused() -> None:
    two_years = pd.concat([tidy([1.0, 2.0]), tidy([1.0, 2.0]).assign(annee=2014)])
    with pytest.raises(BarometreError, match=r"« a » figure plusieurs fois.*« annee »"):
        rank(two_years, by="indicateur")
    two_indicators = pd.concat([tidy([1.0, 2.0]), tidy([1.0, 2.0], POVERTY)])
    with pytest.raises(BarometreError, match=r"plusieurs indicateurs \(dont taux_"):
        rank(two_indicators, by="annee")
    assert rank(tidy([1.0, 2.0]), by="annee")["rang"].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": ()}, "by est vide"),
        ({"by": None}, "by=None refusé"),
        ({"unranked": None}, "unranked=None refusé"),
        ({"by": "anee"}, "anee : colonne absente ; vouliez-vous dire « annee »"),
        ({"ties": "first"}, "« first » inconnu"),
        ({"method": "bootstrap"}, "« bootstrap » inconnu"),
        ({"unranked": "E"}, "« E » inconnu"),
        ({"level": 95}, "level"),
        ({"level": 1.0}, "level"),
        ({"level": "95 %"}, "level"),
        ({"draws": 0}, "draws=0"),
        ({"draws": 10.5}, "draws=10.5"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        rank(tidy([1.0, 2.0]), **options)


def test_results_are_checked() -> None:
    with pytest.raises(FaultsError, match="clés en double"):
        rank(pd.concat([tidy([1.0]), tidy([1.0])]))
    with pytest.raises(UnknownNameError, match="indicateur"):
        rank(tidy([1.0], "taux_inconnu"))


def test_every_card_can_be_ranked() -> None:
    results = pd.concat([tidy([20.0, 30.0, 10.0], name) for name in load_cards()])
    found = rank(results)
    assert found["rang"].between(1, 3).all()
    assert found["effectif_classe"].eq(3).all()

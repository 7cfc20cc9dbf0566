"""Verdicts: figures of the contract, what each proof says, what is never judged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.compare.proof.counts import counts_behind
from barometre.compare.proof.differences import binomial, poisson
from barometre.compare.rows import checked_rows
from barometre.datasets.places.containment import inside
from barometre.datasets.places.members import members

CA, NORD = "200042190", "59"
LONG, WOMEN = "part_plus_2_ans_defm", "part_femmes_defm"
MINIMA = "taux_couverture_minima_sociaux"


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return bcs.compute(bcs.datasets.tables())


def tidy(rows: list[dict[str, Any]], **common: Any) -> pd.DataFrame:
    base = {"annee": 2019, "indicateur": "taux_emploi_15_64", "origine": "calcule"}
    return pd.DataFrame([base | common | row for row in rows])


def pair(value: tuple[float, ...], other: tuple[float, ...], **options: Any) -> Any:
    """Judge one value (with its bounds) against a reference (with its bounds)."""
    common = options.pop("common", {})
    names = ("valeur", "borne_inf", "borne_sup")
    rows = [
        {"code": "a"} | dict(zip(names, value, strict=False)),
        {"code": "ref"} | dict(zip(names, other, strict=False)),
    ]
    return next(bcs.judge(tidy(rows, **common), "ref", **options).itertuples())


def quarters(found: pd.DataFrame, indicator: str) -> pd.DataFrame:
    mine = found["code"].str.startswith("QP0") & (found["indicateur"] == indicator)
    return found[mine & (found["annee"] == 2021)].set_index("code")


# ---- the figures of the contract -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        (LONG, {"comparable": 10, "favorable": 2, "defavorable": 1}),
        (WOMEN, {"comparable": 8, "plus_bas": 3, "plus_eleve": 1, "non_juge": 1}),
    ],
)
def test_the_13_neighbourhoods_against_the_agglomeration(
    results: pd.DataFrame, indicator: str, expected: dict[str, int]
) -> None:
    """Wilson 95 % of numerators rebuilt from printed shares: three of 13 can be told apart."""
    found = quarters(bcs.judge(results, CA, proof="hasard"), indicator)
    assert found["verdict"].value_counts().to_dict() == expected
    judged = found[found["verdict"] != "non_juge"]
    assert set(judged["preuve"]) == {"hasard"}
    assert judged["note"].str.contains("effectif reconstitué").all()
    assert judged["note"].str.contains("sans erreur de sondage").all()
    if indicator == WOMEN:
        assert "valeur secret" in str(found.loc["QP059058", "note"])


def test_a_printed_share_and_its_count_give_the_denominator(results: pd.DataFrame) -> None:
    """2 117 recipients, 40,1 % of households: 5 279 of them; 13,5 % of the same have the AAH."""
    frame = results[(results["code"] == "QP059050") & (results["annee"] == 2021)]
    counts = counts_behind(checked_rows(frame.reset_index(drop=True)), None)
    known = pd.DataFrame({"above": counts.above, "below": counts.below}, frame["indicateur"])
    assert tuple(known.loc["taux_couverture_minima_sociaux"]) == (2117, round(2117 / 0.401))
    assert tuple(known.loc["taux_couverture_aah"]) == (round(0.135 * 5279), 5279)
    assert tuple(known.loc["part_plus_2_ans_defm"]) == (round(0.326 * 2374), 2374)
    # A share printed 2,2 may be 2,15 or 2,25: too far apart to make a denominator of.
    for small in (2.2, 0.0):
        few = frame.assign(valeur=frame["valeur"].where(frame["indicateur"] != MINIMA, small))
        below = counts_behind(checked_rows(few.reset_index(drop=True)), None).below
        assert np.isnan(below[(few["indicateur"] == MINIMA).to_numpy()]).all()


def test_the_class_of_5_percent_calls_nine_of_them_different(results: pd.DataFrame) -> None:
    found = quarters(bcs.judge(results, CA), LONG)
    assert (found["verdict"] != "comparable").sum() == 9
    assert set(found["preuve"]) == {"aucune"}
    assert found["note"].str.contains("sans preuve").all()
    assert found["p"].isna().all()


def test_the_bounds_are_wilsons_against_the_fixed_reference(results: pd.DataFrame) -> None:
    """A neighbourhood of two agglomerations is in none: the reference is a fixed number."""
    row = quarters(bcs.judge(results, CA, proof="hasard"), LONG).loc["QP059030"]
    k, n, z = bcs.round_half_up(0.312 * 632), 632, 1.959964
    p = k / n
    middle = (p + z**2 / 2 / n) / (1 + z**2 / n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / 4 / n**2) / (1 + z**2 / n)
    assert row["ecart_inf"] == pytest.approx(100 * (middle - half) - 33.5, abs=1e-6)
    assert row["ecart_sup"] == pytest.approx(100 * (middle + half) - 33.5, abs=1e-6)
    assert row["valeur_comparee"] == 33.5
    assert "partie du territoire" in row["note"]


def test_the_reference_less_the_territory_where_it_contains_it(results: pd.DataFrame) -> None:
    row = quarters(bcs.judge(results, CA, proof="hasard"), LONG).loc["QP059050"]
    k, whole = bcs.round_half_up(0.326 * 2374), bcs.round_half_up(0.335 * 10050)
    assert row["valeur_comparee"] == pytest.approx(100 * (whole - k) / (10050 - 2374))
    assert "hors du territoire" in row["note"]


# ---- each proof ----------------------------------------------------------------------------------


def test_a_sampled_value_is_judged_by_its_interval() -> None:
    """Better is higher: an interval above the reference is favourable."""
    above, within = pair((60.0, 57.0, 63.0), (55.0,)), pair((60.0, 54.0, 66.0), (55.0,))
    assert (above.verdict, above.preuve) == ("favorable", "sondage")
    assert within.verdict == "comparable"
    assert (above.ecart_inf, above.ecart_sup) == (2, 8)
    assert "référence tenue pour exacte" in above.note
    assert above.p < 0.05 < within.p


def test_two_samples_square_and_add() -> None:
    """Half-widths 3 and 4 make 5: a gap of 4.9 is not established, one of 5.1 is."""
    close = pair((60.0, 57.0, 63.0), (55.1, 51.1, 59.1))
    far = pair((60.0, 57.0, 63.0), (54.9, 50.9, 58.9))
    assert (close.verdict, far.verdict) == ("comparable", "favorable")
    assert far.ecart_inf == pytest.approx(0.1)
    assert far.p == pytest.approx(2 * (1 - 0.977164), abs=2e-3)  # z = 1.96 * 5.1 / 5


def test_bounds_of_rounding_are_certain() -> None:
    common = {"indicateur": LONG}
    apart = pair((40.0, 39.0, 41.0), (37.0, 36.0, 38.0), common=common)
    touching = pair((40.0, 38.0, 42.0), (37.0, 36.0, 38.0), common=common)
    assert (apart.verdict, apart.preuve, math.isnan(apart.p)) == ("defavorable", "arrondi", True)
    assert touching.verdict == "comparable"


def test_a_rate_of_a_register_is_seen_as_poisson() -> None:
    """Score bounds of 30 cases for 20 expected: z = 10 / sqrt(20) = 2.24."""
    rows = [
        {"code": "59172", "indicateur": "taux_couverture_rsa", "valeur": 30.0},
        {"code": "59", "indicateur": "taux_couverture_rsa", "valeur": 20.0},
    ]
    tables = {
        "allocataires": pd.DataFrame(
            {"code": ["59172"], "annee": 2019, "allocataires_rsa_socle": [30.0]}
        ),
        "population": pd.DataFrame({"code": ["59172"], "annee": 2019, "menages": [100.0]}),
    }
    row = next(bcs.judge(tidy(rows), "59", proof="hasard", tables=tables).itertuples())
    assert row.verdict == "defavorable"
    assert row.p == pytest.approx(0.025347, abs=1e-5)
    z = 1.959964
    assert row.ecart_inf == pytest.approx(
        30 + z**2 / 2 - z * math.sqrt(30 + z**2 / 4) - 20, abs=1e-4
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [((47.0, 46.0, 48.5), "defavorable"), ((51.0, 49.2, 52.8), "comparable"),
     ((51.0, 50.5, 51.5), "comparable"), ((50.0, 49.8, 50.2), "favorable")],
)  # fmt: skip
def test_a_target_of_50_counts_the_distance(value: tuple[float, ...], said: str) -> None:
    """The reference is at 1 below 50: 1 above is as near, whichever way it differs."""
    register = {"indicateur": "part_femmes_licences"}
    assert pair(value, (49.0,), common=register).verdict == said


def test_only_what_is_admitted_is_used_in_the_order_given() -> None:
    value, other = (60.0, 57.0, 63.0), (59.0,)
    assert pair(value, other).preuve == "sondage"
    refused = pair((60.0,), other, common={"indicateur": "taux_de_pauvrete"}, proof="sondage")
    assert (refused.verdict, refused.preuve) == ("non_juge", None) or pd.isna(refused.preuve)
    assert "aucune preuve demandée n'existe (sondage)" in refused.note


# ---- what is never judged ------------------------------------------------------------------------


def test_census_shares_of_neighbourhoods_have_no_proof(results: pd.DataFrame) -> None:
    census = results[results["indicateur"] == "taux_emploi_15_64"]
    for proof in (("sondage", "arrondi", "aucune"), "hasard", "aucune"):
        found = bcs.judge(census, CA, proof=proof)
        assert set(found["verdict"]) == {"non_juge"}
        assert found["preuve"].isna().all()
        assert found["note"].str.contains("part d'un sondage sans intervalle").all()
    assert set(bcs.gap(census, CA)["verdict"]) == {"non_juge"}


def test_absent_doubtful_and_counted_values_are_not_judged(results: pd.DataFrame) -> None:
    found = bcs.judge(results, CA, proof="hasard").set_index(["code", "indicateur", "annee"])
    young = found.xs(("QP059050", "part_moins_26_ans_defm", 2021))
    assert (young["verdict"], "référence douteuse" in young["note"]) == ("non_juge", True)
    count = found.xs(("QP059050", "demandeurs_emploi_abc", 2021))
    assert "un effectif suit la taille" in count["note"]
    small = pair((60.0, 40.0, 80.0), (30.0,), common={"qualite": "D"})
    assert (small.verdict, "classe D" in small.note) == ("non_juge", True)


def test_a_share_never_passes_100_percent() -> None:
    """A rounded count may pass its rounded total; a rate of events may, of itself."""
    above, below = np.array([12.0, 10.0, 9.0]), np.full(3, 10.0)
    share, rate = (count(above, below, 0.95) for count in (binomial, poisson))
    assert share.value.tolist() == [1.0, 1.0, 0.9]
    assert (share.high <= 1).all()
    assert share.low[0] == share.low[1]
    assert rate.value.tolist() == [1.2, 1.0, 0.9]


def test_one_bound_alone_proves_nothing() -> None:
    for bounds in ((57.0, np.nan), (np.nan, 63.0)):
        found = pair((60.0, *bounds), (50.0, 49.0, 51.0))
        assert found.verdict == "non_juge"
        assert pd.isna(found.preuve)


def test_gap_gains_the_verdict() -> None:
    rows = [
        {"code": "a", "valeur": 60.0, "borne_inf": 57.0, "borne_sup": 63.0},
        {"code": "b", "valeur": 50.0, "borne_inf": 44.0, "borne_sup": 57.0},
        {"code": "ref", "valeur": 55.0, "borne_inf": 54.0, "borne_sup": 56.0},
    ]
    found = bcs.gap(tidy(rows), "ref").set_index("code")
    assert found["verdict"].to_dict() == {"a": "favorable", "b": "comparable"}
    assert found["classe"].to_dict() == {"a": "supérieur", "b": "inférieur"}


# ---- many territories ----------------------------------------------------------------------------


def test_no_correction_is_made_unless_asked_and_it_is_said(results: pd.DataFrame) -> None:
    plain = bcs.judge(results, CA, proof="hasard")
    holm = bcs.judge(results, CA, proof="hasard", adjust="holm")
    bh = bcs.judge(results, CA, proof="hasard", adjust="bh")
    assert set(plain["correction"]) == {"aucune"}
    assert plain["p_corrige"].isna().all()
    counts = [(quarters(f, LONG)["verdict"] != "comparable").sum() for f in (plain, bh, holm)]
    assert counts[0] >= counts[1] >= counts[2]
    for corrected in (bh, holm):
        lost = (corrected["p_corrige"] > 0.05) & (corrected["verdict"] != "non_juge")
        assert (corrected.loc[lost, "verdict"] == "comparable").all()
        assert (lost & (plain["verdict"] != "comparable")).any()
    p = quarters(holm, LONG)["p"].sort_values().to_numpy()
    everyone = holm[(holm["indicateur"] == LONG) & holm["p"].notna()]
    expected = np.maximum.accumulate(
        np.sort(everyone["p"].to_numpy()) * np.arange(len(everyone), 0, -1)
    )
    assert np.sort(everyone["p_corrige"].to_numpy()) == pytest.approx(np.minimum(expected, 1))
    assert len(p) == 13


def test_what_contains_what() -> None:
    codes = ["59172", "QP059050", "QP059021", "02691", "591720101", "59", "R32", "ENSQP_59"]
    known = members()
    assert inside(codes, CA, known) == [
        "oui", "oui", "partie", "non", "oui", "non", "non", "inconnu",
    ]  # fmt: skip
    assert inside(codes, "59", known)[:4] == ["oui", "oui", "oui", "non"]
    assert inside(codes, "METRO", known) == ["oui"] * 7 + ["inconnu"]
    assert inside([CA], "R32", known) == ["oui"]


def test_refusals(results: pd.DataFrame) -> None:
    with pytest.raises(UnknownNameError, match="nom de preuve « hazard »"):
        bcs.judge(results, CA, proof="hazard")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="nom de correction"):
        bcs.judge(results, CA, adjust="sidak")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="colonne de famille « theme »"):
        bcs.judge(results, CA, adjust="holm", family="theme")
    with pytest.raises(BarometreError, match="référence hors"):
        bcs.judge(results, "75056")
    with pytest.raises(BarometreError, match="proof est vide"):
        bcs.judge(results, CA, proof=())
    assert bcs.judge(results.iloc[:0], CA).empty

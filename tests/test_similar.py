"""Similar territories: the figures of the neighbourhoods, distances by hand, classes found again."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre import SimilarWarning
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.compare.similar.kinds import adjusted_rand
from tests.conftest import ROOT

QPV = ROOT.parent / "shared/data/insee/qpv"
VARIABLES = {
    "population": 2018, "indice_jeunesse": 2017, "part_menages_une_personne": 2017,
    "taux_de_pauvrete": 2019, "part_familles_monoparentales_caf": 2019,
}  # fmt: skip
A, B = "taux_emploi_15_64", "taux_de_pauvrete"


@pytest.fixture(scope="module")
def quarters() -> pd.DataFrame:
    files = QPV / "DEMO_2021.csv", QPV / "filosofi_qpv_panel_2012_2021.csv"
    if not all(path.exists() for path in files):
        pytest.skip("needs the files of the neighbourhoods, which are not part of the project")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bcs.compute(bcs.read(*files), list(VARIABLES))


def units(
    first: dict[str, float], second: dict[str, float], **more: dict[str, float]
) -> pd.DataFrame:
    columns = {A: first, B: second, **more}
    rows = [
        {"code": code, "annee": 2019, "indicateur": name, "valeur": value}
        for name, values in columns.items()
        for code, value in values.items()
    ]
    return pd.DataFrame(rows)


SQUARE = units(
    {"01001": 1.0, "01002": 3.0, "01004": 1.0, "01005": 3.0},
    {"01001": 10.0, "01002": 10.0, "01004": 30.0, "01005": 30.0},
)


def test_the_neighbourhoods_most_like_denain(quarters: pd.DataFrame) -> None:
    """Without those of Corsica: 1 147 complete of 1 395; QP038007 at .2921, QP057023 at .2925."""
    codes = quarters["code"].unique()
    mainland = [code for code in codes if not code.startswith(("QP02A", "QP02B"))]
    found = bcs.neighbours(
        quarters, "QP059050", VARIABLES, VARIABLES, 2, pool=mainland, name="quartiers, hors Corse"
    )
    assert (len(found.pool.scores), found.pool.size) == (1147, 1395)
    assert found.peers == ("QP038007", "QP057023")
    assert [bcs.round_half_up(d, 4) for d in found.table["distance"]] == [0.2921, 0.2925]
    everywhere = bcs.neighbours(quarters, "QP059050", VARIABLES, VARIABLES, 2)
    assert (len(everywhere.pool.scores), everywhere.pool.size) == (1151, 1400)
    assert everywhere.peers == found.peers


def test_distances_by_hand() -> None:
    """Two values two units apart have scores -1 and 1: a side is sqrt(4 / 2), the diagonal 2."""
    found = bcs.neighbours(SQUARE, "01001", [A, B], k=3)
    assert found.peers == ("01002", "01004", "01005")
    assert found.table["distance"].tolist() == pytest.approx([math.sqrt(2), math.sqrt(2), 2])
    shares = found.table[[f"poids_{A}", f"poids_{B}"]].to_numpy()
    assert shares.tolist() == [[1, 0], [0, 1], [0.5, 0.5]]


def test_the_distance_changes_with_neither_scale_nor_order() -> None:
    rng = np.random.default_rng(2)
    codes = [f"{59000 + i}" for i in range(30)]
    one, two = (dict(zip(codes, rng.uniform(5, 90, 30), strict=True)) for _ in range(2))
    found = bcs.neighbours(units(one, two), codes[3], [A, B], k=5)
    scaled = units({c: v / 7 for c, v in one.items()}, two).sample(frac=1, random_state=1)
    again = bcs.neighbours(scaled, codes[3], [B, A], k=5)
    assert again.peers == found.peers
    assert again.table["distance"].tolist() == pytest.approx(found.table["distance"].tolist())
    weights = found.table.filter(like="poids_").sum(axis=1)
    assert weights.tolist() == pytest.approx([1] * 5)


def test_counts_are_taken_in_logarithms_and_it_is_said() -> None:
    sizes = {"01001": 50.0, "01002": 1000.0, "01004": 10_000.0, "01005": 110.0}
    ones = dict.fromkeys(sizes, 1.0)
    frame = units(ones, ones, population=sizes)
    found = bcs.neighbours(frame, "01002", ["population"], k=2)
    assert found.pool.logged == ("population",)
    assert found.peers == ("01005", "01004")
    gaps = found.table.set_index("code")["distance"]
    assert gaps["01004"] == pytest.approx(gaps["01005"] * math.log(10) / math.log(1000 / 110))
    assert "En logarithme : population." in found.summary()
    empty = units(ones, ones, population=sizes | {"01001": 0.0})
    with pytest.raises(BarometreError, match="une valeur nulle n'a pas de logarithme"):
        bcs.neighbours(empty, "01002", ["population"], k=2)
    plain = bcs.neighbours(frame, "01002", ["population"], k=3, log=())
    assert plain.peers == ("01005", "01001", "01004")


def test_incomplete_units_are_left_out_and_told() -> None:
    frame = SQUARE.assign(statut="ok")
    hidden = (frame["code"] == "01005") & (frame["indicateur"] == A)
    frame["valeur"] = frame["valeur"].mask(hidden)
    frame["statut"] = frame["statut"].mask(hidden, "secret")
    found = bcs.neighbours(frame, "01001", [A, B], k=1)
    assert found.pool.excluded.to_dict("records") == [{"code": "01005", "motif": f"{A} : secret"}]
    assert "3 sur 4 ont toutes les variables" in found.summary()
    left_out = "Unités incomplètes laissées de côté"
    assert f"{left_out} : 1 (25 %)." in found.summary()
    assert left_out not in bcs.neighbours(SQUARE, "01001", [A, B], k=1).summary()
    with pytest.raises(BarometreError, match="« 01005 » n'a pas toutes les variables"):
        bcs.neighbours(frame, "01005", [A, B], k=1)


def test_stability_tells_what_rests_on_one_variable() -> None:
    found = bcs.neighbours(SQUARE, "01001", [A, B], k=1)
    stability = found.stability.set_index("variable")
    assert stability["communs"].to_dict() == {A: 1, B: 0}  # without B, 01004 comes before 01002
    assert stability["nouveaux"].to_dict() == {A: "", B: "01004"}


def test_peers_serve_as_a_reference() -> None:
    income = {"01001": 15_000.0, "01002": 16_000.0, "01004": 18_000.0, "01005": 30_000.0}
    frame = pd.concat([SQUARE, units({}, {}, niveau_de_vie_median=income)])
    found = bcs.neighbours(frame, "01001", [A, B], k=2)
    with pytest.warns(SimilarWarning, match="petit par construction"):
        whole = found.with_peers(frame)
    gaps = bcs.gap(whole, found.reference)
    row = gaps.query("code == '01001' and indicateur == 'niveau_de_vie_median'")
    assert row["valeur_reference"].tolist() == [17_000]
    assert row["origine"].tolist() == ["estime"]
    assert "médiane de 2 voisins" in row["note"].iloc[0]
    verdicts = bcs.judge(frame, found.peers)
    assert set(verdicts["reference"]) == set(found.peers)
    ranked = bcs.rank(frame[frame["code"].isin(["01001", *found.peers])])
    assert set(ranked["effectif_classe"].dropna()) == {3}


def test_an_outcome_among_the_variables_is_warned_of() -> None:
    with pytest.warns(SimilarWarning, match="variable de la ressemblance"):
        found = bcs.neighbours(SQUARE, "01001", [A, B], k=1, outcome=B)
    assert B in found.summary().splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"k": 0}, "k=0 refusé"), ({"k": 4}, "k=4 refusé : 3 autres"),
        ({"variables": []}, "variables refusées"), ({"variables": [A, A]}, "en double"),
        ({"variables": ["part_non_diplomes"]}, "absentes des résultats"),
        ({"year": 2018}, "années qui ont une valeur : 2019"), ({"pool": ["75056"]}, "pool refusé"),
        ({"pool": ["01001", "01004"]}, "sans variation"),
    ],
)  # fmt: skip
def test_refusals(options: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"variables": [A, B], "year": "latest", "k": 1} | options
    with pytest.raises(BarometreError, match=said):
        bcs.neighbours(SQUARE, "01001", **given)
    with pytest.raises(UnknownNameError):
        bcs.neighbours(SQUARE, "01001", ["taux"])


# ---- typology ------------------------------------------------------------------------------------


def blobs(spread: float) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    codes = [f"{59000 + i}" for i in range(90)]
    group = np.repeat([0, 1, 2], [40, 30, 20])
    first = 50 + np.array([-20, 0, 20])[group] + spread * rng.normal(size=90)
    second = 50 + np.array([0, 20, 0])[group] + spread * rng.normal(size=90)
    return units(dict(zip(codes, first, strict=True)), dict(zip(codes, second, strict=True)))


def test_three_groups_apart_are_found_and_stable() -> None:
    found = bcs.typology(blobs(1.0), [A, B], classes=3, draws=30)
    assert found.table["classe"].value_counts().to_dict() == {1: 40, 2: 30, 3: 20}
    truth = np.repeat([1, 2, 3], [40, 30, 20])
    assert (found.table.sort_values("code")["classe"].to_numpy() == truth).all()
    assert found.stability == pytest.approx(1.0)
    assert (found.by_class["jaccard"] > 0.99).all()
    profile = found.profiles.set_index(["classe", "variable"])["moyenne"]
    assert profile[1, A] == pytest.approx(30, abs=1)
    assert profile[2, B] == pytest.approx(70, abs=1)
    assert "indice de stabilité 1,00" in found.summary()


def test_noise_has_classes_that_do_not_hold() -> None:
    found = bcs.typology(blobs(200.0), [A, B], classes=5, draws=30)
    assert found.stability < 0.8


def test_the_seed_decides_and_the_order_of_the_rows_does_not() -> None:
    frame = blobs(15.0)
    found = bcs.typology(frame, [A, B], classes=4, draws=5, seed=3)
    again = bcs.typology(frame.sample(frac=1, random_state=9), [A, B], classes=4, draws=5, seed=3)
    pd.testing.assert_frame_equal(found.table, again.table)
    assert found.stability == again.stability


def test_adjusted_rand_by_hand() -> None:
    """Hubert and Arabie's formula on 5 units: 1 pair together in both, 4 and 4 in each, of 10."""
    assert adjusted_rand(np.array([[5.0]])) == 1  # one class on both sides: no other partition
    found = adjusted_rand(np.array([[2.0, 1.0], [1.0, 1.0]]))
    assert found == pytest.approx((1 - 1.6) / (4 - 1.6))


def test_refusals_of_a_typology() -> None:
    with pytest.raises(BarometreError, match="classes=1"):
        bcs.typology(SQUARE, [A, B], classes=1)
    with pytest.raises(BarometreError, match="classes=4 refusé"):
        bcs.typology(SQUARE, [A, B], classes=4)
    with pytest.raises(BarometreError, match="draws=0"):
        bcs.typology(SQUARE, [A, B], classes=2, draws=0)


def test_two_units_are_a_pool_and_one_is_none() -> None:
    pair = {"59001": (51.0, 12.0), "59002": (53.0, 15.0)}
    names = ["taux_emploi_15_64", "taux_de_pauvrete"]
    rows = pd.DataFrame(
        [
            {"code": code, "annee": 2021, "indicateur": name, "valeur": value, "origine": "calcule"}
            for code, values in pair.items()
            for name, value in zip(names, values, strict=True)
        ]
    )
    assert list(bcs.neighbours(rows, "59001", names, k=1).table["code"]) == ["59002"]
    with pytest.raises(BarometreError, match="moins de deux unités"):
        bcs.neighbours(rows[rows["code"] == "59001"], "59001", names, k=1)

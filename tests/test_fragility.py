"""The Compas count of people of 75 or more: all patterns, unknown factors, secrecy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.base.errors import BarometreError, FaultsError
from barometre.compare.elders import FRAGILITY_FACTORS, fragility_75, fragility_scores
from barometre.secrecy.lines import hide_in_lines

FACTORS = list(FRAGILITY_FACTORS)


def people(*scores: float) -> pd.DataFrame:
    """One person per score: her first factors are 1."""
    return pd.DataFrame([[float(i < score) for i in range(7)] for score in scores], columns=FACTORS)


@pytest.fixture
def every_pattern() -> pd.DataFrame:
    """Each of the 128 combinations once."""
    return pd.DataFrame(list(itertools.product([0, 1], repeat=7)), columns=FACTORS)


# ---- counts -------------------------------------------------------------------------------------


def test_all_patterns(every_pattern: pd.DataFrame) -> None:
    """C(7,5) + C(7,6) + C(7,7) = 29 of 128 have five or more, 21 exactly five."""
    row = fragility_75(every_pattern).iloc[0]
    assert row[
        ["effectif", "effectif_fragile", "inconnus", "part", "part_min", "part_max"]
    ].tolist() == [128, 29, 0, 100 * 29 / 128, 100 * 29 / 128, 100 * 29 / 128]
    assert row[["critere", "ponderation", "statut"]].tolist() == [
        "5 facteurs ou plus", "égale", "ok",
    ]  # fmt: skip
    exact = fragility_75(every_pattern, exactly=5).iloc[0]
    assert exact[["effectif_fragile", "critere"]].tolist() == [21, "5 facteurs exactement"]
    assert fragility_75(every_pattern, at_least=1, threshold=1)["effectif_fragile"][0] == 127
    assert fragility_75(every_pattern, exactly=0, threshold=1)["effectif_fragile"][0] == 1
    spread = fragility_scores(every_pattern, threshold=0)
    assert spread["score"].tolist() == list(range(8))
    assert spread["effectif"].tolist() == [1, 7, 21, 35, 35, 21, 7, 1]
    assert spread["part"].sum() == pytest.approx(100)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.booleans())
def test_unknown_factors_by_brute_force(seed: int, k: int, exact: bool) -> None:
    """A person is fragile, or not, when all the ways to fill her unknown factors agree."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 2, (30, 7)).astype(float)
    values[rng.random((30, 7)) < 0.2] = np.nan
    weights = rng.integers(1, 6, 30).astype(float)
    frame = pd.DataFrame(values, columns=FACTORS).assign(poids=weights)
    fragile = unknown = whole = sure = 0.0
    for row, weight in zip(values, weights, strict=True):
        holes = np.flatnonzero(np.isnan(row))
        answers = set()
        for filling in itertools.product([0, 1], repeat=len(holes)):
            score = np.nansum(row) + sum(filling)
            answers.add(score == k if exact else score >= k)
        fragile += weight * (answers == {True})
        unknown += weight * (len(answers) == 2)
        whole += weight * (len(holes) == 0)
        sure += weight * (len(holes) == 0 and answers == {True})
    found = fragility_75(
        frame, at_least=k, exactly=k if exact else None, weight="poids", threshold=0
    ).iloc[0]
    assert found[["effectif", "effectif_fragile", "inconnus"]].tolist() == [
        weights.sum(),
        fragile,
        unknown,
    ]
    assert found["part"] == pytest.approx(100 * sure / whole if whole else np.nan, nan_ok=True)
    assert found["part_min"] == pytest.approx(100 * fragile / weights.sum())
    assert found["part_max"] == pytest.approx(100 * (fragile + unknown) / weights.sum())


def test_factors_missing_at_random_do_not_move_the_share() -> None:
    """21 fragile of 100; a tenth of the factors unknown, drawn 200 times."""
    rng, whole = np.random.default_rng(0), people(*[5] * 21, *[2] * 79).astype("float64")
    shares = []
    for _ in range(200):
        holes = rng.random(whole.shape) < 0.1
        shares.append(fragility_75(whole.mask(holes), threshold=0)["part"].iloc[0])
    assert abs(np.mean(shares) - 21) < 4 * np.std(shares) / np.sqrt(200)


@settings(max_examples=15)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=20), st.data())
def test_a_weight_is_that_many_people(scores: list[int], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(1, 5), min_size=len(scores), max_size=len(scores)))
    weighted = people(*scores).assign(w=weights)
    repeated = people(*np.repeat(scores, weights))
    columns = ["effectif", "effectif_fragile", "part"]
    pd.testing.assert_frame_equal(
        fragility_75(weighted, weight="w", threshold=0)[columns],
        fragility_75(repeated, threshold=0)[columns],
    )
    spread = fragility_scores(weighted, weight="w", threshold=0)["effectif"].tolist()
    assert spread == np.bincount(np.repeat(scores, weights), minlength=8).tolist()


def test_groups() -> None:
    frame = people(*[5] * 20, *[0] * 20, *[6] * 30, *[1] * 10).assign(
        commune=["59172"] * 40 + ["59651"] * 40, sexe=["F", "H"] * 40
    )
    found = fragility_75(frame, by="commune", threshold=0)
    assert found[["commune", "effectif", "part"]].to_numpy().tolist() == [
        ["59172", 40, 50],
        ["59651", 40, 75],
    ]
    assert found.columns.tolist() == [
        *("commune", "effectif", "effectif_fragile", "inconnus", "part", "part_min", "part_max"),
        *("critere", "ponderation", "statut", "note"),
    ]
    both = fragility_75(frame, by=["commune", "sexe"], threshold=0)
    assert both[["commune", "sexe"]].to_numpy().tolist() == [
        [c, s] for c in ("59172", "59651") for s in "FH"
    ]
    assert both["effectif_fragile"].sum() == found["effectif_fragile"].sum() == 50
    frame.loc[0, "commune"] = None
    assert fragility_75(frame, by="commune", threshold=0)["effectif"].tolist() == [39, 40, 1]
    spread = fragility_scores(frame, by="commune", threshold=0)
    assert len(spread) == 24
    assert spread["effectif"].sum() == 80


# ---- secrecy ------------------------------------------------------------------------------------


def test_small_counts_are_hidden_with_their_share() -> None:
    hidden = ["effectif_fragile", "inconnus", "part", "part_min", "part_max"]
    for few in (people(*[5] * 10, *[0] * 30), people(*[5] * 30, *[0] * 10)):
        row = fragility_75(few).iloc[0]
        assert row["effectif"] == 40
        assert row[hidden].isna().all()
        assert row["statut"] == "secret"
        assert "moins de 11 personnes" in row["note"]
        assert fragility_75(few, threshold=10)["statut"][0] == "ok"
    for whole in (people(*[5] * 40), people(*[0] * 40), people(*[5] * 11, *[0] * 11)):
        assert fragility_75(whole)["statut"][0] == "ok"
    tiny = fragility_75(people(*[5] * 10)).iloc[0]
    assert tiny[["effectif", *hidden]].isna().all()


def test_rows_are_counted_rather_than_weights() -> None:
    frame = people(*[5] * 10, *[0] * 30).assign(w=100.0)
    found = fragility_75(frame, weight="w")
    assert (found["ponderation"][0], found["statut"][0]) == ("w", "secret")


def test_no_total_gives_a_hidden_score_back() -> None:
    """Two cells at least are hidden, that hold the threshold together; or the whole group is."""
    frame = people(*[0] * 30, *[1] * 25, *[2] * 12, *[7] * 3)
    found = fragility_scores(frame).set_index("score")
    assert found.index[found["statut"] == "secret"].tolist() == [2, 7]
    assert found[["effectif", "part"]].loc[[2, 7]].isna().all(axis=None)
    assert found["effectif"].loc[[0, 1, 3]].tolist() == [30, 25, 0]
    lonely = fragility_scores(people(*[4] * 5))
    assert (lonely["statut"] == "secret").all()


@settings(max_examples=40)
@given(st.lists(st.integers(0, 25), min_size=8, max_size=8), st.integers(2, 12))
def test_hidden_scores_by_brute_force(counts: list[int], threshold: int) -> None:
    frame = people(*np.repeat(range(8), counts))
    found = fragility_scores(frame, threshold=threshold)
    hidden = (found["statut"] == "secret").to_numpy()
    cells = np.array(counts)
    small = (cells > 0) & (cells < threshold)
    assert hidden[small].all()
    assert hidden.any() == small.any()
    # No cell is worse off than in the halves, whose proof is in the tests of lines.
    parts = hide_in_lines(np.append(cells, 0.0), np.zeros(9, np.intp), threshold=threshold)
    assert hidden.tolist() == parts.rows[:8].tolist()
    if small.any() and not parts.totals.any():
        assert cells[hidden].sum() > threshold
        assert hidden.sum() >= 2
        assert (cells[hidden] > 0).all()
    shown = found.loc[~hidden & (found["statut"] == "ok"), ["score", "effectif"]]
    assert all(cells[int(score)] == number for score, number in shown.to_numpy())


def test_few_unknown_are_few_people() -> None:
    frame = people(*[0] * 30, *[3] * 25, *[6] * 20, *[4] * 3).astype(float)
    frame.loc[75:, "issu_immigration"] = np.nan
    row = fragility_75(frame).iloc[0]
    assert row["effectif"] == 78
    assert row[["inconnus", "part", "part_min", "part_max", "effectif_fragile"]].isna().all()
    found = fragility_scores(frame).set_index("score")
    # The last half of 30, 25, 20 and 3 unknown: the unknown are hidden with a score, and the
    # parts, whose base would give them.
    assert found.index[found["effectif"].isna()].tolist() == [6]
    assert found["inconnus"].isna().all()
    assert found["part"].isna().all()


def test_no_figure_of_a_group_tells_a_small_one() -> None:
    """All the figures of a group but its size, over every split of its people in two or three."""
    seen: dict[tuple[Any, ...], set[tuple[int, int, int]]] = {}
    columns = ["effectif", "effectif_fragile", "inconnus", "part", "part_min", "part_max"]
    for fragile, others, unknown in itertools.product(range(6), repeat=3):
        frame = people(*[7] * fragile, *[0] * others, *[4] * unknown).astype(float)
        if unknown:
            frame.iloc[-unknown:, 6] = np.nan
        row = fragility_75(frame, threshold=3).iloc[0]
        key = tuple(None if np.isnan(row[name]) else row[name] for name in columns)
        seen.setdefault(key, set()).add((fragile, others, unknown))
    secrets = {key: splits for key, splits in seen.items() if key[1] is None}
    assert len(secrets) > 4
    for key, splits in secrets.items():
        if key[0] is not None and key[0] > 5:  # beyond the splits that were tried
            continue
        for place in range(3):
            few = {split[place] for split in splits} & {1, 2}
            assert few in (set(), {1, 2})


# ---- what is given ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["bool", "boolean", "int8", "Int64", "float64", "object"])
def test_any_type_of_zero_and_one(every_pattern: pd.DataFrame, dtype: Any) -> None:
    kept = every_pattern.astype(dtype)
    frame = kept.copy()
    assert fragility_75(frame)["effectif_fragile"][0] == 29
    pd.testing.assert_frame_equal(frame, kept)


def test_missing_values_of_nullable_types() -> None:
    frame = people(*[5] * 20, *[4] * 20).astype("boolean")
    frame.loc[[0, 39], "issu_immigration"] = pd.NA
    found = fragility_75(frame, threshold=0).iloc[0]
    assert found[["effectif_fragile", "inconnus"]].tolist() == [20, 1]  # 5 already; 4 or 5
    assert found["part"] == pytest.approx(100 * 19 / 38)


def test_nobody() -> None:
    nobody = people().astype("float64")
    row = fragility_75(nobody).iloc[0]
    assert row[["effectif", "effectif_fragile", "statut"]].tolist() == [0, 0, "non_defini"]
    assert np.isnan(row["part"])
    assert fragility_75(nobody.assign(c=""), by="c").empty
    unknown = pd.DataFrame(np.nan, index=range(20), columns=FACTORS)
    assert fragility_75(unknown)[["inconnus", "statut"]].iloc[0].tolist() == [20, "non_defini"]
    assert set(fragility_scores(unknown)["statut"]) == {"non_defini"}
    one = fragility_75(people(7), threshold=0).iloc[0]
    assert one[["effectif", "part"]].tolist() == [1, 100]


def test_other_factors() -> None:
    frame = pd.DataFrame({"a": [1, 1, 0], "b": [1, 0, 0]})
    found = fragility_75(frame, factors=["a", "b"], at_least=1, threshold=0)
    assert found["effectif_fragile"][0] == 2
    assert found["critere"][0] == "1 facteur ou plus"
    assert len(fragility_scores(frame, factors=["a", "b"], threshold=0)) == 3


def test_every_fault_is_listed() -> None:
    frame = people(1, 2).assign(vit_seul=[2, 0], logement_social=["oui", "0"], age=[74, 80])
    with pytest.raises(FaultsError) as refused:
        fragility_75(frame, age="age")
    said = str(refused.value)
    assert "3 défauts" in said
    assert "vit_seul : 1 valeur autre que 0 et 1 (« 2 »)" in said
    assert "logement_social : 2 valeurs autres que 0 et 1 (« oui », « 0 »)" in said
    assert "age : 1 personne de moins de 75 ans ou sans âge" in said
    assert len(refused.value.lignes) == 4
    assert (
        fragility_75(people(1, 2).assign(age=[75, 99]), age="age", threshold=0)["effectif"][0] == 2
    )
    with pytest.raises(FaultsError, match="logement_social, vit_seul : colonnes absentes"):
        fragility_75(people(1).drop(columns=["vit_seul", "logement_social"]))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"at_least": 0}, "at_least=0 refusé : donner un entier de 1 à 7"),
        ({"at_least": 8}, "at_least=8 refusé"),
        ({"at_least": 2.5}, "at_least=2.5 refusé"),
        ({"exactly": 9}, "exactly=9 refusé : donner un entier de 0 à 7"),
        ({"threshold": -1}, "threshold=-1 refusé"),
        ({"threshold": True}, "threshold=True refusé"),
        ({"weight": "absent"}, "absent : colonne absente"),
        ({"weight": pd.Series([1, 2])}, "weight refusé : donner le nom d'une colonne"),
        ({"weight": "w"}, "donner des nombres finis ≥ 0"),
        ({"by": "part"}, "part est une colonne du résultat"),
        ({"by": "vit_seul"}, "donner chaque colonne une fois"),
        ({"factors": []}, "un facteur au moins"),
    ],
)
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        fragility_75(people(1, 2).assign(w=[1, -1], part=0), **options)


def test_a_table_is_expected() -> None:
    rows: Any = [[1, 0]]
    with pytest.raises(BarometreError, match="donner un DataFrame"):
        fragility_75(rows)

"""Denominators, correlations, strengths, weights by influence: closed forms, scipy, COINr."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from barometre.base.errors import BarometreError
from barometre.composite import Index, balance_weights, correlations, denominate
from tests.proofs.reading import data
from tests.test_composite_treatment import golden, with_golden

TREE = pd.DataFrame(
    [("indice", None, None, 1), ("un", "indice", None, 1), ("deux", "indice", None, 2),
     ("a", "un", 1, 1), ("b", "un", -1, 1), ("c", "deux", 1, 1), ("d", "deux", 1, 3)],
    columns=["id", "parent", "direction", "weight"],
)  # fmt: skip
INDEX = Index.from_table(TREE, normalise="minmax", out=(0, 100))


def units(seed: int = 0, n: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.integers(0, 9, (n, 4)).astype(float), columns=[*"abcd"])
    frame.index = [f"u{i}" for i in range(n)]
    return frame.mask(rng.random((n, 4)) < 0.15)


# ---- denominate ---------------------------------------------------------------------------------


def test_a_count_is_divided_and_what_has_no_size_is_told() -> None:
    frame = pd.DataFrame(
        {"crimes": [20.0, 30, 5, np.nan], "taux": [1.0, 2, 3, 4], "hab": [1000, 3000, 0, np.nan]},
        index=[*"abcd"],
    )
    result = denominate(frame, {"crimes": "hab"}, scale=1000)
    np.testing.assert_allclose(result.frame["crimes"], [20, 10, np.nan, np.nan])
    assert result.frame.columns.tolist() == ["crimes", "taux"]
    assert result.frame["taux"].tolist() == [1, 2, 3, 4]
    assert result.cells.to_numpy().tolist() == [["c", "crimes", "dénominateur nul"]]
    assert result.table["denominateur"].tolist() == ["hab", ""]
    assert "1 valeur perdue, faute de dénominateur : c." in result.summary()
    elsewhere = denominate(
        frame.drop(columns="hab"), {"crimes": "hab"}, sizes=frame[["hab"]].iloc[::-1], scale={"crimes": 1000}
    )  # fmt: skip
    pd.testing.assert_frame_equal(elsewhere.frame, result.frame)


@pytest.mark.parametrize(("one", "other"), [(3.0, 1.0), (1e-3, 7e4)])
def test_units_of_count_and_size_cancel(one: float, other: float) -> None:
    frame = pd.DataFrame({"n": [3.0, 8, 1, 7], "pop": [10.0, 20, 5, 40]})
    plain = denominate(frame, {"n": "pop"}).frame["n"]
    moved = denominate(frame * [one, other], {"n": "pop"}, scale=other / one).frame["n"]
    np.testing.assert_allclose(moved, plain, rtol=1e-12)


@pytest.mark.parametrize(
    ("by", "options", "words"),
    [
        ({"n": "z"}, {}, "z"),
        ({"z": "pop"}, {}, "z"),
        ({"n": "pop"}, {"scale": 0}, "positif"),
        ({"n": "pop"}, {"scale": {"m": 2}}, "sans dénominateur"),
        ({"n": "neg"}, {}, "négatif"),
        ({"n": "pop"}, {"sizes": pd.DataFrame({"pop": [1.0]}, index=["x"])}, "sans ces unités"),
    ],
)  # fmt: skip
def test_refused_denominators(by: dict[str, str], options: dict[str, object], words: str) -> None:
    frame = pd.DataFrame({"n": [1.0, 2], "pop": [1.0, 2], "neg": [-1.0, 2]})
    with pytest.raises(BarometreError, match=words):
        denominate(frame, by, **options)  # type: ignore[arg-type]


@with_golden
def test_denominated_values_are_those_of_coinr() -> None:
    raw, theirs = golden("01_pipeline/01_raw"), golden("01_pipeline/02_denominated")
    meta = golden("00_meta/iMeta", "iCode")["Denominator"].dropna()
    by = {str(name): str(size) for name, size in meta.items() if name in raw}
    sizes = golden("00_meta/units_groups_denominators")[sorted(set(by.values()))]
    assert len(by) > 5
    result = denominate(raw, by, sizes=sizes)
    np.testing.assert_allclose(result.frame[theirs.columns], theirs, rtol=1e-12)


# ---- correlations -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["pearson", "spearman", "kendall"])
def test_coefficients_are_those_of_pandas_and_their_p_of_scipy(method: str) -> None:
    frame = data("indicators").set_index("code").assign(fixe=1.0)
    found = correlations(frame, method=method)  # type: ignore[arg-type]
    expected = frame.corr(method=method, min_periods=3)  # type: ignore[arg-type]
    expected.loc["fixe", "fixe"] = np.nan  # a constant goes with nothing, itself included
    np.testing.assert_allclose(found.matrix, expected, atol=1e-12)
    test = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}
    row = found.table.iloc[0].to_dict()
    both = frame[[row["un"], row["autre"]]].dropna()
    assert row["n"] == len(both)
    assert row["p"] == pytest.approx(test[method](both.iloc[:, 0], both.iloc[:, 1]).pvalue)
    assert found.table.loc[found.table["autre"] == "fixe", "correlation"].isna().all()


def test_scores_are_correlated_with_what_they_are_part_of() -> None:
    scores = INDEX.score(units())
    found = correlations(scores)
    links = {(un, autre): lien for un, autre, lien in found.table.iloc[:, :3].to_numpy()}
    assert links["a", "un"] == links["a", "indice"] == links["un", "indice"] == "dessous"
    assert links["a", "b"] == "frères"
    assert links["un", "deux"] == "frères"
    assert links["a", "c"] == links["a", "deux"] == ""
    assert len(links) == 7 * 6 / 2
    expected = scores.table["b"].corr(scores.table["indice"])
    assert found.matrix.loc["b", "indice"] == pytest.approx(expected)
    # Oriented: an indicator where less is better rises with its score.
    assert scores.table["b"].corr(scores.raw["b"]) == pytest.approx(-1)
    mirrored = correlations(INDEX.score(units().assign(a=lambda frame: frame["b"])))
    assert "« a » et « b » −1,00" in mirrored.summary()
    with pytest.raises(BarometreError, match="au moins deux"):
        correlations(units()[["a"]])
    with pytest.raises(BarometreError, match="corrélation"):
        correlations(units(), method="r2")  # type: ignore[arg-type]


# ---- strengths ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "row"), [(0, 0), (1, 3), (2, 7), (3, 11)])
def test_strengths_are_where_fewest_are_before(seed: int, row: int) -> None:
    """Counted one by one: units strictly better, over the others known."""
    frame = units(seed)
    scores = INDEX.score(frame)
    signs = {"a": 1, "b": -1, "c": 1, "d": 1}
    mine = frame.iloc[row]
    before = {
        name: sum(signs[name] * (v - mine[name]) > 0 for v in frame[name].dropna())
        / max(frame[name].notna().sum() - 1, 1)
        for name in signs
        if mine[name] == mine[name] and frame[name].min() < frame[name].max()
    }
    table = scores.strengths(frame.index[row], number=2).table
    for sense, kept in (("force", [v for v in before.values() if v < 0.5]),
                        ("faiblesse", [-v for v in before.values() if v > 0.5])):  # fmt: skip
        shown = table.loc[table["sens"] == sense]
        found = [before[name] if sense == "force" else -before[name] for name in shown["noeud"]]
        assert found == sorted(kept)[:2]
        one: Any
        for one in shown.itertuples():
            better = sum(signs[one.noeud] * (v - mine[one.noeud]) > 0 for v in frame[one.noeud])
            assert (one.rang, one.valeur) == (better + 1, mine[one.noeud])
            assert one.moyenne == pytest.approx(frame[one.noeud].mean())


def test_strengths_are_told_and_refused() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [1, 2, 3], "c": [1, 2, 3], "d": 1}, [*"xyz"])
    text = INDEX.score(frame).strengths("z", number=1).summary()
    assert text.startswith("Forces de z : « a » 1er sur 3 (3,0, moyenne 2,0).")
    assert "Faiblesses de z : « b » 3e sur 3 (3,0, moyenne 2,0)." in text
    with pytest.raises(BarometreError, match="sans score"):
        INDEX.score(units()).strengths("u99")
    with pytest.raises(BarometreError, match="number=0"):
        INDEX.score(units()).strengths("u0", number=0)
    # All alike: nothing stands out.
    same = Index.from_table(TREE, normalise=None).score(units() * 0 + 1).strengths("u1")
    assert same.table.empty
    assert "aucune" in same.summary()


@with_golden
def test_strengths_are_the_best_ranks_of_coinr() -> None:
    normalised = golden("01_pipeline/06_normalised")
    ranks = golden("01_pipeline/07_aggregated_ranks")[normalised.columns]
    tree = pd.DataFrame({"id": ["indice", *normalised], "parent": [None, *["indice"] * 49]})
    scores = Index.from_table(tree.assign(direction=1), normalise=None).score(normalised)
    for unit in ("CHE", "AUT", "MMR"):
        table = scores.strengths(unit).table
        theirs: Any = ranks.T[unit].sort_values()
        found = table.set_index("noeud")["rang"].astype(int)
        assert (found == theirs[found.index]).all()
        best, worst = (table.loc[table["sens"] == word, "rang"] for word in ("force", "faiblesse"))
        assert best.tolist() == theirs.iloc[:5].tolist()
        assert worst.tolist() == theirs.iloc[::-1].iloc[:5].tolist()


# ---- weights ------------------------------------------------------------------------------------


def two_levels(k: int) -> Index:
    rows = [("indice", None), *((f"x{j}", "indice") for j in range(k))]
    tree = pd.DataFrame(rows, columns=["id", "parent"]).assign(direction=1)
    return Index.from_table(tree, normalise=None)


@pytest.mark.parametrize("seed", range(3))
def test_two_components_weigh_the_inverse_of_their_deviations(seed: int) -> None:
    """Closed form: cov(x, ax + by) = cov(y, ax + by) over deviations gives a sd(x) = b sd(y)."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x0": rng.normal(size=30), "x1": 5 * rng.normal(size=30)})
    frame["x1"] += frame["x0"]
    result = balance_weights(two_levels(2), frame)
    inverse = 1 / frame.std()
    np.testing.assert_allclose(result.table["poids"], inverse / inverse.sum(), rtol=1e-5)
    assert result.reached
    assert result.table["influence"].tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("seed", [0, 1])
def test_influences_are_those_wanted_and_no_grid_does_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        rng.normal(size=(40, 3)) @ rng.normal(size=(3, 3)) + rng.normal(size=(40, 3))
    )
    frame.columns = ["x0", "x1", "x2"]
    wanted = {"x0": 2, "x1": 1, "x2": 1}
    result = balance_weights(two_levels(3), frame, targets=wanted)

    # The influences written out, of the weights found and of all those of a grid.
    def gap(weights: Any) -> float:
        score = frame @ weights
        squares = np.array([np.corrcoef(frame[name], score)[0, 1] for name in frame])
        squares = squares * np.abs(squares)
        return float(((squares / squares.sum() - [0.5, 0.25, 0.25]) ** 2).sum())

    found = gap(result.table["poids"].to_numpy())
    steps = np.arange(1, 12) / 12
    grid = [gap([a, b, 1 - a - b]) for a in steps for b in steps if a + b < 0.999]
    assert found <= min(grid) + 1e-12
    assert result.reached == (found < 1e-6)
    assert result.table["poids"].sum() == pytest.approx(1)
    again = balance_weights(result.index, frame, targets=wanted)
    np.testing.assert_allclose(again.table["poids_avant"], result.table["poids"], rtol=1e-9)
    np.testing.assert_allclose(again.table["poids"], result.table["poids"], atol=1e-4)


def test_other_weights_stay_and_bad_targets_are_refused() -> None:
    frame = units(3, 30)
    result = balance_weights(INDEX, frame, node="deux")
    moved = {leaf.id: leaf.weight for leaf in result.index.leaves}
    assert (moved["a"], moved["b"]) == (1, 1)
    assert moved["c"] + moved["d"] == pytest.approx(4)
    assert isinstance(result.index, Index)
    scores = result.index.score(frame).table
    assert scores["c"].corr(scores["deux"]) == pytest.approx(result.table.loc["c", "correlation"])
    assert "non ce qui importe" in result.summary()
    with pytest.raises(BarometreError, match="en sont : indice, un, deux"):
        balance_weights(INDEX, frame, node="a")
    for targets, words in (({"c": 1}, "sans cible"), ({"c": 1, "d": 0}, "positif"),
                           ({"c": 1, "d": 1, "a": 1}, "pas une composante")):  # fmt: skip
        with pytest.raises(BarometreError, match=words):
            balance_weights(INDEX, frame, node="deux", targets=targets)
    with pytest.raises(BarometreError, match="ne varie pas"):
        balance_weights(INDEX, frame.assign(c=1.0), node="deux")

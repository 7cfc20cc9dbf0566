"""Robustness: what is missing, what is refused, and the chart of the ranks."""

from __future__ import annotations

import itertools
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from barometre.base.errors import BarometreError, FaultsError, UnknownNameError
from barometre.composite import (
    Bounds,
    DataError,
    Index,
    Leaf,
    Node,
    robustness,
)
from barometre.composite.robust.data_error import draws_of

mpl.use("Agg")

import matplotlib.pyplot as plt

from barometre import plots
from tests.charts import legend
from tests.test_composite_robustness import JOINT, LEAVES, errors_of, frame_of, tree

# ---- edges --------------------------------------------------------------------------------------


def test_z_scores_far_below_are_held_under_a_geometric_mean() -> None:
    """A unit 7 standard deviations down would have a negative T-score."""
    frame = frame_of(0, 60)
    frame.loc["u00", "a"] = -3000.0
    index = tree()
    result = robustness(index, frame, {"normalise": ["zscore"], "aggregate": "geometric"}, draws=1,
                        keep_scores=True)  # fmt: skip
    assert (
        index.with_options(normalise="zscore", out=(50, 10)).score(frame).normalised.min().min() < 0
    )
    assert result.scores is not None
    assert result.scores.notna().all(axis=None)


def test_few_units_and_missing_scores() -> None:
    index = tree(min_available=0.9)
    goal = index.with_bounds(Bounds(dict.fromkeys(LEAVES, (0, 100))))
    frame = frame_of(1, 5)
    frame.loc["u02", "d"] = np.nan
    result = robustness(goal, frame, {"weights": 0.25}, errors_of(frame), draws=16)
    assert result.ranks.loc["u02"].isna().all()
    assert (result.rank_draws["u02"] == 0).all()
    assert result.ranks["rang"].max() == 4
    chances = result.pairwise()
    assert chances.loc["u02"].drop("u02").isna().all()
    alone = robustness(goal, frame.head(1), {"weights": 0.25}, draws=16)
    assert (alone.ranks[["rang", "rang_min", "rang_max", "groupe"]] == 1).all(axis=None)
    empty = robustness(goal, frame.head(0), JOINT, errors_of(frame.head(0)), draws=16)
    assert empty.ranks.empty
    assert empty.pairwise().empty
    assert (empty.shares[["part_score", "part_rang"]] == 0).all(axis=None)


def test_draws_without_a_logarithm_are_told() -> None:
    index = Index((Leaf("x", "r", 1, transform="log", low=1, high=100),), (Node("r"),))
    frame = pd.DataFrame({"x": [2.0, 50.0, 80.0]}, index=[*"abc"])
    result = robustness(index, frame, data_error=frame * 0 + 2.0, draws=64)
    lost = int((result.rank_draws["a"] == 0).sum())
    assert 0 < lost < 64
    told = dict(zip(*(result.remarks[name] for name in result.remarks), strict=True))
    assert told["a"] == f"sans score dans {lost} réplications sur 64"
    assert result.ranks.loc["a", "rang_max"] == 3


def test_denominators_leave_missing_values_missing() -> None:
    frame = frame_of(0, 6, missing=0.3)
    error = {"denominators": frame * 0 + 100}
    data = draws_of(LEAVES, frame.to_numpy().T, frame.index, DataError.read(error), seed=0)
    np.testing.assert_array_equal(np.isnan(data.take([0])[0].T), frame.isna())


@pytest.mark.parametrize(
    ("alternatives", "match"),
    [
        ({"weights": 25}, "0.25 pour ± 25 %"),
        ({"weights": -0.1}, "écart relatif"),
        ({"weights": np.nan}, "écart relatif"),
        ({"poids": 0.25}, "alternative « poids » inconnu"),
        ({"normalise": ["min-max"]}, "Vouliez-vous dire « minmax »"),
        ({"normalise": []}, "aucune option"),
        ({"normalise": ["minmax", "minmax"]}, "en double"),
        ({"aggregate": ["geometrique"]}, "geometric"),
        ({"aggregate": [{"zz": "geometric"}]}, "zz : pas un nœud"),
        ({"bounds": [{"a": (0, 1)}]}, "bounds refusée"),
        ({"bounds": [Bounds({"zz": (0, 1)})]}, "zz : aucune feuille"),
        ({"normalise": ["zscore"], "bounds": [Bounds({"a": (0, 1)})]}, "a : aucune feuille"),
        ({"normalise": ["goalposts"]}, "bornes de « a » à fixer"),
        (0.25, "donner Alternatives"),
    ],
)
def test_alternatives_are_checked(alternatives: Any, match: str) -> None:
    with pytest.raises(BarometreError, match=match):
        robustness(tree(), frame_of(0, 5), alternatives, draws=4)


def test_leaves_already_normalised_keep_their_values() -> None:
    with pytest.raises(FaultsError, match=r"a : déjà normalisée[\s\S]*d : déjà"):
        robustness(
            tree(normalise=None, out=None), frame_of(0, 5), {"normalise": ["zscore"]}, draws=4
        )


@pytest.mark.parametrize(
    ("error", "match"),
    [
        (frame_of(0, 5) * 0 - 1, "a : 5 valeurs sans erreur-type positive"),
        (frame_of(0, 5).mask(frame_of(0, 5) > 0), "sans erreur-type"),
        (frame_of(0, 4) * 0, r"1 territoire sans erreur \(u04\)"),
        (frame_of(0, 6) * 0, r"1 territoire absents du tableau \(u05\)"),
        (frame_of(0, 5).assign(zz=1.0), "pas de feuille zz"),
        ({"standard_error": frame_of(0, 5)}, "Vouliez-vous dire « standard_errors »"),
        ({"denominators": frame_of(0, 5) * 0}, "sans dénominateur positif"),
        ({"denominators": frame_of(0, 5) * 0 + 9, "scale": 1}, "hors de 0-1"),
        ({"denominators": frame_of(0, 5) * 0 + 9, "scale": 0}, "scale 0 refusé"),
        ({"standard_errors": frame_of(0, 5), "denominators": frame_of(0, 5)}, "garder l'un"),
        ({"standard_errors": 3.0}, "pas un DataFrame"),
        (3.0, "DataFrame d'erreurs-types"),
    ],
)
def test_data_errors_are_checked(error: Any, match: str) -> None:
    with pytest.raises(BarometreError, match=match):
        robustness(tree(), frame_of(0, 5), data_error=error, draws=4)


@pytest.mark.parametrize(
    "options",
    [{"draws": 0}, {"draws": 2.5}, {"seed": -1}, {"seed": True}, {"level": 1}, {"level": 90}],
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(BarometreError, match=next(iter(options))):
        robustness(tree(), frame_of(0, 5), **options)


def test_one_year_at_a_time_and_known_units() -> None:
    frame = frame_of(0, 4)
    years = pd.concat({2019: frame, 2020: frame}, names=["annee", "code"])
    goal = tree().with_bounds(Bounds(dict.fromkeys(LEAVES, (0, 100))))
    with pytest.raises(BarometreError, match=r"plusieurs années \(2019, 2020\)"):
        robustness(goal, years, draws=4)
    one = robustness(goal, years.loc[[2019]], {"weights": 0.25}, draws=4)
    assert one.ranks.index.equals(years.loc[[2019]].index)
    with pytest.raises(BarometreError, match="u0 » sans score"):
        robustness(goal, frame, draws=4).pairwise(["u0"])
    with pytest.raises(UnknownNameError, match="champ de data_error"):
        DataError.read({"zz": 1})


def test_inputs_are_left_alone() -> None:
    frame = frame_of(0, 6)
    errors = errors_of(frame)
    before, spread = frame.copy(), errors.copy()
    robustness(tree(), frame, JOINT, errors, draws=8).shares  # noqa: B018 - computed when read
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(errors, spread)


def test_names_give_functions() -> None:
    import barometre.composite as composite

    assert callable(composite.robustness)
    assert callable(composite.audit)


# ---- chart --------------------------------------------------------------------------------------


def test_the_chart_shows_ranks_intervals_and_groups() -> None:
    frame = frame_of(9, 12)
    result = robustness(tree(), frame, JOINT, errors_of(frame), draws=128)
    ax = plots.rank_intervals(result, labels=pd.Series({"u00": "Denain"}))
    rows = result.ranks.sort_values("rang")
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == [{"u00": "Denain"}.get(code, code) for code in rows.index]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    (bars,) = ax.collections
    spans = [(segment[0][0], segment[1][0]) for segment in bars.get_segments()]  # type: ignore[attr-defined]  # not in the stubs
    assert spans == [*zip(rows["rang_min"], rows["rang_max"], strict=True)]
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    assert list(dots.get_xdata()) == rows["rang"].tolist()  # type: ignore[arg-type]  # the stubs give any array-like
    wide = [len(list(run)) for _, run in itertools.groupby(rows["groupe"])]
    assert len(ax.patches) == sum(size > 1 for size in wide) > 0
    said = set(legend(ax))
    assert {"intervalle à 90 % des réplications", "statistiquement à égalité"} <= said
    plt.close("all")


def test_the_chart_of_some_territories_on_a_given_axes() -> None:
    result = robustness(tree(), frame_of(9, 5), draws=4)
    _, ax = plt.subplots()
    drawn = plots.rank_intervals(result.ranks, territories=["u03", "u01"], lang="en", ax=ax)
    assert drawn is ax
    assert len(ax.get_yticklabels()) == 2
    assert ax.get_title(loc="left") == "Ranks and their interval"
    assert not ax.patches
    with pytest.raises(BarometreError, match="absents des rangs : zz"):
        plots.rank_intervals(result, territories=["zz"])
    with pytest.raises(BarometreError, match="rang_median : colonne absente"):
        plots.rank_intervals(result.ranks.drop(columns="rang_median"))
    with pytest.raises(BarometreError, match="aucun territoire"):
        plots.rank_intervals(result.ranks.head(0))
    plt.close("all")

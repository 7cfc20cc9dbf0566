"""Audit: influence of an indicator or of a territory, and the table of verdicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.composite import HDI, Bounds, Index, Leaf, Node, audit
from barometre.composite.robust.audit_checks import (
    shifts,
    without_leaf,
)
from barometre.composite.robust.audit_table import COLUMNS, FAIL, LOOK, PASS
from tests.test_composite_audit import FEW, FOLDER, LEAVES, frame_of, rows, seeds, tree

# ---- influence ----------------------------------------------------------------------------------


@FEW
@given(seed=seeds, aggregate=st.sampled_from(["arithmetic", "geometric"]))
def test_an_indicator_left_out_is_scored_again_without_it(seed: int, aggregate: Any) -> None:
    index, frame = tree(aggregate=aggregate, out=(1, 100)), frame_of(seed, 12)
    table = audit(index, frame)
    before = index.score(frame).ranks["r"].astype(float)
    for name in LEAVES:
        others = tuple(x for x in index.leaves if x.id != name)
        shorter = Index(others, tuple(replace(n, floor=index.floors[n.id]) for n in index.nodes))
        moves = (shorter.score(frame).ranks["r"].astype(float) - before).abs()
        assert rows(table, "retrait_moyen")["valeur"][name] == pytest.approx(moves.mean())
        assert rows(table, "retrait_max")["valeur"][name] == moves.max()
    limits = rows(table, "retrait_moyen")["seuil"], rows(table, "retrait_max")["seuil"]
    assert [*limits[0], *limits[1]] == pytest.approx([0.6] * 4 + [3.0] * 4)


def test_a_node_goes_with_its_only_leaf() -> None:
    leaves = (Leaf("x", "m", 1, normalise="minmax"), Leaf("y", "r", 1, normalise="minmax"))
    index = Index(leaves, (Node("r"), Node("m", "r")))
    shorter = without_leaf(index, "x")
    assert shorter is not None
    assert [node.id for node in shorter.nodes] == ["r"]
    assert without_leaf(shorter, "y") is None
    unweighted = Index((replace(leaves[0], parent="r", weight=0), leaves[1]), (Node("r"),))
    assert without_leaf(unweighted, "y") is None
    frame = pd.DataFrame({"x": [1.0, 2, 3], "y": [2.0, 1, 5]})
    row = rows(audit(unweighted, frame), "retrait_moyen").loc["y"]
    assert (row["verdict"], np.isnan(row["valeur"])) == (LOOK, True)
    assert "poids" in row["raison"]


def test_shifts_count_units_that_have_both_scores() -> None:
    before, after = np.array([3.0, 2, 1, np.nan]), np.array([1.0, 2, 3, 9])
    np.testing.assert_allclose(shifts(before, after), (4 / 3, 2))
    assert shifts(before[:0], after[:0]) == (0, 0)


@FEW
@given(seed=seeds)
def test_bounds_without_their_extreme_unit(seed: int) -> None:
    index, frame = tree(), frame_of(seed, 12)
    table = audit(index, frame)
    limits = {name: (frame[name].min(), frame[name].max()) for name in LEAVES}
    before = index.score(frame).table["r"]
    for name in LEAVES:
        for end, holder in (("basse", frame[name].idxmin()), ("haute", frame[name].idxmax())):
            others = frame[name].drop(holder)
            bounds = Bounds(limits | {name: (others.min(), others.max())})
            again = index.with_bounds(bounds).score(frame).table["r"].drop(holder)
            moves = (again.rank() - before.drop(holder).rank()).abs()
            found = table[table["element"] == f"{name} ({end})"].set_index("controle")
            assert found["valeur"]["extreme_rangs"] == pytest.approx(moves.mean())
            width = limits[name][1] - limits[name][0]
            share = 1 - (others.max() - others.min()) / width
            assert found["valeur"]["extreme_etendue"] == pytest.approx(share, abs=1e-12)
            assert f"borne {end} tenue par {holder}" in found["raison"]["extreme_rangs"]


def test_one_extreme_value_is_told() -> None:
    frame = frame_of(0)
    frame.loc["u05", "c"] = 5000.0
    frame.loc[["u01", "u02"], "a"] = -10.0  # shared: one of them changes nothing
    table = audit(tree(), frame)
    row = rows(table, "extreme_etendue").loc["c (haute)"]
    assert (row["verdict"], row["noeud"]) == (LOOK, "n")
    assert row["valeur"] > 0.95
    assert rows(table, "extreme_rangs")["valeur"]["c (haute)"] > 0
    shared = rows(table, "extreme_rangs").loc["a (basse)"]
    assert (shared["valeur"], "partagée par 2 territoires" in shared["raison"]) == (0, True)
    fixed = tree().with_bounds(tree().observe(frame))
    assert rows(audit(fixed, frame), "extreme_rangs").empty


# ---- the table ----------------------------------------------------------------------------------


def test_one_table_with_reasons() -> None:
    frame = frame_of(0)
    before = frame.copy()
    table = audit(tree(), frame)
    assert list(table) == COLUMNS
    assert set(table["verdict"]) <= {PASS, LOOK, FAIL}
    assert (table["raison"] != "").all()
    assert not table.isna().any(axis=None)
    assert table["controle"].unique().tolist() == [
        "disponibilite_feuille", "disponibilite_territoire", "asymetrie", "aplatissement", "sens",
        "correlation", "alpha", "alpha_sans", "importance", "importance_feuille", "retrait_moyen",
        "retrait_max", "extreme_etendue", "extreme_rangs",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("units", [0, 1, 2, 3])
def test_few_units_have_rows_without_value(units: int) -> None:
    table = audit(tree(), frame_of(0).head(units))
    sense = rows(table, "sens")
    assert len(sense) == 5
    if units < 3:
        assert sense["valeur"].isna().all()
        assert (sense["verdict"] == LOOK).all()
        assert sense["raison"].str.startswith("non calculable").all()
    else:
        assert sense["valeur"].notna().all()


def test_thresholds_and_options_are_checked() -> None:
    frame = frame_of(0)
    with pytest.raises(UnknownNameError, match="Vouliez-vous dire « redundant »"):
        audit(tree(), frame, redondant=0.9)
    with pytest.raises(BarometreError, match="seuil cronbach='haut' refusé"):
        audit(tree(), frame, cronbach="haut")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(UnknownNameError, match="lissage"):
        audit(tree(), frame, smoother="loess")  # type: ignore[arg-type]  # that is the point
    years = pd.concat({2019: frame, 2020: frame}, names=["annee", "code"])
    with pytest.raises(BarometreError, match=r"audit refusé : plusieurs années"):
        audit(tree(), years)
    labels = rows(audit(tree(), years.loc[[2019]]), "disponibilite_territoire").index
    assert labels[0] == "2019 u00"
    with pytest.raises(BarometreError, match="DataFrame"):
        audit(tree(), [1, 2])  # type: ignore[arg-type]  # that is the point


@pytest.mark.skipif(not FOLDER.is_dir(), reason="reference files of the composite engine: absent")
def test_the_human_development_index_passes() -> None:
    """Its publishers balanced it: no component runs against it or weighs twice its weight."""
    path = FOLDER.parent / "08_hdi" / "hdi_2021_191_countries.csv"
    table = audit(HDI, pd.read_csv(path, index_col="country"))
    assert (table["verdict"] == PASS).all()

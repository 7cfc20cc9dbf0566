"""Formulas and fixed effects: what dummies give, whatever the levels, the gaps and the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.cohort import Cohort, cluster_robust, etable, feols, twfe
from barometre.cohort.impact import absorbed, two_way

ROUNDING = 1e-9  # of a hundred dummies solved at once


def rows(seed: int = 0, n: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": rng.integers(40, size=n), "t": rng.integers(5, size=n)})
    frame["zone"] = rng.integers(6, size=n)
    frame["qp"] = frame["id"] % 8
    frame["x"], frame["z"] = rng.normal(size=(2, n))
    frame["w"] = rng.uniform(0.5, 2, n)
    frame["sexe"] = np.where(frame["id"] % 3 == 0, "F", "H")
    frame["y"] = frame["x"] + frame["t"] + 0.3 * frame["zone"] + rng.normal(size=n)
    return frame


def by_dummies(columns: list[Floats], effects: list[Any], weight: Floats | None) -> list[Floats]:
    x = np.column_stack([pd.get_dummies(pd.Series(code)).to_numpy(float) for code in effects])
    root = np.ones(len(x)) if weight is None else np.sqrt(weight)
    back = np.linalg.pinv(x * root[:, None])
    return [column - x @ (back @ (column * root)) for column in columns]


@pytest.mark.parametrize("small", [True, False])
@given(seed=st.integers(0, 10**6), levels=st.lists(st.integers(1, 30), min_size=1, max_size=4),
       weighted=st.booleans())  # fmt: skip
@settings(max_examples=15, deadline=None)
def test_residuals_are_those_of_dummies(
    small: bool, seed: int, levels: list[int], weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    codes = [pd.factorize(rng.integers(level, size=60))[0] for level in levels]
    weight = rng.uniform(0.1, 3, 60) if weighted else None
    column = 1e3 + rng.normal(size=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(absorbed, "_DENSE", 10**7 if small else 0)
        effects = absorbed.Absorbed.of(codes, weight)
        (expected,) = by_dummies([column], list(codes), weight)
        np.testing.assert_allclose(effects.residual(column), expected, atol=1e-8)
        dummies = np.column_stack([pd.get_dummies(pd.Series(c)).to_numpy(float) for c in codes])
        exact = np.linalg.matrix_rank(dummies)
        if small or len(codes) < 3:
            assert effects.rank == exact
        else:
            assert effects.rank >= exact


@pytest.mark.parametrize("se", ["CR0", "CR1S", "CR2", "CR3", "HC1", "iid"])
@pytest.mark.parametrize("weight", [None, "w"])
def test_errors_are_those_of_dummies(se: Any, weight: str | None) -> None:
    frame = rows()
    cluster = None if se in ("HC1", "iid") else "qp"
    fit = feols("y ~ x + z:x | id + t + zone", frame, cluster=cluster, weight=weight, se=se)
    dummies = pd.get_dummies(frame[["id", "t", "zone"]].astype(str), dtype=float)
    dummies = dummies.drop(columns=["id_0", "t_0", "zone_0"])
    wide = pd.concat([frame.assign(xz=frame["x"] * frame["z"]), dummies], axis=1)
    wide["c"] = frame["qp"]
    terms = [*dummies.columns, "x", "xz"]
    plain = cluster_robust(wide, "y", terms, cluster=cluster and "c", weight=weight, se=se)
    ours, theirs = fit.table.set_index("term"), plain.table.set_index("term")
    for column in ("estimate", "se", "df", "low"):
        np.testing.assert_allclose(ours[column], theirs.loc[["x", "xz"], column], rtol=ROUNDING)


def test_a_formula_is_the_verb() -> None:
    frame = rows().drop_duplicates(["id", "t"])
    frame["on"] = (frame["t"] >= 2) & (frame["qp"] < 4)
    effect = twfe(frame, "y", "on", person="id", wave="t", cluster="qp")
    fit = feols("y ~ on | id + t", frame, cluster="qp")
    assert fit.table["estimate"].item() == pytest.approx(effect.estimate, rel=ROUNDING)
    assert fit.table["se"].item() == pytest.approx(effect.se, rel=ROUNDING)
    people = Cohort(frame, "id", "t", cluster="qp", weight="w").feols("y ~ on | id + t")
    assert people.meta["cluster"] == "qp"
    assert people.meta["weight"] == "w"
    shown = etable({"formule": fit}).table["formule"]
    assert shown["effets fixes"] == "id, t"
    assert shown["on"] == etable({"effet": effect}).table["effet"]["effet"]


@pytest.mark.parametrize("se", ["CR1", "CR1S", "CR0", "HC1", "iid"])
def test_many_levels_are_absorbed_as_they_would_be_columns(se: Any) -> None:
    frame = rows(2).drop_duplicates(["id", "t"])
    frame["on"] = ((frame["t"] >= 2) & (frame["qp"] < 4)).astype(int)
    frame["name"] = frame["zone"].map(str)
    keys: dict[str, Any] = {"person": "id", "wave": "t", "cluster": "qp", "weight": "w", "se": se}
    asked: dict[str, Any] = {"covariates": ["x", "qp"], "effects": ["name", "sexe"]}
    plain = twfe(frame, "y", "on", **asked, **keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(two_way, "_DUMMIES", 0)
        many = twfe(frame, "y", "on", **asked, **keys)
        with pytest.raises(BarometreError, match="ne peut pas être isolé"):
            twfe(frame.assign(name=frame["on"]), "y", "on", **asked, **keys)
        lost = frame.assign(name=frame["name"].where(frame.index != frame.index[0]))
        with pytest.raises(BarometreError, match="name : 1 valeur manquante"):
            twfe(lost, "y", "on", **asked, **keys)
    for name in ("estimate", "se", "df"):
        assert getattr(many, name) == pytest.approx(getattr(plain, name), rel=ROUNDING)
    assert many.meta["adjusted"] == ["x", "qp", "name", "sexe"]
    assert many.meta["dropped"] == ["qp"]
    others = plain.meta.get("other_se", {})
    assert many.meta.get("other_se", {}) == pytest.approx(others, rel=ROUNDING)


def test_what_is_left_out_is_counted_and_said() -> None:
    frame = rows()
    frame.loc[[3, 4], "y"] = np.nan
    frame.loc[[4, 5], "sexe"] = None
    frame.loc[7, "zone"] = 99
    fit = feols("y ~ x + sexe | id + zone", frame)
    assert fit.meta["lost"] == {"sexe manquant": 2, "y manquant": 1}
    assert fit.meta["n_used"] == 237
    kept = frame.dropna()
    alone = [kept.groupby(name)["y"].transform("size") == 1 for name in ("id", "zone")]
    assert fit.meta["singletons"] == (alone[0] | alone[1]).sum() == 2
    assert fit.meta["dropped"] == ["sexe[T.H]"]
    words = fit.summary()
    assert "2 lignes (seules dans un effet fixe)" in words
    assert "écartés : sexe[T.H]" in words
    assert "id (le premier effet fixe" in words
    again = feols("y ~ x | id + zone", frame.dropna().query("zone < 99"))
    assert again.table["estimate"].item() == pytest.approx(fit.table["estimate"].item(), rel=1e-9)


@pytest.mark.parametrize("kind", ["category", "nullable", "index", "crossed"])
def test_frames_as_pandas_users_hold_them(kind: str) -> None:
    frame = rows()
    plain = feols("y ~ x * sexe | id^zone", frame, cluster="qp")
    if kind == "category":
        frame = frame.astype({"sexe": "category", "id": "category", "qp": "category"})
        frame["sexe"] = frame["sexe"].cat.add_categories("X")
    elif kind == "nullable":
        frame = frame.convert_dtypes()
    elif kind == "index":
        frame = frame.set_index(np.zeros(len(frame), int))
    else:
        frame["cell"] = frame["id"].astype(str) + "/" + frame["zone"].astype(str)
    formula = "y ~ x * sexe | cell" if kind == "crossed" else "y ~ x * sexe | id^zone"
    other = feols(formula, frame, cluster="qp")
    np.testing.assert_allclose(other.table["estimate"], plain.table["estimate"], rtol=ROUNDING)
    np.testing.assert_allclose(other.table["se"], plain.table["se"], rtol=ROUNDING)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y", "formule refusée"),
        ("y ~ x +", "illisible"),
        ("y ~ x | id | z ~ w", "formule refusée"),
        ("y ~ x | id | zone", "une seule barre"),
        ("y ~ x | C(id)", "nommer des colonnes"),
        ("y ~ x | ", "illisible|aucun"),
        ("y ~ 0", "rien à estimer"),
        ("y ~ 1 | id", "rien à estimer"),
        ("y ~ qp | id", "rien à estimer"),
        ("y + z ~ x", "un seul résultat"),
        ("sexe ~ x", "n'est pas un nombre"),
        ("y ~ nope", "nope"),
        ("y ~ f(x)", "fonction inconnue"),
        ("y ~ log(x)", "x"),
        ("y ~ x | nope", "nope"),
    ],
)
def test_formulas_that_cannot_be_read(formula: str, words: str) -> None:
    with pytest.raises(BarometreError, match=words):
        feols(formula, rows(), se="HC1")


def test_errors_need_clusters_or_are_asked_for() -> None:
    with pytest.raises(BarometreError, match="donner cluster="):
        feols("y ~ x", rows())
    assert feols("y ~ x", rows(), se="HC1").meta["n_clusters"] is None
    with pytest.raises(BarometreError, match="aucune ligne complète"):
        feols("y ~ x", rows().assign(x=np.nan), se="iid")
    frame = rows().assign(many=np.arange(240))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(absorbed, "MOST", 1000)
        with pytest.raises(BarometreError, match="trop pour CR2"):
            feols("y ~ x | id + zone", frame, cluster="qp", se="CR2")
    with pytest.raises(BarometreError, match="il en faut davantage"):
        feols("y ~ x | many + t", frame, cluster="qp")

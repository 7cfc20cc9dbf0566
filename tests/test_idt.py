"""The "IDT reconstitué": zero at the reference, linear, and never taken for COMPAS's own figure."""

from __future__ import annotations

import pickle
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes

from barometre.base.errors import BarometreError
from barometre.composite.french.development import idh4
from barometre.composite.french.reconstructed import NAME, idt
from barometre.composite.french.reference_gaps import COMPONENTS

mpl.use("Agg")

import matplotlib.pyplot as plt

from barometre import plots
from tests.charts import legend
from tests.charts import texts as shown

FRANCE = {"part_emploi_25_54": 80.0, "part_sup_bac": 42.0, "revenu_median": 22040.0}
SPREAD = {"part_emploi_25_54": 10.0, "part_sup_bac": 12.0, "revenu_median": 4000.0}

triples = st.tuples(st.floats(1.5, 100), st.floats(1.5, 100), st.floats(5_000, 60_000))
positive = st.floats(0.05, 1)


def table_of(*given: Any, **options: Any) -> pd.DataFrame:
    return idt(*given, **options).table


def frame(*rows: tuple[Any, Any, Any], codes: Any = None) -> pd.DataFrame:
    index = pd.Index(list("abcdefgh"[: len(rows)]) if codes is None else codes, name="code")
    return pd.DataFrame(list(rows), columns=list(COMPONENTS), index=index)


def refusal(
    components: Any = None, reference: Any = FRANCE, dispersion: Any = SPREAD, **options: Any
) -> str:
    given_components = frame((52, 18, 13500)) if components is None else components
    with pytest.raises(BarometreError) as refused:
        idt(given_components, reference, dispersion, **options)
    return str(refused.value)


# ---- the formula --------------------------------------------------------------------------------


def test_by_hand() -> None:
    result = table_of(frame((70, 30, 18040)), FRANCE, SPREAD)
    # one dispersion below on each: -100 on each, -100 in all
    assert result.iloc[0, :4].to_list() == pytest.approx([-100, -100, -100, -100], abs=1e-12)
    weighted = table_of(frame((70, 42, 26040)), FRANCE, SPREAD, weights=(0.5, 0.25, 0.25))
    assert weighted["idt_reconstitue"].item() == -25
    assert list(weighted) == [
        "emploi", "formation", "revenu", "idt_reconstitue",
        "contribution_emploi", "contribution_formation", "contribution_revenu", "remarques",
    ]  # fmt: skip
    parts = weighted[["contribution_emploi", "contribution_formation", "contribution_revenu"]]
    assert parts.to_numpy().tolist() == [[-50, 0, 25]]


@settings(max_examples=40)
@given(row=triples, spread=st.tuples(positive, positive, positive), raw=st.tuples(positive, positive, positive))  # fmt: skip
def test_the_reference_is_exactly_zero(
    row: tuple[float, float, float],
    spread: tuple[float, float, float],
    raw: tuple[float, float, float],
) -> None:
    weights = np.array(raw) / sum(raw)
    result = table_of(frame(row, (50, 20, 15000), codes=["METRO", "a"]), "METRO", spread, weights)
    assert (result.iloc[0, :-1] == 0).all()
    by_value = table_of(frame(row, (50, 20, 15000), codes=["METRO", "a"]), row, spread, weights)
    pd.testing.assert_frame_equal(result, by_value)


@settings(max_examples=40)
@given(rows=st.lists(triples, min_size=2, max_size=2), share=st.floats(0, 1))
def test_it_is_linear(rows: list[tuple[float, float, float]], share: float) -> None:
    between = tuple(share * x + (1 - share) * y for x, y in zip(*rows, strict=True))
    first, second, mixed = table_of(frame(*rows, between), FRANCE, SPREAD)["idt_reconstitue"]
    # values reach a few thousands: 1e-9 is their rounding
    assert mixed == pytest.approx(share * first + (1 - share) * second, abs=1e-9)


@settings(max_examples=40)
@given(rows=st.lists(triples, min_size=1, max_size=6), factor=st.floats(0.1, 10))
def test_contributions_units_and_order(
    rows: list[tuple[float, float, float]], factor: float
) -> None:
    result = table_of(frame(*rows), FRANCE, SPREAD)
    parts = result.filter(like="contribution_").sum(axis=1)
    assert parts.to_list() == pytest.approx(result["idt_reconstitue"].to_list(), abs=1e-9)
    # income in another unit changes nothing when its reference and dispersion follow
    scaled = table_of(
        frame(*rows).assign(revenu_median=lambda f: f["revenu_median"] * factor),
        {**FRANCE, "revenu_median": FRANCE["revenu_median"] * factor},
        {**SPREAD, "revenu_median": SPREAD["revenu_median"] * factor},
    )
    np.testing.assert_allclose(scaled["idt_reconstitue"], result["idt_reconstitue"], atol=1e-9)
    alone = [table_of(frame(row), FRANCE, SPREAD)["idt_reconstitue"].item() for row in rows]
    assert alone == result["idt_reconstitue"].to_list()


# ---- what users give ----------------------------------------------------------------------------


def test_forms_of_the_arguments() -> None:
    components = frame((52, 18, 13500), (60, 25, None))
    expected = table_of(components, FRANCE, SPREAD)
    names = list(COMPONENTS)
    turned = components[names[::-1]].assign(libelle="x")
    cases: list[Any] = [
        (pd.Series(FRANCE)[names[::-1]], pd.Series(SPREAD), [1 / 3] * 3),
        (tuple(FRANCE.values()), list(SPREAD.values()), np.full(3, 1 / 3)),
        (pd.Series(FRANCE.values()), np.array([*SPREAD.values()]), dict.fromkeys(names, 1 / 3)),
        ({**FRANCE, "autre": 3}, SPREAD, pd.Series(1 / 3, index=names)),
    ]
    for reference, dispersion, weights in cases:
        before = turned.copy()
        pd.testing.assert_frame_equal(table_of(turned, reference, dispersion, weights), expected)
        pd.testing.assert_frame_equal(turned, before)
    pd.testing.assert_frame_equal(table_of(components.reset_index(), FRANCE, SPREAD), expected)


def test_three_columns_of_other_names() -> None:
    components = frame((52, 18, 13500)).set_axis(["e", "f", "r"], axis=1)
    result = table_of(
        components, tuple(FRANCE.values()), dict(zip("rfe", (4000, 12, 10), strict=True))
    )
    expected = table_of(frame((52, 18, 13500)), FRANCE, SPREAD)["idt_reconstitue"]
    assert list(result)[:4] == ["e", "f", "r", "idt_reconstitue"]
    assert result["idt_reconstitue"].to_list() == expected.to_list()
    chosen = components.assign(population=1000)
    by_name = table_of(chosen, dict(zip("efr", FRANCE.values(), strict=True)), [10, 12, 4000])
    assert by_name["idt_reconstitue"].to_list() == expected.to_list()


def test_the_reference_of_each_year() -> None:
    both = pd.concat(
        [frame((52, 18, 13500), (80, 42, 22040), codes=["a", "METRO"]).assign(annee=2019),
         frame((50, 15, 12000), (79, 35, 20000), codes=["a", "METRO"]).assign(annee=2011)]
    )  # fmt: skip
    result = table_of(both, "METRO", SPREAD)["idt_reconstitue"]
    assert result.xs("METRO").to_list() == [0, 0]
    expected = table_of(frame((50, 15, 12000)), (79, 35, 20000), SPREAD)["idt_reconstitue"].item()
    assert result["a", 2011] == expected
    fixed = table_of(both, ("METRO", 2019), SPREAD)["idt_reconstitue"]
    assert (fixed["METRO", 2019], fixed["a", 2019]) == (0, result["a", 2019])
    assert fixed["METRO", 2011] < 0
    assert "en 2011" in refusal(both.iloc[:3], "METRO")
    assert "« zz »" in refusal(both, "zz")


def test_missing_empty_and_one() -> None:
    result = table_of(frame((52, None, 13500), (60, 25, 15000)), FRANCE, SPREAD)
    assert np.isnan(result["idt_reconstitue"]["a"])
    assert result["emploi"]["a"] == -280
    assert result["remarques"].to_list()[0] == "valeur manquante : part_sup_bac"
    assert pd.isna(result["remarques"]["b"])
    empty = table_of(frame((52, 18, 13500)).iloc[:0], FRANCE, SPREAD)
    assert empty.empty
    assert "idt_reconstitue" in empty
    assert "trois composantes" in refusal(frame((52, None, 13500)), "a")


def test_it_says_that_it_is_a_reconstruction() -> None:
    attrs = table_of(frame((52, 18, 13500)), FRANCE, SPREAD).attrs
    assert attrs["indice"] == NAME == "IDT reconstitué"
    assert "pas un chiffre de COMPAS" in attrs["avertissement"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"components": frame((52, 18, 13500)).drop(columns="part_sup_bac")}, "part_sup_bac"),
        ({"components": frame((52, 18, 13500)).astype("str")}, "non numériques"),
        ({"components": [1, 2, 3]}, "DataFrame"),
        ({"components": frame((0.52, 0.18, 13500))}, "de 0 à 1"),
        ({"components": frame((152, 18, 13500))}, "hors de 0-100"),
        ({"reference": {"part_emploi_25_54": 80}}, "part_sup_bac"),
        ({"reference": "METRO"}, "METRO"),
        ({"reference": (80, 42)}, "(80, 42)"),
        ({"reference": [80, 42]}, "trois nombres"),
        ({"reference": {**FRANCE, "revenu_median": None}}, "revenu_median sans nombre fini"),
        ({"dispersion": {**SPREAD, "part_sup_bac": 0}}, "dispersion de 0"),
        ({"dispersion": (10, -1, 4000)}, "dispersion de −1"),
        ({"dispersion": 10}, "trois nombres"),
        ({"dispersion": "abc"}, "trois nombres"),
        ({"dispersion": (10, np.nan, 4000)}, "part_sup_bac sans nombre fini"),
        ({"weights": (1, 1, 1)}, "somme de 3"),
        ({"weights": (0.7, 0.5, -0.2)}, "poids de −0,2"),
        ({"weights": (0.5, 0.5, np.nan)}, "sans nombre fini"),
        ({"weights": (0.5, 0.5)}, "trois nombres"),
        ({"weights": (1 / 3, 1 / 3, 1 / 3 + 2e-9)}, "somme"),
    ],
)
def test_refusals(options: dict[str, Any], words: str) -> None:
    assert words in refusal(**options)


# ---- the chart ----------------------------------------------------------------------------------


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def human_development() -> pd.DataFrame:
    columns = ["icm", "part_diplomes", "niveau_de_vie_median"]
    rows = [(140, 62, 14320), (110, 75, 20360), (150, 80, 16000), (None, 70, 15000)]
    components = pd.DataFrame(rows, columns=columns, index=pd.Index(list("abcd"), name="code"))
    limits = dict(zip(columns, [(60, 160), (50, 90), (14090, 38860)], strict=True))
    both = pd.concat([components.assign(annee=2018), components.assign(annee=2019)])
    return idh4(both, limits).contributions("b")


def test_the_chart_of_the_gaps() -> None:
    contributions = human_development()
    ax = plots.gap_dimensions(contributions, labels={"b": "Région", "a": "Denain"})
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["Région", "c", "Denain", "d"]  # the first at the top
    assert "Région" in ax.get_title(loc="left")
    assert "IDH-4" in ax.get_title(loc="left")
    latest = contributions.xs(2019, level="annee")
    for part, bars in zip(("sante", "education", "niveau_de_vie"), ax.containers, strict=True):
        drawn = [patch.get_width() for patch in bars.patches]  # type: ignore[attr-defined]  # not in the stubs
        expected = latest[part].fillna(0)[["b", "c", "a", "d"]].to_list()
        assert drawn == pytest.approx(expected, abs=1e-12)
    assert {"−0,32", "0,00", "sans valeur"} <= set(texts(ax))
    # what lowers ends where the parts below zero end
    ends = [p.get_x() + min(p.get_width(), 0) for bars in ax.containers for p in bars.patches]  # type: ignore[attr-defined]  # not in the stubs
    below = latest[["sante", "education", "niveau_de_vie"]].fillna(0).clip(upper=0).to_numpy()
    assert min(ends) == pytest.approx(below.sum(axis=1).min(), abs=1e-12)


def test_the_chart_in_english_in_given_axes() -> None:
    _, ax = plt.subplots()
    drawn = plots.gap_dimensions(
        human_development(), territories=["a"], year=2018, lang="en", ax=ax
    )
    assert drawn is ax
    assert set(legend(ax)) == {
        "health",
        "education",
        "living standard",
        "gap",
    }
    assert "−0.32" in texts(ax)


def test_the_chart_of_the_idt_says_what_it_is() -> None:
    components = frame((52, 18, 13500), (80, 42, 22040), codes=["a", "METRO"])
    ax = plots.gap_dimensions(idt(components, "METRO", SPREAD))
    assert any("pas un chiffre de COMPAS" in text for text in shown(ax))
    assert "IDT reconstitué" in ax.get_title(loc="left")
    assert "−231" in texts(ax)


def test_charts_refused() -> None:
    contributions = human_development()
    for frame_given, options, words in [
        (contributions.drop(columns="ecart"), {}, "ecart"),
        (contributions, {"territories": ["zz"]}, "zz"),
        (contributions, {"year": 1999}, "1999"),
        (contributions, {"territories": ["d"]}, "aucun écart"),
    ]:
        with pytest.raises(BarometreError, match=words):
            plots.gap_dimensions(frame_given, **options)  # type: ignore[arg-type]  # that is the point


# ---- the result ---------------------------------------------------------------------------------


def test_the_reference_and_the_dispersions_have_a_default() -> None:
    rows = [(52, 18, 13500), (60, 25, 15000), (45, 12, 12000)]
    components = frame(*rows, (80, 42, 22040), codes=["a", "b", "c", "METRO"])
    result = idt(components)
    spread = components.loc[["a", "b", "c"]].std()
    expected = idt(components, "METRO", spread)
    pd.testing.assert_frame_equal(result.table, expected.table)
    assert len(expected.remarks) == 1
    assert "dispersions observées sur les territoires donnés" in result.remarks[1]
    assert "Dispersions observées" in result.summary()
    for few in (components.iloc[[0, 3]], components.iloc[[0, 0, 3]].set_axis(["a", "b", "METRO"])):
        with pytest.raises(BarometreError, match=r"dispersion à donner.*trop peu nombreux, ou tou"):
            idt(few)
    with pytest.raises(BarometreError, match="« METRO » n'a pas de ligne"):
        idt(components.drop(index="METRO"), dispersion=SPREAD)


def test_gaps_between_any_two_territories_are_split() -> None:
    components = frame((52, 18, 13500), (60, 25, 15000), (80, 42, 22040), codes=["a", "b", "METRO"])
    result = idt(components, "METRO", SPREAD, (0.5, 0.2, 0.3))
    own = result.contributions()
    wanted = [f"contribution_{name}" for name in result.dimensions]
    np.testing.assert_allclose(own[list(result.dimensions)], result.table[wanted], rtol=1e-14)
    np.testing.assert_allclose(own["ecart"], result["idt_reconstitue"], rtol=1e-14)
    to_b = result.contributions("b")
    np.testing.assert_allclose(to_b["ecart"], own["ecart"] - own["ecart"]["b"], atol=1e-11)
    by_values = result.contributions(dict(components.loc["b"]))
    pd.testing.assert_frame_equal(by_values, to_b)
    assert result.contributions("mean")["ecart"].sum() == pytest.approx(0, abs=1e-11)
    assert result.explain("a").startswith("L'IDT reconstitué de « a » (−")
    assert "à celui de « b »" in result.explain("a", "b")
    again = pickle.loads(pickle.dumps(result))
    assert again.summary() == str(result)


def test_a_reference_is_taken_at_the_year_of_each_row() -> None:
    components = frame(
        (52, 18, 13500), (80, 42, 22040), (50, 17, 14000), (81, 43, 23000),
        codes=["a", "METRO", "a", "METRO"],
    ).set_axis(pd.MultiIndex.from_product([[2011, 2019], ["a", "METRO"]], names=["annee", "code"]))  # fmt: skip
    components = components.reorder_levels(["code", "annee"])
    result = idt(components, dispersion=SPREAD)
    np.testing.assert_allclose(result.contributions()["ecart"], result["idt_reconstitue"])
    assert "« a » en 2019" in result.explain(("a", 2019))

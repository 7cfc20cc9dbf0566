"""Calibration of the "IDT reconstitué": known weights found again, and doubtful ones said to be."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.composite.french.calibration import Calibration, calibrate_idt, published_idt
from barometre.composite.french.reconstructed import idt
from barometre.composite.french.reference_gaps import COMPONENTS

FRANCE = (80.0, 42.0, 22040.0)
SPREAD = (10.0, 12.0, 4000.0)
NAMES = list(COMPONENTS)


def draw(n: int = 17, seed: int = 0, common: float = 0.0) -> pd.DataFrame:
    """Invented neighbourhoods; ``common`` is the share of what their components share."""
    rng = np.random.default_rng(seed)
    shared, own = rng.normal(size=(n, 1)), rng.normal(size=(n, 3))
    z = -2 + 0.6 * (common * shared + (1 - common) * own)
    rows = np.array(FRANCE) + z * np.array(SPREAD)
    index = pd.Index([f"QP{i:03}" for i in range(n)], name="code")
    return pd.DataFrame(rows, columns=NAMES, index=index).clip(lower=0)


def with_france(components: pd.DataFrame) -> pd.DataFrame:
    metro = pd.DataFrame([FRANCE], columns=NAMES, index=pd.Index(["METRO"], name="code"))
    return pd.concat([components, metro])


def values(components: pd.DataFrame, weights: Any, dispersion: Any = SPREAD) -> pd.Series[float]:
    known: pd.Series[float] = idt(components, FRANCE, dispersion, weights)["idt_reconstitue"]
    return known


def again(fit: Calibration, components: pd.DataFrame) -> pd.Series[float]:
    """The index computed with what the calibration gives."""
    result: pd.Series[float]
    result = idt(components, fit.reference, fit.dispersion, fit.weights)["idt_reconstitue"]
    return result.reindex(fit.fitted.index)


# ---- known weights ------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    raw=st.tuples(*[st.floats(0.05, 1)] * 3),
    factor=st.floats(0.3, 3),
    seed=st.integers(0, 10_000),
)
def test_exact_values_give_the_weights_back(
    raw: tuple[float, float, float], factor: float, seed: int
) -> None:
    weights, components = np.array(raw) / sum(raw), draw(seed=seed)
    published = values(components, weights, np.array(SPREAD) / factor)
    fit = calibrate_idt(published, components, FRANCE, dispersion=SPREAD, unit=0)
    # conditioning of 17 random rows: a few digits of 16 are lost
    assert fit.weights.to_list() == pytest.approx(list(weights), abs=1e-9)
    assert fit.scale == pytest.approx(factor, rel=1e-9)
    assert fit.dispersion.to_list() == pytest.approx(list(np.array(SPREAD) / factor), rel=1e-9)
    assert fit.rmse < 1e-9
    assert fit.loo_error < 1e-7
    assert fit.r2 == pytest.approx(1, abs=1e-12)
    assert fit.identified.all()
    np.testing.assert_allclose(again(fit, components), published, atol=1e-8)
    assert fit.weights.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    "reference", [None, FRANCE, "METRO", dict(zip(NAMES, FRANCE, strict=True))]
)
@pytest.mark.parametrize("dispersion", [None, SPREAD])
def test_the_fit_is_what_idt_computes(reference: Any, dispersion: Any) -> None:
    components = draw()
    published = values(components, (0.5, 0.2, 0.3)).round()
    given_components = with_france(components) if reference == "METRO" else components
    fit = calibrate_idt(published, given_components, reference, dispersion=dispersion)
    np.testing.assert_allclose(again(fit, given_components), fit.fitted, atol=1e-8)
    pd.testing.assert_series_equal(fit.table["publie"], published, check_names=False)
    np.testing.assert_allclose(fit.residuals, published - fit.fitted, atol=1e-12)
    assert fit.rmse == pytest.approx(np.sqrt(np.mean(fit.residuals**2)))
    assert fit.rmse < 0.5  # rounding to the unit
    assert fit.r2 > 0.99
    assert (fit.weights >= 0).all()


def test_france_is_the_reference_when_it_is_there() -> None:
    components = with_france(draw())
    published = values(components, (0.5, 0.2, 0.3))
    fit = calibrate_idt(published, components, dispersion=SPREAD)
    assert fit.reference == "METRO"
    assert "METRO" not in fit.fitted.index  # it fits whatever the weights
    assert fit.weights.to_list() == pytest.approx([0.5, 0.2, 0.3], abs=1e-9)


def test_a_territory_like_the_reference_in_one_component_is_used() -> None:
    components = draw()
    components.iloc[0, 0] = FRANCE[0]
    fit = calibrate_idt(values(components, (0.5, 0.2, 0.3)), components, FRANCE, dispersion=SPREAD)
    assert components.index[0] in fit.fitted.index
    assert not any("laissée" in said for said in fit.remarks)


def test_the_zero_is_estimated_without_reference() -> None:
    components = draw()
    published = values(components, (0.5, 0.2, 0.3))
    fit = calibrate_idt(published, components, dispersion=SPREAD)
    assert fit.weights.to_list() == pytest.approx([0.5, 0.2, 0.3], abs=1e-9)
    assert any("aucune référence" in said for said in fit.remarks)
    # its reference is a point where the true index is 0 too
    there = pd.DataFrame([fit.reference], columns=NAMES, index=["x"])
    assert values(there, (0.5, 0.2, 0.3)).item() == pytest.approx(0, abs=1e-8)


def test_another_dispersion_changes_the_weights_and_not_the_index() -> None:
    components = draw()
    published = values(components, (0.5, 0.2, 0.3)).round()
    one = calibrate_idt(published, components, FRANCE, dispersion=SPREAD)
    two = calibrate_idt(published, components, FRANCE, dispersion=(20, 12, 4000))
    np.testing.assert_allclose(one.fitted, two.fitted, atol=1e-9)
    assert two.weights["part_emploi_25_54"] > one.weights["part_emploi_25_54"]
    assert one.loo_error == pytest.approx(two.loo_error, abs=1e-9)


# ---- another way ---------------------------------------------------------------------------------


def test_against_a_grid_of_weights() -> None:
    """Every weight of a simplex grid, with its best factor: the least squares and the ranges."""
    components = draw(seed=3, common=0.6)
    noise = np.random.default_rng(1).normal(0, 8, len(components))
    published = values(components, (0.5, 0.2, 0.3)) + noise
    fit = calibrate_idt(published, components, FRANCE, dispersion=SPREAD, tolerance=0.1)
    gaps = 100 * (components.to_numpy() - np.array(FRANCE)) / np.array(SPREAD)
    y, step = published.to_numpy(), 0.005
    squares = {}
    for i, j in itertools.product(range(201), repeat=2):
        if i + j <= 200:
            w = np.array([i, j, 200 - i - j]) / 200
            x = gaps @ w
            k = max(x @ y / (x @ x), 0)
            squares[tuple(w)] = float(np.sum((y - k * x) ** 2))
    best = float(np.sum(fit.residuals**2))
    assert best <= min(squares.values())
    assert min(squares.values()) == pytest.approx(best, rel=1e-2)  # the step of the grid
    good = np.array([w for w, s in squares.items() if s <= 1.1 * best])
    for j, name in enumerate(NAMES):
        low, high = fit.weight_range.loc[[name]].to_numpy()[0]
        assert low <= fit.weights[name] <= high
        # the grid is inside the range, and reaches its ends to a few steps
        assert low - 1e-9 <= good[:, j].min() <= low + 4 * step
        assert high - 4 * step <= good[:, j].max() <= high + 1e-9


def test_against_a_general_optimiser() -> None:
    from scipy.optimize import minimize

    components = draw(seed=5)
    published = values(components, (0.1, 0.1, 0.8)) + np.random.default_rng(2).normal(0, 30, 17)
    fit = calibrate_idt(published, components, FRANCE, dispersion=SPREAD)
    gaps = (components - np.array(FRANCE)).to_numpy() / np.array(SPREAD)
    y = published.to_numpy() / 100

    def squares(u: Any) -> float:
        return float(np.sum((y - gaps @ u) ** 2))

    found = minimize(squares, np.ones(3), bounds=[(0, None)] * 3, method="L-BFGS-B", tol=1e-14)
    # what a numerical gradient finds
    np.testing.assert_allclose(fit.weights, found.x / found.x.sum(), atol=1e-4)
    assert np.sum((fit.residuals / 100) ** 2) <= found.fun + 1e-12


def test_each_territory_predicted_without_it() -> None:
    components = draw(8, seed=4)
    published = values(components, (0.5, 0.2, 0.3)) + np.random.default_rng(3).normal(0, 5, 8)
    fit = calibrate_idt(published, components, FRANCE, dispersion=SPREAD)
    errors = []
    for code in components.index:
        rest = calibrate_idt(published.drop(code), components, FRANCE, dispersion=SPREAD)
        errors.append(published[code] - again_at(rest, components.loc[[code]]))
    assert fit.loo_error == pytest.approx(np.sqrt(np.mean(np.square(errors))), abs=1e-9)
    assert fit.loo_error > fit.rmse


def again_at(fit: Calibration, components: pd.DataFrame) -> float:
    result = idt(components, fit.reference, fit.dispersion, fit.weights).table
    return float(result["idt_reconstitue"].item())


def test_a_territory_is_left_out_with_all_its_years() -> None:
    components = pd.concat([draw(8, seed=4).assign(annee=y) for y in (2011, 2019)])
    twice = components.set_index("annee", append=True)
    noise = np.tile(np.random.default_rng(3).normal(0, 5, 8), 2)
    published = values(twice, (0.5, 0.2, 0.3)) + noise
    both = calibrate_idt(published, twice, FRANCE, dispersion=SPREAD)
    once = calibrate_idt(
        published.xs(2019, level="annee"), draw(8, seed=4), FRANCE, dispersion=SPREAD
    )
    # the same year printed twice tells nothing more
    assert both.loo_error == pytest.approx(once.loo_error, rel=1e-9)
    assert len(both.table) == 16


# ---- weights that are not identified ------------------------------------------------------------


def test_collinear_components_are_said_not_to_be_identified() -> None:
    components = draw()
    gap = (components["part_emploi_25_54"] - FRANCE[0]) / SPREAD[0]
    components["revenu_median"] = FRANCE[2] + SPREAD[2] * gap
    published = values(components, (0.4, 0.3, 0.3))
    fit = calibrate_idt(published, components, FRANCE, dispersion=SPREAD)
    assert fit.identified.to_dict() == dict(zip(NAMES, [False, True, False], strict=True))
    # any share of 0.7 between the two is as good
    for name in ("part_emploi_25_54", "revenu_median"):
        low, high = fit.weight_range.loc[[name]].to_numpy()[0]
        assert low == pytest.approx(0, abs=1e-6)
        assert high >= 0.69
    said = " ".join(fit.remarks)
    assert "le poids de « part_emploi_25_54 » n'est pas identifié : de 0,00 à 0,7" in said
    assert "sa corrélation avec « revenu_median » est de 1,00" in said
    assert "part_sup_bac" not in said
    assert fit.correlations.loc["part_emploi_25_54", "revenu_median"] == pytest.approx(1)
    np.testing.assert_allclose(again(fit, components), published, atol=1e-8)


def test_collinear_components_of_small_weight_are_found_out_too() -> None:
    components = draw()
    components["revenu_median"] = 10_000 + 100 * components["part_emploi_25_54"]
    published = values(components, (0.01, 0.98, 0.01))
    fit = calibrate_idt(published, components, dispersion=SPREAD, unit=0)
    assert (fit.weight_range["poids_max"] - fit.weight_range["poids_min"] < 0.2).all()
    assert fit.identified.to_list() == [False, True, False]


def test_correlated_components_widen_the_range() -> None:
    noise = np.random.default_rng(1).normal(0, 8, 17)
    width = {}
    for common in (0.0, 0.9):
        components = draw(seed=3, common=common)
        fit = calibrate_idt(values(components, (0.5, 0.2, 0.3)) + noise, components, FRANCE)
        ranges = fit.weight_range
        width[common] = (ranges["poids_max"] - ranges["poids_min"]).max()
    assert width[0.9] > 2 * width[0.0]


# ---- what users give ----------------------------------------------------------------------------


def test_the_published_values() -> None:
    published = published_idt()
    assert len(published) == 31  # 16 territories in two years, less the doubtful value
    assert published["QP059058", 2011] == -167
    assert published["200042190", 2019] == -106
    assert ("200042190", 2011) not in published.index
    assert published_idt(doubtful=True)["200042190", 2011] == -202
    assert published.xs(2019, level="annee")["ENSQP_METRO"] == -183
    quarters = published[[code.startswith("QP") for code, _ in published.index]]
    assert (quarters.min(), quarters.max()) == (-266, -167)


def test_the_published_values_with_invented_components() -> None:
    published = published_idt()
    rng = np.random.default_rng(0)
    gaps = published.to_numpy()[:, None] / 100 + rng.normal(0, 0.15, (len(published), 3))
    components = pd.DataFrame(
        np.array(FRANCE) + gaps * np.array(SPREAD), columns=NAMES, index=published.index
    )
    fit = calibrate_idt(published, components, FRANCE)
    assert fit.r2 > 0.95
    assert len(fit.table) == 31


def test_forms_of_the_published_values() -> None:
    components = draw()
    published = values(components, (0.5, 0.2, 0.3)).round()
    expected = calibrate_idt(published, components, FRANCE)
    dated = components.assign(annee=2019).reset_index()
    forms: list[tuple[Any, pd.DataFrame]] = [
        (published.sample(frac=1, random_state=0), components),
        (published.to_dict(), components),
        (published.to_list(), components),
        (published.astype("Int64").to_numpy(), components),
        (published, components.reset_index()),
        (published, dated),
        (published, dated.set_index(["code", "annee"])),
        (pd.concat({2019: published}, names=["annee"]).swaplevel(), components),
        (published.astype("Int64"), components),
    ]
    for given_published, given_components in forms:
        before = given_components.copy()
        fit = calibrate_idt(given_published, given_components, FRANCE)
        pd.testing.assert_series_equal(fit.weights, expected.weights)
        pd.testing.assert_frame_equal(given_components, before)


def test_what_is_missing_is_left_out_and_counted() -> None:
    components = draw()
    published = values(components, (0.5, 0.2, 0.3)).drop("QP000")
    components.loc["QP001", "revenu_median"] = np.nan
    fit = calibrate_idt(published, components, FRANCE)
    assert len(fit.table) == 15
    assert any(said.startswith("2 lignes laissées de côté") for said in fit.remarks)


def test_four_territories_at_least() -> None:
    components = draw(4)
    published = values(components, (0.5, 0.2, 0.3))
    assert len(calibrate_idt(published, components, FRANCE).table) == 4
    with pytest.raises(BarometreError, match=r"3 territoires.*au moins 4"):
        calibrate_idt(published.iloc[1:], components, FRANCE)
    with pytest.raises(BarometreError, match=r"au moins 5 \(le zéro"):
        calibrate_idt(published, components)
    with pytest.raises(BarometreError, match="0 territoire"):
        calibrate_idt(published, components.iloc[:0], FRANCE)


def test_calibrations_refused() -> None:
    components = draw()
    published = values(components, (0.5, 0.2, 0.3))
    dated = pd.concat([components.assign(annee=y) for y in (2011, 2019)])
    cases: list[tuple[Any, Any, dict[str, Any], str]] = [
        (-published, components, {}, "aucun poids positif"),
        (published, components.assign(part_sup_bac=20.0), {}, "part_sup_bac ne varie pas"),
        (published, components.drop(columns="part_sup_bac"), {}, "part_sup_bac"),
        (published.to_frame(), components, {}, "published_idt"),
        (published.to_list()[1:], components, {}, "16 valeurs"),
        (published.astype("str"), components, {}, "nombres"),
        (published, dated, {}, "même clé"),
        (pd.concat([published, published]), components, {}, "en double"),
        (published, components, {"tolerance": -1}, "tolerance"),
        (published, components, {"unit": np.nan}, "unit"),
        (published, components, {"dispersion": (1, 0, 1)}, "dispersion de 0"),
        (published, components, {"reference": "METRO"}, "METRO"),
    ]
    for given_published, given_components, options, words in cases:
        with pytest.raises(BarometreError, match=words):
            calibrate_idt(given_published, given_components, **{"reference": FRANCE, **options})


def test_published_values_that_do_not_vary() -> None:
    components = draw(common=0)
    fit = calibrate_idt(pd.Series(-200.0, index=components.index), components, FRANCE)
    assert np.isnan(fit.r2)
    assert fit.rmse > 0

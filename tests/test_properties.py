"""What must hold for every indicator, whatever the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import barometre as bcs
from barometre.cards.columns import MODELS
from barometre.cards.listing import load_cards
from barometre.cards.schema import Card
from barometre.engine.results import Results
from barometre.tables.table_set import Tables
from tests.strategies import valid_tables, within_limits

CARDS = list(load_cards().values())
by_id = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
few = settings(max_examples=20)


def _bare(card: Card, tables: dict[str, pd.DataFrame]) -> pd.Series[float]:
    """Call an indicator function without the check of its tables, which has its own tests."""
    function = card.fonction.__wrapped__  # type: ignore[attr-defined]  # set by functools.wraps
    value: pd.Series[float] = function(**tables)
    return value.rename(card.id)


def _counts(table: str) -> list[str]:
    columns = MODELS[table].to_schema().columns
    return [name for name, column in columns.items() if column.metadata["unite"] == "nombre"]


@by_id
@few
@given(data=st.data())
def test_values_stay_within_the_bounds_of_the_card(card: Card, data: st.DataObject) -> None:
    tables = data.draw(valid_tables(tuple(card.entrees), missing=True))
    value = _bare(card, tables).dropna()
    low, high = card.bornes
    assert value.between(low - 1e-9, high + 1e-9).all()


@by_id
@few
@given(data=st.data(), factor=st.integers(2, 1000))
def test_scaling_the_counts(card: Card, data: st.DataObject, factor: int) -> None:
    """A rate ignores the size of the territory, a count follows it."""
    tables = data.draw(valid_tables(tuple(card.entrees)))
    scaled = {
        name: frame.assign(**{c: frame[c] * factor for c in _counts(name)})
        for name, frame in tables.items()
    }
    before, after = _bare(card, tables), _bare(card, scaled)
    expected = before * factor if card.nature == "effectif" else before
    pd.testing.assert_series_equal(after, expected, rtol=1e-9)


@by_id
@few
@given(data=st.data(), shuffle=st.randoms(use_true_random=False))
def test_permuting_territories_permutes_values(
    card: Card, data: st.DataObject, shuffle: np.random.Generator
) -> None:
    tables = data.draw(valid_tables(tuple(card.entrees), missing=True))
    order = list(range(len(next(iter(tables.values())))))
    shuffle.shuffle(order)
    before = _bare(card, tables)
    after = _bare(card, {name: frame.iloc[order] for name, frame in tables.items()})
    pd.testing.assert_series_equal(after, before.iloc[order])


@by_id
@few
@given(data=st.data())
def test_the_input_is_left_as_it_was_and_the_result_is_on_its_index(
    card: Card, data: st.DataObject
) -> None:
    tables = data.draw(valid_tables(tuple(card.entrees), missing=True))
    copies = {name: frame.copy() for name, frame in tables.items()}
    value = _bare(card, tables)
    assert value.name == card.id
    assert value.dtype == np.float64
    assert value.index.equals(tables[next(iter(card.entrees))].index)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, copies[name])


ADDITIVE = [card for card in CARDS if card.agregation == "sommer"]


@pytest.mark.parametrize("card", ADDITIVE, ids=lambda card: card.id)
@few
@given(data=st.data())
def test_a_union_lies_between_its_parts(card: Card, data: st.DataObject) -> None:
    """Counts of a union are sums; its rates lie between those of its parts (mediant)."""
    tables = data.draw(valid_tables(tuple(card.entrees), rows=2))
    key = pd.MultiIndex.from_tuples([("union", 2021)], names=["code", "annee"])
    union = {name: frame.sum().to_frame().T.set_axis(key) for name, frame in tables.items()}
    value, total = _bare(card, tables), _bare(card, union).iloc[0]
    if card.nature == "effectif":
        assert total == value.sum()
    elif card.nature == "ecart":
        # The gap of a union is no mediant: the parts may differ in their women and their men.
        assert np.isnan(total) or abs(total) <= 100
    elif value.notna().all():
        assert value.min() - 1e-9 <= total <= value.max() + 1e-9


def test_some_indicators_are_additive() -> None:
    """So that the property above cannot pass by being skipped everywhere."""
    natures = [card.nature for card in ADDITIVE]
    assert natures.count("part") > 20
    assert "effectif" in natures


@few
@given(data=st.data())
def test_the_gap_of_a_union_comes_from_the_four_sums(data: st.DataObject) -> None:
    frame = data.draw(valid_tables(("activite",), rows=3))["activite"]
    sums = frame.sum()
    assume(sums["femmes_15_64_ans"] > 0)
    assume(sums["hommes_15_64_ans"] > 0)
    women = sums["femmes_actives_occupees_15_64_ans"] / sums["femmes_15_64_ans"]
    men = sums["hommes_actifs_occupes_15_64_ans"] / sums["hommes_15_64_ans"]
    key = pd.MultiIndex.from_tuples([("union", 2021)], names=["code", "annee"])
    card = load_cards()["ecart_taux_emploi_femmes_hommes"]
    gap = _bare(card, {"activite": sums.to_frame().T.set_axis(key)}).iloc[0]
    assert gap == pytest.approx(100 * women - 100 * men, abs=1e-9)


@settings(max_examples=8)
@given(data=st.data())
def test_every_row_has_a_value_exactly_when_its_status_is_ok(data: st.DataObject) -> None:
    tables = data.draw(valid_tables(tuple(MODELS), rows=4, missing=True))
    results = Results.validate(bcs.compute(tables))
    assert set(results["origine"]) <= {"calcule", "publie"}
    for card in CARDS:
        rows = results[results["indicateur"] == card.id]
        inputs = pd.concat(
            [tables[t][c].rename(f"{t}.{c}") for t, cs in card.entrees.items() for c in cs], axis=1
        )
        known = inputs.notna().all(axis=1)
        complete = known.loc[list(zip(rows["code"], rows["annee"], strict=True))].to_numpy()
        assert rows.loc[complete, "statut"].isin(["ok", "non_defini"]).all()
        assert (rows.loc[~complete, "statut"] == "non_disponible").all()


@settings(max_examples=15)
@given(data=st.data())
def test_compute_agrees_with_direct_calls(data: st.DataObject) -> None:
    tables = data.draw(valid_tables(tuple(MODELS), rows=3))
    results = bcs.compute(Tables(tables)).set_index(["indicateur", "code"])["valeur"]
    for card in CARDS:
        direct = _bare(card, {name: tables[name] for name in card.entrees})
        ours = results[card.id].reindex(direct.index.get_level_values("code"))
        assert ours.tolist() == pytest.approx(direct.tolist(), nan_ok=True)


def test_the_strategy_respects_the_models() -> None:
    """A strategy that drew invalid tables would hide the checks of the door."""
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([["59172"], range(2000, 2050)], names=["code", "annee"])
    for name, model in MODELS.items():
        columns = list(model.to_schema().columns)
        frame = pd.DataFrame(rng.integers(0, 9, (50, len(columns))), index, columns, dtype=float)
        model.validate(within_limits(name, frame))

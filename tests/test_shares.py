"""Which cards are shares, which are rates, shown by what each gives of any figures at all.

`Card.bornes` are limits that the value cannot leave whatever the data: figures drawn here are
such that no table would let them in, since only then does every share differ from a rate.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from barometre.base.arrays import Floats
from barometre.cards.listing import load_cards
from barometre.cards.schema import Card
from barometre.themes import formulas

ROWS = 400
CARDS = [card for card in load_cards().values() if card.nature in ("part", "taux", "rapport")]
POINTS = {"ecart_taux_emploi_femmes_hommes", "ecart_taux_scolarisation_filles_garcons"}
FACTOR = {"pourcent": 100, "pour_100": 100, "pour_10000": 10_000, "rapport": 1}


def named(nature: str) -> list[Card]:
    return [card for card in CARDS if card.nature == nature]


def any_figures(card: Card) -> list[pd.DataFrame]:
    """Draw tables of whole numbers from -3 to 6, the same for a card at every run."""
    rng = np.random.default_rng(sum(map(ord, card.id)))
    index = pd.MultiIndex.from_product([map(str, range(ROWS)), [2021]], names=["code", "annee"])
    return [
        pd.DataFrame(rng.integers(-3, 7, (ROWS, len(columns))), index, list(columns), float)
        for columns in card.entrees.values()
    ]


def computed(card: Card) -> tuple[Floats, list[tuple[Floats, Floats]]]:
    """Give the values of a card, and the divisions they come from."""
    bare = card.fonction.__wrapped__  # type: ignore[attr-defined]  # set by functools.wraps
    with formulas.divisions() as done:
        values = bare(*any_figures(card)).to_numpy(np.float64)
    pairs = [
        (np.asarray(above, np.float64), np.asarray(below, np.float64)) for above, below in done
    ]
    return values, pairs


def quotient(above: Floats, below: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below == 0, np.nan, above / below)


def check_share(card: Card) -> None:
    values, [(above, below)] = computed(card)
    free = 100 * quotient(above, below)
    assert np.nanmin(free) < 0, "no case that passes a limit: the check below would be idle"
    assert np.nanmax(free) > 100
    np.testing.assert_array_equal(values, np.clip(free, 0, 100))
    assert card.bornes == (0, 100)


def check_rate(card: Card) -> None:
    values, [(above, below)] = computed(card)
    free = FACTOR[card.unite] * quotient(above, below)
    assert np.nanmax(free) > 100 or card.unite == "rapport"
    np.testing.assert_allclose(values, free, rtol=1e-15)
    assert card.bornes[1] == np.inf


def check_gap_of_shares(card: Card) -> None:
    values, [first, second] = computed(card)
    one, two = (100 * quotient(*division) for division in (first, second))
    assert max(np.nanmax(one), np.nanmax(two)) > 100
    np.testing.assert_array_equal(values, np.clip(one, 0, 100) - np.clip(two, 0, 100))
    assert card.bornes == (-100, 100)


@pytest.mark.parametrize("card", named("part"), ids=lambda card: card.id)
def test_a_share_never_leaves_0_to_100(card: Card) -> None:
    check_share(card)


@pytest.mark.parametrize("card", named("taux") + named("rapport"), ids=lambda card: card.id)
def test_a_rate_may_pass_100(card: Card) -> None:
    check_rate(card)


@pytest.mark.parametrize("name", sorted(POINTS))
def test_a_gap_in_points_is_that_of_two_shares(name: str) -> None:
    check_gap_of_shares(load_cards()[name])


def test_every_card_that_divides_is_looked_at() -> None:
    published = {"publie", "effectif"}
    others = {c.id for c in load_cards().values() if c.nature not in published} - POINTS
    assert others - {card.id for card in CARDS} == {"ecart_salaire_horaire_femmes_hommes"}


@pytest.mark.parametrize("card", load_cards().values(), ids=lambda card: card.id)
def test_nothing_over_nothing_has_no_value(card: Card) -> None:
    values, divisions = computed(card)
    for _, below in divisions:
        assert (below == 0).any()
        assert np.isnan(values[below == 0]).all()
    if not divisions:
        assert card.nature in ("publie", "effectif")


# ---- the checks above can fail ------------------------------------------------------------------


@pytest.fixture
def themes() -> list[object]:
    for card in load_cards().values():
        assert callable(card.fonction)  # loads the module of its theme
    return [module for name, module in sys.modules.items() if name.startswith("barometre.themes.")]


def failing(cards: list[Card]) -> set[str]:
    names = set()
    for card in cards:
        try:
            check_share(card) if card.nature == "part" else check_rate(card)
        except AssertionError:
            names.add(card.id)
    return names


@pytest.mark.parametrize(("wrong", "right"), [("share", "rate"), ("rate", "share")])
def test_each_card_tells_a_share_from_a_rate(
    themes: list[object], monkeypatch: pytest.MonkeyPatch, wrong: str, right: str
) -> None:
    """Turn every share into a rate (then every rate into a share): each card says so."""
    swapped = getattr(formulas, right)
    for module in themes:
        if module is not formulas and hasattr(module, wrong):
            monkeypatch.setattr(module, wrong, swapped)
    if wrong == "share":
        assert failing(named("part")) == {card.id for card in named("part")}
        for name in POINTS:
            with pytest.raises(AssertionError):
                check_gap_of_shares(load_cards()[name])
    else:
        per_100 = [card for card in named("taux") if card.unite != "pour_10000"]
        assert failing(per_100) == {card.id for card in per_100}

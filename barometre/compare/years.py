"""Differences between two years, refused with the reason where two values do not compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Integers
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.texts import Texts
from barometre.cards.schema import Card
from barometre.compare.gaps import GAP_UNITS, MONTHLY_UNITS, by_month, check_tolerance
from barometre.compare.proof.breaks import (
    BRIDGED,
    CENSUS_YEARS,
    CNAM,
    NEW_QPV,
    OLD,
    Bridge,
    Rule,
    bridged,
    census_text,
    new_text,
    series_signals,
)
from barometre.compare.proof.breaks import RULES as RULES
from barometre.compare.proof.prices import NOMINAL, Prices, deflated, is_amount
from barometre.compare.proof.sides import APPRECIATIONS, difference_bounds, judged
from barometre.compare.rows import (
    NOISE,
    REASONS,
    SAME,
    Rows,
    check_references,
    checked_rows,
    joint_origin,
    named,
    names_of,
    worst_quality,
)
from barometre.engine.perimeters import BREAK
from barometre.tables.codes import level_of, qpv_generation
from barometre.tables.table_set import DOUBTFUL

EVOLUTION_STATUSES = (*REASONS, "non_comparable")
CONVERGENCES = ("rapprochement", "éloignement", "stable", "inversion")
TRENDS = ("moins favorable", "comparable", "plus favorable", "différente")


def evolution(
    results: pd.DataFrame,
    start: int,
    end: int,
    *,
    override: Rule | Iterable[Rule] = (),
    reference: str | None = None,
    tolerance: float = 0.05,
    monthly: bool = False,
    deflate: Prices | None = None,
    bridge: Bridge = None,
) -> pd.DataFrame:
    """Compare two years of every territory and indicator.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them, for both years.
    start, end : int
        Years of the data.
    override : str or iterable of str, optional
        Rules to lift, by name. ``"recensement"``: vintages of the census less than five years apart
        share surveys. ``"cnam"``: consecutive years of the Cnam below the commune. ``"perimetre"``:
        neighbourhoods of 2015 from 2024 on, of 2024 before that year, or carried over by `to_2024`.
        ``"rupture"``: a change of definition that the card declares.
    reference : str, optional
        Code of a territory of the results towards which convergence is looked at.
    tolerance : float, default 0.05
        Relative distance up to which, inclusive, an evolution is ``"comparable"`` to that of the
        reference.
    monthly : bool, default False
        Give yearly amounts by month: every figure of the row.
    deflate : Series or mapping, optional
        Price index by year: amounts are then in euros of ``end``. Without it, they are nominal, and
        ``note`` says so.
    bridge : bool or DataFrame, optional
        Follow the neighbourhoods of 2015 into those of 2024 where they are the same (`qpv_bridge`;
        True for the bundled one).

    Returns
    -------
    DataFrame
        One row per territory and indicator of the results, in their order; empty for empty results.

        - ``code``, ``indicateur``, ``annee_debut``, ``annee_fin``, ``valeur_debut``,
          ``valeur_fin``.
        - ``evolution``: end minus start, before any rounding, in the unit ``unite``.
        - ``evolution_pct``: in per cent of the start, and ``taux_annuel_pct``: the same a year,
          compounded; both missing when the start is not positive, the second one also when the end
          is negative.
        - ``evolution_points``: in points, for percentages and gaps of percentages only.
        - ``evolution_inf``, ``evolution_sup``: bounds, when both values have bounds and rest on no
          common survey.
        - ``appreciation``: ``favorable``, ``defavorable``, ``egal`` or ``neutre``, by the card.
        - ``statut``: ``ok``; ``non_comparable`` where a rule refuses (the values are there, and
          ``note`` says why); else why a value is absent, the stronger of the two reasons
          (``secret`` first), ``non_disponible`` when the results have no row for a year.
        - ``qualite``: the worse of the two, ``douteux`` where a lifted rule would have refused;
          ``origine``: ``publie`` only if both are; ``note``.

        With ``reference`` (missing on its own rows and where either evolution is):

        - ``reference``; ``ecart_debut``, ``ecart_fin``: territory minus reference, as `gap` gives
          it, in ``unite_ecart``.
        - ``convergence``: ``rapprochement`` or ``éloignement`` when the gap, without its sign,
          shrank or grew, ``stable``, or ``inversion`` when the territory went past the reference.
        - ``evolution_reference``; ``classe``: ``comparable`` within the tolerance, else ``plus
          favorable`` or ``moins favorable`` by the card (for a target of 0 or 50, what was gained
          on it is compared), ``différente`` for an indicator without direction.
        - ``seuil_bas``, ``seuil_haut``: limits of ``comparable`` around the evolution of the
          reference; missing for a target of 0 or 50.

    Raises
    ------
    BarometreError
        Years that are no integers or in the wrong order, a year that no row has (those there are
        are listed), a reference that is not in the results, a tolerance out of [0, 1).
    FaultsError
        Results that are refused.
    UnknownNameError
        A rule or an indicator of no list.

    Notes
    -----
    Bounds as in `gap`: two vintages are independent samples when they share no survey. The yearly
    rate is ``100 * ((end / start)**(1 / years) - 1)``.

    Examples
    --------
    >>> medians = pd.DataFrame(
    ...     {
    ...         "code": "200042190",
    ...         "annee": [2014, 2019],
    ...         "indicateur": "niveau_de_vie_median",
    ...         "valeur": [16964.0, 18550.0],
    ...     }
    ... )
    >>> evolution(medians, 2014, 2019)[["evolution", "unite", "appreciation"]]
       evolution               unite appreciation
    0     1586.0  € par an et par UC    favorable
    """
    check_tolerance(tolerance)
    lifted, rows = _rules(override), checked_rows(results)
    rows = bridged(by_month(rows) if monthly else rows, bridge)
    _check_years(rows, start, end)
    rows = deflated(rows, deflate, end, years=(start, end))
    key = rows.code * len(rows.cards) + rows.card
    pairs, first = np.unique(key, return_index=True)
    order = np.argsort(first, kind="stable")
    place = np.full(len(rows.codes) * len(rows.cards), -1, dtype=np.int64)
    year = rows.frame["annee"].to_numpy()
    ends = []
    for wanted in (start, end):
        there = np.flatnonzero(year == wanted)
        place[:] = -1
        place[key[there]] = there
        ends.append(place[pairs[order]])
    found = _Pairs(rows, first[order], ends[0], ends[1], start, end)
    frame = _evolution(found, _verdict(found, lifted), MONTHLY_UNITS if monthly else GAP_UNITS)
    if reference is None:
        return frame
    codes = check_references(rows, reference)
    if len(codes) > 1:
        raise BarometreError("une seule référence de convergence à la fois")
    return _with_convergence(found, frame, codes[0], tolerance)


@dataclass(frozen=True)
class _Pairs:
    """Territories and indicators: a row of theirs, and those of both years (-1: none)."""

    rows: Rows
    here: Integers
    before: Integers
    after: Integers
    start: int
    end: int

    @property
    def cards(self) -> Integers:
        return self.rows.card[self.here]

    def said(self, what: Callable[[Card], object]) -> npt.NDArray[Any]:
        """Give each pair what is said of its card."""
        return self.rows.by_card((what(card) for card in self.rows.cards), self.cards)

    def matching(self, codes: Callable[[str], bool]) -> Booleans:
        """Tell the pairs whose code has a property, asked once a territory."""
        known = np.array([codes(code) for code in self.rows.codes], dtype=bool)
        return known[self.rows.code[self.here]]

    def noted(self, text: str) -> Booleans:
        """Tell the pairs whose note of one year or the other holds a text."""
        holds = self.rows.texts("note").told(lambda note: text in note)
        either = np.append(holds, False)
        found: Booleans = either[self.before] | either[self.after]
        return found


# ---- what is refused -----------------------------------------------------------------------------


def _rules(override: str | Iterable[str]) -> set[str]:
    lifted = set(names_of(override, "override"))
    for name in sorted(lifted - set(RULES)):
        raise UnknownNameError("nom de règle à lever", name, RULES)
    return lifted


def _check_years(rows: Rows, start: int, end: int) -> None:
    for name, year in (("start", start), ("end", end)):
        if isinstance(year, bool) or not isinstance(year, (int, np.integer)):
            raise BarometreError(f"{name}={year!r} refusé : donner une année entière")
    if start >= end:
        raise BarometreError(f"début {start} et fin {end} : le début doit précéder la fin")
    present = sorted(rows.frame["annee"].unique())
    absent = [str(year) for year in (start, end) if year not in present]
    if absent and present:
        raise BarometreError(
            f"aucun résultat en {' ni en '.join(absent)} ; années présentes :"
            f" {', '.join(map(str, present))}"
        )


def _refusals(pairs: _Pairs) -> Iterator[tuple[Rule, Booleans, str]]:
    """List the rules that some pairs break: which rule, which pairs, and why."""
    start, end = pairs.start, pairs.end
    years = end - start
    census = pairs.said(lambda card: card.exploitation in ("principale", "complementaire"))
    if years < CENSUS_YEARS:
        yield "recensement", census.astype(bool), census_text(years)
    cnam = pairs.said(lambda card: "Cnam" in card.producteur).astype(bool)
    if years == 1 and cnam.any():
        yield "cnam", cnam & pairs.matching(lambda c: level_of(c) in ("iris", "qpv")), CNAM
    if end >= NEW_QPV:
        yield "perimetre", pairs.matching(lambda c: qpv_generation(c) == 2015), OLD
    if start < NEW_QPV:
        new = pairs.matching(lambda c: qpv_generation(c) == NEW_QPV) & ~pairs.noted(BRIDGED)
        yield "perimetre", new, new_text(start)
    yield "perimetre", pairs.noted(BREAK), BREAK
    for number, card in enumerate(pairs.rows.cards):
        for change in card.ruptures:
            if start < change.annee <= end:
                concerned = pairs.cards == number
                if levels := change.niveaux:
                    concerned = concerned & pairs.matching(partial(_is_of, levels=levels))
                yield "rupture", concerned, f"rupture en {change.annee} : {change.motif}"


def _is_of(code: str, levels: tuple[str, ...]) -> bool:
    return level_of(code) in levels


def _signals(pairs: _Pairs) -> Iterator[tuple[Booleans, str]]:
    """List what must be said of pairs that are compared."""
    levels = dict.fromkeys(map(level_of, pairs.rows.codes))
    for number, card in enumerate(pairs.rows.cards):
        for level in levels if card.alertes else ():
            code = next(c for c in pairs.rows.codes if level_of(c) == level)
            concerned = (pairs.cards == number) & pairs.matching(partial(_is_of, levels=(level,)))
            for told in series_signals(card, code, pairs.start, pairs.end):
                yield concerned, told
    amounts = np.append(is_amount(pairs.rows), False)[pairs.here]
    yield amounts & ~pairs.noted("euros constants"), NOMINAL


def _absences(pairs: _Pairs) -> Iterator[tuple[Booleans, str]]:
    """List the pairs without a row in a year, and what to say of them."""
    known = pairs.rows.frame["annee"].groupby(pairs.rows.card).unique()
    for year, at in ((pairs.start, pairs.before), (pairs.end, pairs.after)):
        for number, years in known.items():
            concerned = (at < 0) & (pairs.cards == number)
            if concerned.any():
                others = ", ".join(map(str, sorted(years)))
                told = f"aucune donnée du territoire en {year}"
                wholly = f"aucune donnée de l'indicateur en {year} (années : {others})"
                yield concerned, told if year in years else wholly


# ---- the table -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Verdict:
    """What the rules make of some pairs."""

    refused: Booleans
    forced: Booleans  # a lifted rule would have refused
    shared: Booleans  # both vintages rest on a common survey
    note: Texts


def _verdict(pairs: _Pairs, lifted: set[str]) -> _Verdict:
    """Apply the rules, and say in the notes what was refused, forced or absent."""
    rows, before, after = pairs.rows, pairs.before, pairs.after
    refused = np.zeros(len(before), dtype=bool)
    forced, shared = refused.copy(), refused.copy()
    note = Texts.none(len(before))
    note = note.then(rows.texts("note", before), f"{pairs.start} : ")
    note = note.then(rows.texts("note", after), f"{pairs.end} : ")
    there = (before >= 0) | (after >= 0)  # what has no value at all has nothing to refuse
    for rule, broken, told in _refusals(pairs):
        concerned = broken & there
        if rule == "recensement":
            shared |= concerned
        if rule in lifted:
            forced |= concerned
            told = f"comparaison demandée malgré la règle « {rule} » ({told})"
        else:
            refused |= concerned
        note = note.then(Texts.one(told, concerned))
    for concerned, told in _signals(pairs):
        note = note.then(Texts.one(told, concerned & there))
    for concerned, told in _absences(pairs):
        note = note.then(Texts.one(told, concerned))
    return _Verdict(refused, forced, shared, note)


def _evolution(pairs: _Pairs, verdict: _Verdict, units: Mapping[str, str]) -> pd.DataFrame:
    rows, before, after = pairs.rows, pairs.before, pairs.after
    years = pairs.end - pairs.start
    first, second = rows.bounded(before), rows.bounded(after)
    reason = np.maximum(
        rows.positions("statut", before, REASONS), rows.positions("statut", after, REASONS)
    )
    lacking = np.where((before < 0) | (after < 0), 1, 0)
    absent = np.where(verdict.refused, len(REASONS), lacking)
    status = np.where(reason > 0, reason, absent)
    known = status == 0
    v0, v1 = (np.where(known, values[0], np.nan) for values in (first, second))
    base = np.where(v0 > NOISE, v0, np.nan)
    cards = pairs.cards
    points = pairs.said(lambda card: card.unite in ("pourcent", "points")).astype(bool)
    certain = rows.certain(before) & rows.certain(after)
    low, high = difference_bounds(second, first, certain)
    bounded = known & ~verdict.shared
    quality = worst_quality(rows, before, after)
    doubtful = np.where(verdict.forced & known, len(quality.known), quality.positions)
    return pd.DataFrame(
        {
            "code": rows.column("code", pairs.here),
            "indicateur": rows.column("indicateur", pairs.here),
            "annee_debut": np.full(len(before), pairs.start, dtype=np.int64),
            "annee_fin": np.full(len(before), pairs.end, dtype=np.int64),
            "valeur_debut": first[0],
            "valeur_fin": second[0],
            "evolution": v1 - v0,
            "evolution_pct": 100 * (v1 - v0) / base,
            "evolution_points": np.where(points, v1 - v0, np.nan),
            "taux_annuel_pct": 100 * ((np.where(v1 >= 0, v1, np.nan) / base) ** (1 / years) - 1),
            "evolution_inf": np.where(bounded, low, np.nan),
            "evolution_sup": np.where(bounded, high, np.nan),
            "unite": Texts(cards, tuple(units[card.unite] for card in rows.cards)).written(),
            "appreciation": Texts(
                judged(rows.favour(v1, cards) - rows.favour(v0, cards), v0, v1), APPRECIATIONS
            ).written(),
            "statut": Texts(status, EVOLUTION_STATUSES).written(),
            "qualite": Texts(doubtful, (*quality.known, DOUBTFUL)).written(),
            "origine": joint_origin(rows, before, after).written(),
            "note": verdict.note.written(),
        },
        copy=False,
    )


def _with_convergence(
    pairs: _Pairs, frame: pd.DataFrame, reference: str, tolerance: float
) -> pd.DataFrame:
    mine = (frame["code"] == reference).to_numpy()
    place = np.full(len(pairs.rows.cards), -1, dtype=np.int64)
    place[pairs.cards[mine]] = np.flatnonzero(mine)
    there = np.where(mine, -1, place[pairs.cards])
    change = frame["evolution"].to_numpy()
    other = np.append(change, np.nan)[there]
    known = ~np.isnan(change - other)
    v0, v1 = (np.where(known, frame[c], np.nan) for c in ("valeur_debut", "valeur_fin"))
    r0, r1 = (
        np.where(known, np.append(frame[c].to_numpy(), np.nan)[there], np.nan)
        for c in ("valeur_debut", "valeur_fin")
    )
    noise = SAME * np.max(np.abs([v0, v1, r0, r1]), axis=0)
    gap0, gap1 = v0 - r0, v1 - r1
    crossed = (gap0 * gap1 < 0) & (np.minimum(abs(gap0), abs(gap1)) > noise)
    grown = np.abs(gap1) - np.abs(gap0)
    moved = np.where(crossed, 3, np.where(np.abs(grown) <= noise, 2, np.where(grown > 0, 1, 0)))
    rows, cards = pairs.rows, pairs.cards
    neutral = pairs.said(lambda card: card.sens == "neutre").astype(bool)
    aimed = pairs.said(lambda card: card.sens.startswith("proche")).astype(bool)
    mine_better, its_better = (
        np.where(neutral, last - first, rows.favour(last, cards) - rows.favour(first, cards))
        for first, last in ((v0, v1), (r0, r1))
    )
    close = np.abs(mine_better - its_better) <= tolerance * np.abs(its_better) + noise
    apart = np.where(neutral, 3, np.where(mine_better > its_better, 2, 0))
    its_change = np.where(known, other, np.nan)
    room = np.where(aimed, np.nan, tolerance * np.abs(its_change))
    lacking = ~known & ~mine & frame["evolution"].notna().to_numpy()
    return frame.assign(
        note=Texts.of(frame["note"])
        .then(Texts.one(f"pas d'évolution de « {reference} »", lacking))
        .written(),
        reference=pd.Series(reference, index=frame.index, dtype="str"),
        ecart_debut=gap0,
        ecart_fin=gap1,
        unite_ecart=frame["unite"],
        convergence=named(np.where(known, moved, -1), CONVERGENCES),
        evolution_reference=its_change,
        classe=named(np.where(known, np.where(close, 1, apart), -1), TRENDS),
        seuil_bas=its_change - room,
        seuil_haut=its_change + room,
    )

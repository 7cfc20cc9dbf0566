"""Whether a territory differs from a reference, and by which proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Booleans, Floats, Integers, RowNumbers
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.texts import Numbered, Texts, written_by_blocks
from barometre.compare.proof.counts import Counts, counts_behind
from barometre.compare.proof.differences import (
    Difference,
    Measured,
    against_fixed,
    binomial,
    poisson,
    rounded,
    sampled,
    without_part,
)
from barometre.compare.rows import (
    NOISE,
    REASONS,
    SAME,
    Rows,
    check_references,
    checked_rows,
    joint_origin,
    names_of,
    worst_quality,
)
from barometre.datasets.places.containment import inside
from barometre.datasets.places.members import Given, members
from barometre.engine.limits import SURVEYED_WHOLE
from barometre.engine.sampling import normal_quantile
from barometre.tables.table_set import DOUBTFUL, Tables, as_tables

Verdict = Literal["favorable", "comparable", "defavorable", "plus_eleve", "plus_bas", "non_juge"]
Proof = Literal["sondage", "arrondi", "hasard", "aucune"]
Adjustment = Literal["holm", "bh"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
PROOFS: tuple[Proof, ...] = get_args(Proof)
ADJUSTMENTS: tuple[Adjustment, ...] = get_args(Adjustment)
DEFAULT: tuple[Proof, ...] = ("sondage", "arrondi", "aucune")

_NOT_JUDGED = VERDICTS.index("non_juge")
_CENSUS = ("principale", "complementaire")
_SIDES = ("oui", "partie", "inconnu")
_NOTES = {
    "rest": "référence comparée hors du territoire",
    "oui": "la référence contient le territoire, effectifs inconnus : dépendance non retirée",
    "partie": "la référence contient une partie du territoire : dépendance non retirée",
    "inconnu": "si la référence contient le territoire, les deux ne sont pas indépendants",
    "fixed": "référence tenue pour exacte",
    "rebuilt": "effectif reconstitué par la part publiée, arrondi",
    "hasard": "effectif de registre vu comme un tirage (hasard), sans erreur de sondage",
    "aucune": "classe d'écart relatif, sans preuve",
    "whole": SURVEYED_WHOLE,
}


@dataclass(frozen=True)
class Rule:
    """How differences are judged.

    Attributes
    ----------
    proofs : tuple of str
        Proofs admitted, the first that exists for a value serving.
    level : float, default 0.95
        Level of the bounds.
    tolerance : float, default 0.05
        Relative distance of the class without proof.
    """

    proofs: tuple[Proof, ...] = DEFAULT
    level: float = 0.95
    tolerance: float = 0.05


@dataclass(frozen=True)
class Face:
    """Rows of territories and those of their reference, of the same year and indicator.

    Attributes
    ----------
    rows : Rows
        Checked results.
    here, there : array of int
        Row of the territory, row of the reference (-1: none).
    reference : str
        Code of the reference.
    """

    rows: Rows
    here: Integers
    there: Integers
    reference: str

    @property
    def cards(self) -> Integers:
        """The position of the indicator of each pair."""
        return self.rows.card[self.here]

    def at(self, some: slice | RowNumbers) -> Face:
        """Keep some of these pairs."""
        return replace(self, here=self.here[some], there=self.there[some])


def facing(rows: Rows, reference: str) -> Face:
    """Put every row in front of that of a reference; a reference is not compared with itself."""
    year, years = pd.factorize(rows.frame["annee"])
    key = rows.card * max(len(years), 1) + year
    number = rows.codes.index(reference) if reference in rows.codes else -1
    mine = rows.code == number
    place = np.full(max(len(rows.cards) * len(years), 1), -1, dtype=np.int64)
    place[key[mine]] = np.flatnonzero(mine)
    here = np.flatnonzero(~mine)
    return Face(rows, here, place[key[here]], reference)


def judge(
    results: pd.DataFrame,
    reference: str | Iterable[str],
    *,
    proof: Proof | Iterable[Proof] = DEFAULT,
    level: float = 0.95,
    tolerance: float = 0.05,
    adjust: Adjustment | None = None,
    family: str | Iterable[str] = ("annee", "indicateur", "reference"),
    tables: Tables | Mapping[str, pd.DataFrame] | None = None,
    membership: Given | Iterable[Given] | None = None,
) -> pd.DataFrame:
    """Say of every territory whether it differs from a reference, and what proves it.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them, with ``intervals=True`` for the proofs by sampling and rounding.
    reference : str or iterable of str
        Codes or names of the references.
    proof : str or iterable of str, default ("sondage", "arrondi", "aucune")
        Proofs admitted; the first one that exists for a value serves.

        - ``"sondage"``: the interval of a sampled value.
        - ``"arrondi"``: the bounds that rounded counts leave open, that nothing can pass.
        - ``"hasard"``: the counts of a register seen as binomial (a share) or Poisson (a rate), as
          the profiles of public health do. Never by default: a register counts everyone, so this is
          no sampling error, but what chance alone could do to so few people.
        - ``"aucune"``: within ``tolerance`` of the reference or not; nothing is proved.
    level : float, default 0.95
        Level of the bounds by chance, and of the tests.
    tolerance : float, default 0.05
        Relative distance of the class without proof.
    adjust : {"holm", "bh"}, optional
        Correction of the p-values for their number within each family: Holm, or Benjamini and
        Hochberg. None by default, and ``correction`` says so.
    family : str or iterable of str, default ("annee", "indicateur", "reference")
        Columns whose common values make a family.
    tables : Tables or mapping of DataFrame, optional
        Tables the results come from: their counts give numerators, denominators, and the reference
        less the territory. Counts that are not known are rebuilt from printed shares and the counts
        that the results hold.
    membership : Series, mapping, DataFrame, path or list of these, optional
        Who is in what, when the bundled memberships do not tell.

    Returns
    -------
    DataFrame
        One row per territory, year, indicator and reference; empty for empty results.

        - ``code, annee, indicateur, reference, valeur, valeur_reference``;
        - ``valeur_comparee``: what the territory was compared with: the reference, or the reference
          less the territory when it contains it and the counts are known;
        - ``ecart`` (to ``valeur_comparee``), ``ecart_inf``, ``ecart_sup``, in the unit of the
          values;
        - ``p``, ``p_corrige``: two-sided p-values; missing for a rounding and for no proof;
        - ``verdict``: ``favorable``, ``comparable`` or ``defavorable``; ``plus_eleve`` or
          ``plus_bas`` for an indicator without direction; ``non_juge``, and ``note`` says why;
        - ``preuve``: the proof that served, missing when nothing was judged;
        - ``correction``: ``"holm"``, ``"bh"`` or ``"aucune"``;
        - ``statut, qualite, origine, note``.

        ``comparable`` means that no difference is established, not that there is none. What is
        never judged: an absent or doubtful value, one of grade D, a count (it follows the size of
        the territory), a census share without interval (those of the neighbourhoods).

    Raises
    ------
    BarometreError
        A reference out of the results, a level, tolerance or family that is none.
    UnknownNameError
        A proof or a correction of no list.
    FaultsError
        Results that are refused.

    Notes
    -----
    Of a sampled value against a sampled reference, Newcombe's (1998) square-and-add; against a
    known number, the interval of the value. By chance: Wilson's (1927) score interval against the
    reference taken as a fixed number; when the reference contains the territory, against the rest,
    whose own chance is counted by square-and-add. Rates: the score interval of a Poisson count.

    Examples
    --------
    >>> from barometre import compute, datasets
    >>> results = compute(datasets.tables())
    >>> long_term = results[
    ...     results["indicateur"].isin(["part_plus_2_ans_defm", "demandeurs_emploi_abc"])
    ... ]
    >>> found = judge(long_term, "200042190", proof="hasard")
    >>> quarters = found["code"].str.startswith("QP")
    >>> shares = found["indicateur"] == "part_plus_2_ans_defm"
    >>> found[quarters & shares]["verdict"].value_counts().to_dict()
    {'comparable': 10, 'favorable': 2, 'defavorable': 1}
    """
    rule = _rule(proof, level, tolerance)
    if adjust is not None and adjust not in ADJUSTMENTS:
        raise UnknownNameError("nom de correction", str(adjust), ADJUSTMENTS)
    rows = checked_rows(results)
    given = None if tables is None else as_tables(tables)
    parts = [
        _judged(facing(rows, code), rule, given, membership)
        for code in check_references(rows, reference)
    ]
    frame = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    return _adjusted(frame, adjust, names_of(family, "family"), 1 - level)


def default_verdicts(face: Face, tolerance: float) -> dict[str, Texts]:
    """Judge by what the results alone hold, without the reference less the territory."""
    found = _found(face, Rule(tolerance=tolerance), None, _alone(face))
    return {"verdict": found.verdict, "preuve": found.preuve}


def _rule(proof: str | Iterable[str], level: float, tolerance: float) -> Rule:
    names = names_of(proof, "proof")
    for name in names:
        if name not in PROOFS:
            raise UnknownNameError("nom de preuve", name, PROOFS)
    normal_quantile(level)
    if not is_number(tolerance) or not 0 <= tolerance < 1:
        raise BarometreError(
            f"tolerance={tolerance!r} refusée : donner une part entre 0 et 1 (0.05 pour 5 %)"
        )
    if not names:
        raise BarometreError(f"proof est vide : choisir parmi {', '.join(PROOFS)}")
    return Rule(tuple(p for n in names for p in PROOFS if p == n), level, tolerance)


@dataclass(frozen=True)
class _Found:
    """What is found of some pairs: by which proof (-1: none), compared with what, or why not."""

    chosen: Numbered
    difference: Difference
    first: Measured
    second: Measured
    rest: Floats
    verdict: Texts
    reason: Texts

    @property
    def compared(self) -> Floats:
        """What the territory was compared with: the reference, or what is left of it."""
        return np.where(np.isnan(self.rest), self.second.value, self.rest)

    @property
    def preuve(self) -> Texts:
        """The proof that served."""
        return Texts(self.chosen, PROOFS)


def _judged(
    face: Face, rule: Rule, tables: Tables | None, membership: Given | Iterable[Given] | None
) -> pd.DataFrame:
    """Judge the pairs of one reference, as rows."""
    need_counts = "hasard" in rule.proofs or tables is not None
    counts = counts_behind(face.rows, tables) if need_counts else None
    side = _containment(face, membership)
    columns = written_by_blocks(
        len(face.here), lambda some: _columns(face.at(some), rule, counts, side[some])
    )
    return pd.DataFrame(columns, copy=False)


def _columns(
    face: Face, rule: Rule, counts: Counts | None, side: Numbered
) -> dict[str, Texts | npt.NDArray[Any]]:
    """Judge some pairs, as columns."""
    rows, here, there = face.rows, face.here, face.there
    found = _found(face, rule, counts, side)
    value, other = rows.numbers("valeur", here), rows.numbers("valeur", there)
    status = np.maximum(
        rows.positions("statut", here, REASONS),
        np.where(there < 0, 1, rows.positions("statut", there, REASONS)),
    )
    nothing = np.full(len(here), np.nan)
    p, low, high = nothing, nothing.copy(), nothing.copy()
    bounded = np.flatnonzero((found.chosen >= 0) & (found.chosen < 3) & ~np.isnan(value - other))
    for to, values in ((low, found.difference.low), (high, found.difference.high),
                       (p, found.difference.p)):  # fmt: skip
        to[bounded] = values[bounded]
    note = rows.texts("note", here).then(
        rows.texts("note", there), f"référence « {face.reference} » : "
    )
    return {
        "code": rows.texts("code", here),
        "annee": rows.frame["annee"].to_numpy()[here],
        "indicateur": rows.texts("indicateur", here),
        "reference": Texts.one(face.reference, np.ones(len(here), dtype=bool)),
        "valeur": value,
        "valeur_reference": other,
        "valeur_comparee": found.compared,
        "ecart": value - found.compared,
        "ecart_inf": low,
        "ecart_sup": high,
        "p": p,
        "verdict": found.verdict,
        "preuve": found.preuve,
        "statut": Texts(status, REASONS),
        "qualite": worst_quality(rows, here, there),
        "origine": joint_origin(rows, here, there),
        "note": note.then(_told(face, found, counts, side)),
    }


def _found(face: Face, rule: Rule, counts: Counts | None, side: Numbered) -> _Found:
    """Choose the proof of each pair, apply it, and say what it gives."""
    rows, here, there = face.rows, face.here, face.there
    available = _available(face, counts)
    chosen = np.full(len(here), -1, dtype=np.int8)
    for admitted in reversed(rule.proofs):
        chosen[available[admitted]] = PROOFS.index(admitted)
    reason = _reasons(face, chosen, rule)
    chosen[reason.positions >= 0] = -1
    first = Measured.given(*rows.bounded(here))
    second = Measured.given(*rows.bounded(there))
    difference, rest = _differences(chosen, first, second, face, counts, side, rule)
    compared = (
        second.value if np.isnan(rest).all() else np.where(np.isnan(rest), second.value, rest)
    )
    verdict = _verdicts(face, chosen, difference, first, compared, rule)
    return _Found(chosen, difference, first, second, rest, verdict, reason)


def _told(face: Face, found: _Found, counts: Counts | None, side: Numbered) -> Texts:
    """Say what a verdict rests on, or why there is none."""
    chosen, whole = found.chosen, np.isnan(found.rest)
    by_chance, sampled = chosen == 2, chosen == 0
    alone = whole & (by_chance | sampled)
    told = {
        "rest": ~whole,
        **{name: (side == place) & alone for place, name in enumerate(_SIDES)},
        "fixed": ((found.second.low == found.second.high) & sampled) | (by_chance & whole),
        "rebuilt": by_chance & (counts.rebuilt[face.here] if counts else False),
        "hasard": by_chance,
        "aucune": chosen == 3,
        "whole": sampled & (found.first.low == found.first.high) & ~_said(face),
    }
    note = Texts.none(len(chosen))
    for name, where in told.items():
        note = note.then(Texts.one(_NOTES[name], where))
    return note.then(found.reason, "non jugé : ")


def _said(face: Face) -> Booleans:
    """Tell the pairs whose value says already that everyone was asked."""
    return face.rows.texts("note", face.here).told(lambda note: SURVEYED_WHOLE in note)


def _alone(face: Face) -> Numbered:
    """Hold the territories for no part of the reference."""
    return np.full(len(face.here), -1, dtype=np.int8)


def _containment(face: Face, membership: Given | Iterable[Given] | None) -> Numbered:
    """Tell of each pair whether the territory is part of the reference, by position in _SIDES."""
    known = inside(list(face.rows.codes), face.reference, members(membership))
    places = {name: place for place, name in enumerate(_SIDES)}
    numbers = np.array([places.get(str(one), -1) for one in known], dtype=np.int8)
    return numbers[face.rows.code[face.here]] if len(numbers) else _alone(face)


def _available(face: Face, counts: Counts | None) -> dict[Proof, Booleans]:
    """Tell which proofs exist for each pair."""
    rows, here, cards = face.rows, face.here, face.cards
    _, low, high = rows.bounded(here)
    bounded = ~np.isnan(low + high)
    certain = rows.certain(here)
    census = rows.by_card((c.exploitation in _CENSUS for c in rows.cards), cards).astype(bool)
    count = rows.by_card((c.nature == "effectif" for c in rows.cards), cards).astype(bool)
    drawn = rows.by_card(
        (c.exploitation == "exhaustif" and c.nature in ("part", "taux") for c in rows.cards), cards
    ).astype(bool)
    counted = np.zeros(len(here), dtype=bool)
    if counts is not None:
        counted = ~np.isnan(counts.above[here]) & (counts.below[here] > 0)
    return {
        "sondage": bounded & ~certain & ~count,
        "arrondi": bounded & certain & ~count,
        "hasard": counted & drawn,
        "aucune": ~census & ~count,
    }


def _reasons(face: Face, chosen: Numbered, rule: Rule) -> Texts:
    """Say why a pair is not judged."""
    rows, here, there = face.rows, face.here, face.there
    cards = face.cards
    mine, other = (rows.positions("statut", at, REASONS) for at in (here, there))
    count = rows.by_card((c.nature == "effectif" for c in rows.cards), cards).astype(bool)
    census = rows.by_card((c.exploitation in _CENSUS for c in rows.cards), cards).astype(bool)
    grades = ("D", DOUBTFUL)
    quality = [rows.positions("qualite", at, grades) for at in (here, there)]
    tests = [
        (quality[0] == 1, "valeur douteuse"),
        (quality[1] == 1, "référence douteuse"),
        ((quality[0] == 0) | (quality[1] == 0), "effectifs trop faibles (classe D)"),
        (count, "un effectif suit la taille du territoire"),
        (
            (chosen < 0) & census,
            "part d'un sondage sans intervalle : rien ne permet de juger son écart",
        ),
        (chosen < 0, f"aucune preuve demandée n'existe ({', '.join(rule.proofs)})"),
    ]
    texts = [text for _, text in tests]
    found = np.full(len(here), -1, dtype=np.int8)
    for place, (where, _) in reversed([*enumerate(tests)]):
        found[where] = place
    for at, what in ((np.where(other < 0, 1, other), "référence"), (mine, "valeur")):
        absent = np.flatnonzero(at)
        found[absent] = len(texts) + at[absent]
        texts += [f"{what} {status}" for status in REASONS]
    return Texts(found, tuple(texts))


def _differences(
    chosen: Numbered,
    first: Measured,
    second: Measured,
    face: Face,
    counts: Counts | None,
    side: Numbered,
    rule: Rule,
) -> tuple[Difference, Floats]:
    """Return the difference of each pair by its proof, and the rest it was taken to, if any."""
    low, high, p, rest = (np.full(len(chosen), np.nan) for _ in range(4))
    opposite = second
    if counts is not None:
        share = _share(face, counts)
        known = (side == _SIDES.index("oui")) & (chosen == 0) & (share < 1) & ~np.isnan(share)
        opposite = without_part(second, first, np.where(known, share, 0)).where(known, second)
        rest[known] = opposite.value[known]
    for place in range(3):
        at = np.flatnonzero(chosen == place)
        if not len(at):
            continue
        if place == 0:
            found = sampled(first.at(at), opposite.at(at), rule.level)
        elif place == 1:
            found = rounded(first.at(at), second.at(at))
        else:
            assert counts is not None  # no proof by chance without counts
            some = face.at(at)
            found, rest[at] = _by_chance(some, counts, side[at], second.value[at], rule.level)
        low[at], high[at], p[at] = found.low, found.high, found.p
    return Difference(low, high, p), rest


def _share(face: Face, counts: Counts) -> Floats:
    """Return the share of the reference that each territory makes, by the denominators."""
    below, other = (_taken(counts.below, rows) for rows in (face.here, face.there))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = below / other
    return np.where((share > 0) & (share <= 1), share, np.nan)


def _taken(counts: Floats, rows: Integers) -> Floats:
    """Take counts at some rows, -1 giving a missing one."""
    found = counts[rows]
    found[rows < 0] = np.nan
    return found


def _by_chance(
    face: Face, counts: Counts, side: Numbered, reference: Floats, level: float
) -> tuple[Difference, Floats]:
    """Compare counts seen as drawn: with the rest of the reference where it is known."""
    rows = face.rows
    binomials = rows.by_card((c.nature == "part" for c in rows.cards), face.cards).astype(bool)
    scale = counts.scale[face.here]
    k, n = counts.above[face.here], counts.below[face.here]
    others = _taken(counts.above, face.there) - k
    people = _taken(counts.below, face.there) - n
    known = (side == _SIDES.index("oui")) & (others >= 0) & (people > 0)
    known &= ~binomials | (others <= people)
    size = len(k)
    low, high, p, rest = (np.full(size, np.nan) for _ in range(4))
    for law, mine in (("binomial", binomials), ("poisson", ~binomials)):
        if not mine.any():
            continue
        measure = binomial if law == "binomial" else poisson
        fixed = against_fixed(k, n, reference / scale, level, law=law)
        other = measure(np.where(known, others, np.nan), np.where(known, people, np.nan), level)
        apart = sampled(measure(k, n, level), other, level)
        for values, alone, together in (
            (low, fixed.low, apart.low),
            (high, fixed.high, apart.high),
        ):
            values[mine] = (np.where(known, together, alone) * scale)[mine]
        p[mine] = np.where(known, apart.p, fixed.p)[mine]
        rest[mine] = (other.value * scale)[mine]
    return Difference(low, high, p), rest


def _verdicts(
    face: Face,
    chosen: Numbered,
    difference: Difference,
    first: Measured,
    compared: Floats,
    rule: Rule,
) -> Texts:
    """Put an established difference in words, by the direction of the card."""
    rows, cards = face.rows, face.cards
    room = np.abs(compared)
    room = rule.tolerance * room * (1 + SAME) + SAME * room + NOISE
    sign = first.value - compared
    apart = np.where(chosen == PROOFS.index("aucune"), np.abs(sign) > room, difference.established)
    better = rows.favour(first.value, cards) - rows.favour(compared, cards)
    # Towards a target, a difference may be one of side only: both ends must be on one side of it.
    aimed = rows.by_card((card.sens.startswith("proche") for card in rows.cards), cards)
    at = np.flatnonzero(aimed.astype(bool) & (chosen != 3) & apart)
    ends = [
        rows.favour(compared[at] + np.where(np.isnan(limit), sign[at], limit), cards[at])
        - rows.favour(compared[at], cards[at])
        for limit in (difference.low[at], difference.high[at])
    ]
    apart[at] = np.sign(ends[0]) == np.sign(ends[1])
    neutral = np.isnan(better)
    words = np.where(
        better > 0,
        np.int8(VERDICTS.index("favorable")),
        np.int8(VERDICTS.index("defavorable")),
    )
    words[neutral] = VERDICTS.index("plus_bas")
    words[neutral & (sign > 0)] = VERDICTS.index("plus_eleve")
    words[~apart | (better == 0)] = VERDICTS.index("comparable")
    words[chosen < 0] = _NOT_JUDGED
    return Texts(words, VERDICTS)


def _adjusted(
    frame: pd.DataFrame, adjust: Adjustment | None, family: list[str], alpha: float
) -> pd.DataFrame:
    """Correct the p-values within each family; what is no longer established is comparable."""
    absent = [name for name in family if name not in frame]
    if absent:
        raise UnknownNameError("colonne de famille", absent[0], map(str, frame.columns))
    corrected = frame["p"].copy()
    if adjust is not None and len(frame):
        from statsmodels.stats.multitest import multipletests

        method = {"holm": "holm", "bh": "fdr_bh"}[adjust]
        keys = frame.groupby(family, sort=False).ngroup() if family else pd.Series(0, frame.index)
        for _, values in frame["p"].dropna().groupby(keys):
            corrected[values.index] = multipletests(values.to_numpy(), method=method)[1]
    place = list(frame.columns).index("p") + 1
    every = np.ones(len(frame), dtype=bool)
    frame = frame.assign(
        correction=pd.Series(Texts.one(adjust or "aucune", every).written(), frame.index)
    )
    if adjust:
        lost = (frame["p"].notna() & (corrected > alpha)).to_numpy()
        lost = lost & (frame["verdict"] != "non_juge").to_numpy()
        frame["verdict"] = frame["verdict"].mask(lost, "comparable")
    frame.insert(place, "p_corrige", corrected if adjust else np.nan)
    columns = list(frame.columns)
    columns.remove("correction")
    columns.insert(columns.index("preuve") + 1, "correction")
    return frame[columns]

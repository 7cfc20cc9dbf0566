"""Whether a territory differs from a reference, and by which proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, UnknownNameError
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
from barometre.compare.proof.sides import favour
from barometre.compare.rows import (
    NOISE,
    REASONS,
    SAME,
    Rows,
    check_references,
    checked_rows,
    joined,
    joint_origin,
    named,
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


def facing(rows: Rows, reference: str) -> Face:
    """Put every row in front of that of a reference; a reference is not compared with itself."""
    year, years = pd.factorize(rows.frame["annee"])
    key = rows.card * max(len(years), 1) + year
    mine = (rows.frame["code"] == reference).to_numpy()
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
    frame = pd.concat(parts, ignore_index=True)
    return _adjusted(frame, adjust, names_of(family, "family"), 1 - level)


def default_verdicts(face: Face, tolerance: float) -> pd.DataFrame:
    """Judge by what the results alone hold, without the reference less the territory."""
    found = _found(face, Rule(tolerance=tolerance), None, None)
    return pd.DataFrame({"verdict": found.verdict, "preuve": found.preuve})


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
    """What is found of some pairs."""

    difference: Difference
    compared: Floats
    verdict: pd.Series[str]
    preuve: pd.Series[str]
    note: pd.Series[str]


def _judged(
    face: Face, rule: Rule, tables: Tables | None, membership: Given | Iterable[Given] | None
) -> pd.DataFrame:
    """Judge the pairs of one reference, as rows."""
    rows, here, there = face.rows, face.here, face.there
    found = _found(face, rule, tables, membership, parts=True)
    frame = rows.frame.iloc[here].reset_index(drop=True)
    value, other = rows.numbers("valeur", here), rows.numbers("valeur", there)
    status = np.maximum(
        rows.positions("statut", here, REASONS),
        np.where(there < 0, 1, rows.positions("statut", there, REASONS)),
    )
    known = ~np.isnan(value - other)
    bounded = known & found.preuve.isin(["sondage", "arrondi", "hasard"]).to_numpy()
    note = joined(frame["note"], rows.words("note", there), f"référence « {face.reference} » : ")
    return pd.DataFrame(
        {
            "code": frame["code"],
            "annee": frame["annee"],
            "indicateur": frame["indicateur"],
            "reference": pd.Series(face.reference, index=frame.index, dtype="str"),
            "valeur": value,
            "valeur_reference": other,
            "valeur_comparee": found.compared,
            "ecart": value - found.compared,
            "ecart_inf": np.where(bounded, found.difference.low, np.nan),
            "ecart_sup": np.where(bounded, found.difference.high, np.nan),
            "p": np.where(bounded, found.difference.p, np.nan),
            "verdict": found.verdict,
            "preuve": found.preuve,
            "statut": named(status, REASONS),
            "qualite": worst_quality(rows, here, there),
            "origine": joint_origin(rows, here, there),
            "note": joined(note, found.note),
        }
    )


def _found(
    face: Face,
    rule: Rule,
    tables: Tables | None,
    membership: Given | Iterable[Given] | None,
    *,
    parts: bool = False,
) -> _Found:
    """Choose the proof of each pair, apply it, and say what it gives."""
    rows, here, there = face.rows, face.here, face.there
    need_counts = parts and ("hasard" in rule.proofs or tables is not None)
    counts = counts_behind(rows, tables) if need_counts else None
    side = _containment(face, membership) if parts else np.full(len(here), "non", dtype="<U7")
    available = _available(face, counts)
    chosen = np.full(len(here), -1, dtype=np.int64)
    for admitted in reversed(rule.proofs):
        chosen = np.where(available[admitted], PROOFS.index(admitted), chosen)
    reason = _reasons(face, chosen, rule)
    chosen = np.where(reason != "", -1, chosen)
    first = Measured.given(*rows.bounded(here))
    second = Measured.given(*rows.bounded(there))
    exact = (second.low == second.high) & np.isin(chosen, [0])
    difference, rest = _differences(chosen, first, second, face, counts, side, rule)
    compared = np.where(np.isnan(rest), second.value, rest)
    verdict = _verdicts(face, chosen, difference, first, compared, rule)
    told = {
        "rest": ~np.isnan(rest),
        **{name: (side == name) & np.isnan(rest) & np.isin(chosen, [0, 2]) for name in _SIDES},
        "fixed": exact | ((chosen == 2) & np.isnan(rest)),
        "rebuilt": (chosen == 2) & (counts.rebuilt[here] if counts else False),
        "hasard": chosen == 2,
        "aucune": chosen == 3,
        "whole": (chosen == 0) & (first.low == first.high) & ~_said(face),
    }
    note = pd.Series(None, index=range(len(here)), dtype="str")
    for name, where in told.items():
        note = joined(note, named(np.where(where, 0, -1), [_NOTES[name]]))
    note = joined(note, pd.Series(reason, dtype="str").where(reason != ""), "non jugé : ")
    return _Found(difference, compared, verdict, named(chosen, PROOFS), note)


def _said(face: Face) -> Booleans:
    """Tell the pairs whose value says already that everyone was asked."""
    note = face.rows.words("note", face.here)
    said: Booleans = note.str.contains(SURVEYED_WHOLE, regex=False).fillna(False).to_numpy(bool)
    return said


def _containment(face: Face, membership: Given | Iterable[Given] | None) -> npt.NDArray[np.str_]:
    """Tell of each pair whether the territory is part of the reference."""
    known = inside(list(face.rows.codes), face.reference, members(membership))
    words = np.array(known, dtype="<U7") if known else np.zeros(0, dtype="<U7")
    return words[face.rows.code[face.here]]


def _available(face: Face, counts: Counts | None) -> dict[Proof, Booleans]:
    """Tell which proofs exist for each pair."""
    rows, here, cards = face.rows, face.here, face.cards
    _, low, high = rows.bounded(here)
    bounded = ~np.isnan(low) & ~np.isnan(high)
    certain = rows.certain(here)
    census = rows.by_card((c.exploitation in _CENSUS for c in rows.cards), cards).astype(bool)
    register = rows.by_card((c.exploitation == "exhaustif" for c in rows.cards), cards)
    kind = rows.by_card((c.nature for c in rows.cards), cards)
    count = kind == "effectif"
    counted = np.zeros(len(here), dtype=bool)
    if counts is not None:
        counted = ~np.isnan(counts.above[here]) & (counts.below[here] > 0)
    return {
        "sondage": bounded & ~certain & ~count,
        "arrondi": bounded & certain & ~count,
        "hasard": counted & register.astype(bool) & np.isin(kind, ("part", "taux")),
        "aucune": ~census & ~count,
    }


def _reasons(face: Face, chosen: Integers, rule: Rule) -> npt.NDArray[np.object_]:
    """Say why a pair is not judged; an empty text when it is."""
    rows, here, there = face.rows, face.here, face.there
    cards = face.cards
    mine = rows.words("statut", here).to_numpy(dtype=object)
    other = rows.words("statut", there).fillna("non_disponible").to_numpy(dtype=object)
    count = rows.by_card((c.nature == "effectif" for c in rows.cards), cards).astype(bool)
    census = rows.by_card((c.exploitation in _CENSUS for c in rows.cards), cards).astype(bool)
    grades = [rows.words("qualite", at).to_numpy(dtype=object) for at in (here, there)]
    tests = [
        (mine != "ok", np.array([f"valeur {s}" for s in mine], dtype=object)),
        (other != "ok", np.array([f"référence {s}" for s in other], dtype=object)),
        (grades[0] == DOUBTFUL, "valeur douteuse"),
        (grades[1] == DOUBTFUL, "référence douteuse"),
        ((grades[0] == "D") | (grades[1] == "D"), "effectifs trop faibles (classe D)"),
        (count, "un effectif suit la taille du territoire"),
        (
            (chosen < 0) & census,
            "part d'un sondage sans intervalle : rien ne permet de juger son écart",
        ),
        (chosen < 0, f"aucune preuve demandée n'existe ({', '.join(rule.proofs)})"),
    ]
    found = np.full(len(here), "", dtype=object)
    for where, text in reversed(tests):
        found = np.where(where, text, found)
    return found


def _differences(
    chosen: Integers,
    first: Measured,
    second: Measured,
    face: Face,
    counts: Counts | None,
    side: npt.NDArray[np.str_],
    rule: Rule,
) -> tuple[Difference, Floats]:
    """Return the difference of each pair by its proof, and the rest it was taken to, if any."""
    size = len(chosen)
    nothing = np.full(size, np.nan)
    low, high, p, rest = nothing, nothing, nothing, nothing.copy()
    rounding = rounded(first, second)
    opposite = second
    if counts is not None:
        share = _share(face, counts)
        known = (side == "oui") & (chosen == 0) & (share < 1) & ~np.isnan(share)
        opposite = without_part(second, first, np.where(known, share, 0)).where(known, second)
        rest[known] = opposite.value[known]
    sampling = sampled(first, opposite, rule.level)
    parts = {0: sampling, 1: rounding}
    if counts is not None:
        parts[2], by_chance = _by_chance(face, counts, side, second.value, rule.level)
        rest = np.where((chosen == 2) & ~np.isnan(by_chance), by_chance, rest)
    for place, found in parts.items():
        mine = chosen == place
        low = np.where(mine, found.low, low)
        high = np.where(mine, found.high, high)
        p = np.where(mine, found.p, p)
    return Difference(low, high, p), rest


def _share(face: Face, counts: Counts) -> Floats:
    """Return the share of the reference that each territory makes, by the denominators."""
    below = np.append(counts.below, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = below[face.here] / below[face.there]
    return np.where((share > 0) & (share <= 1), share, np.nan)


def _by_chance(
    face: Face, counts: Counts, side: npt.NDArray[np.str_], reference: Floats, level: float
) -> tuple[Difference, Floats]:
    """Compare counts seen as drawn: with the rest of the reference where it is known."""
    rows = face.rows
    binomials = rows.by_card((c.nature == "part" for c in rows.cards), face.cards).astype(bool)
    above, below = (np.append(x, np.nan) for x in (counts.above, counts.below))
    scale = counts.scale[face.here]
    k, n = above[face.here], below[face.here]
    others, people = above[face.there] - k, below[face.there] - n
    known = (side == "oui") & (others >= 0) & (people > 0)
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
    chosen: Integers,
    difference: Difference,
    first: Measured,
    compared: Floats,
    rule: Rule,
) -> pd.Series[str]:
    """Put an established difference in words, by the direction of the card."""
    rows = face.rows
    sens = rows.by_card((card.sens for card in rows.cards), face.cards)
    other = compared
    room = rule.tolerance * np.abs(other) * (1 + SAME) + SAME * np.abs(other) + NOISE
    beyond = np.abs(first.value - other) > room
    apart = np.where(chosen == PROOFS.index("aucune"), beyond, difference.established)
    sign = first.value - other
    better = favour(first.value, sens) - favour(other, sens)
    aimed = np.char.startswith(sens.astype("str"), "proche") if len(sens) else sens.astype(bool)
    # Towards a target, a difference may be one of side only: both ends must be on one side of it.
    ends = [
        favour(other + np.where(np.isnan(limit), sign, limit), sens) - favour(other, sens)
        for limit in (difference.low, difference.high)
    ]
    steady = np.where(aimed & (chosen != 3), np.sign(ends[0]) == np.sign(ends[1]), True)
    neutral = np.isnan(better)
    words = np.select(
        [
            chosen < 0,
            ~apart | ~steady | (~neutral & (better == 0)),
            neutral & (sign > 0),
            neutral,
            better > 0,
        ],
        [_NOT_JUDGED]
        + [VERDICTS.index(v) for v in ("comparable", "plus_eleve", "plus_bas", "favorable")],
        VERDICTS.index("defavorable"),
    )
    return named(words, VERDICTS)


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
    lost = frame["p"].notna() & (corrected > alpha) if adjust else pd.Series(False, frame.index)
    judged = frame["verdict"] != "non_juge"
    place = list(frame.columns).index("p") + 1
    frame = frame.assign(
        verdict=frame["verdict"].mask(lost & judged, "comparable"),
        correction=pd.Series(adjust or "aucune", index=frame.index, dtype="str"),
    )
    frame.insert(place, "p_corrige", corrected if adjust else np.nan)
    columns = list(frame.columns)
    columns.remove("correction")
    columns.insert(columns.index("preuve") + 1, "correction")
    return frame[columns]

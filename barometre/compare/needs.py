"""Needs spread over the whole territory, needs concentrated in some of its zones."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.french import format_number
from barometre.cards.listing import indicator_card, load_cards
from barometre.compare.dispersion import as_weights, theil, weighted_cv
from barometre.compare.gaps import GAP_UNITS, MONTHLY_UNITS, by_month
from barometre.compare.proof.sides import favour
from barometre.compare.rows import SAME, checked_rows, code_in
from barometre.compare.zones import (
    ByCode,
    Zones,
    by_code,
    check_between,
    check_territories,
    comparable,
    graded,
    grades_said,
    weighing,
    zones_of,
)
from barometre.engine.results import Grade
from barometre.tables.table_set import DOUBTFUL

Dispersion = Literal["cv", "theil"]
Diagnosis = Literal["généralisé", "concentré", "les deux", "ni l'un ni l'autre"]
DIAGNOSES: tuple[Diagnosis, ...] = get_args(Diagnosis)

DISPERSION_THRESHOLDS: Mapping[Dispersion, float] = {"cv": 0.2, "theil": 0.02}
"""Dispersion from which an indicator is dispersed, by default. Theil's index of close values is
half the square of their coefficient of variation: both thresholds then mean the same."""


def diagnose(
    results: pd.DataFrame,
    zones: Zones,
    territory: str,
    reference: str = "METRO",
    weights: ByCode | None = None,
    *,
    indicators: str | Iterable[str] | None = None,
    year: int | None = None,
    level_threshold: float = 0.05,
    dispersion: Dispersion = "cv",
    dispersion_threshold: float | None = None,
    groups: ByCode | None = None,
    min_coverage: float = 0.5,
    without_grades: Collection[Grade] = ("C", "D"),
    monthly: bool = False,
) -> pd.DataFrame:
    """Tell needs that are general from needs that are concentrated in some zones.

    The level of the whole territory is compared with a reference, and the zones with one another:
    a territory worse than the reference whose zones are alike has a need that is *généralisé*; one
    that is no worse but whose zones differ has a need that is *concentré*.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them: rows of the territory, of the reference and of the zones.
    zones : iterable of str, Series or mapping
        Codes of the zones that make up the territory; or who is in what (`membership`), of which
        those of ``territory`` are taken. Priority neighbourhoods alone tell how they differ from
        one another, and nothing of the rest.
    territory : str
        Code or name of the whole territory.
    reference : str, default "METRO"
        Code or name of what it is compared with.
    weights : Series or mapping, optional
        Weight (population) of each zone, by code; by default all weigh the same. The name of the
        Series is the ``ponderation`` of the output.
    indicators : str or iterable of str, optional
        Identifiers or themes, by default all those of the results that are no count: counts follow
        size.
    year : int, optional
        Year of all values. By default, for each indicator, the latest one that allows a diagnosis
        (territory and reference known, zones covered), else the latest.
    level_threshold : float, default 0.05
        Share of the reference beyond which the territory is worse.
    dispersion : {"cv", "theil"}, default "cv"
        Weighted coefficient of variation, or Theil's index.
    dispersion_threshold : float, optional
        Dispersion beyond which the zones differ; by default that of `DISPERSION_THRESHOLDS`, a
        convention of this library.
    groups : Series or mapping, optional
        Group of each zone, by code: adds the parts of Theil's index between and within groups.
    min_coverage : float, default 0.5
        Share of the weight of the zones that must be known for the dispersion to be told.
    without_grades : collection of {"A", "B", "C", "D"}, default ("C", "D")
        Display grades of the zone values left out: their spread is largely that of the sample.
    monthly : bool, default False
        Give yearly amounts by month: every figure of the row, in ``unite``.

    Returns
    -------
    DataFrame
        One row per indicator, in the order of the catalogue:

        - ``indicateur``, ``theme``, ``annee``, ``territoire``, ``reference``;
        - ``valeur``, ``valeur_reference``, ``ecart`` (their difference, in ``unite``: points for
          percentages), ``ecart_relatif`` (difference over the
          absolute reference, 0.05 is 5 %) and ``ecart_defavorable`` (the same, positive when worse
          by the direction of the card; missing for a neutral indicator);
        - ``mesure``, ``dispersion`` and, with ``groups``, ``theil_inter`` and ``theil_intra``;
        - ``seuil_niveau``, ``seuil_dispersion``, ``ponderation``;
        - ``zones`` (with a value), ``zones_absentes``, ``poids`` (of those with a value),
          ``couverture`` (its share, 0 to 1) and ``couverture_min``; ``classes_ecartees``;
        - ``diagnostic``, one of `DIAGNOSES`, missing when ``statut`` is not ``ok``: value of the
          territory or reference absent, coverage too low, dispersion not defined, and
          ``sans_objet`` for a neutral indicator, that nothing makes a need; ``note`` says which.

        Empty for results that are empty or hold nothing but counts.

    Raises
    ------
    FaultsError
        Results that are refused.
    BarometreError
        A territory, reference or zones that are not in the results; the territory among its zones;
        zones without weight or group; thresholds out of range; a count asked for; a year of no row.
    UnknownNameError
        Unknown indicator, measure or grade.

    Notes
    -----
    A reference of 0 makes any worse value worse beyond the threshold, ``ecart_relatif`` being
    missing. The dispersion is relative to the mean, so that of a rate depends on which of p and
    1 - p is published (see `weighted_cv`): compare indicators with care, years and territories
    freely. For a gap whose zones have both signs, the note says so.

    Examples
    --------
    >>> values = {"A": 10.0, "B": 30.0, "CA": 20.0, "59": 15.0}
    >>> results = pd.DataFrame(
    ...     {
    ...         "code": list(values),
    ...         "annee": 2021,
    ...         "indicateur": "taux_de_pauvrete",
    ...         "valeur": values.values(),
    ...     }
    ... )
    >>> found = diagnose(results, ["A", "B"], "CA", "59", {"A": 500, "B": 500}).loc[0]
    >>> float(found["ecart"]), float(found["dispersion"]), found["diagnostic"]
    (5.0, 0.5, 'les deux')
    """
    if dispersion not in DISPERSION_THRESHOLDS:
        raise UnknownNameError(
            "nom de mesure de dispersion", str(dispersion), DISPERSION_THRESHOLDS
        )
    if dispersion_threshold is None:
        dispersion_threshold = DISPERSION_THRESHOLDS[dispersion]
    check_between("level_threshold", level_threshold, math.inf)
    check_between("dispersion_threshold", dispersion_threshold, math.inf)
    check_between("min_coverage", min_coverage, 1)
    checked = checked_rows(results)
    rows = (by_month(checked) if monthly else checked).frame
    if not rows.empty and isinstance(territory, str) and isinstance(reference, str):
        territory, reference = _codes(rows, territory, reference)
    codes = zones_of(zones, territory)
    if not rows.empty:
        check_territories(rows, codes, territory, reference)
    weight = pd.Series(1.0, index=codes) if weights is None else by_code(weights, codes, "weights")
    weight = pd.Series(as_weights(weight), index=codes)
    group = None if groups is None else by_code(groups, codes, "groups")
    rows = comparable(rows[rows["code"].isin([territory, reference, *codes])], indicators, year)
    low = graded(rows, without_grades) & rows["code"].isin(codes)
    rows = rows.assign(_ecarte=low, valeur=rows["valeur"].mask(low))
    table = _levels(rows, territory, reference, weight, min_coverage)
    units = MONTHLY_UNITS if monthly else GAP_UNITS
    table = _with_dispersion(table, rows, weight, group, dispersion).assign(
        territoire=territory,
        reference=reference,
        unite=[units[indicator_card(name).unite] for name in table["indicateur"]],
        mesure=dispersion,
        seuil_niveau=float(level_threshold),
        seuil_dispersion=float(dispersion_threshold),
        ponderation=weighing(weights),
        couverture_min=float(min_coverage),
        classes_ecartees=grades_said(without_grades),
    )
    table = _classified(table, _said(table, rows, codes))
    parts = [] if groups is None else ["theil_inter", "theil_intra"]
    return table[[*_FIRST, *parts, *_LAST]]


def _codes(rows: pd.DataFrame, *names: str) -> list[str]:
    """Return the codes that names stand for; refuse together those that are not in the results."""
    codes, refusals = [], []
    for name in names:
        try:
            codes.append(code_in(rows, name))
        except BarometreError as error:
            refusals.append(str(error))
    if refusals:
        raise BarometreError(
            f"territoire absent des résultats : {' ; '.join(refusals)} ; calculer aussi ses valeurs"
        )
    return codes


_FIRST = (
    "indicateur", "theme", "annee", "territoire", "reference", "valeur", "valeur_reference",
    "ecart", "unite", "ecart_relatif", "ecart_defavorable", "mesure", "dispersion",
)  # fmt: skip
_LAST = (
    "seuil_niveau", "seuil_dispersion", "ponderation", "zones", "zones_absentes", "poids",
    "couverture", "couverture_min", "classes_ecartees", "diagnostic", "statut", "note",
)  # fmt: skip


def _levels(
    rows: pd.DataFrame,
    territory: str,
    reference: str,
    weight: pd.Series[float],
    min_coverage: float,
) -> pd.DataFrame:
    """Choose the year of each indicator; compare the whole territory with the reference."""
    wide = rows.pivot(index=["indicateur", "annee"], columns="code", values="valeur")
    wide = wide.reindex(columns=[territory, reference, *weight.index])
    both = wide[[territory, reference]].set_axis(["valeur", "valeur_reference"], axis=1)
    known = wide[weight.index].notna().to_numpy()
    table = both.assign(zones=known.sum(axis=1), poids=known @ weight.to_numpy())
    table["couverture"] = table["poids"] / weight.sum()
    table["_couvert"] = table["couverture"] >= min_coverage * (1 - SAME)
    several = known[:, weight.to_numpy() > 0].sum(axis=1) > 1
    table["_complet"] = table["_couvert"] & several & both.notna().all(axis=1)
    table = table.reset_index().sort_values(["_complet", "annee"], kind="stable")
    table = table.drop_duplicates("indicateur", keep="last").set_index("indicateur")
    cards = [card for name, card in load_cards().items() if name in table.index]
    table = table.reindex([card.id for card in cards]).rename_axis("indicateur").reset_index()
    value, other = (table[name].to_numpy() for name in ("valeur", "valeur_reference"))
    size = np.where(other == 0, np.nan, np.abs(other))
    sens = np.array([card.sens for card in cards], dtype="str")
    worse = favour(other, sens) - favour(value, sens)
    return table.assign(
        theme=pd.Series([card.theme for card in cards], dtype="str"),
        ecart=value - other,
        ecart_relatif=(value - other) / size,
        ecart_defavorable=worse / size,
        zones_absentes=len(weight) - table["zones"],
        _pire=worse,
        _neutre=sens == "neutre",
    )


def _with_dispersion(
    table: pd.DataFrame,
    rows: pd.DataFrame,
    weight: pd.Series[float],
    group: pd.Series[Any] | None,
    measure: Dispersion,
) -> pd.DataFrame:
    """Measure the dispersion of the zones, where enough of them are known."""
    parts = dict(iter(rows.groupby(["indicateur", "annee"], sort=False)))
    measured = []
    for key in zip(table["indicateur"], table["annee"], strict=True):
        values = parts[key].set_index("code")["valeur"].reindex(weight.index[weight > 0]).dropna()
        weighed, index, between, within = weight[values.index], math.nan, math.nan, math.nan
        several, negative = len(values) > 1, bool((values < 0).any())
        if several and measure == "cv":
            index = weighted_cv(values, weighed)
        if several and measure == "theil" and not negative:
            index = theil(values, weighed)
        if several and group is not None and not negative:
            split = theil(values, weighed, group[values.index])
            between, within = split.between, split.within
        mixed = negative and bool((values > 0).any())
        measured.append((index, between, within, several, negative, mixed))
    columns = ["dispersion", "theil_inter", "theil_intra", "_plusieurs", "_negatif", "_mixte"]
    found = pd.DataFrame(measured, columns=columns, index=table.index)
    found[columns[3:]] = found[columns[3:]].astype(bool)
    found[columns[:3]] = found[columns[:3]].astype("float64").where(table["_couvert"], axis=0)
    return table.join(found)


def _said(table: pd.DataFrame, rows: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
    """Gather what the rows that each indicator rests on say."""
    keys = ["indicateur", "annee"]
    order = pd.MultiIndex.from_frame(table[keys])
    inside = rows["code"].isin(codes)
    flags = rows[keys].assign(
        secrets=inside & (rows["statut"] == "secret"),
        ecartees=rows["_ecarte"],
        douteuses=rows["valeur"].notna() & (rows["qualite"] == DOUBTFUL),
    )
    said = flags.groupby(keys).sum().reindex(order).reset_index(drop=True)
    status = rows.set_index([*keys, "code"])["statut"]
    for code in ("territoire", "reference"):
        wanted = pd.MultiIndex.from_frame(table[[*keys, code]])
        said[code] = status.reindex(wanted).fillna("non_disponible").to_numpy()
    return said


def _classified(table: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """Give the diagnosis, or why there is none."""
    size = table["valeur_reference"].abs()
    worse = table["_pire"] > table["seuil_niveau"] * size * (1 + SAME) + SAME * size
    spread = table["dispersion"] > table["seuil_dispersion"] * (1 + SAME)
    general, concentrated, both, neither = DIAGNOSES
    found = np.select([worse & spread, worse, spread], [both, general, concentrated], neither)
    covered = table["_couvert"]
    undefined = covered & table["dispersion"].isna()
    share = (100 * table["couverture"]).map(lambda x: format_number(x, 0)).astype("str")
    least = (100 * table["couverture_min"]).map(lambda x: format_number(x, 0)).astype("str")
    few = "zones connues : " + share + " % du poids (minimum " + least + " %)"
    why = np.select(
        [~table["_plusieurs"], table["_negatif"] & (table["mesure"] == "theil")],
        ["moins de deux zones connues", "indice de Theil impossible : valeurs négatives"],
        "dispersion non définie : moyenne nulle",
    )
    absent = pd.Series(np.where(said["secrets"] > 0, "secret", "non_disponible"), table.index)
    nowhere = "sens neutre : ni favorable ni défavorable, l'indicateur ne dit pas un besoin"
    reasons: list[tuple[pd.Series[bool], Any, pd.Series[str]]] = [
        (table["_neutre"], "sans_objet", pd.Series(nowhere, table.index)),
        *(
            (
                table[column].isna(),
                said[code],
                table[code] + " : " + said[code].map(_IN_WORDS).astype("str"),
            )
            for column, code in (("valeur", "territoire"), ("valeur_reference", "reference"))
        ),
        (~covered, absent, few),
        (undefined, "non_defini", pd.Series(why, table.index)),
    ]
    status, note = pd.Series("ok", table.index, dtype="str"), pd.Series("", table.index)
    for there, reason, text in reasons:
        status = status.mask(there & (status == "ok"), reason)
        note = note + (" ; " + text).where(there, "")
    for column, one, many in _COUNTS:
        number = said[column].map(lambda n, one=one, many=many: counted(int(n), one, many))
        note = note + (" ; " + number.astype("str")).where(said[column] > 0, "")
    mixed = " ; zones de signes contraires : coefficient de variation à lire avec prudence"
    note = note + pd.Series(mixed, table.index).where(
        table["_mixte"] & (table["mesure"] == "cv") & covered, ""
    )
    note = note.str.removeprefix(" ; ")
    return table.assign(
        diagnostic=pd.Series(found, table.index, dtype="str").where(status == "ok"),
        statut=status,
        note=note.where(note != "").astype("str"),
    )


_IN_WORDS = {
    "secret": "valeur secrète",
    "non_disponible": "valeur non disponible",
    "non_defini": "valeur non définie",
    "sans_objet": "sans objet",
}
_COUNTS = (
    ("secrets", "zone secrète", "zones secrètes"),
    ("ecartees", "zone écartée par sa qualité", "zones écartées par leur qualité"),
    ("douteuses", "valeur douteuse", "valeurs douteuses"),
)

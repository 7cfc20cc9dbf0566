"""The French regional human development indices: IDH-4, and IDH-2 with life expectancy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, Fault, FaultsError, UnknownNameError
from barometre.base.french import format_number
from barometre.composite.french.component_frame import keyed, numbers_of, share_faults
from barometre.composite.french.presets import IDH2, IDH4
from barometre.composite.french.territorial import ScoreSplit, TerritorialIndex
from barometre.composite.score.scores import Scores
from barometre.composite.tree.bounds import Bounds

Health: TypeAlias = Literal["icm", "esperance_vie"]

DIMENSIONS = ("sante", "education", "niveau_de_vie")
NAMES: Mapping[str, str] = {"idh4": "IDH-4", "idh2": "IDH-2"}
_PRESETS = {"icm": IDH4, "esperance_vie": IDH2}
_WORDS = {
    "icm": "indice comparatif de mortalité",
    "esperance_vie": "espérance de vie",
    "part_diplomes": "part de diplômés",
    "niveau_de_vie_median": "niveau de vie médian",
}
_LIVING, _EDUCATION = "niveau_de_vie_median", "part_diplomes"
_HOW = (
    "les observer sur un ensemble de référence, et les garder :"
    ' bcs.Bounds.observed(communes, [{names}], reference="communes des Hauts-de-France"),'
    ' puis bounds.to_toml("bornes.toml")'
)


def idh4(
    components: pd.DataFrame,
    bounds: Bounds | str | Path | Mapping[str, tuple[float, float]] | None = None,
    *,
    health: Health | None = None,
) -> TerritorialIndex:
    """Compute the IDH-4 (or the IDH-2): health, education and living standard, equally weighted.

    Parameters
    ----------
    components : DataFrame, territories x components
        Indexed by code or (code, annee), or with these as columns. ``icm``: comparative mortality
        index, all causes, of the canton (or ``esperance_vie``: life expectancy at birth, in years,
        for the IDH-2); ``part_diplomes``: per cent of people aged 15 or more out of school who have
        a diploma, at least CEP; ``niveau_de_vie_median``: median disposable income per consumption
        unit, in euros a year. Also read where they are: ``statut`` and ``remarques``, as
        `idh4_components` gives them.
    bounds : Bounds, path or mapping
        Low and high of each component, in natural units, the same for every year: `Bounds`, a TOML
        file of `Bounds.to_toml`, or ``{component: (low, high)}``.
    health : {"icm", "esperance_vie"}, optional
        Component of the health dimension; needed when both are given.

    Returns
    -------
    TerritorialIndex
        Its ``table``, indexed as the components, has ``sante``, ``education`` and
        ``niveau_de_vie``, the sub-indices (0 to 1); ``idh4`` (or ``idh2``); ``rang`` within the
        year (1 = highest); ``statut``; ``hors_bornes``: a component was outside the bounds, and
        held at them; ``remarques``: what happened, in words.

        A missing component leaves the index missing, and the
        other sub-indices as they are. So does a value that cannot be: an ICM, a life expectancy or
        an income of zero or less (``statut`` is then ``non_defini``). A value outside the bounds is
        held at them, marked and told. An empty frame gives an empty table; one territory is enough,
        the bounds being given.

    Raises
    ------
    BarometreError
        No bounds, or bounds by year; bounds that lack a component, have another one, are equal, or
        are not those of a positive number; a column absent, not numeric or infinite; a territory
        given twice; shares and bounds in different units.

    Notes
    -----
    IDH-4 = (health + education + living standard) / 3, with health = 1 - (ICM - min) / (max - min),
    education = (x - min) / (max - min) and living standard = (ln x - ln min) / (ln max - ln min)
    (Région Hauts-de-France; the IDH-2 is that of the Région Île-de-France). The regions take the
    smallest and largest value of their communes as bounds.

    Examples
    --------
    >>> columns = ["icm", "part_diplomes", "niveau_de_vie_median"]
    >>> rows = [(140, 62, 14320), (110, 75, 20360)]
    >>> communes = pd.DataFrame(rows, columns=columns, index=["59172", "R32"])
    >>> bounds = dict(zip(columns, [(60, 160), (50, 90), (14090, 38860)]))
    >>> result = idh4(communes, bounds)
    >>> result.table.iloc[:, :4].round(4)
           sante  education  niveau_de_vie    idh4
    59172    0.2      0.300         0.0160  0.1720
    R32      0.5      0.625         0.3628  0.4959
    """
    frame = keyed(components)
    health = _health(frame, health)
    index = _PRESETS[health]
    names = [leaf.id for leaf in index.leaves]
    fixed = _bounds(bounds, names)
    given = numbers_of(frame, names)
    if faults := share_faults(given[_EDUCATION], fixed.limits[_EDUCATION], "bornes"):
        raise FaultsError("composantes refusées", faults)
    impossible = {name: given[name] <= 0 for name in (health, _LIVING)}
    possible = given.copy()
    for name, where in impossible.items():
        possible[name] = possible[name].mask(where)
    scores = index.with_bounds(fixed).score(possible)
    table = scores.table[[*DIMENSIONS, index.root]].copy()
    table["rang"] = scores.rank()
    table["statut"] = _statuses(frame, given, table[index.root])
    table["hors_bornes"] = np.logical_or.reduce(
        [(possible[n] < low) | (possible[n] > high) for n, (low, high) in fixed.limits.items()]
    )
    table["remarques"] = _remarks(frame, given, impossible, scores)
    return TerritorialIndex(
        table=table,
        name=index.root,
        title=NAMES[index.root],
        dimensions=DIMENSIONS,
        bounds=fixed,
        scores=scores,
        split=ScoreSplit(scores),
    )


def _health(frame: pd.DataFrame, health: Health | None) -> Health:
    if health is not None:
        if health not in _PRESETS:
            raise UnknownNameError("option health", str(health), _PRESETS)
        return health
    there: list[Health] = [name for name in ("icm", "esperance_vie") if name in frame]
    if len(there) != 1:
        which = "« icm » et « esperance_vie » à la fois" if there else "ni icm ni esperance_vie"
        raise BarometreError(
            f'composantes refusées : {which} ; health="icm" donne l\'IDH-4,'
            ' health="esperance_vie" l\'IDH-2'
        )
    return there[0]


def _bounds(bounds: object, names: list[str]) -> Bounds:
    how = _HOW.format(names=", ".join(f'"{name}"' for name in names))
    if bounds is None:
        raise BarometreError(f"bornes absentes : {how}")
    if isinstance(bounds, str | Path):
        bounds = Bounds.from_toml(bounds)
    if isinstance(bounds, Mapping):
        if bounds and not any(isinstance(name, str) for name in bounds):
            raise BarometreError(
                "bornes par année refusées : deux années ne se comparent qu'avec les mêmes bornes ;"
                " en donner une seule série, ou calculer une année à la fois"
            )
        bounds = Bounds(bounds)
    if not isinstance(bounds, Bounds):
        raise BarometreError(
            "bornes refusées : donner un Bounds, un fichier TOML, ou {composante: (bas, haut)}"
        )
    faults = [Fault(n, "sans bornes", how) for n in names if n not in bounds.limits]
    observed = bounds.territories is not None  # a zero was a territory's: it cannot be
    for name, (low, high) in bounds.limits.items():
        if name not in names:
            faults.append(Fault(name, "n'est pas une composante", "retirer ces bornes"))
        elif name == _EDUCATION and not 0 <= low < high <= 100:
            problem = f"bornes {format_number(low)} et {format_number(high)}"
            faults.append(Fault(name, problem, "une part est entre 0 et 100 %"))
        elif name != _EDUCATION and (low < 0 or (low == 0 and (name == _LIVING or observed))):
            problem = f"borne basse de {format_number(low)}"
            remedy = f"une valeur positive ({_WORDS[name]}) : ôter les zéros de la référence"
            faults.append(Fault(name, problem, remedy))
    if faults:
        raise FaultsError("bornes refusées", faults)
    return bounds


def _statuses(frame: pd.DataFrame, given: pd.DataFrame, score: pd.Series) -> pd.Series[str]:
    """Tell an input that is missing, for the reason given with it, from one that cannot be."""
    absent = given.isna().any(axis=1).to_numpy()
    why = np.where(absent, "non_disponible", "non_defini").astype(object)
    if "statut" in frame:
        told = absent & (frame["statut"].notna() & (frame["statut"] != "ok")).to_numpy()
        why[told] = frame["statut"].to_numpy()[told]
    status = np.where(score.notna().to_numpy(), "ok", why)
    return pd.Series(status, index=score.index, dtype="str")


def _remarks(
    frame: pd.DataFrame,
    given: pd.DataFrame,
    impossible: Mapping[str, pd.Series[bool]],
    scores: Scores,
) -> pd.Series[str]:
    """Say what came with the components, what they lack, and what was done to them."""
    texts: list[list[str]] = [[] for _ in range(len(given))]

    if "remarques" in frame:
        for i in np.flatnonzero(frame["remarques"].notna()):
            texts[i].append(str(frame["remarques"].iloc[i]))
    for name in map(str, given):
        for i in np.flatnonzero(given[name].isna()):
            texts[i].append(f"{_WORDS[name]} : valeur manquante")
        for i in np.flatnonzero(impossible[name]) if name in impossible else []:
            value = format_number(float(given[name].iloc[i]))
            texts[i].append(f"{_WORDS[name]} : {value} impossible")
    clipped = scores.remarks[lambda told: told["noeud"].isin(list(_WORDS))]
    units = clipped[clipped.columns[:-2]]
    keys = pd.MultiIndex.from_frame(units) if units.shape[1] > 1 else pd.Index(units.iloc[:, 0])
    places = given.index.get_indexer(keys)
    for i, name, said in zip(places, clipped["noeud"], clipped["remarque"], strict=True):
        texts[i].append(f"{_WORDS[name]} : {said}")
    joined = [" ; ".join(said) if said else None for said in texts]
    return pd.Series(joined, index=given.index, dtype="str")

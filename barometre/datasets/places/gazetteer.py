"""Territories found by their names, whatever the accents, the case and the articles."""

from __future__ import annotations

import difflib
import functools
import re
import textwrap
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

import pandas as pd

from barometre import datasets
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.datasets.places.bundle import (
    METRO,
    communes,
    former_communes,
    wholes,
    wholes_of_any_year,
)
from barometre.tables.codes import level_of

Labels: TypeAlias = "pd.Series[str] | pd.DataFrame | Mapping[str, str]"

LEVELS = (
    "france_metropolitaine", "region", "departement", "epci", "ept", "commune", "qpv", "iris",
    "commune_ancienne", "union",
)  # fmt: skip
_LISTED = 8  # homonyms or near names quoted
_TITLE = 40  # characters of a name that a message quotes
_NEAR = 0.6  # similarity under which a name is not near
_NEAR_CODE = 0.75  # the same of a code, of fewer signs
_NEAR_WORD = 0.75  # the same of one word
# Of one name, the first of these wins over the second: nobody means the neighbourhood "Denain".
_WINS = (
    ("commune", "qpv"),
    ("commune", "commune_ancienne"),
    ("epci", "commune_ancienne"),
    ("qpv", "commune_ancienne"),
    ("commune", "union"),
    ("qpv", "union"),
    ("epci", "union"),
)
_FRANCE = ("France", "France métro", "France métropolitaine", "Métropole")
_KINDS = {
    "epci": "EPCI", "ept": "EPT", "qpv": "QPV", "iris": "IRIS", "departement": "département",
    "region": "région", "france_metropolitaine": "pays", "commune_ancienne": "ancienne commune",
}  # fmt: skip
_ARTICLES = r"\b(?:le|la|les|l|de|du|des|d|a|au|aux|et)\b"
_NATURES = (
    r"^(?:ca|cc|cu|met|ept|communaute d agglomeration|communaute de communes|communaute urbaine"
    r"|agglomeration)\b"
)


def folded(names: Iterable[str]) -> pd.Series[str]:
    """Write names without accents, case and punctuation; ``St`` is ``saint``.

    Parameters
    ----------
    names : iterable of str
        Names, as people write them.

    Returns
    -------
    Series
        Words separated by one blank.

    Examples
    --------
    >>> folded(["L'Haÿ-les-Roses", "St-Amand", "Œuilly"]).tolist()
    ['l hay les roses', 'saint amand', 'oeuilly']
    """
    texts = pd.Series(list(names), dtype="str").fillna("").str.lower()
    texts = texts.str.replace("œ", "oe").str.replace("æ", "ae").str.normalize("NFKD")
    texts = texts.str.replace(r"[\u0300-\u036f]", "", regex=True)
    texts = texts.str.replace(r"[^0-9a-z]+", " ", regex=True).str.strip()
    texts = texts.str.replace(r"\bst\b", "saint", regex=True)
    return texts.str.replace(r"\bste\b", "sainte", regex=True)


def core(texts: pd.Series[str]) -> pd.Series[str]:
    """Take articles and the nature of an EPCI off folded names."""
    bare = texts.str.replace(_NATURES, " ", regex=True).str.replace(_ARTICLES, " ", regex=True)
    bare = bare.str.replace(r"\s+", " ", regex=True).str.strip()
    return bare.where(bare != "", texts)


def find_territory(
    name: str,
    *,
    level: str | None = None,
    labels: Labels | None = None,
    vintage: int | None = None,
) -> pd.DataFrame:
    """Find the territories that bear a name, else those whose names are nearest.

    Parameters
    ----------
    name : str
        A name or a code. Accents, case, punctuation, articles and ``CA``, ``CC``... do not count.
    level : str, optional
        Level wanted: ``"commune"``, ``"epci"`` (EPT included), ``"departement"``, ``"region"``...
    labels : Series, DataFrame or mapping, optional
        Labels by code (`Tables.territoires`), which come before those that are bundled.
    vintage : int, optional
        Vintage of the names, the latest by default.

    Returns
    -------
    DataFrame
        ``code``, ``nom``, ``niveau``, ``departement`` (missing above it) and ``correspondance``:
        ``"exacte"`` for all those of that name, homonyms included, or ``"proche"`` for the nearest
        ones, the nearest first; empty when nothing is near.

    Raises
    ------
    UnknownNameError
        Unknown level.

    Examples
    --------
    >>> find_territory("la porte du hainaut")[["code", "nom"]].to_numpy().tolist()
    [['200042190', 'CA de la Porte du Hainaut']]
    """
    known = _of_level(_gazetteer(vintage, labels), level)
    text = str(name).strip()
    by_code = known[known["code"].str.lower() == text.lower()]
    if len(by_code):
        return _shown(by_code.drop_duplicates("code"), "exacte")
    full = folded([text])
    exact = known[known["cle"] == full[0]]
    if exact.empty:
        exact = known[known["coeur"] == core(full)[0]]
    if full[0] == "" or len(exact):
        return _shown(exact.drop_duplicates("code"), "exacte")
    return _shown(_near(known, full[0], core(full)[0]), "proche")


def named_places(codes: pd.Index[str], given: pd.DataFrame | None = None) -> pd.DataFrame:
    """Name territories: the labels given, else the bundled names, else the code.

    Parameters
    ----------
    codes : Index of str
        Codes to name.
    given : DataFrame, optional
        ``libelle``, ``libelle_court`` and ``niveau`` by code (`Tables.territoires`); a label that
        is the code itself is none.

    Returns
    -------
    DataFrame
        ``libelle``, ``libelle_court`` and ``niveau``, in the order of the codes.

    Examples
    --------
    >>> named_places(pd.Index(["59172", "METRO", "zone"]))["libelle"].tolist()
    ['Denain', 'France métropolitaine', 'zone']
    """
    own = pd.Series(codes, index=codes)
    known = _bundled_names(None)
    known = known[~known["code"].duplicated() & (known["niveau"] != "commune_ancienne")]
    names = known.set_index("code")["nom"].reindex(codes)
    names = names.mask(codes == METRO, _FRANCE[2]).astype("str")
    frame = pd.DataFrame(
        {"libelle": names.fillna(own), "libelle_court": names.fillna(own),
         "niveau": [level_of(code) for code in codes]}, index=codes
    )  # fmt: skip
    if given is None:
        return frame
    told = given.reindex(codes)
    for name in ("libelle", "libelle_court"):
        if name in told:
            bare = told[name].isna() | (told[name] == own)
            frame[name] = told[name].mask(bare, frame[name]).astype("str")
    if "niveau" in told:
        frame["niveau"] = told["niveau"].fillna(frame["niveau"]).astype("str")
    return frame


def resolve(
    code_or_name: str,
    level: str | None = None,
    *,
    labels: Labels | None = None,
    among: Collection[str] | None = None,
    vintage: int | None = None,
) -> str:
    """Return the one code that a code or a name stands for.

    Parameters
    ----------
    code_or_name : str
        As for `find_territory`.
    level : str, optional
        Level wanted.
    labels : Series, DataFrame or mapping, optional
        Labels by code, which come before those that are bundled.
    among : collection of str, optional
        The only codes admitted (those of the results): homonyms elsewhere do not count.
    vintage : int, optional
        Vintage of the names, the latest by default.

    Returns
    -------
    str
        The code. Of a commune and a neighbourhood, or a deleted commune, of one name: the commune.

    Raises
    ------
    BarometreError
        Unknown code or name, with the nearest names and their codes; homonyms, with their
        departments.
    """
    text = str(code_or_name).strip()
    if among is not None and text in among:
        return text
    found = find_territory(text, level=level, labels=labels, vintage=vintage)
    exact = found[found["correspondance"] == "exacte"]
    if among is not None:
        exact = exact[exact["code"].isin(list(among))]
    exact = _preferred(exact)
    if len(exact) == 1:
        return str(exact["code"].iloc[0])
    if len(exact) == 0 and among is None and _is_small_place(text, level):
        return text.upper()
    raise BarometreError(_refusal(text, level, found, exact, among, labels, vintage))


def _is_small_place(text: str, level: str | None) -> bool:
    """Tell an IRIS or a neighbourhood by its form: their lists are not all bundled."""
    form = level_of(text.upper())
    return form in ("iris", "qpv") and level in (None, form)


def _preferred(exact: pd.DataFrame) -> pd.DataFrame:
    for winner, loser in _WINS:
        if (exact["niveau"] == winner).any():
            exact = exact[exact["niveau"] != loser]
    return exact


def _refusal(
    text: str,
    level: str | None,
    found: pd.DataFrame,
    exact: pd.DataFrame,
    among: Collection[str] | None,
    labels: Labels | None,
    vintage: int | None,
) -> str:
    kind = _KINDS.get(level or "", level or "territoire")
    if len(exact):
        several = f"{len(exact)} territoires de ce nom ; donner le code"
        return f"{kind} « {text} » : {several} : {_quoted(exact)}"
    if among is not None:
        held = found[found["correspondance"] == "exacte"]
        where = f" ({_quoted(held)})" if len(held) and text not in set(held["code"]) else ""
        searched = "" if len(held) else text  # known elsewhere: it is not misspelt
        return f"« {text} » absent{where} ; {_nearest_among(searched, among, labels, vintage)}"
    gone = wholes_of_any_year()
    if text in gone.index and text not in wholes(vintage).index:
        last = gone.loc[text]
        return (
            f"{kind} « {text} » ({last['nom']}) : n'existe plus après {last['fin']} ;"
            f" donner le code d'aujourd'hui, ou vintage={last['fin']}"
        )
    elsewhere = find_territory(text, vintage=vintage) if level else found
    other = elsewhere[elsewhere["correspondance"] == "exacte"]
    if len(other):
        others = f". Noms proches : {_quoted(found)}" if len(found) else ""
        return f"« {text} » n'est pas de niveau {level} : {_quoted(other)}{others}"
    zero = find_territory(f"0{text}", vintage=vintage) if re.fullmatch(r"\d{1,4}", text) else other
    if len(zero):
        return f"{kind} « {text} » inconnu ; zéro initial perdu ? {_quoted(zero)}"
    unknown = "inconnue" if level in ("commune", "region", "union") else "inconnu"
    if len(found):
        return f"{kind} « {text} » {unknown}. Noms proches : {_quoted(found)}"
    near = _near_codes(text, _of_level(_gazetteer(vintage, labels), level))
    if len(near):
        return f"{kind} « {text} » {unknown}. Codes proches : {_quoted(near)}"
    return f"{kind} « {text} » {unknown} ; vérifier le code ou l'orthographe"


def _nearest_among(
    text: str, among: Collection[str], labels: Labels | None, vintage: int | None
) -> str:
    """Say which of the codes admitted are nearest, with their names; else the widest ones."""
    codes = list(dict.fromkeys(among))
    known = _gazetteer(vintage, labels)
    known = known[known["code"].isin(codes)]
    unnamed = [code for code in codes if code not in set(known["code"])]
    levels = [level_of(code) for code in unnamed]
    bare = pd.DataFrame({"code": unnamed, "niveau": levels})
    rows = pd.concat([known, _with_keys(bare.assign(nom=None))], ignore_index=True)
    full = folded([text])
    near = _near_codes(text, rows)
    if near.empty and full[0]:
        near = _near(known, full[0], core(full)[0])
    if len(near):
        return f"proches : {_quoted(near)}"
    width = rows["niveau"].map({level: i for i, level in enumerate(LEVELS)})
    widest = rows.loc[width.sort_values(kind="stable").index].drop_duplicates("code")
    return f"présents : {_quoted(widest)}"


def _near_codes(text: str, known: pd.DataFrame) -> pd.DataFrame:
    """List the territories whose codes are spelt nearly so, when a code was meant."""
    if not re.search(r"\d", text) and not text.isupper():
        return known.head(0)
    close = difflib.get_close_matches(
        text.upper(), known["code"].unique().tolist(), _LISTED, _NEAR_CODE
    )
    rank = {code: i for i, code in enumerate(close)}
    order = known["code"].map(rank).dropna().sort_values(kind="stable").index
    return known.loc[order].drop_duplicates("code")


def _quoted(places: pd.DataFrame) -> str:
    """Write names with their codes, levels or departments."""
    parts = []
    for code, name, kind_of, department in places[
        ["code", "nom", "niveau", "departement"]
    ].itertuples(index=False, name=None):
        where = f", {department}" if isinstance(department, str) else ""
        kind = _KINDS.get(str(kind_of), str(kind_of).replace("_", " "))
        told = [textwrap.shorten(name, _TITLE, placeholder="…")] if isinstance(name, str) else []
        told += [kind] if kind != "union" else []  # a code that has no known form
        parts.append(f"{code} ({', '.join(told)}{where})" if told else code)
    more = len(parts) - _LISTED
    return ", ".join(parts[:_LISTED]) + (f" et {more} autres" if more > 0 else "")


def _near(known: pd.DataFrame, full: str, bare: str) -> pd.DataFrame:
    """List the names that hold all the words, else those that are spelt nearly so."""
    held = known
    for word in bare.split():
        held = held[held["coeur"].str.contains(rf"\b{word}", regex=True)]
    if len(held):
        order = held["coeur"].str.len().sort_values(kind="stable").index
        return held.loc[order].drop_duplicates("code").head(_LISTED)
    alike = known[known["cle"].str.len().between(0.6 * len(full), 1.6 * len(full))]
    keys = difflib.get_close_matches(full, alike["cle"].unique().tolist(), _LISTED, _NEAR)
    cores = difflib.get_close_matches(bare, alike["coeur"].unique().tolist(), _LISTED, _NEAR)
    rank = {key: i for i, key in reversed(list(enumerate(keys)))}
    rank |= {key: min(i, rank.get(key, i)) for i, key in reversed(list(enumerate(cores)))}
    best = pd.concat([alike["cle"].map(rank), alike["coeur"].map(rank)], axis=1).min(axis=1)
    order = best.dropna().sort_values(kind="stable").index
    if len(order) == 0:
        return _near_words(known, bare)
    return alike.loc[order].drop_duplicates("code").head(_LISTED)


def _near_words(known: pd.DataFrame, bare: str) -> pd.DataFrame:
    """List the names that hold, for each word asked for, one that is spelt nearly so."""
    lexicon = sorted({word for name in known["coeur"].unique() for word in name.split()})
    held = known
    for word in bare.split():
        close = difflib.get_close_matches(word, lexicon, _LISTED, _NEAR_WORD)
        if not close:
            return known.head(0)
        held = held[held["coeur"].str.contains(rf"\b(?:{'|'.join(close)})\b", regex=True)]
    order = held["coeur"].str.len().sort_values(kind="stable").index
    return held.loc[order].drop_duplicates("code").head(_LISTED)


def _shown(found: pd.DataFrame, match: str) -> pd.DataFrame:
    columns = ["code", "nom", "niveau", "departement"]
    return found[columns].assign(correspondance=match).reset_index(drop=True)


def _of_level(known: pd.DataFrame, level: str | None) -> pd.DataFrame:
    if level is None:
        return known
    if level not in LEVELS:
        raise UnknownNameError("niveau", level, LEVELS)
    wider = {"epci": ["epci", "ept"], "commune": ["commune", "commune_ancienne"]}
    return known[known["niveau"].isin(wider.get(level, [level]))]


# ---- the names ----------------------------------------------------------------------------------


def _gazetteer(vintage: int | None, labels: Labels | None) -> pd.DataFrame:
    bundled = _bundled_names(vintage)
    if labels is None:
        return bundled
    frame = labels if isinstance(labels, pd.DataFrame) else pd.Series(dict(labels)).to_frame("nom")
    written = [c for c in ("libelle", "libelle_court", "nom") if c in frame.columns]
    given = pd.concat([frame[c].rename("nom") for c in written]).dropna().rename_axis("code")
    rows = given.astype("str").reset_index()
    levels = dict(frame["niveau"].dropna()) if "niveau" in frame.columns else {}
    rows["niveau"] = [levels.get(c) or level_of(c) for c in rows["code"]]
    return pd.concat([_with_keys(rows), bundled], ignore_index=True)


@functools.cache
def _bundled_names(vintage: int | None) -> pd.DataFrame:
    current, former, above = communes(vintage), former_communes(vintage), wholes(vintage)
    department = current["departement"].map(above["nom"]).fillna(current["departement"])
    former = former[former["nom"].notna() & (former.index != former["commune"])]
    quarters = datasets.load("qpv_2024_nord").frame
    names = datasets.load("territoires").frame
    contract = names.melt(["code", "niveau"], ["libelle", "libelle_court"], value_name="nom")
    contract.loc[~contract["niveau"].isin(LEVELS), "niveau"] = "union"
    parts = [
        pd.DataFrame({"code": METRO, "nom": list(_FRANCE), "niveau": "france_metropolitaine"}),
        above.reset_index()[["code", "nom", "niveau"]],
        current.assign(niveau="commune", departement=department).reset_index(),
        quarters[["code", "nom"]].assign(niveau="qpv", departement=str(above.loc["59", "nom"])),
        contract[~contract["code"].isin([METRO, *above.index, *quarters["code"]])],
        former.assign(
            niveau="commune_ancienne", departement=former["commune"].map(department)
        ).reset_index(),
    ]
    columns = ["code", "nom", "niveau", "departement"]
    return _with_keys(pd.concat([p.reindex(columns=columns) for p in parts], ignore_index=True))


def _with_keys(rows: pd.DataFrame) -> pd.DataFrame:
    full = folded(rows["nom"]).set_axis(rows.index)
    return rows.assign(cle=full, coeur=core(full))

"""The sections of the page of a cohort, as texts and tables: nothing small is in them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from barometre.base.face import p_text
from barometre.base.french import format_number
from barometre.cohort import Cohort
from barometre.pages.people.asked import Answers, Wish, detectable
from barometre.pages.people.charts import decimals_of
from barometre.pages.people.effects import Effect
from barometre.pages.territory.charts import Chart
from barometre.pages.territory.facts.grids import Grid, grid
from barometre.pages.territory.language.grammar import counted

_SECRET = "secret"
_CURVE_STEPS = 12  # rows of a curve that a table shows of each group


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes
    ----------
    key, title : str
    texts : tuple of str
        Sentences before the tables.
    grids : tuple of Grid
    charts : tuple of Chart
    reading : str
        How to read it; empty when there is nothing to read.
    """

    key: str
    title: str
    texts: tuple[str, ...]
    grids: tuple[Grid, ...] = field(default=(), repr=False)
    charts: tuple[Chart, ...] = field(default=(), repr=False)
    reading: str = ""


def sections_of(
    cohort: Cohort,
    wish: Wish,
    answers: Answers,
    names: Mapping[Any, str],
    *,
    truth: float | None = None,
) -> tuple[Section, ...]:
    """Write what was found of a cohort.

    Parameters
    ----------
    cohort : Cohort
        The people.
    wish : Wish
        What is shown.
    answers : Answers
        What was found.
    names : mapping
        Names of the values of the arm.
    truth : float, optional
        Effect that is known because people were made up.

    Returns
    -------
    tuple of Section
        Always the same sections in the same order: one that has nothing says why.
    """
    return (
        _follow(cohort, answers, names),
        _losses(answers, names),
        _balance(wish, answers),
        _effect(wish, answers, truth),
        _time(wish, answers, names),
        _moves(answers, names),
        _place(wish, answers),
        _power(cohort, wish, answers),
        _protection(wish, answers),
    )


def _percent(share: Any) -> str:
    return _SECRET if _hidden(share) else f"{format_number(100 * float(share), 1)} %"


def _points(share: Any) -> str:
    if _hidden(share):
        return _SECRET
    return f"{format_number(100 * float(share), 1, signed=True)} points"


def _whole(number: Any) -> str:
    return _SECRET if _hidden(number) else format_number(float(number), 0)


def _hidden(value: Any) -> bool:
    return value is None or value is pd.NA or value != value


def _span(low: Any, high: Any, *, scale: float = 1.0, decimals: int = 1) -> str:
    if _hidden(low) or _hidden(high):
        return _SECRET
    ends = (format_number(scale * float(end), decimals) for end in (low, high))
    return "[" + " ; ".join(ends) + "]"


def _group(row: Mapping[Any, Any], names: Mapping[Any, str]) -> str:
    value = row.get("group")
    return "ensemble" if value is None else names.get(value, str(value))


def _missing(answers: Answers, name: str, otherwise: str) -> tuple[str, ...]:
    return (f"{answers.refusals.get(name, otherwise)}.",)


def _follow(cohort: Cohort, answers: Answers, names: Mapping[Any, str]) -> Section:
    table = answers.tables.get("suivi")
    people = counted(answers.people, "personne")
    texts = [
        f"{people}, {counted(answers.waves, 'vague')}, de {cohort.waves[0]} à {cohort.waves[-1]}."
    ]
    if table is None:
        return Section("suivi", "Qui est suivi ?", (*texts, *_missing(answers, "suivi", "absent")))
    rows = [
        [
            _group(row, names), str(row["wave"]), _whole(row["n_expected"]),
            _whole(row["n_present"]), _percent(row["retention"]),
            _span(row["low"], row["high"], scale=100),
        ]
        for row in table.to_dict("records")
    ]  # fmt: skip
    shown = [
        grid(
            "Personnes attendues et présentes, par vague ; intervalle de Wilson à 95 %",
            ("groupe", "vague", "attendues", "présentes", "part", "intervalle"),
            rows,
            texts=2,
        )
    ]
    if (reasons := answers.tables.get("raisons")) is not None:
        shown.append(_plain(reasons, "Raison dite à la sortie, en personnes", names))
    return Section(
        "suivi", "Qui est suivi ?", tuple(texts), tuple(shown),
        reading="Une vague est masquée quand trop peu de personnes sont entrées, sorties ou"
        " absentes depuis la vague montrée avant elle.",
    )  # fmt: skip


def _plain(table: pd.DataFrame, caption: str, names: Mapping[Any, str]) -> Grid:
    heads = ["raison", *(names.get(name, str(name)) for name in table.columns[1:])]
    rows = [
        [str(row[0]), *(_whole(cell) for cell in row[1:])]
        for row in table.itertuples(index=False, name=None)
    ]
    return grid(caption, heads, rows)


def _losses(answers: Answers, names: Mapping[Any, str]) -> Section:
    table = answers.tables.get("pertes")
    title = "Qui est perdu ?"
    if table is None:
        return Section("pertes", title, _missing(answers, "pertes", "Sans groupe de comparaison"))
    words = {"treated": "bénéficiaires", "control": "comparaison", "difference": "différence"}
    rows = [
        [
            words.get(str(row["group"]), str(row["group"])), _whole(row["n"]),
            _whole(row["n_lost"]),
            (_points if row["group"] == "difference" else _percent)(row["rate"]),
            _span(row["low"], row["high"], scale=100),
        ]
        for row in table.to_dict("records")
    ]  # fmt: skip
    p = table.loc[table["group"] == "difference", "p"].iloc[0]
    reading = "" if _hidden(p) else (
        f"Les deux groupes ne perdent pas autant de monde : {p_text(float(p))}."
        if float(p) < 0.05
        else f"Rien n'établit que les deux groupes perdent inégalement : {p_text(float(p))}."
    )  # fmt: skip
    shown = grid(
        "Perdus à la dernière vague", ("groupe", "au départ", "perdus", "part", "intervalle"), rows
    )
    return Section("pertes", title, (), (shown,), reading=reading)


def _balance(wish: Wish, answers: Answers) -> Section:
    table = answers.tables.get("équilibre")
    title = "Les deux groupes se ressemblent-ils ?"
    if table is None:
        return Section(
            "equilibre", title, _missing(answers, "équilibre", "Aucun trait n'a été donné")
        )
    rows = [
        [
            trait(row["variable"]), _number(row["mean_treated"]), _number(row["mean_control"]),
            _number(row["smd"]),
        ]
        for row in table.to_dict("records")
    ]  # fmt: skip
    known = pd.to_numeric(table["smd"], errors="coerce").abs().to_numpy(float)
    reading = ""
    if not all(math.isnan(size) for size in known):
        worst = max(range(len(known)), key=lambda at: -1.0 if math.isnan(known[at]) else known[at])
        name, size = trait(table["variable"].iloc[worst]), format_number(float(known[worst]), 2)
        reading = (
            f"Le plus grand écart porte sur « {name} » : {size} écart-type. Sous 0,1, on le tient"
            " souvent pour petit."
        )
    shown = grid(
        "Traits au départ ; écart réduit : en écarts-types des bénéficiaires",
        ("trait", "bénéficiaires", "comparaison", "écart réduit"),
        rows,
    )
    return Section("equilibre", title, (), (shown,), reading=reading)


def trait(name: object) -> str:
    """Write the name of a trait, and of its category.

    Examples
    --------
    >>> trait("diplôme=CAP ou BEP"), trait("âge")
    ('diplôme : CAP ou BEP', 'âge')
    """
    return str(name).replace("=", " : ", 1)


def _number(value: Any) -> str:
    if _hidden(value):
        return _SECRET
    size = abs(float(value))
    return format_number(float(value), 0 if size >= 100 else 2)


def _effect(wish: Wish, answers: Answers, truth: float | None) -> Section:
    title = "Quel effet, par quelle méthode ?"
    if wish.outcome is None:
        return Section("effet", title, ("Aucun résultat n'a été donné : rien à estimer.",))
    served = [effect for effect in answers.effects if effect.span is not None]
    unit = f", en {wish.unit}" if wish.unit else ""
    refused = tuple(
        f"{effect.method} : {effect.refused}." for effect in answers.effects if effect.refused
    )
    if not served:
        return Section("effet", title, refused or ("Aucune méthode ne s'applique.",))
    decimals = decimals_of(answers.effects)
    heads = ["méthode", "effet", "intervalle", "p", "personnes", "précaution"]
    rows = [_effect_row(effect, decimals) for effect in served]
    if truth is not None:
        heads.insert(3, "effet vrai")
        for row, effect in zip(rows, served, strict=True):
            row.insert(3, _side(effect, truth))
    shown = grid(
        f"Effet sur « {wish.outcome} »{unit}, intervalle à 95 %", heads, rows,
        texts=(0, len(heads) - 1),
    )  # fmt: skip
    texts = refused if truth is None else (_known(served, truth, wish.unit), *refused)
    return Section("effet", title, texts, (shown,), reading=_verdict(served))


def _effect_row(effect: Effect, decimals: int) -> list[str]:
    found, span = effect.estimate, effect.span
    assert span is not None  # those that served
    return [
        effect.method,
        "bornes" if found is None else format_number(found.estimate, decimals, signed=True),
        _span(*span, decimals=decimals),
        "–" if found is None else p_text(found.p),
        "–" if found is None else format_number(float(found.meta.get("n_used", found.n)), 0),
        effect.caution,
    ]


def _side(effect: Effect, truth: float) -> str:
    """Say where the effect that is known stands beside an interval."""
    assert effect.span is not None  # those that served
    low, high = effect.span
    return "au-dessus" if low > truth else "au-dessous" if high < truth else "contenu"


def _known(effects: Sequence[Effect], truth: float, unit: str) -> str:
    """Say which methods find the effect that is known."""
    missed = [f"{e.method} ({_side(e, truth)})" for e in effects if _side(e, truth) != "contenu"]
    number = format_number(truth, 0 if float(truth).is_integer() else 2)
    start = f"L'effet vrai est de {number}{f' {unit}' if unit else ''}, puisque les personnes sont"
    held = len(effects) - len(missed)
    told = f"{start} inventées. {counted(held, 'intervalle')} sur {len(effects)} le"
    told += " contiennent." if held >= 2 else " contient."
    return told if not missed else f"{told} Le manquent : {' ; '.join(missed)}."


def _verdict(effects: Sequence[Effect]) -> str:
    """Say whether the methods agree; never which one is right."""
    spans = [effect.span for effect in effects if effect.span is not None]
    signs = {0 if low <= 0 <= high else math.copysign(1, low) for low, high in spans}
    if signs == {0}:
        return "Aucune méthode n'établit un effet : chaque intervalle contient zéro."
    if len(signs) == 1:
        way = "positif" if signs == {1.0} else "négatif"
        return f"Toutes les méthodes établissent un effet {way} ; leurs hypothèses restent à juger."
    return "Les méthodes ne concordent pas : ce que l'on conclut dépend de leurs hypothèses."


def _time(wish: Wish, answers: Answers, names: Mapping[Any, str]) -> Section:
    title = "Combien de temps jusqu'à l'événement ?"
    table = answers.tables.get("durées")
    if table is None:
        why = "Aucun événement, ou aucune colonne de statut, n'a été donné"
        return Section("durees", title, _missing(answers, "durées", why))
    rows = [
        [
            _group(row, names), format_number(float(row["time"])), _whole(row["n_risk"]),
            _whole(row["n_event"]), _percent(row["survival"]),
            _span(row["low"], row["high"], scale=100),
        ]
        for row in _first_steps(table).to_dict("records")
    ]  # fmt: skip
    shown = grid(
        f"Part qui n'a pas encore connu « {wish.event} » (Kaplan-Meier), par intervalle de temps",
        ("groupe", "fin de l'intervalle", "à risque", "événements", "part restante", "intervalle"),
        rows,
    )
    return Section("durees", title, (), (shown,))


def _first_steps(curve: pd.DataFrame) -> pd.DataFrame:
    """Keep the first steps of each group."""
    if "group" not in curve:
        return curve.head(_CURVE_STEPS)
    return curve.groupby("group", sort=False, dropna=False).head(_CURVE_STEPS)


def _moves(answers: Answers, names: Mapping[Any, str]) -> Section:
    title = "Les statuts et leurs passages"
    passages, states = answers.tables.get("passages"), answers.tables.get("statuts")
    if passages is None:
        return Section(
            "passages",
            title,
            _missing(answers, "passages", "Aucune colonne de statut n'a été donnée"),
        )
    rows = [
        [str(row["from"]), str(row["to"]), _whole(row["n"]), _percent(row["rate"])]
        for row in passages.to_dict("records")
    ]
    shown = [
        grid(
            "Passages d'une vague à la suivante", ("de", "à", "personnes-vagues", "part"), rows,
            texts=2,
        )
    ]  # fmt: skip
    if states is not None and len(states):
        shown.append(_state_grid(states, names))
    return Section("passages", title, (), tuple(shown))


def _state_grid(states: pd.DataFrame, names: Mapping[Any, str]) -> Grid:
    rows = [
        [
            _group(row, names), str(row["wave"]), str(row["state"]), _whole(row["n"]),
            _percent(row["share"]),
        ]
        for row in states.to_dict("records")
    ]  # fmt: skip
    return grid(
        "Statuts des présents, par vague", ("groupe", "vague", "statut", "personnes", "part"), rows,
        texts=3,
    )  # fmt: skip


def _place(wish: Wish, answers: Answers) -> Section:
    title = "Le lieu ou les gens ?"
    table = answers.tables.get("lieu")
    if table is None:
        why = "Il faut un lieu à chaque vague et un résultat"
        return Section("lieu", title, _missing(answers, "lieu", why))
    words = {
        "in_situ": "ceux qui restent", "exits": "les départs", "entries": "les arrivées",
        "total": "le lieu",
    }  # fmt: skip
    rows = [
        [words.get(str(row["component"]), str(row["component"])), _whole(row.get("n")),
         _number(row.get("value"))]
        for row in table.to_dict("records")
    ]  # fmt: skip
    shown = grid(
        f"Évolution moyenne de « {wish.outcome} » au lieu qui compte le plus de monde au départ",
        ("composante", "personnes", "évolution"),
        rows,
    )
    return Section(
        "lieu", title, (), (shown,),
        reading="Un lieu peut changer parce que ses habitants changent, ou parce que ce ne sont"
        " plus les mêmes.",
    )  # fmt: skip


def _power(cohort: Cohort, wish: Wish, answers: Answers) -> Section:
    title = "Quel effet cette taille laisse-t-elle voir ?"
    found = None if wish.outcome is None else detectable(answers, cohort, wish.outcome)
    if found is None:
        return Section("taille", title, ("Il faut deux groupes et un résultat qui varie.",))
    unit = f" {wish.unit}" if wish.unit else ""
    return Section(
        "taille", title,
        (
            "Avec ces effectifs de départ, sans perte ni grappe, un effet de"
            f" {_number(found)}{unit} serait vu quatre fois sur cinq (niveau de 5 %). Un effet plus"
            " petit peut exister sans être vu.",
        ),
    )  # fmt: skip


def _protection(wish: Wish, answers: Answers) -> Section:
    return Section(
        "protection",
        "Ce qui a été masqué",
        (
            f"Aucun effectif de moins de {int(wish.threshold)} personnes n'est montré, ni ce qui le"
            " ferait retrouver dans le même tableau. Ce que deux tableaux disent des mêmes"
            " personnes est masqué ensemble.",
            *(f"{text[:1].upper()}{text[1:]}." for text in answers.audit),
        ),
    )


def frames_of(answers: Answers) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables of the workbook: those of the page, in their protected form."""
    yield from answers.tables.items()
    effects = [
        {
            "famille": effect.group,
            "méthode": effect.method,
            "effet": None if effect.estimate is None else effect.estimate.estimate,
            "borne inférieure": None if effect.span is None else effect.span[0],
            "borne supérieure": None if effect.span is None else effect.span[1],
            "p": None if effect.estimate is None else effect.estimate.p,
            "précaution": effect.caution,
            "refus": effect.refused,
        }
        for effect in answers.effects
    ]
    if effects:
        yield "effets", pd.DataFrame(effects)

"""One screen: what is established, what moves, what is late, how many figures are in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from barometre.base.french import Lang
from barometre.compare.zones import is_index
from barometre.pages.territory.facts.evidence import Evidence
from barometre.pages.territory.facts.followed import Followed
from barometre.pages.territory.facts.lines import Line, lines_of
from barometre.pages.territory.facts.places import communes_of
from barometre.pages.territory.language.grammar import counted, number_with_unit, when
from barometre.pages.territory.language.words import pick
from barometre.pages.territory.sentences import (
    change_sentence,
    gap_sentence,
    source_text,
    worsens,
)
from barometre.tables.codes import level_of
from barometre.tables.table_set import DOUBTFUL

MOST = 3
"""Gaps and changes that a screen names on each side."""

_NO_IDH4 = ("IDH-4 : il n'est pas dans ces résultats.", "IDH-4: it is not in these results.")
_NO_IDH4_AROUND = (  # a neighbourhood shows that of its municipality
    "IDH-4 : ni celui du territoire, ni celui de sa commune, n'est dans ces résultats.",
    "IDH-4: neither that of the territory nor that of its municipality is in these results.",
)
_NO_IDT = ("IDT : il n'est pas dans ces résultats.", "IDT: it is not in these results.")
_IDH, _IDT = "idh4", ("idt_compas", "idt")


@dataclass(frozen=True)
class Said:
    """A sentence and the indicator it is about, whose row is further down the page, if any."""

    text: str
    indicator: str


@dataclass(frozen=True)
class Counts:
    """How many figures are shown, hidden, absent, doubtful, judged."""

    values: int
    secret: int
    absent: int
    doubtful: int
    unjudged: int
    judged: int


@dataclass(frozen=True)
class Brief:
    """The first screen.

    Attributes
    ----------
    indices : tuple of str
        IDH-4 and IDT, with the territory they are of.
    unfavourable, favourable, others : tuple of Said
        Established gaps, the largest first; ``others`` have no direction.
    moves : tuple of Said
        Changes that are allowed and more than chance.
    worsening : tuple of str
        Names of what is unfavourable and gets worse.
    targets : Followed or None
        Where the targets of the contract stand.
    counts : Counts
    """

    indices: tuple[Said, ...]
    unfavourable: tuple[Said, ...]
    favourable: tuple[Said, ...]
    others: tuple[Said, ...]
    moves: tuple[Said, ...]
    worsening: tuple[str, ...]
    tested: int
    targets: Followed | None
    counts: Counts


def brief_of(
    evidence: Evidence,
    code: str,
    lines: Sequence[Line],
    followed: Followed | None,
    lang: Lang = "fr",
) -> Brief:
    """Choose what the first screen says.

    Parameters
    ----------
    evidence : Evidence
        What the verbs say.
    code : str
        The territory.
    lines : sequence of Line
        Its indicators.
    followed : Followed or None
        Its contract.
    lang : {"fr", "en"}, default "fr"
        Language.
    """
    settled = sorted(
        (line for line in lines if line.established and not line.doubtful),
        key=lambda line: (-line.size, line.card.id),
    )
    return Brief(
        tuple(_indices(evidence, code, lines, lang)),
        _said(settled, "defavorable", lang),
        _said(settled, "favorable", lang),
        tuple(
            Said(gap_sentence(line, lang), line.card.id)
            for line in settled
            if line.verdict_name in ("plus_eleve", "plus_bas")
        )[:MOST],
        tuple(_moves(lines, lang)),
        tuple(line.card.libelle[lang] for line in lines if worsens(line)),
        sum(line.trend is not None and isinstance(line.trend["tendance"], str) for line in lines),
        followed,
        counts_of(lines),
    )


def _said(lines: Sequence[Line], verdict: str, lang: Lang) -> tuple[Said, ...]:
    chosen = [line for line in lines if line.verdict_name == verdict][:MOST]
    return tuple(Said(gap_sentence(line, lang), line.card.id) for line in chosen)


def _moves(lines: Sequence[Line], lang: Lang) -> list[Said]:
    """Name the largest changes that are allowed, certain, and more than chance."""
    moved = [
        line
        for line in lines
        if line.change is not None
        and line.change["statut"] == "ok"
        and line.change["etabli"]
        and line.change["qualite"] != DOUBTFUL
    ]
    moved.sort(key=lambda line: (-_pace(line), line.card.id))
    told = [(change_sentence(line, lang), line.card.id) for line in moved[:MOST]]
    return [Said(text, name) for text, name in told if text is not None]


def _pace(line: Line) -> float:
    assert line.change is not None  # chosen so
    start = abs(float(line.change["valeur_debut"]))
    return abs(float(line.change["evolution"])) / start if start else 0.0


def _indices(evidence: Evidence, code: str, lines: Sequence[Line], lang: Lang) -> list[Said]:
    """Say the IDH-4 first, of the communes of a neighbourhood, then the IDT."""
    found = []
    mine = {line.card.id: line for line in lines}
    if _IDH in mine:
        found.append(Said(gap_sentence(mine[_IDH], lang), _IDH))
    elif level_of(code) == "qpv":
        found += _of_communes(evidence, code, lang)
    if not found:
        absent = _NO_IDH4_AROUND if level_of(code) == "qpv" else _NO_IDH4
        found.append(Said(pick(absent, lang), ""))
    idt = next((name for name in _IDT if name in mine and mine[name].known), None)
    found.append(
        Said(pick(_NO_IDT, lang), "")
        if idt is None
        else Said(_index_sentence(mine[idt], lang), idt)
    )
    return found


def _of_communes(evidence: Evidence, code: str, lang: Lang) -> list[Said]:
    found = []
    for town in communes_of(code, evidence.members):
        if (town, _IDH) in evidence.cells and town in evidence.places:
            line = next(x for x in _lines_of_town(evidence, town) if x.card.id == _IDH)
            name = evidence.places[town].name
            start = f"Commune ({name}). " if lang == "fr" else f"Municipality ({name}). "
            found.append(Said(start + gap_sentence(line, lang), _IDH))
    return found


def _lines_of_town(evidence: Evidence, town: str) -> list[Line]:
    with_town = evidence if town in evidence.references else evidence.with_place(town)
    return lines_of(with_town, town)


def _index_sentence(line: Line, lang: Lang) -> str:
    """Say the IDT at its dates: zero is metropolitan France."""
    value = number_with_unit(line.value, line.card, lang, doubtful=line.doubtful)
    change, before = line.change, ""
    if change is not None and change["statut"] == "ok":
        doubtful = change["qualite"] == DOUBTFUL and not line.doubtful
        start = float(change["valeur_debut"])
        was = number_with_unit(start, line.card, lang, doubtful=doubtful)
        before = f", {was} {when(line.card, int(change['annee_debut']), lang)}"
    published = line.card.id == "idt_compas"
    if lang == "fr":
        who = "publié par COMPAS" if published else "reconstitution, non un chiffre de COMPAS"
        text = f"IDT ({who}) : {value} {when(line.card, line.year)}{before} ; zéro est la France."
    else:
        who = "published by COMPAS" if published else "reconstruction, not a figure of COMPAS"
        text = f"IDT ({who}): {value} {when(line.card, line.year, lang)}{before}; zero is France."
    return f"{text} {source_text(line, lang)}"


def is_compared(line: Line) -> bool:
    """Tell a figure that is judged or could be: no count, no index."""
    return not line.is_count and not is_index(line.card.id)


def counts_of(lines: Sequence[Line]) -> Counts:
    """Count what is shown, hidden, absent, doubtful, judged."""
    known = [line for line in lines if line.known]
    compared = [line for line in known if is_compared(line)]
    judged = [line for line in compared if line.verdict_name != "non_juge"]
    return Counts(
        len(known),
        sum(line.status == "secret" for line in lines if not line.known),
        sum(line.status != "secret" for line in lines if not line.known),
        sum(line.doubtful for line in known),
        len(compared) - len(judged),
        len(judged),
    )


def counts_sentence(counts: Counts, lang: Lang = "fr") -> str:
    """Say how many figures are secret, absent, doubtful, not judged.

    Examples
    --------
    >>> counts_sentence(Counts(30, 1, 0, 2, 12, 18)).replace(chr(160), " ")
    '30 valeurs ; 1 secrète, 0 absente, 2 douteuses ; 18 écarts jugés, 12 non jugés.'
    """
    if lang == "en":
        return (
            f"{counted(counts.values, 'value', lang='en')}; {counts.secret} secret,"
            f" {counts.absent} absent, {counts.doubtful} doubtful;"
            f" {counted(counts.judged, 'gap', lang='en')} judged, {counts.unjudged} not judged."
        )
    return (
        f"{counted(counts.values, 'valeur')} ; {counted(counts.secret, 'secrète')},"
        f" {counted(counts.absent, 'absente')}, {counted(counts.doubtful, 'douteuse')} ;"
        f" {counted(counts.judged, 'écart jugé', 'écarts jugés')},"
        f" {counted(counts.unjudged, 'non jugé')}."
    )

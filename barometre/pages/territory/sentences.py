"""Sentences of the pages: what, against what, how sure; never a cause, never what is not judged."""

from __future__ import annotations

import math

from barometre.base.french import Lang, format_number
from barometre.pages.territory.facts.evidence import Row
from barometre.pages.territory.facts.lines import Line, Reference
from barometre.pages.territory.language.grammar import (
    counted,
    gap_with_unit,
    number_with_unit,
    ratio_words,
    share_words,
    when,
)
from barometre.pages.territory.language.words import (
    BEYOND,
    MAY_BE,
    STATUS_SENTENCE,
    VERDICT,
    not_judged_reason,
    pick,
    producer,
)
from barometre.tables.table_set import DOUBTFUL

FEW = 5
"""Cases under which a share is said to rest on them: a cell of that size is often secret."""

_LEVELLED = ("indice", "points", "euros_par_an", "rapport", "consultations_par_an")


def source_text(line: Line, lang: Lang = "fr") -> str:
    """Name the producer of a value."""
    who = producer(line.card.producteur, lang)
    return f"Source : {who}." if lang == "fr" else f"Source: {who}."


def value_text(line: Line, lang: Lang = "fr") -> str:
    """Write the value of a line, or why there is none."""
    if not line.known:
        return pick(STATUS_SENTENCE[line.status], lang)
    return number_with_unit(line.value, line.card, lang, doubtful=line.doubtful)


def reference_text(line: Line, reference: Reference, lang: Lang = "fr") -> str:
    """Write the value of a reference."""
    return number_with_unit(reference.value, line.card, lang, doubtful=reference.doubtful)


def head(line: Line, lang: Lang = "fr") -> str:
    """Write what is measured, its value in figures and in words, and its date."""
    label, date = line.card.libelle[lang], _date(line, lang)
    colon = " :" if lang == "fr" else ":"
    if not line.known:
        return f"{label}{colon} {value_text(line, lang)} {date}"
    words = [] if line.doubtful else [share_words(line.value, line.card, lang) or ""]
    told = [text for text in (*words, few_words(line, lang)) if text]
    shown = f" ({', '.join(told)})" if told else ""
    return f"{label}{colon} {value_text(line, lang)}{shown} {date}"


def _date(line: Line, lang: Lang) -> str:
    """Say the date of a value, or that it has none: its year is then that of a document."""
    if not line.undated:
        return when(line.card, line.year, lang)
    return (
        f"(sans date, dans un document de {line.year})"
        if lang == "fr"
        else f"(undated, in a document of {line.year})"
    )


def gap_sentence(line: Line, lang: Lang = "fr") -> str:
    """Say a value against its first reference, and how sure the difference is.

    Parameters
    ----------
    line : Line
        An indicator of a territory.
    lang : {"fr", "en"}, default "fr"
        Language.

    Returns
    -------
    str
        A sentence or two, with value, date, reference, proof and source.
    """
    start, reference = head(line, lang), line.first
    doubt = _doubt(line, lang)
    if line.is_count:
        return _joined(f"{start}.", doubt, source_text(line, lang))
    if not line.known or reference is None or not reference.known:
        lacking = "" if reference is None or not line.known else _lacking(reference, lang)
        return _joined(f"{start}.", lacking, doubt, source_text(line, lang))
    other, where = reference_text(line, reference, lang), reference.place.within(lang)
    if line.established:
        return _joined(f"{start}, {_established(line, reference, lang)}.", source_text(line, lang))
    against = f"contre {other} {where}" if lang == "fr" else f"against {other} {where}"
    if line.verdict_name == "comparable" and line.verdict is not None:
        may = pick(MAY_BE[str(line.verdict["preuve"])], lang)
        colon = " :" if lang == "fr" else ":"
        return _joined(f"{start}, {against}{colon} {may}.", source_text(line, lang))
    reason = not_judged_reason(None if line.verdict is None else line.verdict["note"], lang)
    unsure = f"Écart non jugé : {reason}." if lang == "fr" else f"Gap not judged: {reason}."
    return _joined(f"{start}, {against}.", unsure, doubt, source_text(line, lang))


def _established(line: Line, reference: Reference, lang: Lang) -> str:
    verdict = line.verdict
    assert verdict is not None  # established
    more = float(verdict["ecart"]) > 0
    levelled = line.card.unite in _LEVELLED
    if lang == "fr":
        word = ("plus haut" if more else "plus bas") if levelled else ("plus" if more else "moins")
        than = f"{word} que {reference.place.within(lang)}"
    else:
        word = "higher" if more else "lower"
        than = f"{word} than {reference.place.within(lang)}"
    told = [reference_text(line, reference, lang)]
    times = None if levelled else ratio_words(line.value, reference.value, lang)
    if times:
        told.append(f"{times} cette valeur" if lang == "fr" else f"{times} this value")
    rest = _rest(line, verdict, lang)
    if rest:
        told.append(rest)
    proof = pick(BEYOND[str(verdict["preuve"])], lang)
    if lang == "fr":
        return f"{than} ({' ; '.join(told)}) ; écart établi ({proof})"
    return f"{than} ({'; '.join(told)}); established gap ({proof})"


def few_words(line: Line, lang: Lang = "fr") -> str:
    """Say on how few cases a share rests; empty from `FEW` on, or when it is not known."""
    above = float(line.row.get("effectif", math.nan))
    if not above < FEW:
        return ""
    case = counted(above, "cas", "cas") if lang == "fr" else counted(above, "case", lang="en")
    return f"sur {case} seulement" if lang == "fr" else f"on {case} only"


def _rest(line: Line, verdict: Row, lang: Lang) -> str:
    """Give the reference less the territory when it is what was compared."""
    compared, whole = float(verdict["valeur_comparee"]), float(verdict["valeur_reference"])
    shown = [format_number(value, line.card.decimales, lang) for value in (compared, whole)]
    if shown[0] == shown[1]:
        return ""
    text = number_with_unit(compared, line.card, lang)
    return f"{text} sans ce territoire" if lang == "fr" else f"{text} without this territory"


def _lacking(reference: Reference, lang: Lang) -> str:
    name = reference.place.name
    if lang == "fr":
        return f"Pas de valeur {reference.place.within(lang)} : rien à comparer."
    return f"No value for {name}: nothing to compare with."


def _doubt(line: Line, lang: Lang) -> str:
    if not line.doubtful or not line.known:
        return ""
    if lang == "fr":
        return "(?) Valeur imprimée contredite par une autre, reprise telle quelle."
    return "(?) Printed value contradicted by another one, kept as it is."


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def change_sentence(line: Line, lang: Lang = "fr") -> str | None:
    """Say a change between two dates, or why it is not read; None when there is one date.

    Returns
    -------
    str or None
        With both dates, the size of the change, whether chance alone would do as much, the source.
    """
    change = line.change
    if change is None:
        return None
    start, end = int(change["annee_debut"]), int(change["annee_fin"])
    since = _since(line, start, lang)
    if change["statut"] != "ok":
        return _refused(line, change, start, lang)
    doubtful = change["qualite"] == DOUBTFUL
    value = number_with_unit(float(change["valeur_fin"]), line.card, lang, doubtful=doubtful)
    label, date = line.card.libelle[lang], when(line.card, end, lang)
    colon = " :" if lang == "fr" else ":"
    return _joined(
        f"{label}{colon} {value} {date}, {_moved(line, change, since, lang)}"
        f"{_chance(change, lang)}.",
        source_text(line, lang),
    )


def _since(line: Line, year: int, lang: Lang) -> str:
    date = when(line.card, year, lang)
    if lang == "en":
        return f"than {date}"
    return f"qu'{date}" if date[0] in "ae" else f"que {date}"


def _moved(line: Line, change: Row, since: str, lang: Lang) -> str:
    step = float(change["evolution"])
    shown = gap_with_unit(abs(step), line.card, lang, signed=False)
    if format_number(abs(step), line.card.decimales, "en").strip("0.,") == "":
        same = {"fr": f"inchangé par rapport à {since.partition(' ')[2]}", "en": "unchanged"}
        return same[lang]
    percent, share = float(change["evolution_pct"]), ""
    if line.card.unite in ("nombre", "euros_par_an") and not math.isnan(percent):
        space = "\u202f" if lang == "fr" else ""
        share = f" ({format_number(percent, 1, lang, signed=True)}{space}%)"
    if lang == "fr":
        return f"soit {shown} de {'plus' if step > 0 else 'moins'} {since}{share}"
    less = "fewer" if line.card.unite == "nombre" else "less"
    return f"{shown} {'more' if step > 0 else less} {since}{share}"


def _chance(change: Row, lang: Lang) -> str:
    if change["etabli"] is None:
        return " ; changement non jugé" if lang == "fr" else "; change not judged"
    if change["etabli"]:
        return (
            " ; plus que le hasard seul (95 %)"
            if lang == "fr"
            else "; more than chance alone (95%)"
        )
    return " ; le hasard peut en faire autant" if lang == "fr" else "; chance may do as much"


def _refused(line: Line, change: Row, start: int, lang: Lang) -> str:
    colon = " :" if lang == "fr" else ":"
    first = f"{head(line, lang)} ; " if lang == "fr" else f"{head(line, lang)}; "
    reason = _refusal(change, lang)
    told = (
        f"l'évolution depuis {start} n'est pas lue"
        if lang == "fr"
        else f"the change since {start} is not read"
    )
    return _joined(f"{first}{told}{colon} {reason}.", source_text(line, lang))


def trend_words(line: Line, lang: Lang = "fr") -> tuple[str, str, str]:
    """Give the arrow, the word and the reason of the trend of a line.

    Returns
    -------
    tuple of str
        The test over several dates where it was made; else the change between two dates where it
        was judged; else ``non lue`` with its reason.
    """
    trend, change = line.trend, line.change
    if trend is not None and isinstance(trend["tendance"], str):
        found = {"hausse": 1, "baisse": -1}.get(trend["tendance"], 0)
        dates = f"{int(trend['annee_debut'])}-{int(trend['annee_fin'])}"
        return (*_arrow(found, lang), dates)
    if change is not None and change["statut"] == "ok":
        dates = f"{int(change['annee_debut'])}-{int(change['annee_fin'])}"
        if change["etabli"] is None:
            return ("", pick(("non jugée", "not judged"), lang), dates)
        step = float(change["evolution"])
        return (*_arrow(int(math.copysign(1, step)) if change["etabli"] else 0, lang), dates)
    if change is not None:
        return ("", pick(("non lue", "not read"), lang), "")
    return ("", pick(("non lue", "not read"), lang), "")


def unread_reason(line: Line, lang: Lang = "fr") -> str:
    """Say why the change of a line is not read, or not judged; empty when it is."""
    change = line.change
    if change is None:
        return pick(("une seule date", "one date only"), lang)
    if change["statut"] != "ok":
        return _refusal(change, lang)
    if change["qualite"] == DOUBTFUL:
        return pick(("une des deux valeurs est douteuse", "one of the two is doubtful"), lang)
    if change["etabli"] is None:
        return pick(
            (
                "rien ne dit si le hasard en ferait autant",
                "nothing tells whether chance would do it",
            ),
            lang,
        )
    return ""


def _refusal(change: Row, lang: Lang) -> str:
    note = change["note"] if isinstance(change["note"], str) else ""
    if change["statut"] == "non_comparable":
        rule = ("une règle de la source l'interdit", "a rule of the source forbids it")
        return note.split(" ; ")[-1] if lang == "fr" and note else pick(rule, lang)
    return pick(STATUS_SENTENCE[str(change["statut"])], lang)


def _arrow(direction: int, lang: Lang) -> tuple[str, str]:
    if direction > 0:
        return "↗", pick(("hausse", "up"), lang)
    if direction < 0:
        return "↘", pick(("baisse", "down"), lang)
    # That nothing is established does not make two values equal.
    return "", pick(("pas établie", "not established"), lang)


def worsens(line: Line) -> bool:
    """Tell a line that is worse than its reference and getting worse, both being established."""
    return line.trend is not None and line.trend.get("marque") == "defavorable_et_se_degrade" and (
        line.verdict_name == "defavorable"
    )  # fmt: skip


def finding(line: Line, lang: Lang = "fr") -> str:
    """Title a chart by what is established, else by what is shown.

    Returns
    -------
    str
        ``... : plus que dans la CA`` when a difference is established, else the value and that
        nothing is.
    """
    label, colon = line.card.libelle[lang], " :" if lang == "fr" else ":"
    if not line.known:
        return f"{label}{colon} {value_text(line, lang)}"
    value = value_text(line, lang)
    if not line.established or line.first is None or line.verdict is None:
        words = {
            "comparable": ("aucun écart établi", "no established gap"),
            "non_juge": ("écart non jugé", "gap not judged"),
        }[line.verdict_name]
        end = "" if line.is_count else f", {pick(words, lang)}"
        return f"{label}{colon} {value}{end}"
    more = float(line.verdict["ecart"]) > 0
    if lang == "fr":
        word = "plus" if more else "moins"
        if line.card.unite in _LEVELLED:
            word = "plus haut" if more else "plus bas"
        return f"{label}{colon} {value}, {word} que {line.first.place.within(lang)}"
    word = "higher" if more else "lower"
    return f"{label}{colon} {value}, {word} than {line.first.place.within(lang)}"


def verdict_words(line: Line, lang: Lang = "fr") -> str:
    """Give the word of the verdict column."""
    return pick(VERDICT[line.verdict_name], lang)

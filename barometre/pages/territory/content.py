"""The content of a page, section by section, as texts: no HTML, nothing computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from barometre.base.french import Lang, absent_label, format_number
from barometre.cards.schema import THEMES, Card
from barometre.pages.territory.brief import Brief, Counts, brief_of, counts_of, is_compared
from barometre.pages.territory.facts.context import (
    Context,
    Similar,
    cumulated_sentence,
    needs_grid,
    place_grid,
    similar_of,
    theme_grid,
)
from barometre.pages.territory.facts.evidence import Evidence
from barometre.pages.territory.facts.followed import Followed, Review, followed_of
from barometre.pages.territory.facts.grids import Grid, grid
from barometre.pages.territory.facts.lines import Line, Reference, drawn_zones, lines_of
from barometre.pages.territory.facts.places import Place
from barometre.pages.territory.facts.questions import questions_of
from barometre.pages.territory.facts.standing import Spine, position_words, spine_of
from barometre.pages.territory.language.grammar import (
    gap_with_unit,
    long_unit,
    number_with_unit,
    when,
)
from barometre.pages.territory.language.words import (
    PROOF,
    STATUS,
    clean_note,
    colon,
    not_judged_reason,
    pick,
    producer,
)
from barometre.pages.territory.sentences import (
    few_words,
    finding,
    gap_sentence,
    trend_words,
    unread_reason,
    verdict_words,
)
from barometre.pages.territory.town import Town, town_of
from barometre.tables.codes import level_of
from barometre.tables.table_set import DOUBTFUL

_GRADES: Mapping[str, tuple[str, str]] = {
    "A": ("précis", "precise"),
    "B": ("à lire avec prudence", "read with caution"),
    "C": ("imprécis", "imprecise"),
    "douteux": ("douteux", "doubtful"),
}
_SEVERAL = 3  # indicators that a reference must have for a column of its own
_COLUMNS = 4
_ORIGINS: Mapping[str, tuple[str, str]] = {
    "estime": ("estimé", "estimated"),
    "deduit": ("déduit", "deduced"),
}


@dataclass(frozen=True)
class ProfileRow:
    """A row of the profile: texts and a spine.

    Attributes
    ----------
    indicator, label : str
        Identifier (of the link to the card) and label.
    year, count, value : str
        Year, count behind a share, value with its mark.
    references : tuple of str
        A text a reference, in the order of the header.
    spine : Spine or None
    verdict, verdict_name, proof : str
        Word, key and proof of the verdict.
    arrow, trend, trend_note, quality : str
    status, reason : str
        ``ok``, or why there is no value; the same in words.
    source, position : str
        Producer; what the spine shows, in words.
    """

    indicator: str
    label: str
    year: str
    count: str
    value: str
    references: tuple[str, ...]
    spine: Spine | None
    verdict: str
    verdict_name: str
    proof: str
    arrow: str
    trend: str
    trend_note: str
    quality: str
    status: str
    reason: str
    source: str
    position: str


@dataclass(frozen=True)
class Theme:
    """A question, what is found, its chart and its table.

    Attributes
    ----------
    key, pillar, question, finding, reading : str
    chart, dates : Line or None
        The indicator that is drawn at its last year, and the one drawn over time.
    lines : tuple of Line
        All its indicators.
    table, data : Grid
        The indicators of the question; the values of the chart.
    notes : tuple of str
        Universe, caution, source.
    """

    key: str
    pillar: str
    question: str
    finding: str
    reading: str
    chart: Line | None = field(repr=False)
    dates: Line | None = field(repr=False)
    lines: tuple[Line, ...] = field(repr=False)
    table: Grid = field(repr=False)
    data: Grid | None = field(repr=False)
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Unsaid:
    """What the figures do not say: a list of sentences a kind."""

    secret: tuple[str, ...]
    absent: tuple[str, ...]
    doubtful: tuple[str, ...]
    unjudged: tuple[tuple[str, tuple[str, ...]], ...]
    unread: tuple[tuple[str, tuple[str, ...]], ...]
    breaks: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """A page, section by section, before any HTML.

    Attributes
    ----------
    place : Place
        The territory.
    kind : {"qpv", "commune", "epci", "autre"}
        What kind of page it is.
    population : str
        Its population in words; empty when it is not known.
    years : str
        Years of the data.
    counts : Counts
        Values, secret, absent, doubtful.
    brief : Brief
    references : tuple of Place
        Columns of the profile.
    profile : tuple of (str, tuple of ProfileRow)
        Rows by theme.
    themes : tuple of Theme
    place_table, theme_table, needs_table : Grid or None
    cumulated : str
    similar : Similar or None
    followed : Followed or None
    unsaid : Unsaid
    figures : tuple of mapping
        The rows of the profile as numbers and words, for the workbook.
    series : Grid or None
        The indicators that have two dates.
    town : Town or None
        What a commune's page has besides.
    """

    place: Place
    kind: str
    population: str
    years: str
    counts: Counts
    brief: Brief
    references: tuple[Place, ...]
    profile: tuple[tuple[str, tuple[ProfileRow, ...]], ...] = field(repr=False)
    themes: tuple[Theme, ...] = field(repr=False)
    place_table: Grid | None = field(repr=False)
    theme_table: Grid | None = field(repr=False)
    needs_table: Grid | None = field(repr=False)
    cumulated: str
    similar: Similar | None = field(repr=False)
    followed: Followed | None = field(repr=False)
    unsaid: Unsaid = field(repr=False)
    figures: tuple[Mapping[str, object], ...] = field(repr=False)
    series: Grid | None = field(repr=False)
    town: Town | None = field(repr=False)
    lang: Lang = "fr"


def content_of(
    evidence: Evidence,
    context: Context,
    code: str,
    *,
    review: Review | None = None,
    lang: Lang = "fr",
) -> Content:
    """Gather the content of the page of a territory.

    Parameters
    ----------
    evidence : Evidence
        What the verbs say of all territories.
    context : Context
        The order of the peers and the needs.
    code : str
        The territory.
    review : Review, optional
        The contract at a year.
    lang : {"fr", "en"}, default "fr"
        Language.

    Returns
    -------
    Content
    """
    lines = lines_of(evidence, code, lang)
    followed = None if review is None else followed_of(review, code, evidence.members, lang)
    level = level_of(code)
    years = sorted({line.year for line in lines if not line.undated})
    columns = _columns(lines)
    return Content(
        evidence.places[code],
        level if level in ("qpv", "commune", "epci") else "autre",
        _population(lines, lang),
        "" if not years else f"{years[0]}-{years[-1]}" if years[0] < years[-1] else str(years[0]),
        counts_of(lines),
        brief_of(evidence, code, lines, followed, lang),
        columns,
        _profile(lines, columns, lang),
        tuple(_themes(evidence, level, lines, columns, lang)),
        place_grid(context, evidence, code, lang) if level != "epci" else None,
        theme_grid(context, evidence, lang) if level == "epci" else None,
        needs_grid(context, evidence, lang),
        cumulated_sentence(context, code, lang),
        similar_of(evidence, code, lang),
        followed,
        _unsaid(evidence, lines, lang),
        tuple(_figures(line, columns, lang) for line in lines),
        _series(lines, lang),
        town_of(evidence, code, lang) if level == "commune" else None,
        lang,
    )


def _population(lines: Sequence[Line], lang: Lang) -> str:
    for line in lines:
        if line.card.id == "population" and line.known:
            number = format_number(line.value, 0, lang)
            words = pick(("habitants", "residents"), lang)
            return f"{number}\u00a0{words} {when(line.card, line.year, lang)}"
    return ""


# ---- profile -------------------------------------------------------------------------------------


def _profile(
    lines: Sequence[Line], columns: Sequence[Place], lang: Lang
) -> tuple[tuple[str, tuple[ProfileRow, ...]], ...]:
    groups = []
    for theme, names in THEMES.items():
        rows = tuple(_row(line, columns, lang) for line in lines if line.card.theme == theme)
        if rows:
            groups.append((pick(names, lang), rows))
    return tuple(groups)


def _columns(lines: Sequence[Line]) -> tuple[Place, ...]:
    """Choose the references of the tables: those that several indicators have, else all."""
    places = {r.place.code: r.place for line in lines for r in line.references}
    known = {
        code: sum(r.known for line in lines for r in line.references if r.place.code == code)
        for code in places
    }
    wide = [places[code] for code in places if known[code] >= _SEVERAL]
    return tuple(wide or places.values())[:_COLUMNS]


def _shown(line: Line, columns: Sequence[Place]) -> list[Reference]:
    by_code = {reference.place.code: reference for reference in line.references}
    return [by_code[place.code] for place in columns]


def _row(line: Line, columns: Sequence[Place], lang: Lang) -> ProfileRow:
    arrow, trend, note = trend_words(line, lang)
    compared = line.known and not line.is_count
    return ProfileRow(
        line.card.id,
        with_unit(line.card, lang),
        str(line.year),
        _count(line, lang),
        cell(line.card, line.value, line.status, line.doubtful, lang),
        tuple(_reference_cell(line.card, ref, lang) for ref in _shown(line, columns)),
        spine_of(line),
        verdict_words(line, lang) if compared else "",
        line.verdict_name if compared else "",
        _proof(line, lang),
        arrow,
        trend,
        note,
        _quality(line, lang),
        "ok" if line.known else line.status,
        "" if line.known else pick(STATUS[line.status], lang),
        producer(line.card.producteur, lang),
        position_words(line, lang),
    )


def _count(line: Line, lang: Lang, column: str = "effectif") -> str:
    number = line.row.get(column, float("nan"))
    if not line.known or number != number:
        return ""
    about = "≈\u00a0" if line.row.get(f"{column}_approche", False) else ""
    return about + format_number(number, 0, lang)


def with_unit(card: Card, lang: Lang) -> str:
    """Write a label, with its unit when cells do not write it in full."""
    unit = long_unit(card, lang)
    return f"{card.libelle[lang]} ({unit})" if unit else card.libelle[lang]


def cell(card: Card, value: float, status: str, doubtful: bool, lang: Lang) -> str:
    """Write a value as a table does, or why there is none."""
    if value != value:
        return absent_label("non_disponible" if status == "ok" else status, lang)
    return number_with_unit(value, card, lang, doubtful=doubtful, short=True)


def _reference_cell(card: Card, reference: Reference, lang: Lang) -> str:
    return cell(card, reference.value, reference.status, reference.doubtful, lang)


def _proof(line: Line, lang: Lang) -> str:
    if line.is_count or line.verdict is None:
        return ""
    if line.verdict_name == "non_juge":
        return not_judged_reason(line.verdict["note"], lang)
    few = few_words(line, lang)
    return pick(PROOF[str(line.verdict["preuve"])], lang) + (f", {few}" if few else "")


def _quality(line: Line, lang: Lang) -> str:
    found = [
        pick(words, lang)
        for key, table in (("qualite", _GRADES), ("origine", _ORIGINS))
        if (words := table.get(str(line.row[key]))) is not None
    ]
    if line.undated:
        found.append(pick(("sans date", "undated"), lang))
    return ", ".join(found) if line.known else ""


def _figures(line: Line, columns: Sequence[Place], lang: Lang) -> dict[str, object]:
    row = _row(line, columns, lang)
    return {
        "thème": pick(THEMES[line.card.theme], lang),
        "indicateur": row.label,
        "année": line.year,
        "effectif": line.row.get("effectif") if line.known else None,
        "valeur": line.value,
        "statut": "" if line.known else pick(STATUS[line.status], lang),
        **{f"valeur, {ref.place.short}": ref.value for ref in _shown(line, columns)},
        **_marks(line),
        "verdict": row.verdict,
        "preuve": row.proof,
        "tendance": row.trend,
        "dates": row.trend_note,
        "qualité": row.quality,
        "source": line.card.producteur,
    }


def _marks(line: Line) -> dict[str, object]:
    """Give the marks of the peers as numbers, for the workbook."""
    spread = line.spread
    if spread is None or not line.known or line.is_count:
        return {}
    _, first, median, third, _ = spread.marks
    return {
        "semblables, minimum": spread.low, "P25": first, "médiane": median, "P75": third,
        "maximum": spread.high, "semblables": spread.number,
    }  # fmt: skip


def _series(lines: Sequence[Line], lang: Lang) -> Grid | None:
    """Set out the indicators that have two dates, whether the change is read or refused."""
    rows = []
    for line in lines:
        change = line.change
        if change is None or not line.known:
            continue
        read = change["statut"] == "ok"
        # The quality of a change is the worse of its two ends.
        doubts = (change["qualite"] == DOUBTFUL and not line.doubtful, line.doubtful)
        ends = [
            cell(line.card, float(change[f"valeur_{end}"]), "non_disponible", doubt, lang)
            for end, doubt in zip(("debut", "fin"), doubts, strict=True)
        ]
        moved = gap_with_unit(float(change["evolution"]), line.card, lang, short=True)
        moved = moved if read else "–"
        rows.append(
            [
                with_unit(line.card, lang),
                f"{int(change['annee_debut'])}-{int(change['annee_fin'])}",
                *ends,
                moved,
                unread_reason(line, lang) or trend_words(line, lang)[1],
            ]
        )
    if not rows:
        return None
    heads = (
        ("indicateur", "indicator"), ("années", "years"), ("début", "start"), ("fin", "end"),
        ("évolution", "change"), ("lecture", "reading"),
    )  # fmt: skip
    return grid(
        pick(("Les indicateurs à deux dates", "The indicators with two dates"), lang),
        [pick(pair, lang) for pair in heads],
        rows,
        texts=(0, 1, 5),
    )


# ---- themes --------------------------------------------------------------------------------------


def _themes(
    evidence: Evidence, level: str, lines: Sequence[Line], columns: Sequence[Place], lang: Lang
) -> list[Theme]:
    found = []
    for question, mine in questions_of(level, lines):
        chart = next((line for line in mine if line.known), None)
        title = finding(chart or mine[0], lang)
        found.append(
            Theme(
                question.key,
                pick(question.pillar, lang),
                pick(question.question, lang),
                title,
                gap_sentence(chart or mine[0], lang),
                chart,
                _two_dated(mine),
                tuple(mine),
                _table(mine, columns, lang),
                None if chart is None else _data(evidence, chart, lang),
                tuple(_notes(chart or mine[0], lang)),
            )
        )
    return found


def _two_dated(lines: Sequence[Line]) -> Line | None:
    """Choose what is drawn at two dates: the first indicator whose change is read."""
    return next(
        (x for x in lines if x.known and x.change is not None and x.change["statut"] == "ok"), None
    )


def _table(lines: Sequence[Line], columns: Sequence[Place], lang: Lang) -> Grid:
    rows = []
    for line in lines:
        row = _row(line, columns, lang)
        bounds = _bounds(line, lang)
        base = _count(line, lang, "base")
        rows.append(
            [row.label, row.year, row.value, bounds, row.count, base, *row.references, row.quality]
        )
    words = (
        ("indicateur", "indicator"), ("année", "year"), ("valeur", "value"),
        ("intervalle", "interval"), ("effectif", "count"), ("sur", "out of"),
    )  # fmt: skip
    heads = [
        *(pick(pair, lang) for pair in words),
        *(place.short for place in columns),
        pick(("qualité", "quality"), lang),
    ]
    kept = [at for at in range(len(heads)) if any(row[at] for row in rows)]
    return grid(
        pick(("Les indicateurs de cette question", "The indicators of this question"), lang),
        [heads[at] for at in kept],
        [[row[at] for at in kept] for row in rows],
    )


def _bounds(line: Line, lang: Lang) -> str:
    low, high = line.row["borne_inf"], line.row["borne_sup"]
    if low != low or high != high or not line.known:
        return ""
    shown = [format_number(bound, line.card.decimales, lang) for bound in (low, high)]
    return f"[{shown[0]} ; {shown[1]}]" if lang == "fr" else f"[{shown[0]}; {shown[1]}]"


def _data(evidence: Evidence, line: Line, lang: Lang) -> Grid:
    """Give the values of a chart: the peers in the order of the chart, then the references."""
    rows = []
    codes, references = drawn_zones(evidence, line)
    for code in (*codes, *references):
        row = evidence.cells.get((code, line.card.id), {}).get(line.year)
        if row is None:
            rows.append(
                (float("nan"), [evidence.places[code].short, absent_label("non_disponible", lang)])
            )
            continue
        text = cell(line.card, row["valeur"], row["statut"], row["qualite"] == "douteux", lang)
        rows.append((float(row["valeur"]), [evidence.places[code].short, text]))
    ordered = sorted(rows, key=lambda pair: (pair[0] != pair[0], -pair[0]))
    return grid(
        pick(("Les valeurs du graphique", "The values of the chart"), lang),
        [pick(("territoire", "territory"), lang), f"{with_unit(line.card, lang)}, {line.year}"],
        [row for _, row in ordered],
    )


def _notes(line: Line, lang: Lang) -> list[tuple[str, str]]:
    """Give the universe, the first caution of the card and the source, each with its language."""
    card = line.card
    found = [(pick(("Définition", "Definition"), lang), card.definition[lang])]
    if lang == "fr":
        found.append(("Champ", f"{card.univers}."))
        if card.precautions:
            found.append(("Précaution", card.precautions[0]))
    return found


# ---- what the figures do not say -----------------------------------------------------------------


def _unsaid(evidence: Evidence, lines: Sequence[Line], lang: Lang) -> Unsaid:
    def names(kept: Sequence[Line]) -> tuple[str, ...]:
        return tuple(f"{line.card.libelle[lang]} ({line.year})" for line in kept)

    unknown = [line for line in lines if not line.known]
    reasons: dict[str, list[Line]] = {}
    for line in lines:
        if line.known and is_compared(line) and line.verdict_name == "non_juge":
            note = None if line.verdict is None else line.verdict["note"]
            reasons.setdefault(not_judged_reason(note, lang), []).append(line)
    return Unsaid(
        names([line for line in unknown if line.status == "secret"]),
        tuple(
            f"{name}{colon(lang)} {pick(STATUS[line.status], lang)}"
            for line, name in zip(unknown, names(unknown), strict=True)
            if line.status != "secret"
        ),
        tuple(_doubt(evidence, line, lang) for line in lines if line.known and line.doubtful),
        tuple((reason, names(kept)) for reason, kept in reasons.items()),
        tuple((reason, names(kept)) for reason, kept in _unread(lines, lang).items()),
        tuple(_breaks(lines)) if lang == "fr" else (),
    )


def _unread(lines: Sequence[Line], lang: Lang) -> dict[str, list[Line]]:
    """Group by reason the indicators whose change or trend is not read."""
    reasons: dict[str, list[Line]] = {}
    for line in lines:
        if line.trend is not None and isinstance(line.trend["tendance"], str):
            continue
        if line.known:
            reason = unread_reason(line, lang)
            if reason:
                reasons.setdefault(reason, []).append(line)
    return reasons


def _doubt(evidence: Evidence, line: Line, lang: Lang) -> str:
    value = number_with_unit(line.value, line.card, lang, doubtful=True)
    head = f"{line.card.libelle[lang]}, {line.year}{colon(lang)} {value}"
    note = clean_note(line.note, {code: own.short for code, own in evidence.places.items()})
    return f"{head} ; {note}" if note and lang == "fr" else head


def _breaks(lines: Sequence[Line]) -> list[str]:
    """Tell each break once, with the indicators it is of."""
    found: dict[tuple[int, str], dict[str, None]] = {}
    for line in lines:
        for change in line.card.ruptures:
            if not change.niveaux or level_of(line.place.code) in change.niveaux:
                names = found.setdefault((int(change.annee), change.motif), {})
                names[line.card.libelle["fr"]] = None
    return [
        f"Rupture en {year} ({reason}) : {' ; '.join(names)}"
        for (year, reason), names in found.items()
    ]

"""From a file of people to their page and their workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.face import Face
from barometre.base.files import replacing, write_text
from barometre.cohort import Cohort
from barometre.pages.frames_file import write_sheets
from barometre.pages.people.asked import THRESHOLD, Wish, answers_of
from barometre.pages.people.charts import draw_charts
from barometre.pages.people.content import Section, frames_of, sections_of
from barometre.pages.people.effects import Effect
from barometre.pages.people.page import render_people
from barometre.sources.files.text import open_sources
from barometre.sources.files.values import parse_numbers

_ARMS = ("Bénéficiaires", "Comparaison")


@dataclass(frozen=True)
class CohortPage(Face):
    """What was written of a cohort.

    Attributes
    ----------
    page : Path
        The page.
    workbook : Path
        Its figures.
    sections : tuple of Section
        What the page says.
    title : str
        Its title.
    """

    page: Path
    workbook: Path
    sections: tuple[Section, ...]
    title: str = ""

    def finding(self) -> str:
        """Say in French what it is and what its methods find, for the page of a territory."""
        effect = next((part.reading for part in self.sections if part.key == "effet"), "")
        return f"{self.title}. {effect}" if effect else f"{self.title}."

    @property
    def table(self) -> pd.DataFrame:
        """What the page says, a row a section: ``titre``, ``lecture``."""
        said = [(part.title, part.reading) for part in self.sections]
        return pd.DataFrame(said, columns=["titre", "lecture"], dtype="str")

    def sentences(self) -> list[str]:
        """Say in French what was written."""
        return [f"{self.page.name} et {self.workbook.name} dans {self.page.parent}"]


def cohort_page(
    cohort: Cohort,
    path: str | Path,
    *,
    outcome: str | None = None,
    covariates: Sequence[str] = (),
    event: str | None = None,
    reason: str | None = None,
    arms: Mapping[Any, str] | None = None,
    unit: str = "",
    title: str = "Suivi d'une cohorte",
    notice: str = "",
    source: str = "",
    truth: float | None = None,
    threshold: int = THRESHOLD,
) -> CohortPage:
    """Write the page of a cohort of people, and the workbook of its figures.

    Parameters
    ----------
    cohort : Cohort
        The people. What is shown depends on its columns: arms, first treatment, place, status.
    path : str or Path
        Page to write (``.html``); the workbook has the same name (``.xlsx``).
    outcome : str, optional
        Column of the result whose effect is estimated.
    covariates : sequence of str, optional
        Traits at the first wave: balance and weights.
    event : str, optional
        Status whose first time is told.
    reason : str, optional
        Column that says why a person left.
    arms : mapping, optional
        Names of the values of the arm; ``Bénéficiaires`` and ``Comparaison`` by default.
    unit : str, optional
        Unit of the outcome.
    title, notice : str, optional
        Title of the page, and what the reader is told first.
    source : str, optional
        Where the people come from, under each chart.
    truth : float, optional
        Effect that is known because people were made up: the page and each chart say so.
    threshold : int, default 11
        Smallest number of people shown.

    Returns
    -------
    CohortPage
        Tables are in their protected form (`cohort.protect`), and what tells the same people in
        two of them is hidden in both. The same cohort writes the same bytes.

    Raises
    ------
    BarometreError
        A column that the cohort lacks, a threshold that is no number.

    Examples
    --------
    >>> from barometre import datasets
    >>> from barometre.cohort import Cohort
    >>> people = datasets.make_cohort(300, seed=1)
    >>> cohort = Cohort(people, person="person", wave="wave", arm="arm", status="status")
    >>> written = cohort_page(cohort, "cohorte.html", outcome="income", event="emploi")
    >>> written.summary()
    'cohorte.html et cohorte.xlsx dans .'
    """
    wish = Wish(outcome, tuple(covariates), event, reason, threshold, unit)
    return write_page(
        cohort, path, wish, arms=arms, title=title, notice=notice, source=source, truth=truth
    )


def write_page(
    cohort: Cohort,
    path: str | Path,
    wish: Wish,
    *,
    arms: Mapping[Any, str] | None = None,
    title: str,
    notice: str = "",
    source: str = "",
    truth: float | None = None,
    effects: Sequence[Effect] = (),
    sections: Sequence[Section] = (),
) -> CohortPage:
    """Write the page of a cohort: see `cohort_page`, which asks for it in words.

    Parameters
    ----------
    cohort : Cohort
        The people.
    path : str or Path
        Page to write.
    wish : Wish
        What is shown.
    arms, title, notice, source, truth
        See `cohort_page`.
    effects : sequence of Effect, optional
        Effects that are known otherwise, after those of the methods.
    sections : sequence of Section, optional
        Sections that follow that of the effects.
    """
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise BarometreError(f"{target.name} : terminer par .html")
    _check_columns(cohort, wish)
    found = answers_of(cohort, wish)
    answers = replace(found, effects=(*found.effects, *effects))
    names = _names(cohort, arms)
    charts = draw_charts(answers, wish, names, truth=truth, source=source)
    shown = [
        replace(section, charts=charts.get(section.key, ()))
        for section in sections_of(cohort, wish, answers, names, truth=truth)
    ]
    place = next(at for at, section in enumerate(shown) if section.key == "effet") + 1
    shown[place:place] = sections
    text = render_people(title, shown, notice=notice, synthetic=truth is not None)
    page = write_text(target, text)
    book = target.with_suffix(".xlsx")
    with replacing(book) as temporary:
        write_sheets(dict(frames_of(answers)), temporary)
    return CohortPage(page, book, tuple(shown), title)


def _check_columns(cohort: Cohort, wish: Wish) -> None:
    asked = [wish.outcome, wish.reason, *wish.covariates]
    absent = [name for name in asked if name is not None and name not in cohort.frame]
    if absent:
        known = ", ".join(map(str, cohort.frame.columns))
        raise BarometreError(
            f"colonnes absentes de la cohorte : {', '.join(absent)} ; choisir parmi {known}"
        )


def _names(cohort: Cohort, arms: Mapping[Any, str] | None) -> dict[Any, str]:
    """Name the arms: the treated one first."""
    if arms is not None or cohort.arm is None:
        return dict(arms or {})
    values = sorted(cohort.frame[cohort.arm].dropna().unique(), key=str)
    treated = cohort.treated if cohort.treated is not None else values[-1]
    if {str(value) for value in values} <= {"0", "1", "True", "False"}:
        return {value: _ARMS[0 if value == treated else 1] for value in values}
    return {value: str(value) for value in values}


def read_people(
    path: str | Path, *, needed: Sequence[str], kept: Sequence[str] = ()
) -> pd.DataFrame:
    """Read a file of people, one row a person and wave: any separator, any encoding.

    Parameters
    ----------
    path : str or Path
        CSV, XLSX or Parquet.
    needed : sequence of str
        Columns that the file must have.
    kept : sequence of str, optional
        Columns left as texts whatever they hold: identifiers, codes of places.

    Returns
    -------
    DataFrame
        Columns of numbers as numbers (decimal comma or point), the others as texts: a column with a
        cell that is no number, or a code that begins with a zero. Empty cells are missing.

    Raises
    ------
    BarometreError
        A file that cannot be read, or without these columns: those it has are listed.
    """
    wanted = [name for name in needed if name]
    heads: list[str] = []

    def recognise(header: Sequence[str], name: str) -> str | None:
        heads[:] = [column for column in header if column] if len(header) > len(heads) else heads
        return "personnes" if set(wanted) <= set(header) else None

    found = [source for source in open_sources(Path(path), recognise) if source.reconnu]
    if not found:
        raise BarometreError(
            f"{Path(path).name} : colonnes attendues {', '.join(wanted)} ;"
            f" lues {', '.join(heads) or 'aucune'}"
        )
    source = found[0]
    texts = source.lire([column for column in source.entete if column])
    columns = {str(name): _typed(texts[name], name in kept) for name in texts}
    return pd.DataFrame(columns)


def _typed(texts: pd.Series[Any], as_text: bool) -> pd.Series[Any]:
    """Read a column as numbers when every cell that holds something is one, and no code."""
    cells = texts.astype("str").str.strip()
    cells = cells.mask(cells.isin(["", "nan", "None", "<NA>"]))
    filled = cells.dropna()
    if as_text or filled.empty or filled.str.match(r"0\d").any():  # 01001 is a code
        return cells
    parsed = parse_numbers(filled)
    if parsed.illisible.any() or parsed.statut.any():
        return cells
    values = pd.Series(parsed.valeur, index=filled.index).reindex(texts.index)
    whole = values.notna().all() and bool((values % 1 == 0).all())
    return values.astype("int64") if whole else values

"""Pages, index and workbook of a report, written whole; several territories at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.face import Face
from barometre.base.files import replacing, write_text
from barometre.base.french import Lang
from barometre.base.version import __version__
from barometre.cards.listing import indicator_card
from barometre.compare.proof.breaks import Bridge
from barometre.composite.french.territorial import TerritorialIndex
from barometre.datasets.places.members import Given
from barometre.monitoring.editions.changes import compare_editions
from barometre.monitoring.editions.edition import Edition
from barometre.pages.frames_file import write_sheets
from barometre.pages.territory.charts import Given as Drawn
from barometre.pages.territory.content import content_of
from barometre.pages.territory.drawn import draw_page
from barometre.pages.territory.facts.context import Context, context_of
from barometre.pages.territory.facts.evidence import Evidence, gather
from barometre.pages.territory.facts.followed import Records, Review, review_of
from barometre.pages.territory.facts.places import territories_of
from barometre.pages.territory.language.grammar import gap_with_unit
from barometre.pages.territory.language.words import colon
from barometre.pages.territory.overview import Entry, entry_of, render_index
from barometre.pages.territory.page import Frame, file_name, render
from barometre.pages.territory.perspectives import boxes_of, keep_boxes, read_boxes
from barometre.pages.territory.shown import SHEETS, shown_rows
from barometre.pages.territory.yearly import credits_chart, render_yearly, yearly_of
from barometre.plots.maps.outlines import Geometry
from barometre.tables.table_set import Tables

WORKBOOK, INDEX, BOXES = "chiffres.xlsx", "index.html", "perspectives"
REVIEW = "revue.html"

LICENCE = (
    "Chiffres des producteurs : Licence Ouverte.",
    "Producers' figures: Licence Ouverte.",
)
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Report(Face):
    """What was written.

    Attributes
    ----------
    folder : Path
        Where.
    pages : mapping of str to Path
        Pages by code.
    index, workbook : Path
        The index, and the workbook of what the pages show.
    review : Path or None
        The page of the yearly review, where tables of the contract were given.
    """

    folder: Path
    pages: Mapping[str, Path]
    index: Path
    workbook: Path
    review: Path | None = None

    @property
    def table(self) -> pd.DataFrame:
        """The pages written, a row each: ``code``, ``page``."""
        names = {code: path.name for code, path in self.pages.items()}
        return pd.DataFrame({"code": list(names), "page": list(names.values())}, dtype="str")

    def sentences(self) -> list[str]:
        """Say in French what was written."""
        pages = counted(len(self.pages), "page")
        return [f"{pages}, {self.index.name} et {self.workbook.name} dans {self.folder}"]


@dataclass(frozen=True)
class _Job:
    """What every page is made from; sent once to each process."""

    evidence: Evidence
    contexts: Mapping[str, Context]
    frame: Frame
    revisions: Mapping[str, tuple[str, ...]]
    review: Review | None
    lang: Lang
    folder: Path
    boxes: Path
    given: Drawn
    pages: Mapping[str, str] = field(repr=False)


def report(
    results: pd.DataFrame,
    folder: str | Path,
    *,
    territories: str | Iterable[str] | None = None,
    references: Sequence[str] | None = None,
    tables: Tables | Mapping[str, pd.DataFrame] | None = None,
    labels: pd.DataFrame | None = None,
    membership: Given | Iterable[Given] | None = None,
    bridge: Bridge = None,
    records: Records | None = None,
    year: int | None = None,
    edition: str = "projet",
    date: str = "",
    validated_by: str = "",
    previous: Edition | pd.DataFrame | None = None,
    inputs: Mapping[str, str] | None = None,
    perspectives: str | Path | None = None,
    geometry: Geometry | None = None,
    index: TerritorialIndex | None = None,
    cohorts: Mapping[str, str] | None = None,
    licence: str | None = None,
    notice: str = "",
    lang: Lang = "fr",
    processes: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Write the yearly page of each territory, their index, and the workbook of what is shown.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them; with ``intervals=True`` for the proofs by sampling and rounding.
    folder : str or Path
        Where to write, made if need be. Pages of the same name are replaced.
    territories : str or iterable of str, optional
        Codes; by default every priority neighbourhood and EPCI of the results, else every commune.
    references : sequence of str, optional
        Codes they are compared with, the one of the verdicts first; by default, among the results,
        the EPCI, all its neighbourhoods, the department, the region, metropolitan France.
    tables : Tables or mapping of DataFrame, optional
        Tables the results come from: their counts and their labels.
    labels : DataFrame, optional
        ``libelle``, ``libelle_court``, ``niveau`` by code.
    membership : Series, mapping, DataFrame, path or list of these, optional
        Who is in what, when the bundled memberships do not tell.
    bridge : bool or DataFrame, optional
        Follow the neighbourhoods of 2015 into those of 2024 where they are the same.
    records : mapping of str to DataFrame, optional
        Tables of the contract (`monitoring.read_records`).
    year : int, optional
        Year of the review, the latest of the tables by default.
    edition, date, validated_by : str, optional
        Name and date of the edition, and who validated it: a draft without.
    previous : Edition or DataFrame, optional
        Last edition, or its results: revisions are told.
    inputs : mapping of str to str, optional
        sha256 of the sources by name.
    perspectives : str or Path, optional
        Folder of the boxes that people write in, a file a territory; ``perspectives`` in the folder
        by default. What is written there stays, edition after edition.
    geometry : path or GeoDataFrame, optional
        Outlines of communes or neighbourhoods for the maps (extra ``maps``); without them the
        communes of an EPCI are tiles.
    index : TerritorialIndex, optional
        What `idh4` returns: its bar, dimension by dimension, stands first on the page.
    cohorts : mapping of str to str, optional
        What each cohort followed under the contract finds (`CohortPage.finding`), by the address of
        its page from the folder.
    licence : str, optional
        Licence line of the charts.
    notice : str, optional
        What the reader must be told first.
    lang : {"fr", "en"}, default "fr"
        Language of the pages. What producers wrote stays in French.
    processes : int, default 1
        Processes at work. More than one needs the usual guard of a script
        (``if __name__ == "__main__":``).
    progress : callable, optional
        Called after each page with its number, their number, and its code.

    Returns
    -------
    Report
        The same arguments write the same bytes.

    Raises
    ------
    BarometreError
        No territory, one that the results lack, a faulty file of perspectives.
    FaultsError
        Results or tables that are refused.

    Examples
    --------
    >>> from barometre import compute, datasets
    >>> tables = datasets.tables("minima_sociaux_2021")
    >>> results = compute(tables)
    >>> written = report(results, "pages", territories="QP059050", tables=tables)
    >>> written.summary()
    '1 page, index.html et chiffres.xlsx dans pages'
    """
    if lang not in ("fr", "en"):
        raise UnknownNameError("langue", str(lang), ("fr", "en"))
    if isinstance(processes, bool) or not isinstance(processes, int) or processes < 1:
        raise BarometreError(f"processes={processes!r} refusé : donner un entier d'au moins 1")
    target = Path(folder)
    codes = territories_of(results, territories)
    evidence = gather(
        results, codes, references=references, tables=tables, labels=labels,
        membership=membership, bridge=bridge,
    )  # fmt: skip
    frame = Frame(
        edition, date, "validé" if validated_by else "projet", validated_by,
        licence if licence is not None else LICENCE[0 if lang == "fr" else 1],
        __version__, digest(results), dict(sorted((inputs or {}).items())), (),
        _edition_name(previous), WORKBOOK, INDEX, notice, dict(cohorts or {}),
    )  # fmt: skip
    boxes = target / BOXES if perspectives is None else Path(perspectives)
    job = _Job(
        evidence, _contexts(evidence, codes), frame, _revisions(previous, results, evidence, lang),
        review_of(records, year), lang, target, boxes, Drawn(geometry, index), _names(codes),
    )  # fmt: skip
    written, rows, entries = {}, [], []
    for number, (code, shown, entry) in enumerate(_pages(job, codes, processes), start=1):
        written[code] = target / job.pages[code]
        rows.append(shown)
        entries.append(entry)
        if progress is not None:
            progress(number, len(codes), code)
    review = _write_review(job)
    home = write_text(
        target / INDEX, render_index(entries, frame, lang, review=REVIEW if review else "")
    )
    workbook = target / WORKBOOK
    with replacing(workbook) as temporary:
        write_sheets(_sheets(rows), temporary)
    return Report(target, written, home, workbook, review)


def digest(results: pd.DataFrame) -> str:
    """Return the sha256 of results: their rows in order, numbers with ten digits."""
    kept = results.sort_values(["code", "indicateur", "annee"], kind="stable")
    text = kept.to_csv(index=False, float_format="%.10g", lineterminator="\n")
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _names(codes: Sequence[str]) -> dict[str, str]:
    """Name the files: two codes that fold to one name are told apart by a number."""
    found: dict[str, str] = {}
    taken: set[str] = {INDEX, REVIEW}
    for code in codes:
        name, number = file_name(code), 2
        while name.lower() in taken:
            name = f"{file_name(code)[:-5]}_{number}.html"
            number += 1
        taken.add(name.lower())
        found[code] = name
    return found


def _edition_name(previous: Edition | pd.DataFrame | None) -> str:
    if previous is None:
        return ""
    return f"{previous.date:%d/%m/%Y}" if isinstance(previous, Edition) else "précédente"


def _contexts(evidence: Evidence, codes: Sequence[str]) -> dict[str, Context]:
    """Ask for the order of the peers once for all that share it."""
    known: dict[tuple[object, ...], Context] = {}
    found = {}
    for code in codes:
        refs = evidence.references[code]
        key = (evidence.peers[code], refs[:1], refs[-1:], code if code in _wholes(evidence) else "")
        if key not in known:
            known[key] = context_of(evidence, code)
        found[code] = known[key]
    return found


def _wholes(evidence: Evidence) -> set[str]:
    return {code for code in evidence.references if evidence.places[code].level == "epci"}


def _revisions(
    previous: Edition | pd.DataFrame | None, results: pd.DataFrame, evidence: Evidence, lang: Lang
) -> dict[str, tuple[str, ...]]:
    """Say what changed of each territory since an edition."""
    if previous is None:
        return {}
    changes = compare_editions(previous, results)
    found: dict[str, list[str]] = {}
    for row in changes[changes["code"].isin(evidence.references)].to_dict("records"):
        card = indicator_card(row["indicateur"])
        moved = ""
        if row["avant"] == row["avant"] and row["apres"] == row["apres"]:
            moved = f" ({gap_with_unit(row['apres'] - row['avant'], card, lang)})"
        kind = str(row["nature"]) if lang == "fr" else "changed"
        found.setdefault(row["code"], []).append(
            f"{card.libelle[lang]}, {row['annee']}{colon(lang)} {kind}{moved}"
        )
    return {code: tuple(texts) for code, texts in found.items()}


# ---- one page, several processes -----------------------------------------------------------------

_Made = tuple[str, dict[str, pd.DataFrame], Entry]


def _pages(job: _Job, codes: Sequence[str], processes: int) -> Iterator[_Made]:
    if processes == 1 or len(codes) == 1:
        for code in codes:
            yield _write_page(job, code)
        return
    with ProcessPoolExecutor(
        min(processes, len(codes)), get_context("spawn"), initializer=_start, initargs=(job,)
    ) as pool:
        yield from pool.map(_work, codes)


_at_work: list[_Job] = []


def _start(job: _Job) -> None:
    _at_work[:] = [job]


def _work(code: str) -> _Made:
    return _write_page(_at_work[0], code)


def _write_page(job: _Job, code: str) -> _Made:
    content = content_of(job.evidence, job.contexts[code], code, review=job.review, lang=job.lang)
    signed = {"licence": job.frame.licence, "note": job.frame.standing(job.lang)}
    charts = draw_page(job.evidence, content, job.given, signed, job.lang)
    frame = replace(job.frame, revisions=job.revisions.get(code, ()))
    boxes = boxes_of(content.kind)
    path = keep_boxes(job.boxes / f"{job.pages[code][:-5]}.toml", frame.edition, boxes)
    page = render(content, frame, charts, read_boxes(path, frame.edition, job.lang, boxes))
    write_text(job.folder / job.pages[code], page)
    return code, shown_rows(content), entry_of(content, job.pages[code])


def _write_review(job: _Job) -> Path | None:
    """Write the page of the yearly review, when there are tables of the contract."""
    if job.review is None:
        return None
    path = keep_boxes(job.boxes / "revue.toml", job.frame.edition)
    boxes = read_boxes(path, job.frame.edition, job.lang)
    signed = {"licence": "", "note": job.frame.standing(job.lang)}
    chart = credits_chart(job.review, signed, job.lang)
    yearly = yearly_of(job.review, job.evidence.members, job.lang)
    return write_text(
        job.folder / REVIEW, render_yearly(yearly, job.frame, boxes, job.lang, chart=chart)
    )


def _sheets(rows: Sequence[Mapping[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    found = {}
    for name in SHEETS:
        parts = [shown[name] for shown in rows if name in shown and len(shown[name])]
        if parts:
            found[name] = pd.concat(parts, ignore_index=True)
    return found

"""Files of results and pages against bare XlsxWriter, pandas, Jinja and matplotlib."""

from __future__ import annotations

import atexit
import functools
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import jinja2
import pandas as pd
import xlsxwriter
from matplotlib.figure import Figure

import barometre as bcs
from barometre.pages.delimited import Dialect
from barometre.pages.territory.files import Report
from benchmarks.timing import Run, Sized

ROWS = (27_000, 87_000, 866_570)
PAGES = (1, 10, 300)
BARE_PAGE = """<!doctype html><html lang="fr"><meta charset="utf-8"><title>{{ code }}</title>
<h1>{{ code }}</h1><table>{% for row in rows %}
<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}
</table>{% for chart in charts %}{{ chart | safe }}{% endfor %}</html>
"""


def measures() -> list[Sized]:
    """List what is promised of files of results and pages."""
    return [
        Sized("results in XLSX / bare XlsxWriter", ROWS, workbook, 1.3, megabytes=400.0),
        Sized("results in CSV / to_csv", ROWS, delimited("machine"), 1.0),
        Sized("results in CSV for Excel / to_csv", ROWS, delimited("excel"), 2.0),
        Sized("pages of territories / Jinja and bare charts", PAGES, pages, 2.0),
    ]


@functools.cache
def scratch() -> Path:
    """Make a folder for what is written, removed at the end."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name)


@functools.lru_cache(maxsize=1)
def results(rows: int) -> pd.DataFrame:
    """Draw results of some number of rows, with intervals."""
    found = bcs.compute(bcs.datasets.make_tables(rows // 50 + 10, 2021, seed=0), intervals=True)
    assert len(found) >= rows
    return found.head(rows)


def workbook(rows: int) -> tuple[Run, Run]:
    """Compare a workbook with its cells written one by one, in constant memory."""
    frame, path = results(rows), scratch() / "r.xlsx"

    def bare() -> None:
        with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, list(frame.columns))
            for i, row in enumerate(frame.itertuples(index=False), 1):
                for j, value in enumerate(row):
                    if value == value:  # a missing one differs
                        sheet.write(i, j, value)

    return lambda: bcs.write_results(frame, path), bare


def delimited(kind: Dialect) -> Callable[[int], tuple[Run, Run]]:
    """Compare a CSV with that of pandas."""

    def make(rows: int) -> tuple[Run, Run]:
        frame, path = results(rows), scratch() / "r.csv"
        return (
            lambda: bcs.write_results(frame, path, csv=kind),
            lambda: frame.to_csv(path, index=False),
        )

    return make


def pages(number: int) -> tuple[Run, Run]:
    """Compare pages of communes with those of an analyst in a hurry.

    A Jinja table of the rows of the commune, and as many bare bar charts as ours has: its value
    and nine others, sorted, in SVG. No verdict, no sentence, no rank, no label moved.
    """
    tables = bcs.datasets.make_tables(600, (2016, 2021), seed=0)
    found = bcs.compute(tables, intervals=True)
    codes = sorted(found["code"].unique())[:number]
    template = jinja2.Environment(autoescape=True).from_string(BARE_PAGE)
    indicators = found["indicateur"].unique()

    def ours() -> Report:
        return bcs.report(found, scratch() / "pages", territories=codes, tables=tables)

    shown = ours().pages[codes[0]].read_text("utf-8").count("<svg")

    def chart(indicator: str) -> str:
        values = found[found["indicateur"] == indicator].drop_duplicates("code")
        ten = values.head(10).sort_values("valeur")
        figure = Figure(figsize=(6, 3))
        figure.subplots().barh(ten["code"], ten["valeur"].fillna(0))
        stream = io.StringIO()
        figure.savefig(stream, format="svg")
        return stream.getvalue().partition("?>")[2]

    def bare() -> None:
        for code in codes:
            rows = found[found["code"] == code].to_numpy().tolist()
            charts = [chart(name) for name in indicators[:shown]]
            page = template.render(code=code, rows=rows, charts=charts)
            (scratch() / f"{code}.html").write_text(page, "utf-8")

    return ours, bare

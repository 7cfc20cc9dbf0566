"""Write the page of the families of files that the library reads, from their descriptions."""

from __future__ import annotations

from collections.abc import Mapping

from markdown_parts import code, plain, table, target

from barometre.sources.forms.melodi.cubes import Cube, load_cubes
from barometre.sources.forms.units.unit_family import UnitFamily, load_unit_families
from barometre.sources.wide.family import Family, Mapped, load_families

_INTRO = """# Files that are read

`barometre.read` and `barometre compute` take files as the producers distribute them: CSV
(semicolon, comma, tab), XLS, XLSX, Parquet, JSON (answers of Insee's API), or a ZIP of these, alone
or in a folder. A file is recognised by its header, then by its name, whatever its vintage;
`barometre check FILE` says what it holds, what it feeds and what is missing to feed more.

What is put right, and told: encodings, decimal commas, thousands separators, titles above the
header, empty columns, rows that are no territory, and leading zeros lost by a spreadsheet. What is
refused, with the list of faults: cells that are no numbers, rows without the columns of the header,
a file of no family, the same cell given twice with different values.

In the codes, `{yy}` and `{yyyy}` stand for the vintage and `*` for anything. A family is marked
*unverified* when its codes were never seen in a real file: it is read, with a warning.
"""


_LONG = """## Long files of Insee (Melodi)

One row per territory, period and combination of codes: `DS_..._data.csv`, its ZIP, Parquet, or an
answer of the API. The data set is told by its identifier in the name, else by its dimensions. Every
dimension is fixed: a row whose code is not asked for is dropped, never added up; a dimension that
the data set does not list refuses the file by name. The level comes from `GEO_OBJECT` (communes,
EPCI, departments, regions, metropolitan France); other geographies are left out, and so are months,
and rows whose data are in another category (`OBS_STATUS` K). O and M are missing values,
`CONF_STATUS` other than F is secret. A row given twice is one value when the two agree at the
coarser precision, else the file is refused. Such a file is read lot by lot: 2 GB take half a
gigabyte of memory.

Producers leave zeros out. An absent row is a zero when the other parts already make up the total;
in the columns marked *zero*, when nothing denies it, and the value then says so; elsewhere the
value is missing. The silence of an answer of the API proves nothing.

The export of the catalogue *with labels* is read too: words are translated, and territories take
the codes of the lists of names (`code, libelle, niveau`) read beside it, else of the bundled
communes, EPCI, departments and regions. Two territories of one name refuse it.
"""
_UNITS = """## Files of one row per thing

Facilities, dwellings, establishments: rows are counted by territory, lot by lot. Geolocated Sirene
(`siret`, `plg_qp24`, `qualite_qp24`) is read with `StockEtablissement`, which says when an
establishment was created; those whose neighbourhood is random or unknown (quality 3) are told, and
counted nowhere.
"""


def sources_page() -> str:
    """Return the page in Markdown: one section per family."""
    cubes = load_cubes().values()
    refused = [[code(n), plain(c.refus)] for c in cubes if c.refus for n in c.jeux]
    return "\n".join(
        [
            _INTRO,
            *(_section(family) for family in load_families().values()),
            _LONG,
            *(_data_set(cube) for cube in cubes if not cube.refus),
            "### Data sets that are not read\n",
            table(["Data set", "Why"], refused),
            _UNITS,
            *(_units(family) for family in load_unit_families().values()),
        ]
    )


def _data_set(cube: Cube) -> str:
    state = "verified" if cube.etat == "verifie" else "unverified"
    fixed = ", ".join(
        f"{code(name)} = {' or '.join(map(code, codes))}" for name, codes in cube.dimensions.items()
    )
    rows = [
        [code(t.vers), " or ".join(map(_way, t.codes)), "*zero*" * (t.absente == "zero"),
         plain(t.reserve)]
        for t in cube.colonnes
    ]  # fmt: skip
    return "\n".join(
        [
            f"({target('famille', cube.nom)})=\n### {cube.nom}\n",
            f"{plain(cube.titre)}, *{state}*; identifiers: {', '.join(map(code, cube.jeux))}.\n",
            f"Where: {plain(cube.ou)}.\n",
            f"Dimensions, unless a column says otherwise: {fixed}.\n",
            *(f"- {plain(note)}" for note in cube.notes),
            "",
            table(["Our column", "Codes", "Without row", "To be said"], rows),
            "",
        ]
    )


def _way(way: Mapping[str, tuple[str, ...]]) -> str:
    return ", ".join(
        f"{code(name)} = {' + '.join(map(code, codes))}" for name, codes in way.items()
    )


def _units(family: UnitFamily) -> str:
    state = "verified" if family.etat == "verifie" else "unverified"
    rows = [
        [
            code(c.vers),
            ", ".join(f"{code(n)} = {code(r)}" for n, r in c.filtre.items()) or "every row",
        ]
        for c in family.comptes
    ]
    return "\n".join(
        [
            f"({target('famille', family.nom)})=\n### {family.nom}\n",
            f"{plain(family.titre)} ({plain(family.producteur)}), *{state}*.\n",
            f"Where: {plain(family.ou)}.\n",
            f"Recognised by {', '.join(map(code, family.signature))}; counted by"
            f" {', '.join(code(p.colonne) for p in family.lieux)}.\n",
            *(f"- {plain(note)}" for note in family.notes),
            "",
            table(["Our column", "Rows counted"], rows),
            "",
        ]
    )


def _section(family: Family) -> str:
    state = "verified" if family.etat == "verifie" else "unverified"
    names = ", ".join(code(name) for name in family.noms) or "any name"
    lines = [
        f"({target('famille', family.nom)})=\n## {family.nom}\n",
        f"{plain(family.titre)} ({plain(family.producteur)}), *{state}*.\n",
        f"Where: {plain(family.ou)}.\n",
        f"Recognised by {', '.join(code(t) for t in family.signature)}; names: {names}.\n",
        *(f"- {plain(note)}" for note in family.notes),
        "",
    ]
    if family.colonnes:
        rows = [[code(m.vers), _codes(m), _year(m), plain(m.reserve)] for m in family.colonnes]
        lines.append(table(["Our column", "Codes", "Year of the data", "To be said"], rows))
    else:
        lines.append("None of its columns feeds a table of ours.")
    return "\n".join([*lines, ""])


def _codes(mapped: Mapped) -> str:
    added = " + ".join(code(c) for c in mapped.codes)
    where = ", ".join(f"{code(c)} = {code(rule)}" for c, rule in mapped.filtre.items())
    return added + (f" where {where}" if where else "")


def _year(mapped: Mapped) -> str:
    if mapped.annee is not None:
        text = str(mapped.annee)
    else:
        text = "of the file" if not mapped.decalage else f"of the file {mapped.decalage:+d}"
    if mapped.depuis:
        text += f", from {mapped.depuis}"
    if mapped.jusqua != 9999:
        text += f", up to {mapped.jusqua}"
    return text

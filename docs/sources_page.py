"""Write the page of the families of files that the library reads, from their descriptions."""

from __future__ import annotations

from markdown_parts import code, plain, table

from barometre.sources.wide.family import Family, Mapped, load_families

_INTRO = """# Files that are read

`barometre.read` and `barometre compute` take files as the producers distribute them: CSV
(semicolon, comma, tab), XLS, XLSX, Parquet, or a ZIP of these, alone or in a folder. A file is
recognised by its header, then by its name, whatever its vintage; `barometre check FILE` says what
it holds, what it feeds and what is missing to feed more.

What is put right, and told: encodings, decimal commas, thousands separators, titles above the
header, empty columns, rows that are no territory, and leading zeros lost by a spreadsheet. What is
refused, with the list of faults: cells that are no numbers, rows without the columns of the header,
a file of no family, the same cell given twice with different values.

In the codes, `{yy}` and `{yyyy}` stand for the vintage and `*` for anything. A family is marked
*unverified* when its codes were never seen in a real file: it is read, with a warning.
"""


def sources_page() -> str:
    """Return the page in Markdown: one section per family."""
    return "\n".join([_INTRO, *(_section(family) for family in load_families().values())])


def _section(family: Family) -> str:
    state = "verified" if family.etat == "verifie" else "unverified"
    names = ", ".join(code(name) for name in family.noms) or "any name"
    lines = [
        f"## {family.nom}\n",
        f"{plain(family.titre)} ({plain(family.producteur)}), *{state}*.\n",
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

"""Rebuild the bundled memberships of the communes of France from the packages they come from.

Run once a year, by hand, in a folder where ``npm pack @etalab/decoupage-administratif@6.0.0`` and
the other versions of `VERSIONS` were called::

    python -m barometre.datasets.rebuild_communes FOLDER DATASETS [QPV.geojson]

It writes ``communes``, ``communes_anciennes``, ``ensembles_de_communes`` and, when the outlines of
the priority neighbourhoods are given, ``qpv_2024_nord``. Nothing is corrected: a membership that
the producer changes for one year is kept.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from barometre.base.errors import BarometreError
from barometre.base.files import write_text

PACKAGE = "@etalab/decoupage-administratif"
VERSIONS = {
    2021: "1.1.1",
    2022: "2.3.1",
    2023: "3.1.1",
    2024: "4.1.0",
    2025: "5.3.0",
    2026: "6.0.0",
}
CENSUS_LAG = 3
"""Years between a census and the 1 January when its populations come into force."""

# Which file of which version holds a census, found by the published populations of Paris; within a
# version the list of communes may be a census ahead of the list of EPCI.
CENSUSES = {
    2018: [("epci", 2021)],
    2019: [("epci", 2022), ("communes", 2021)],
    2020: [("epci", 2023), ("communes", 2023)],
    2021: [("epci", 2024)],
    2022: [("epci", 2025), ("communes", 2024)],
    2023: [("communes", 2026)],
}
PARIS = {2018: 2175601, 2019: 2165423, 2020: 2145906, 2021: 2133111, 2022: 2113705, 2023: 2103778}

Row = tuple[str, ...]
Record = dict[str, Any]


@dataclass(frozen=True)
class Vintage:
    """The lists of one version of the package."""

    communes: Sequence[Record]
    epci: Sequence[Record]
    ept: Sequence[Record]
    departements: Sequence[Record]
    regions: Sequence[Record]
    sha256: str


def read_vintage(path: Path) -> Vintage:
    """Read the lists that a package holds; those it lacks (``ept`` before 2023) are empty."""
    lists: dict[str, Any] = {}
    with tarfile.open(path) as archive:
        held = set(archive.getnames())
        for name in ("communes", "epci", "ept", "departements", "regions"):
            member = f"package/data/{name}.json"
            file = archive.extractfile(member) if member in held else None
            lists[name] = json.loads(file.read()) if file else []
    return Vintage(**lists, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def department_of(code: str) -> str:
    """Give the department, or the overseas collectivity, that a commune's code begins with."""
    return code[: 3 if code[:2] in ("97", "98") else 2]


def runs(rows: Mapping[int, Iterable[Row]]) -> list[Row]:
    """Write rows that are the same from one vintage to the next once, with the first and the last.

    Parameters
    ----------
    rows : mapping of int to iterable of tuple
        Rows of each vintage.

    Returns
    -------
    list of tuple
        The row, then its first and last vintage, sorted; a row that comes back has two runs.
    """
    years: dict[Row, list[int]] = {}
    for year in sorted(rows):
        for row in rows[year]:
            years.setdefault(row, []).append(year)
    found: list[Row] = []
    for row, present in years.items():
        first = last = present[0]
        for year in [*present[1:], 0]:
            if year == last + 1:
                last = year
                continue
            found.append((*row, str(first), str(last)))
            first = last = year
    return sorted(found, key=lambda row: (row[0], row[-2]))


def commune_rows(vintage: Vintage) -> list[Row]:
    """List the communes and municipal districts: code, name, EPCI, EPT, commune of a district."""
    epci = {m["code"]: whole["code"] for whole in vintage.epci for m in whole["membres"]}
    ept = {m["code"]: whole["code"] for whole in vintage.ept for m in whole["membres"]}
    rows: list[Row] = []
    for commune in vintage.communes:
        code, kind = commune["code"], commune["type"]
        if kind not in ("commune-actuelle", "arrondissement-municipal"):
            continue
        if commune.get("departement", department_of(code)) != department_of(code):
            raise BarometreError(f"{code} : département {commune['departement']} inattendu")
        parent = commune.get("commune", "")
        rows.append((code, commune["nom"], epci.get(parent or code, ""), ept.get(code, ""), parent))
    return rows


def former_rows(vintage: Vintage) -> list[Row]:
    """List delegated, associated and deleted communes: code, name, current commune, nature."""
    kinds = {"commune-deleguee": "deleguee", "commune-associee": "associee"}
    rows: dict[str, Row] = {
        c["code"]: (c["code"], c["nom"], c["chefLieu"], kinds[c["type"]])
        for c in vintage.communes
        if c["type"] in kinds
    }
    for commune in vintage.communes:
        for former in commune.get("anciensCodes", []):
            rows.setdefault(former, (former, "", commune["code"], "ancienne"))
    return [*rows.values()]


def whole_rows(vintage: Vintage) -> list[Row]:
    """List EPCI, EPT, departments and regions: code, name, nature, region of a department."""
    rows: list[Row] = [(w["code"], w["nom"], w["type"], "") for w in (*vintage.epci, *vintage.ept)]
    for d in vintage.departements:
        region = "" if d["region"] == d["code"] else f"R{d['region']}"
        rows.append((d["code"], d["nom"], "departement", region))
    overseas = {d["code"] for d in vintage.departements if d["region"] == d["code"]}
    return rows + [
        (f"R{r['code']}", r["nom"], "region", "")
        for r in vintage.regions
        if r["code"] not in overseas
    ]


def named_from(
    rows: Mapping[int, Sequence[Row]], communes: Mapping[int, Sequence[Row]]
) -> dict[int, list[Row]]:
    """Give deleted communes the last name they had in an earlier vintage, where there is one."""
    names: dict[str, str] = {}
    named: dict[int, list[Row]] = {}
    for year in sorted(rows):
        named[year] = [(r[0], r[1] or names.get(r[0], ""), *r[2:]) for r in rows[year]]
        names |= {row[0]: row[1] for row in communes[year]}
    return named


def populations(vintages: Mapping[int, Vintage]) -> dict[tuple[str, int], int]:
    """Give the municipal population by commune and census; the first file that has it serves."""
    found: dict[tuple[str, int], int] = {}
    for census, files in CENSUSES.items():
        for kind, year in files:
            vintage = vintages[year]
            given = (
                {m["code"]: m["populationMunicipale"] for w in vintage.epci for m in w["membres"]}
                if kind == "epci"
                else {
                    c["code"]: c["population"]
                    for c in vintage.communes
                    if "population" in c
                    and c["type"] in ("commune-actuelle", "arrondissement-municipal")
                }
            )
            if given["75056"] != PARIS[census]:
                raise BarometreError(f"{kind} {year} : ce n'est pas le recensement de {census}")
            for code, number in given.items():
                found.setdefault((code, census), number)
    return found


def with_populations(rows: Iterable[Row], numbers: Mapping[tuple[str, int], int]) -> list[Row]:
    """Add to each run the populations in force at its vintages, one column per census."""
    return [
        (
            *row,
            *(
                str(numbers.get((row[0], census), ""))
                if int(row[-2]) <= census + CENSUS_LAG <= int(row[-1])
                else ""
                for census in CENSUSES
            ),
        )
        for row in rows
    ]


def qpv_rows(path: Path) -> list[Row]:
    """List the neighbourhoods of a file of outlines: code, name, communes, EPCI."""
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    facts = [feature["properties"] for feature in features]
    return sorted(
        (
            p["code_qp"],
            p["lib_qp"],
            p["insee_com"].replace(",", ""),
            p["siren_epci"].replace(",", ""),
        )
        for p in facts
    )


# ---- writing ------------------------------------------------------------------------------------

_VINTAGE = {"debut": ("Premier millésime", "annee"), "fin": ("Dernier millésime", "annee")}
COLUMNS: dict[str, dict[str, tuple[str, str]]] = {
    "communes": {
        "code": ("Code de la commune ou de l'arrondissement municipal", "texte"),
        "nom": ("Nom", "texte"),
        "epci": ("EPCI à fiscalité propre", "texte"),
        "ept": ("Établissement public territorial (depuis 2023)", "texte"),
        "commune": ("Commune d'un arrondissement municipal", "texte"),
        **_VINTAGE,
        **{
            f"population_{census}": (
                f"Population municipale {census}, en vigueur au 1er janvier {census + CENSUS_LAG}",
                "nombre",
            )
            for census in CENSUSES
        },
    },
    "communes_anciennes": {
        "code": ("Code de la commune déléguée, associée ou disparue", "texte"),
        "nom": ("Nom, s'il est connu", "texte"),
        "commune": ("Commune dont elle fait partie", "texte"),
        "nature": ("deleguee, associee, ancienne", "texte"),
        **_VINTAGE,
    },
    "ensembles_de_communes": {
        "code": ("Code ; « R32 » pour une région", "texte"),
        "nom": ("Nom", "texte"),
        "nature": ("CC, CA, CU, METRO, MET69, EPT, departement, region", "texte"),
        "region": ("Région d'un département", "texte"),
        **_VINTAGE,
    },
    "qpv_2024_nord": {
        "code": ("Code du quartier", "texte"),
        "nom": ("Nom", "texte"),
        "communes": ("Codes des communes, séparés par des blancs", "texte"),
        "epci": ("Codes des EPCI, séparés par des blancs", "texte"),
    },
}
TITLES = {
    "communes": "Communes de France : EPCI, population municipale, de 2021 à 2026",
    "communes_anciennes": "Communes déléguées, associées et disparues, et leur commune actuelle",
    "ensembles_de_communes": "EPCI, établissements publics territoriaux, départements et régions",
    "qpv_2024_nord": "Quartiers prioritaires 2024 du Nord : communes et EPCI",
}
NOTES = {
    "communes": [
        "Une ligne par suite de millésimes où le nom et les appartenances ne changent pas.",
        "Population en vigueur au 1er janvier du millésime : recensement de trois ans plus tôt. La"
        " liste des EPCI du paquet 2026 porte encore le recensement de 2022.",
        "Mayotte : recensement de 2017 ; collectivités d'outre-mer : leur dernier recensement.",
        "Sans population en 2021 et 2024 : arrondissements municipaux et communes hors EPCI.",
        "En 2023, la liste met Émerchicourt (59192) dans la CC Cœur d'Ostrevent ; avant et après,"
        " dans la CA de la Porte du Hainaut. Gardé tel que publié.",
        "Appartenances de 2026 : le paquet redonne celles de 2025, sans différence.",
    ],
    "communes_anciennes": [
        "Une ligne par suite de millésimes. Le nom d'une commune disparue avant 2021 n'est connu"
        " que si elle est déléguée ou associée.",
        "Une commune déléguée peut porter le code de la commune nouvelle.",
    ],
    "ensembles_de_communes": ["Les EPT figurent dans le paquet depuis 2023."],
    "qpv_2024_nord": ["Seules les appartenances sont reprises, sans les contours."],
}


def write_dataset(folder: Path, name: str, rows: Sequence[Row], said: Mapping[str, str]) -> None:
    """Write the table of a dataset and its description."""
    columns = COLUMNS[name]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    (folder / name).mkdir(parents=True, exist_ok=True)
    write_text(folder / name / f"{name}.csv", text.getvalue())
    described = {
        "titre": TITLES[name],
        **said,
        "notes": NOTES[name],
        "lignes": len(rows),
        "sha256": hashlib.sha256(text.getvalue().encode()).hexdigest(),
        "colonnes": [
            {"nom": column, "libelle": label, "unite": unit}
            for column, (label, unit) in columns.items()
        ],
    }
    write_text(folder / name / "dataset.toml", tomli_w.dumps(described, multiline_strings=False))


def rebuild(packages: Path, datasets: Path, qpv: Path | None = None) -> None:
    """Write the datasets from a folder of packages.

    Parameters
    ----------
    packages : Path
        Folder of the archives that ``npm pack`` wrote.
    datasets : Path
        Folder of the bundled datasets.
    qpv : Path, optional
        Outlines of the priority neighbourhoods of 2024 of the Nord (GeoJSON).
    """
    archives = {
        year: packages / f"etalab-decoupage-administratif-{version}.tgz"
        for year, version in VERSIONS.items()
    }
    vintages = {year: read_vintage(path) for year, path in archives.items()}
    communes = {year: commune_rows(vintage) for year, vintage in vintages.items()}
    former = {year: former_rows(vintage) for year, vintage in vintages.items()}
    prints = " ; ".join(f"{VERSIONS[y]} (sha256 {v.sha256[:16]}…)" for y, v in vintages.items())
    said = {
        "producteur": "Insee (code officiel géographique, populations), DGCL (EPCI) ; Etalab",
        "source": f"Paquet npm {PACKAGE}, versions {prints}",
        "millesime": "Géographies au 1er janvier 2021 à 2026 ; recensements de 2018 à 2023",
        "licence": "Licence Ouverte (données) ; MIT (paquet)",
    }
    numbers = populations(vintages)
    write_dataset(datasets, "communes", with_populations(runs(communes), numbers), said)
    write_dataset(datasets, "communes_anciennes", runs(named_from(former, communes)), said)
    wholes = {year: whole_rows(vintage) for year, vintage in vintages.items()}
    write_dataset(datasets, "ensembles_de_communes", runs(wholes), said)
    if qpv is not None:
        said = {
            "producteur": "ANCT",
            "source": "Contours des quartiers prioritaires 2024 (QP2024, hexagone et outre-mer)",
            "millesime": "Géographie prioritaire au 1er janvier 2024",
            "licence": "Licence Ouverte",
        }
        write_dataset(datasets, "qpv_2024_nord", qpv_rows(qpv), said)


if __name__ == "__main__":
    rebuild(*map(Path, sys.argv[1:]))

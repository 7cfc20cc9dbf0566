"""What French puts before a department or a region to say "in": code of the Insee to words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _by_words(groups: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(
        {code: words for words, codes in groups.items() for code in codes.split()}
    )


DEPARTMENT_ARTICLES = _by_words(
    {
        "dans l'": "01 02 03 07 09 10 11 12 27 34 36 38 60 61 89 91",
        "dans les ": "04 05 06 08 13 22 40 64 65 66 78 79 88 92",
        "dans le ": "14 15 18 25 29 30 32 39 41 45 46 47 49 56 59 62 63 67 68 69 81 82 83 84 90 94"
        " 95",
        "dans la ": "16 17 19 23 24 26 31 33 42 43 44 48 50 51 52 53 54 55 57 58 70 71 72 73 74 76"
        " 77 80 85 86 87 93",
        "en ": "21 28 2A 2B 35 37 971 972 973",
        "à ": "75 974 976",
    }
)
"""Words before the name of each department, elision included."""

REGION_ARTICLES = _by_words(
    {
        "en ": "R11 R24 R27 R28 R53 R75 R76 R84 R93 R94 R01 R02 R03",
        "dans les ": "R32 R52",
        "dans le ": "R44",
        "à ": "R04 R06",
    }
)
"""Words before the name of each region."""

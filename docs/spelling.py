"""Check the spelling of both languages: ``python docs/spelling.py``, part of ``make docs``.

English (docstrings, pages) with codespell; French (the guide, the gallery, the cards, and the
messages with ``--messages``) with hunspell and its dictionary, when they are installed. Code, file
names and words between backquotes or asterisks are left out: they are names, or the other language.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from messages_page import messages_of

ROOT = Path(__file__).parents[1]
WORDS = ROOT / "docs" / "words"
FRENCH_PAGES = ("docs/guide.md", "docs/guide/*.md", "docs/examples/*/*.py")
ENGLISH_PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/*.md",
    "tests/proofs/README.md",
)
_CODE = re.compile(
    r"```.*?```|^ {4}.*?$|``.*?``|`[^`]*`|\*\*?[^*\n]+\*\*?|« [^»]* »|<[^>]*>"
    r"|\([^()]*\.(?:md|py|html)[^()]*\)",
    re.DOTALL | re.MULTILINE,
)


_HALF = "\n## En français\n"
_NAMES = re.compile(r"--[\w-]+|[\w.]*\.\w+|\w+(?:=|\()|\"[^\"]*\"|'[^' ]*'(?= |$)")
"""Options, files, calls: what a message quotes of the code."""


def english() -> Iterator[tuple[str, str]]:
    """Give the English texts, each with where it is."""
    left_out = {path for pattern in FRENCH_PAGES for path in ROOT.glob(pattern)}
    left_out |= {ROOT / line for line in (ROOT / ".gitignore").read_text().split()}  # written
    for pattern in ENGLISH_PAGES:
        for path in sorted(set(ROOT.glob(pattern)) - left_out):
            text = path.read_text(encoding="utf-8").split(_HALF)[0]
            yield str(path.relative_to(ROOT)), _CODE.sub(" ", text)
    for path in sorted((ROOT / "barometre").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                doc = re.split(r"\nExamples\n-+\n", ast.get_docstring(node) or "")[0]
                yield str(path.relative_to(ROOT)), _CODE.sub(" ", doc)


def french(*, messages: bool = False) -> Iterator[tuple[str, str]]:
    """Give the French texts, each with where it is."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8").split(_HALF)[1]
    yield "README.md", _CODE.sub(" ", readme)
    for pattern in FRENCH_PAGES:
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".py":
                doc = ast.get_docstring(ast.parse(text)) or ""
                text = "\n".join([doc, *re.findall(r"^# (?!%%)(.*)$", text, re.MULTILINE)])
            yield str(path.relative_to(ROOT)), _CODE.sub(" ", text)
    for path in sorted((ROOT / "indicators").glob("*/*.toml")):
        card = tomllib.loads(path.read_text(encoding="utf-8"))
        told = [card["libelle"]["fr"], card["definition"]["fr"], *card["precautions"]]
        yield str(path.relative_to(ROOT)), "\n".join(told)
    for path in sorted((ROOT / "barometre").rglob("*.py")) if messages else ():
        told = [text.replace("…", " … ") for _, text in messages_of(path)]
        yield str(path.relative_to(ROOT)), _NAMES.sub(" ", _CODE.sub(" ", "\n".join(told)))


def faults_of_english() -> list[str]:
    """List the words that codespell takes for others, with where they are."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for where, text in english():
            path = folder / where
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")
        command = [sys.executable, "-m", "codespell_lib", "-I", str(WORDS / "english.txt"), "."]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return [
        re.sub(r":\d+:", ":", line.removeprefix("./"))
        for line in run.stdout.splitlines()
        if "==>" in line
    ]


def faults_of_french(*, messages: bool = False) -> list[str] | str:
    """List the words that the dictionary does not have, or say why it was not asked."""
    if shutil.which("hunspell") is None:
        return "hunspell is not installed (Debian: hunspell, hunspell-fr)"
    texts: dict[str, str] = {}
    for where, text in french(messages=messages):
        texts[where] = f"{texts.get(where, '')}\n{text}"
    run = subprocess.run(
        ["hunspell", "-l", "-d", "fr_FR", "-i", "utf-8"],
        input="\n".join(texts.values()), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode:
        return "no French dictionary (Debian: hunspell-fr)"
    known = set((WORDS / "french.txt").read_text(encoding="utf-8").split())
    words = {word.strip(".'") for word in run.stdout.split()}
    unknown = {word for word in words - known if not _is_name(word)}
    return [
        f"{next(where for where, text in texts.items() if word in text)}: {word}"
        for word in sorted(unknown)
    ]


def _is_name(word: str) -> bool:
    """Tell names, acronyms and codes: a capital or a figure in them."""
    return not word.islower() or any(letter.isdigit() for letter in word) or len(word) < 3


def main() -> int:
    """Print the faults; the exit code counts as an error when there is one."""
    found = faults_of_english()
    other = faults_of_french(messages="--messages" in sys.argv)
    if isinstance(other, str):
        print(f"French spelling not checked: {other}")
        other = []
    print(*found, *other, sep="\n")
    return bool(found or other)


if __name__ == "__main__":
    sys.exit(main())

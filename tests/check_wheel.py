"""Build the wheel, compare it with the tracked files, and test it from another folder.

Run by continuous integration: ``python -m tests.check_wheel``. `python -m pytest` from the root
would pass even if the wheel lacked its cards.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READ = (
    "package", "cards", "datasets", "places", "source_families", "melodi", "unit_records",
    "territory_pages", "people_page", "cli", "cli_contract", "compute", "idh4",
)  # fmt: skip
"""Tests of what is read from the package itself (cards, data, families, templates) and of its program.

The modules are those that `make test` has just tested in whole, byte for byte.
"""
MOVED = {"indicators/": "barometre/_indicators/", "datasets/": "barometre/_datasets/"}


def expected_files() -> dict[str, bytes]:
    """Read the tracked files that the wheel must hold, under their names in the wheel."""
    run = subprocess.run(
        ["git", "ls-files", "barometre", "indicators", "datasets"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    files = {}
    for name in run.stdout.splitlines():
        moved = name
        for old, new in MOVED.items():
            moved = name.replace(old, new) if name.startswith(old) else moved
        files[moved] = (ROOT / name).read_bytes()
    return files


def main() -> int:
    """Return 1 when the wheel differs from the tracked files or fails the tests."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            packed = [name for name in archive.namelist() if ".dist-info/" not in name]
            held = {name: archive.read(name) for name in packed}
        expected = expected_files()
        differ = {n for n in held.keys() & expected.keys() if held[n] != expected[n]}
        for word, names in (
            ("missing", expected.keys() - held.keys()),
            ("not tracked", held.keys() - expected.keys()),
            ("not the same", differ),
        ):
            if names:
                print(f"{word} in the wheel: {', '.join(sorted(names))}")
        if held != expected:
            return 1
        print(f"wheel: {len(held)} files, those that are tracked")
        return run_tests(wheel, folder / "elsewhere", [f"tests/test_{name}.py" for name in READ])


def run_tests(
    package: Path,
    folder: Path,
    tests: Sequence[str] = ("tests",),
    *,
    interpreter: Path = Path(sys.executable),
    constraints: str = "constraints.txt",
) -> int:
    """Install a package in its own environment and run a copy of the tests against it."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)  # some tests give up their rights, and still read fonts
    subprocess.run([interpreter, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "-c", ROOT / constraints]
    subprocess.run([*map(str, install), f"{package}[test]"], check=True)
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    options = [
        "-q",
        "--import-mode=importlib",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        "-n",
        "auto",
    ]
    return subprocess.run([python, "-m", "pytest", *options, *tests], cwd=folder).returncode


if __name__ == "__main__":
    raise SystemExit(main())

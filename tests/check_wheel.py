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
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOVED = {"indicators/": "barometre/_indicators/", "datasets/": "barometre/_datasets/"}


def expected_files() -> set[str]:
    """List the tracked files that the wheel must hold, under their names in the wheel."""
    run = subprocess.run(
        ["git", "ls-files", "barometre", "indicators", "datasets"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = set()
    for name in run.stdout.splitlines():
        for old, new in MOVED.items():
            name = name.replace(old, new) if name.startswith(old) else name
        names.add(name)
    return names


def main() -> int:
    """Return 1 when the wheel differs from the tracked files or fails the tests."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        (wheel,) = folder.glob("*.whl")
        held = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
        expected = expected_files()
        for word, names in (("missing", expected - held), ("not tracked", held - expected)):
            if names:
                print(f"{word} in the wheel: {', '.join(sorted(names))}")
        if held != expected:
            return 1
        print(f"wheel: {len(held)} files, those that are tracked")
        return run_tests(wheel, folder / "elsewhere")


def run_tests(
    package: Path,
    folder: Path,
    *,
    interpreter: Path = Path(sys.executable),
    constraints: str = "constraints.txt",
) -> int:
    """Install a package in its own environment and run a copy of the tests against it."""
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
    return subprocess.run([python, "-m", "pytest", *options, "tests"], cwd=folder).returncode


if __name__ == "__main__":
    raise SystemExit(main())

"""Test with the lowest versions declared, then with every other Python that is installed.

``python -m tests.check_compat [3.12 ...]``: all that are found, or those named. The lowest Python
gets the lowest versions (``constraints-min.txt``), the others the usual ones (``constraints.txt``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.check_wheel import ROOT, run_tests

LOWEST, OTHERS = "3.11", ("3.12", "3.13")


def interpreter_of(version: str) -> Path | None:
    """Find a Python on the path, or among those that pyenv keeps."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which(f"python{version}")
    found = [on_path] if on_path else []
    for one in [*found, *map(str, sorted(kept.glob(f"{version}.*/bin/python")))]:
        told = subprocess.run([one, "--version"], capture_output=True, text=True)
        if told.returncode == 0 and told.stdout.startswith(f"Python {version}."):
            return Path(one)
    return None


def main() -> int:
    """Return 1 when the tests fail with one of them, or when the lowest is not there."""
    failed = []
    for version in sys.argv[1:] or (LOWEST, *OTHERS):
        python = interpreter_of(version)
        if python is None:
            print(f"Python {version}: not installed")
            failed += [version] if version == LOWEST else []
            continue
        constraints = "constraints-min.txt" if version == LOWEST else "constraints.txt"
        print(f"Python {version}, {constraints}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            if run_tests(ROOT, Path(folder), interpreter=python, constraints=constraints):
                failed.append(version)
    print(f"failed: {', '.join(failed)}" if failed else "every Python passes")
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())

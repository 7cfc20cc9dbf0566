"""The command line: ``barometre init | check | compute | gap | ... | demo``.

Exit codes: 0, done (files that are no data may have been set aside, and are listed); 1, bad input
(the message on the error output, no traceback); 2, usage; 3, done, but a faulty file was skipped
as asked; 130, interrupted.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

from typer.main import get_command

from barometre.base.errors import BarometreError
from barometre.cli.app import app, harmless
from barometre.cli.commands import register
from barometre.cli.usage import INTERRUPTED, run


def main() -> None:
    """Run the command line, bad input becoming a message and the exit code 1."""
    register()
    with warnings.catch_warnings():
        _tell_every_warning()
        _guarded(lambda: run(get_command(app)))


def _tell_every_warning() -> None:
    """Tell each value concerned, not only the first of its kind."""
    from barometre.engine.values import PublishedDifference
    from barometre.sources.reading import SourceWarning

    for category in (PublishedDifference, SourceWarning):
        warnings.simplefilter("always", category)
    warnings.showwarning = _show_warning


def _guarded(command: Callable[[], None]) -> None:
    try:
        command()
    except (BarometreError, OSError) as error:
        print(f"barometre : {harmless(error)}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("barometre : interrompu, rien n'a été écrit à moitié", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"barometre : attention, {harmless(message)}", file=sys.stderr)

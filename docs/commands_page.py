"""The page of every command, its arguments and options, written from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from markdown_parts import code, plain, table
from typer._click import Command, Context  # the program's own copy

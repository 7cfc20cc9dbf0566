"""The version of the library, as installed."""

from importlib.metadata import version

__version__ = version("barometre")

"""What every room uses: errors, numbers in French, rounding, arguments, files."""

from barometre.base import errors as errors

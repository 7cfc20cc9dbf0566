"""The Baromètre de Cohésion Sociale of a French agglomeration, from files to indicators.

What is public is written once, in ``__init__.pyi``: each name is loaded when first asked for, so
that the import stays light whatever the library grows into.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

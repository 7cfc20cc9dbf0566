"""Charts of the results: matplotlib only; every function takes ``ax=`` and returns an Axes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""What commands print in a terminal: lists, and texts in the language of the shell."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

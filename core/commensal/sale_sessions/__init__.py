"""Sale sessions: order cycles with their rhythm, opening and closing, and what is on sale there."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Corrects orders after they were placed: returns, substitutes, prices, merged and revived orders, claims."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

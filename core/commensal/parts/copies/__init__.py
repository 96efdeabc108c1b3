"""Copies of enterprises, products and catalogs whose home is another instance, or that have moved here."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Producers and hubs: their members, customers, categories, grants and tokens; who may do what."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

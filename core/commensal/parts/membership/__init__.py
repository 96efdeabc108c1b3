"""Invitations to an enterprise, its customer lists, and where its addresses lie on the map."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""The audit trail: who changed what, when, by which command, and from which request."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Health checks and metrics, so that operators can monitor an instance."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

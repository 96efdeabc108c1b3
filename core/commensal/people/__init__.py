"""People: log-in, sessions, the second factor, and the scopes of what they may do."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

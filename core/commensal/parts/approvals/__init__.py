"""Acts by which money leaves, which ask for a second person: what waits, who asked, who agreed."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

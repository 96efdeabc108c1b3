"""Sales to come: clones, rhythms, slots of the distribution, and days on which customers are away."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

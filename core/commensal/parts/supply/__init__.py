"""Supply: what suppliers are to bring, orders to them and their answers, and what they are paid."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

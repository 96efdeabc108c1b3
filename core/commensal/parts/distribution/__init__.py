"""What is packed and handed out on the day of a sale: lists, sums and notes of collection."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

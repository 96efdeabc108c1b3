"""Money after the payment: tills, refunds by providers, reminders, credits, and when VAT falls due."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

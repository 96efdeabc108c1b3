"""What an instance is about: people, enterprises, products, stock, sales, orders and payments.

``from commensal.trade import …`` has commands and questions for plugins that sell, as the shop and the federation do.
They change more often than the names of `commensal`. The names stand in the stub `__init__.pyi`; each is imported when
it is first asked for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

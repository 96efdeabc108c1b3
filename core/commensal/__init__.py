"""What plugins may use: ``from commensal import …``. Whatever is not named here may change with any version.

Plugins with pages find more in `commensal.pages`, plugins that sell in the faces of rooms, such as `commensal.orders`
and `commensal.parts.supply`, and tests of plugins in `commensal.testing`. The names stand in the stub `__init__.pyi`,
for type checkers and for this package. Each is imported when it is first asked for: a command of the shell or a small
plugin does not load the whole of Commensal.
"""

from importlib import import_module
from typing import Any

import lazy_loader

_named, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
_EARLIER = ("pages", "trade")  # where names stand that release 0.1.0 had here


def __getattr__(name: str) -> Any:
    if name not in __all__ and not name.startswith("_"):
        for earlier in _EARLIER:
            module = import_module(f"{__name__}.{earlier}")
            if name in module.__all__:
                return getattr(module, name)
    return _named(name)

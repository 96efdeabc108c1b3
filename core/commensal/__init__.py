"""What plugins may use: ``from commensal import …``. Whatever is not named here may change with any version.

The names stand in the stub `__init__.pyi`, for type checkers and for this package. Each is imported when it is first
asked for: a command of the shell or a small plugin does not load the whole of Commensal.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

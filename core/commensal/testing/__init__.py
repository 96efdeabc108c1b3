"""What comes with Commensal for the tests of plugins. Its fixtures are there wherever it is installed:

    @pytest.mark.plugins("invoice", settings={"days": 14})
    def test_an_invoice(shop):
        shop.order({"carrots": 4})
        assert shop.pay("invoice:invoice").state == "Pending"

``shop``, ``client``, ``clock``, ``run_jobs``, ``gateway``, ``instance`` and ``two_instances`` are fixtures. The names
here are their types, the checks that every plugin can be put to (`conforms`), and values to try price rules on. What is
not named here may change with any version.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..base.clock import ManualClock
    from .conformance import conforms
    from .drafts import a_draft, a_line, a_payment, an_adjustment
    from .gateway import Gateway
    from .jobs import JobFailed, RunJobs
    from .pair import Pair
    from .shop import Shop

_MODULES = {
    "Gateway": "gateway",
    "JobFailed": "jobs",
    "ManualClock": ".base.clock",
    "Pair": "pair",
    "RunJobs": "jobs",
    "Shop": "shop",
    "a_draft": "drafts",
    "a_line": "drafts",
    "a_payment": "drafts",
    "an_adjustment": "drafts",
    "conforms": "conformance",
}

__all__ = [
    "Gateway",
    "JobFailed",
    "ManualClock",
    "Pair",
    "RunJobs",
    "Shop",
    "a_draft",
    "a_line",
    "a_payment",
    "an_adjustment",
    "conforms",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})

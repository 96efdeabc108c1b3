"""Names that stood here in release 0.2.0. Each now has the face of its room, such as `commensal.orders`."""

from importlib import import_module
from typing import Any
from warnings import warn

from .base.deprecated import RemovedIn1Warning

_ROOMS = (
    "audit",
    "catalogs",
    "enterprises",
    "orders",
    "parts.accounts",
    "parts.approvals",
    "parts.backups",
    "parts.copies",
    "parts.distribution",
    "parts.mail",
    "parts.membership",
    "parts.monitoring",
    "parts.order_corrections",
    "parts.pictures",
    "parts.privacy",
    "parts.product_lists",
    "parts.reports",
    "parts.sale_calendar",
    "parts.setup",
    "parts.supply",
    "parts.terminal",
    "parts.till",
    "payments",
    "people",
    "pricing",
    "products",
    "sale_sessions",
    "stock",
)


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return [each for room in _ROOMS for each in import_module(f".{room}", __package__).__all__]
    for room in () if name.startswith("_") else _ROOMS:
        module = import_module(f".{room}", __package__)
        if name in module.__all__:
            warn(f"commensal.trade.{name} is commensal.{room}.{name} now", RemovedIn1Warning, stacklevel=2)
            return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The endpoints of the core, room by room."""

from __future__ import annotations

from importlib import import_module

from ..endpoint import Endpoint

ROOMS = (
    "people", "sessions", "second_factor", "enterprises", "members", "customers", "grants", "plugins", "taxonomy",
    "stock", "products", "images", "product_lists", "catalogs", "sales", "orders", "payments", "jobs", "reports",
    "audit", "privacy",
)  # fmt: skip


def core_endpoints() -> list[Endpoint]:
    """All of them, in the order of the OpenAPI document."""
    return [one for room in ROOMS for one in import_module(f"{__name__}.{room}").routes.endpoints]

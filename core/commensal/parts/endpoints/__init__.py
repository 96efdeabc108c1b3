"""The endpoints of the core, one module for each subject."""

from __future__ import annotations

from importlib import import_module

from ...api.endpoint import Endpoint

MODULES = (
    "people",
    "sessions",
    "second_factor",
    "enterprises",
    "legal_texts",
    "members",
    "roles",
    "customers",
    "households",
    "grants",
    "plugins",
    "taxonomy",
    "stock",
    "products",
    "images",
    "product_lists",
    "catalogs",
    "sales",
    "demand",
    "purchase_orders",
    "withdrawals",
    "shopper_orders",
    "orders",
    "payments",
    "books",
    "jobs",
    "reports",
    "audit",
    "privacy",
)


def core_endpoints() -> list[Endpoint]:
    """All endpoints of the core, in the order of the OpenAPI document."""
    return [endpoint for module in MODULES for endpoint in import_module(f"{__name__}.{module}").routes.endpoints]

"""Trade with other instances: one catalogue and one stock, sold in many regions, by signed messages, without a centre.

Two operators agree to trade. A producer grants a hub of the other instance access, and its goods can be listed and sold
there, out of the producer's one stock. `federation/README.md` explains the protocol.
"""

from __future__ import annotations

from pathlib import Path

from commensal import hookimpl

from .commands import commands
from .demo.network import demo_network
from .dfc.detection import dialects
from .events import listing_changed, ordered_by_plugin, sale_completed, stock_changed
from .handlers import message_types
from .jobs import jobs
from .leases.on_demand import bring_stock
from .linked_catalogues.refreshing import sale_opened
from .office.pages import office_pages
from .office.prices_elsewhere import act_kinds
from .orders.demand import demand_elsewhere
from .orders.hub import order_cancelled, order_changed, order_fulfilled, order_placed
from .orders.hub_names import consent_requests, erase_person
from .orders.reports import reports
from .routes import endpoints, fixed_routes, routes
from .settings import EnterpriseFederation, FederationSettings
from .warnings import health_reasons, page_parts, payment_holds, warnings

__all__ = [
    "act_kinds",
    "bring_stock",
    "commands",
    "consent_requests",
    "demand_elsewhere",
    "demo_network",
    "dialects",
    "endpoints",
    "erase_person",
    "fixed_routes",
    "health_reasons",
    "jobs",
    "listing_changed",
    "message_types",
    "office_pages",
    "order_cancelled",
    "order_changed",
    "order_fulfilled",
    "order_placed",
    "ordered_by_plugin",
    "page_parts",
    "payment_holds",
    "reports",
    "routes",
    "sale_completed",
    "sale_opened",
    "stock_changed",
    "warnings",
]


@hookimpl
def instance_settings() -> type:
    return FederationSettings


@hookimpl
def enterprise_settings() -> type:
    return EnterpriseFederation


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"

"""Transport: who drives anyway, who needs something carried, and costs that everybody can check.

A producer sees what it must bring to hubs this week, made from the sales that have closed, and what driving alone would
cost. "I drive anyway" offers the room that is left; others see a price and an hour at once and book with one click. The
room is counted on each leg, in crates, kilograms and cold crates, and is never given twice. After the round a statement
says what it cost and who bears how much; anybody can work it out again (`sharing`).

It carries on one of five legal bases (`law`), which the run sheet prints. Money moves by no message: the statement is
what neighbours pay each other by.

What it does not do yet stands in its README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from commensal import Instance, hookimpl

from .bookings.balances import reports
from .costs.cost_rules import share_costs
from .demo.network import demo_network
from .endpoints import endpoints
from .forgetting import move_obstacles
from .jobs import jobs
from .office import office_pages, page_parts, roles, scopes
from .places.address_services import geocode
from .places.roads import distances
from .planning.least_order import demand_shaping
from .planning.vroom_planner import plan_rounds
from .postcodes import commands
from .service_settings import instance_settings
from .settings import Settings
from .trips.needs import product_fields

__all__ = [
    "commands",
    "demand_shaping",
    "demo_network",
    "distances",
    "endpoints",
    "enterprise_settings",
    "fixed_routes",
    "geocode",
    "instance_settings",
    "jobs",
    "message_types",
    "migrations",
    "move_obstacles",
    "office_pages",
    "page_parts",
    "peer_documents",
    "plan_rounds",
    "product_fields",
    "reports",
    "roles",
    "scopes",
    "share_costs",
]


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def peer_documents() -> Mapping[str, Any]:
    from .elsewhere import codes, contacts, photos  # only where the federation is enabled

    return {contacts.CONTACTS: contacts.DOCUMENT, codes.CODE: codes.DOCUMENT, photos.PHOTO: photos.DOCUMENT}


@hookimpl
def message_types() -> Mapping[Any, object]:
    from .elsewhere.types import TYPES  # only where the federation is enabled

    return TYPES


@hookimpl
def fixed_routes(instance: Instance) -> Sequence[BaseRoute]:
    if "federation" not in instance.hooks.plugins():
        return []
    from .dfc_routes import dfc_routes

    return dfc_routes()

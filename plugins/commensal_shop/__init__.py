"""The shop: pages for shoppers, in French, English and German, that work without JavaScript.

They stand at the root of the site (``front = "shop"``): hubs and their sales, the basket, the checkout, my orders, and
everything about an account. Nobody needs one to buy: a guest's basket and orders are opened by secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from commensal import MenuItem, hookimpl, translate

from .pages import routes
from .settings import Settings
from .watching import erase_person, jobs, person_data

__all__ = ["enterprise_settings", "erase_person", "jobs", "menu_items", "migrations", "person_data", "routes"]


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def menu_items(person_id: str | None, language: str) -> Sequence[MenuItem]:
    sales = MenuItem(label=translate(language, "Open sales"), url="/", position=10)
    if person_id is None:
        return [sales, MenuItem(label=translate(language, "Log in"), url="/login", position=900)]
    orders = MenuItem(label=translate(language, "My orders"), url="/orders", position=20)
    return [sales, orders, MenuItem(label=translate(language, "My account"), url="/account", position=890)]

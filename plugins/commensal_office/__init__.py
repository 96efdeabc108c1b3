"""The office: pages with which the people of a hub or a producer run the week, in French and English.

They stand at `/office`, whatever plugin has the front of the site, and work without JavaScript. Each page opens with
the scope that it needs; people see the enterprises of which they are members, and nothing of any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from commensal import MenuItem, Transaction, hookimpl, person_by_id, translate
from commensal.trade import memberships_of

from .pages import fixed_routes
from .telephone import endpoints

__all__ = ["endpoints", "fixed_routes", "menu_items", "migrations"]


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def menu_items(tx: Transaction, person_id: str | None, language: str) -> Sequence[MenuItem]:
    if person_id is None or not (memberships_of(tx, person_id, limit=1) or person_by_id(tx, person_id).is_operator):
        return []
    return [MenuItem(label=translate(language, "Office"), url="/office", position=880)]

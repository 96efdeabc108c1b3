"""The office: pages with which the people of a hub or a producer run the week, in French and English.

They stand at `/office`, whatever plugin has the front of the site, and work without JavaScript. Each page opens with
the scope that it needs; people see the enterprises of which they are members, and nothing of any other.

`pages` lists every address with its function. The functions stand in one folder for each entry of the navigation, and
no folder imports from one further down this list:

- `frame`: what every page begins with: whose desk it is, which sale it is about, how it is rendered
- `goods`: products with their prices, stock and pictures; what groups of customers see of them
- `money`: who owes what, refunds, the till, what suppliers are owed, the books of a week
- `orders`: find, take, change, move, correct and withdraw what customers ordered
- `handout`: packing and the hand-out, on paper, in a browser and on a telephone without a network
- `supply`: producers and hubs: what may be sold, who is away, what is brought and received
- `people`: customers and their groups, the team and its roles
- `settings`: of an enterprise and of its plugins; the trail of who changed what
- `sales`: plan a sale, change it, print its papers
- `overview`: where people arrive: which enterprise, this week, the instance for those who run it
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from commensal import MenuItem, Transaction, hookimpl, person_by_id, translate
from commensal.enterprises import memberships_of

from .handout.telephone import endpoints
from .money.second_person import act_kinds
from .pages import fixed_routes

__all__ = ["act_kinds", "endpoints", "fixed_routes", "menu_items", "migrations"]


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def menu_items(tx: Transaction, person_id: str | None, language: str) -> Sequence[MenuItem]:
    if person_id is None or not (memberships_of(tx, person_id, limit=1) or person_by_id(tx, person_id).is_operator):
        return []
    return [MenuItem(label=translate(language, "Office"), url="/office", position=880)]

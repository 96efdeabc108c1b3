"""The desk of a person: the enterprise for which they work on a page, and what they may do there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commensal import Enterprise, OfficePage, Transaction, demand, enabled_plugins, enterprise_by_id, sessions_of_shop
from commensal.enterprises import held_at, memberships_of
from commensal.pages import Visit, added_pages

MOST = 200  # enterprises of one person on the page where they choose one

# Each opens a part of the page of settings.
SETTINGS = frozenset({"sales:write", "enterprise:write", "plugins:write", "members:read", "audit:read"})


@dataclass(frozen=True, kw_only=True)
class Desk:
    """`scopes` are what the visitor may do at the enterprise, as `commensal.people` names them; `menu` are the
    pages of plugins that stand in the navigation there, for whoever holds their scope. `sells`: it is a hub, or has had
    sales of its own."""

    enterprise: Enterprise
    scopes: frozenset[str]
    has_others: bool
    sells: bool = True
    menu: Sequence[OfficePage] = ()

    @property
    def address(self) -> str:
        """The path of the enterprise's first page; all its other pages stand below."""
        return f"/office/{self.enterprise.id}"

    @property
    def sees_money(self) -> bool:
        """Whether the visitor sees amounts; packers do not, unless they take money."""
        return "payments:read" in self.scopes or self.takes_money

    @property
    def takes_money(self) -> bool:
        """Whether the visitor takes money at the hand-out."""
        return "payments:take" in self.scopes

    @property
    def keeps_books(self) -> bool:
        """Whether the visitor records payments and closes the books."""
        return "payments:write" in self.scopes

    @property
    def opens_settings(self) -> bool:
        """Whether something on the page of settings is the visitor's."""
        return not SETTINGS.isdisjoint(self.scopes)

    def may(self, scope: str) -> bool:
        return scope in self.scopes


def open_desk(tx: Transaction, visit: Visit, scope: str) -> Desk:
    """The desk at the enterprise that the path names.

    Raises `Unauthorised` if nobody is logged in, `NotFound` if the visitor has no right at the enterprise, `Forbidden`
    if their role lacks `scope`.
    """
    enterprise_id = visit.path["enterprise"]
    demand(tx, visit.actor, scope, enterprise_id)
    enterprise = enterprise_by_id(tx, enterprise_id)
    memberships = memberships_of(tx, visit.actor.person_id or "", limit=2)
    return Desk(
        enterprise=enterprise,
        scopes=held_at(tx, visit.actor, enterprise_id),
        has_others=any(membership.enterprise.id != enterprise_id for membership in memberships),
        menu=_menu(tx, visit, enterprise_id),
        sells=enterprise.is_hub or bool(sessions_of_shop(tx, enterprise_id, limit=1)),
    )


def _menu(tx: Transaction, visit: Visit, enterprise_id: str) -> list[OfficePage]:
    added = [each for each in added_pages(visit.instance) if each.page.menu]
    enabled = enabled_plugins(tx, enterprise_id) if added else ()
    return [each.page for each in added if each.page.where_off or each.plugin in enabled]

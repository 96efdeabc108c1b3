"""Collects the rooms' job handlers and periodic work."""

from __future__ import annotations

from commensal import Work, hookimpl

from .catalogue.work import work as catalogue
from .delivery.work import work as delivery
from .leases.upkeep import work as leases
from .linked_catalogues.backorders.plan import plan_session
from .linked_catalogues.work import work as links
from .moving.work import work as moving
from .notices.sending import work as notices
from .orders.work import work as orders
from .peering.pairing.pairings import work as pairing
from .peering.work import enqueue_key_updates
from .peering.work import work as peering
from .platforms.notifying import work as platforms


@hookimpl
def jobs() -> Work:
    rooms = [
        delivery(enqueue_key_updates),
        peering(),
        pairing(),
        catalogue(),
        leases(),
        orders(plan_session),
        moving(),
        links(),
        platforms(),
        notices(),
    ]
    handlers = {kind: handler for room in rooms for kind, handler in room.handlers.items()}
    periodic = tuple(task for room in rooms for task in room.periodic)
    return Work(handlers, periodic, frozenset().union(*(room.irreversible for room in rooms)))

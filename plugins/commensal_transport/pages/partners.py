"""Enterprises as pages name them: those of other instances with the name of their instance."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from commensal import Enterprise, Transaction, enterprises_by_id
from commensal.pages import Visit


def partners_by_id(tx: Transaction, visit: Visit, ids: Collection[str]) -> dict[str, Enterprise]:
    """The existing enterprises among these ids; the name of one that lives elsewhere is followed by its instance's."""
    enterprises = enterprises_by_id(tx, ids)
    if "federation" not in visit.instance.hooks.plugins():
        return enterprises
    from ..elsewhere.names import instances_of

    instances = instances_of(visit.instance, tx, ids)
    return {
        id: replace(enterprise, name=f"{enterprise.name} ({instances[id]})") if id in instances else enterprise
        for id, enterprise in enterprises.items()
    }


def instance_names(tx: Transaction, visit: Visit, peer_ids: Collection[str]) -> dict[str, str]:
    """The names of other instances, by their ids as peers."""
    if "federation" not in visit.instance.hooks.plugins() or not peer_ids:
        return {}
    from ..elsewhere.names import names_of

    return names_of(tx, peer_ids)

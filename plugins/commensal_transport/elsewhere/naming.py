"""Names of other instances, for pages."""

from __future__ import annotations

from collections.abc import Collection

from commensal import Instance, Transaction
from commensal_federation.messaging import federation_of, homes_of, peer_by_id


def instances_of(instance: Instance, tx: Transaction, enterprise_ids: Collection[str]) -> dict[str, str]:
    """The name of the instance of each of these enterprises that lives elsewhere."""
    homes = homes_of(federation_of(instance), tx, enterprise_ids)
    elsewhere = {id: home.peer_id for id, home in homes.items() if home.peer_id is not None}
    names = names_of(tx, set(elsewhere.values()))
    return {id: names[peer_id] for id, peer_id in elsewhere.items()}


def names_of(tx: Transaction, peer_ids: Collection[str]) -> dict[str, str]:
    return {peer_id: peer_by_id(tx, peer_id).name for peer_id in peer_ids}

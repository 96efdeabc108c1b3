"""Names of other instances, for pages."""

from __future__ import annotations

from collections.abc import Collection

from commensal import Instance, NotFound, Transaction
from commensal_federation.messaging import enterprise_at, federation_of, homes_of, peers


def instances_of(instance: Instance, tx: Transaction, enterprise_ids: Collection[str]) -> dict[str, str]:
    """The name of the instance of each of these enterprises that lives elsewhere."""
    homes = homes_of(federation_of(instance), tx, enterprise_ids)
    elsewhere = {id: home.peer_id for id, home in homes.items() if home.peer_id is not None}
    names = names_of(tx, set(elsewhere.values()))
    return {id: names[peer_id] for id, peer_id in elsewhere.items()}


def id_of_copy(instance: Instance, tx: Transaction, home: Instance, enterprise_id: str) -> str:
    """The id at `instance` of its copy of an enterprise that lives at `home`. Raises `NotFound`."""
    with home.store.read() as home_tx:
        iri = homes_of(federation_of(home), home_tx, [enterprise_id])[enterprise_id].iri
    copy_id = enterprise_at(federation_of(instance), tx, iri)
    if copy_id is None:
        raise NotFound
    return copy_id


def names_of(tx: Transaction, peer_ids: Collection[str]) -> dict[str, str]:
    """The names of these instances, by their ids as peers."""
    return {peer.id: peer.name for peer in peers(tx) if peer.id in peer_ids} if peer_ids else {}

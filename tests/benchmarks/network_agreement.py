"""What must be true of a network of trading instances: goods do not idle while others are refused, and books agree."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import bindparam, func, select

from commensal.catalogs.tables import catalog_item
from commensal.parts.checks.invariants import broken_invariants
from commensal.products.tables import supplied_product
from commensal.stock.tables import stock_lot
from commensal_federation.delivery.alerts import alerts
from commensal_federation.delivery.tables import federation_outbox
from commensal_federation.grants.tables import federation_lease
from commensal_federation.peers.tables import federation_peer
from commensal_federation.runtime import Federation
from commensal_federation.testing import Region

from ..federation.trading import Hub

_TOLD = ("epoch", "granted", "report", "seen", "returned", "held", "sold")
_lease, _peer, _out = federation_lease.c, federation_peer.c, federation_outbox.c
_LOT_OF_ITEM = (
    select(supplied_product.c.lot_id)
    .join(catalog_item, catalog_item.c.product_id == supplied_product.c.id)
    .where(catalog_item.c.id == bindparam("item"))
)
_WITH_PEERS = select(federation_lease, _peer.iri).join(federation_peer, _peer.id == _lease.peer_id)


def idle_elsewhere(region: Region, off: Collection[str], hub: Hub, lot_id: str) -> dict[str, int]:
    """The free grains of a lot at others, by their base addresses, that could come to the hub: nothing where it or
    somebody on its way to where the goods are at home is `off`, as are those of all behind somebody who is."""
    way = list(_way(region, hub.federation, lot_id))
    if {member.base for member, _ in way} & {*off}:
        return {}
    free = dict(_free(region, off, *way[-1]))
    free.pop(hub.federation.base, None)
    return {base: grains for base, grains in free.items() if grains}


def way_to(region: Region, hub: Hub, item_id: str) -> list[str]:
    """The base addresses from the hub to where the goods of its item are at home."""
    with hub.read() as tx:
        lot_id = tx.value(_LOT_OF_ITEM, {"item": item_id})
    return [member.base for member, _ in _way(region, hub.federation, str(lot_id))]


def _way(region: Region, member: Federation, lot_id: str) -> Iterator[tuple[Federation, str]]:
    """Whoever has the lot, with its id there: the member itself, from whom it holds it, and so on."""
    yield member, lot_id
    while row := _holding(member, lot_id):
        member, lot_id = _at(region, row[0]), row[1].rpartition("/")[2]
        yield member, lot_id


def _holding(member: Federation, lot_id: str) -> tuple[str, str] | None:
    """From whom the instance holds the lot, and the lot's IRI there; None for goods of its own."""
    with member.instance.store.read() as tx:
        row = tx.first(_WITH_PEERS.where(_lease.role == "holder", _lease.lot_id == lot_id))
    return None if row is None else (str(row["iri"]), str(row["lot_iri"]))


def _free(region: Region, off: Collection[str], member: Federation, lot_id: str) -> Iterator[tuple[str, int]]:
    """The free grains of the lot here, and at all reachable ones to whom it is lent, however far."""
    with member.instance.store.read() as tx:
        yield member.base, int(tx.value(select(stock_lot.c.free).where(stock_lot.c.id == lot_id)))
        holders = tx.all(_WITH_PEERS.where(_lease.role == "lender", _lease.lot_id == lot_id))
    for row in holders:
        holder = _at(region, str(row["iri"]))
        with holder.instance.store.read() as tx:
            copy = tx.value(select(_lease.lot_id).where(_lease.role == "holder", _lease.lot_iri == row["lot_iri"]))
        if copy is not None and holder.base not in off:
            yield from _free(region, off, holder, str(copy))


def _at(region: Region, iri: str) -> Federation:
    return region.wires.places[iri.removesuffix("/.well-known/commensal")]


def differences(region: Region) -> Iterator[str]:
    """Yields where the two sides of a lease count differently, and what is still to be delivered."""
    lent, held = _counts(region, "lender"), _counts(region, "holder")
    for key, counts in lent.items():
        if held.get(key) != counts:
            yield f"{key}: the lender has {counts}, the holder {held.get(key)}"
    for name, member in region.members.items():
        with member.instance.store.read() as tx:
            waiting = tx.value(select(func.count()).where(_out.state == "waiting"))
        if waiting:
            yield f"{name} has {waiting} messages to deliver"


def _counts(region: Region, role: str) -> dict[tuple[str, str], tuple[int, ...]]:
    """The counts of all leases, by the lot's IRI and that of the holder."""
    counts = {}
    for member in region.members.values():
        with member.instance.store.read() as tx:
            for row in tx.all(_WITH_PEERS.where(_lease.role == role)):
                holder = row["iri"] if role == "lender" else member.iri
                counts[str(row["lot_iri"]), str(holder)] = tuple(int(row[name]) for name in _TOLD)
    return counts


def oversold(region: Region) -> Iterator[str]:
    """Yields invariants that an instance violates, and leases under which more was sold than was granted."""
    for name, member in region.members.items():
        with member.instance.store.read() as tx:
            yield from (f"{name}: {violation}" for violation in broken_invariants(tx))
            for row in tx.all(select(_lease.lot_iri, _lease.late).where(_lease.late > 0)):
                yield f"{name}: {row['late']} of {row['lot_iri']} were sold without a lease"


def messages_of(region: Region) -> int:
    """How many messages all instances together have posted, and still keep."""
    total = 0
    for member in region.members.values():
        with member.instance.store.read() as tx:
            total += int(tx.value(select(func.count()).select_from(federation_outbox)))
    return total


def alerts_of(region: Region) -> str:
    """Which alerts stand for operators at the end, with how many instances have each."""
    kinds: dict[str, int] = {}
    for member in region.members.values():
        with member.instance.store.read() as tx:
            for kind in {alert.kind for alert in alerts(tx)}:
                kinds[kind] = kinds.get(kind, 0) + 1
    return ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "none"

"""What must be true: always, and when nothing is under way. Each is a sentence where it is broken."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, literal, select, union_all

from commensal.operations.checks.invariants import _grains, broken_invariants
from commensal.storage.database import Row, Transaction
from commensal.storage.jobs.tables import job
from commensal.trade.orders.distribution import ordered_of
from commensal.trade.orders.tables import customer_order, order_line
from commensal.trade.products.tables import supplied_product
from commensal.trade.stock.tables import stock_lot, stock_movement
from commensal_federation.authority.authority import authority_of
from commensal_federation.catalogue.tables import federation_item
from commensal_federation.delivery import post
from commensal_federation.delivery.inbox.receiving import receive
from commensal_federation.delivery.outbox.failing import own_envelope
from commensal_federation.delivery.restore.taken_back import sent_of
from commensal_federation.delivery.sync.states import MIRRORED
from commensal_federation.delivery.tables import federation_inbox, federation_outbox
from commensal_federation.handlers import TYPES
from commensal_federation.leases.tables import federation_lease
from commensal_federation.messages.envelope import multihash
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.statement import statement_of
from commensal_federation.orders.tables import federation_cut, federation_order, federation_order_line
from commensal_federation.peers.peers import peer_by_id
from commensal_federation.peers.tables import federation_peer
from commensal_federation.signing import canonical

from .liars import is_lie
from .nodes import Node
from .versions import FORECAST, mistaken

if TYPE_CHECKING:
    from .simulation import Simulation

_lease, _lot, _out, _in, _cut = (
    federation_lease.c,
    stock_lot.c,
    federation_outbox.c,
    federation_inbox.c,
    federation_cut.c,
)
_COUNTED = ("LeaseGrant", "LeaseReport", "OrderUpdate", "OrderAnswer", "CatalogueUpsert", "CatalogueWithdraw")
# Who still needs it asks again; and what is not spoken there, nobody misses.
_LOSABLE = ("LeaseRequest", "StockLevel", "Problem", "Forecast")


# What was said to the old home before the sender has followed is said to the new one again.
_TO_THE_OLD_HOME = ("no_lease:", "no_grant:", "moved:")


_FACTS = {
    "leases": select(
        _lease.lot_iri, _lease.role, _lease.epoch, _lease.granted, _lease.seen, _lease.returned, _lease.held,
        _lease.sold, _lease.late,
    ).order_by(_lease.id),
    "lots": select(_lot.id, _lot.free, _lot.reserved, _lot.sold, _lot.lent).order_by(_lot.id),
    "orders": select(
        federation_order.c.iri, federation_order.c.state, federation_order.c.rev, federation_order.c.answer
    ).order_by(federation_order.c.iri),
    "lines": select(federation_order_line).order_by(
        federation_order_line.c.order_id, federation_order_line.c.item_iri
    ),
    "items": select(federation_item.c.iri, federation_item.c.rev, federation_item.c.gone_at).order_by(
        federation_item.c.grant_id, federation_item.c.iri
    ),
    "cuts": select(federation_cut.c.id).order_by(federation_cut.c.id),
}  # fmt: skip


_UNDER_WAY = union_all(
    select(literal("has not delivered").label("what"), _out.type.label("name"), _out.error).where(
        _out.state == "waiting"
    ),
    select(literal("has parked"), _in.type, _in.error).where(_in.state == "parked"),
    select(literal("takes up with"), federation_peer.c.name, literal("")).where(federation_peer.c.recovering),
    select(literal("has to do"), job.c.kind, job.c.error).where(
        job.c.state.in_(("waiting", "running")), job.c.kind != "mail"
    ),
)
_SAID = select(func.count()).select_from(federation_outbox)


def at_once(node: Node) -> Iterator[str]:
    """After each event, at the node where it happened: of the driver, since it is asked so often."""
    ask = node.disk.driver.execute
    for (lot_id,) in ask(_BELOW_ZERO):
        yield f"{node.name}: {lot_id} is below zero"
    for lease_id, epoch, *counts in ask(_COUNTS):
        before = node.counts.get(lease_id)
        if before is not None and (epoch < before[0] or (epoch == before[0] and _fell(before[1:], counts))):
            yield f"{node.name}: counts of {lease_id} were {before} and are {epoch, *counts}"
        node.counts[lease_id] = (epoch, *counts)


def _fell(before: Sequence[int], after: Sequence[int]) -> bool:
    return any(one > other for one, other in zip(before, after, strict=True))


_BELOW_ZERO = "SELECT id FROM stock_lot WHERE free < 0 OR reserved < 0 OR sold < 0 OR lent < 0"
_COUNTS = "SELECT id, epoch, granted, report, seen, returned FROM federation_lease"


def always(simulation: Simulation) -> list[str]:
    found = [*simulation.people.too_late, *simulation.people.idle_elsewhere]
    for node in simulation.nodes.values():
        if node.up:
            with node.disk.read() as tx:
                found += [f"{node.name}: {violation}" for violation in broken_invariants(tx)]
                found += [f"{node.name}: {violation}" for violation in _held_by_right(node, tx)]
    return found + list(_only_grows(simulation))


def under_way(simulation: Simulation) -> list[str]:
    """What still has to happen."""
    found = []
    for node in simulation.nodes.values():
        if not node.up:
            found.append(f"{node.name} has no power")
            continue
        with node.disk.read() as tx:
            found += [f"{node.name} {row['what']} {row['name']} ({row['error']})" for row in tx.all(_UNDER_WAY)]
    return found


def said(simulation: Simulation) -> list[int]:
    """How many messages each has posted."""
    found = []
    for node in simulation.nodes.values():
        with node.disk.read() as tx:
            found.append(int(tx.value(_SAID)))
    return found


def at_rest(simulation: Simulation) -> list[str]:
    found = always(simulation)
    for node in simulation.nodes.values():
        found += _lent_without_grant(simulation, node)
        found += [f"{node.name}: {failure}" for failure in (*node.failures, *_ended(node, simulation))]
        found += [*simulation.people.till.wrong(node), *mistaken(simulation, node)]
    found += [*_units_are_kept(simulation), *_goods_are_kept(simulation), *_leases_agree(simulation)]
    return [*found, *_orders_agree(simulation), *_catalogues_agree(simulation)]


def again(simulation: Simulation) -> list[str]:
    """Every message comes once more; the last ones come to others too, and in other words. Nothing changes."""
    before = {node.name: _lasting(node) for node in simulation.nodes.values()}
    for node in simulation.nodes.values():
        with node.disk.read() as tx:
            sent = tx.all(select(*_out, federation_peer.c.iri).join(federation_peer).order_by(_out.epoch, _out.seq))
        last = {}
        for row in sent:
            target = simulation.node_at(row["iri"].removesuffix("/.well-known/commensal"))
            if row["type"] == FORECAST.name and row["state"] == "dead":
                continue  # what was not spoken there is taken when it comes again after an upgrade, as it should
            _receive(simulation, target, row["body"].encode())
            last[row["peer_id"], row["lane"]] = target, row["body"].encode()
        for target, body in last.values():
            _receive(simulation, target, _forged(body))
            for other in simulation.nodes.values():
                if other not in (target, node):
                    _receive(simulation, other, body)
    for passing in simulation.people.till.passed:
        if not passing.node.restores:
            passing.note()
    changed = [
        f"{node.name}: {table} has changed when messages came once more: {_difference(before[node.name][table], rows)}"
        for node in simulation.nodes.values()
        for table, rows in _lasting(node).items()
        if rows != before[node.name][table]
    ]
    return changed


def _receive(simulation: Simulation, node: Node, body: bytes) -> None:
    simulation.running.append(node)
    receive(node.federation, body)
    simulation.running.pop()


def _difference(before: list[Any], after: list[Any]) -> str:
    return str([row for row in (*before, *after) if (row in before) != (row in after)])[:300]


def _forged(body: bytes) -> bytes:
    """As whoever has seen a message, and has no key, would have it go on."""
    said = json.loads(body)
    said |= {"id": f"{said['id']}0", "seq": said["seq"] + 1, "prev": multihash(body)}
    return canonical(said)


def old_news(simulation: Simulation) -> list[str]:
    """Everybody says once more, as something new, what they said first of each kind. Nothing that counts changes."""
    before = _facts(simulation)
    for node in simulation.nodes.values():
        with node.disk.write() as tx:
            first: dict[tuple[str, str], Any] = {}
            for row in tx.all(select(federation_outbox).where(_out.type.in_(_COUNTED)).order_by(_out.epoch, _out.seq)):
                first.setdefault((row["peer_id"], row["type"]), row)
            for (peer_id, name), row in first.items():
                peer, envelope = peer_by_id(tx, peer_id), own_envelope(row["body"])
                sent = sent_of(node.federation, peer, TYPES[name], envelope)
                post(node.federation, tx, peer_id, name, sent.body, on_behalf_of=sent.on_behalf_of)
        simulation.touched.add(node.name)
    simulation.settle(silent=True)
    after = _facts(simulation)
    away = [lot for node in simulation.nodes.values() for lot in _well(node)]
    return [
        *away,
        *(
            f"old news have changed {place}: {before[place]} is {after[place]}"
            for place in after
            if before[place] != after[place]
        ),
    ]


def _facts(simulation: Simulation) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in simulation.nodes.values():
        with node.disk.read() as tx:
            for name, wanted in _FACTS.items():
                found[f"{name} of {node.name}"] = [tuple(row.values()) for row in tx.all(wanted)]
    return found


def _lasting(node: Node) -> dict[str, Any]:
    """But for when a peer was heard of last, notes for humans, and jobs that look whether something is missing."""
    passing = ("federation_peer", "federation_alert", "federation_lane", "job")
    return {name: rows for name, rows in node.rows().items() if name not in passing}


# --------------------------------------------------------------------------------------------------- of one instance


def _held_by_right(node: Node, tx: Transaction) -> Iterator[str]:
    """A holder has what it was granted, and not a unit more, but for what its scales found."""
    if node.restores:
        return
    for row in tx.all(_HOLDINGS):
        has = row["free"] + row["reserved"] + row["lot_lent"] + row["lot_sold"] - row["sold_before"] + row["returned"]
        found = max(0, _found(tx, row["lot_id"]))  # as long as no later grant has made up for it
        if row["epoch"] == 1 and not row["granted"] <= has <= row["granted"] + found:
            yield f"{row['lot_id']} has {has}, and was granted {row['granted']}"


def _found(tx: Transaction, lot_id: str) -> int:
    """Grains that scales have found, or a loss has taken, at this place."""
    return int(tx.value(_FOUND, {"lot": lot_id}))


_move = stock_movement.c
_CHANGES = func.coalesce(func.sum(_move.free_change + _move.reserved_change + _move.sold_change + _move.lent_change), 0)
_JOURNAL = select(_CHANGES).where(_move.lot_id == bindparam("lot"))
_LEVELS = select(_lot.free, _lot.reserved, _lot.sold).where(_lot.id == bindparam("lot"))
_FOUND = select(_CHANGES).where(
    _move.lot_id == bindparam("lot"), _move.kind.notin_(("leased", "taken", "released", "sold", "restocked"))
)


def _found_by_scales(node: Node, lot_id: str) -> int:
    with node.disk.read() as tx:
        return max(0, _found(tx, lot_id))


def _ended(node: Node, simulation: Simulation) -> Iterator[str]:
    """Every message has come, and every job is done, or waits for nobody."""
    with node.disk.read() as tx:
        for row in tx.all(select(job.c.kind, job.c.error).where(job.c.state == "parked")):
            yield f"the job {row['kind']} was given up: {row['error']}"
        if simulation.figures["restores"] or simulation.liar is not None:
            return
        for box, name in ((federation_outbox, "sent"), (federation_inbox, "received")):
            dead = select(box.c.type, box.c.error, box.c.id).where(box.c.state == "dead")
            for row in tx.all(dead.where(box.c.type.notin_(_LOSABLE))):
                if simulation.people.done["moves"] and row["error"].startswith(_TO_THE_OLD_HOME):
                    continue
                yield f"{row['type']} was {name} in vain: {row['error']}"


def _lent_without_grant(simulation: Simulation, node: Node) -> list[str]:
    """Whose grant was taken back gets no more units."""
    found = []
    with node.disk.read() as tx:
        for (name, peer_id), before in simulation.people.revoked.items():
            if name != node.name or simulation.figures["restores"]:
                continue
            now = tx.all(select(_lease.id, _lease.epoch, _lease.granted).where(_lease.peer_id == peer_id))
            found += [
                f"{name} has lent {row['granted']} of {row['id']} to whom it has granted nothing"
                for row in now
                if row["granted"] > before.get((row["id"], row["epoch"]), 0)
            ]
    return found


def _well(node: Node) -> Iterator[str]:
    """Nobody who was just written to counts as away."""
    row = federation_peer.c
    with node.disk.read() as tx:
        for one in tx.all(select(row.name, row.failures).where(row.breaker != "closed")):
            yield f"{node.name}: {one['name']} counts as away, with {one['failures']} failures"


def _leased(role: str) -> Any:
    levels = (_lot.free, _lot.reserved, _lot.lent.label("lot_lent"), _lot.sold.label("lot_sold"), _lot.per_unit)
    return (
        select(*_lease, *levels)
        .join(stock_lot, _lot.id == _lease.lot_id)
        .where(_lease.role == role)
        .order_by(_lease.id)
    )


_LENT, _HOLDINGS = _leased("lender"), _leased("holder")
_HELD = _HOLDINGS.where(_lease.lot_iri == bindparam("lot"))
_PEERS = select(federation_peer.c.id, federation_peer.c.iri)


# --------------------------------------------------------------------------------------------------- of two


def _pairs(simulation: Simulation) -> Iterator[tuple[Node, Node, Row, Row | None]]:
    """Each lease as its lender sees it, and its holder."""
    for lender in simulation.nodes.values():
        with lender.disk.read() as tx:
            given = tx.all(_LENT)
            iris = {row["id"]: row["iri"] for row in tx.all(_PEERS)}
        for row in given:
            holder = simulation.node_at(iris[row["peer_id"]].removesuffix("/.well-known/commensal"))
            with holder.disk.read() as tx:
                seen = tx.first(_HELD, {"lot": row["lot_iri"]})
            if simulation.liar is None or holder is not simulation.liar.node:  # what a liar says of itself is not so
                yield lender, holder, row, seen


def _only_grows(simulation: Simulation) -> Iterator[str]:
    """The lender has granted what the holder knows of, and the holder has given back what the lender knows of."""
    if any(not node.up or node.restores for node in simulation.nodes.values()):
        return
    for lender, holder, row, seen in _pairs(simulation):
        if seen is None or seen["epoch"] != row["epoch"]:
            continue
        if seen["granted"] > row["granted"]:
            yield f"{holder.name} was granted {seen['granted']} of {row['lot_iri']}, {lender.name}: {row['granted']}"
        if seen["returned"] < row["returned"]:
            yield f"{lender.name} got back {row['returned']} of {row['lot_iri']}, {holder.name} {seen['returned']}"


def _units_are_kept(simulation: Simulation) -> Iterator[str]:
    """Produced = free + reserved + sold, over all instances: each unit is counted where it lies. What was sold late, of
    what nobody had granted, is not there."""
    pairs = [pair for pair in _pairs(simulation) if pair[3] is not None]

    def elsewhere(node: Node, lot_id: str) -> int:
        found = 0
        for lender, holder, row, seen in pairs:
            if seen is not None and (lender, row["lot_id"]) == (node, lot_id):
                lent_on = elsewhere(holder, seen["lot_id"])
                found += max(0, seen["free"] + seen["reserved"] + lent_on - row["late"])
        return found

    for farm in simulation.people.farms if simulation.liar is None else ():
        node = simulation.nodes[farm.node]
        with node.disk.read() as tx:
            for lot_id, _ in farm.goods.values():
                lot, produced = tx.one(_LEVELS, {"lot": lot_id}), tx.value(_JOURNAL, {"lot": lot_id})
                here, away = lot["free"] + lot["reserved"] + lot["sold"], elsewhere(node, lot_id)
                if produced != here + away:
                    yield f"{node.name} produced {produced} of {lot_id}: {here} are here, and {away} elsewhere"


def _goods_are_kept(simulation: Simulation) -> Iterator[str]:
    """What was produced and found, less what is missing, lies somewhere or was handed over, whoever lends it to whom.

    Not where there may be more than was produced: after lies, restores and forced returns.
    """
    if simulation.liar is not None or simulation.figures["restores"] or simulation.people.done["forced"]:
        return
    produced = there = handed_over = 0
    for node in simulation.nodes.values():
        with node.disk.read() as tx:
            produced += int(tx.value(_PRODUCED))
            there += int(tx.value(_THERE))
            handed_over += sum(_grains(line) for line in tx.execute(_HANDED_OVER).mappings())
    if produced != there + handed_over:
        yield f"{produced} were produced, {there} are there, and {handed_over} handed over"


_PRODUCED = select(_CHANGES).where(_move.kind.notin_(("leased", "lent", "taken", "released", "sold", "restocked")))
_THERE = select(func.coalesce(func.sum(_lot.free + _lot.reserved), 0))
_HANDED_OVER = (
    select(order_line.c.lot_quantity, order_line.c.quantity, order_line.c.final_quantity, order_line.c.unit_quantity)
    .join(customer_order, customer_order.c.id == order_line.c.order_id)
    .where(customer_order.c.state.in_(("Held", "Complete")), customer_order.c.fulfilment_state == "Fulfilled")
)


def _leases_agree(simulation: Simulation) -> Iterator[str]:
    lent: dict[tuple[str, str], int] = {}
    for lender, holder, row, seen in _pairs(simulation):
        if seen is None:
            yield f"{holder.name} knows nothing of its lease of {row['lot_iri']}"
            continue
        about = f"of {row['lot_iri']} {holder.name} and {lender.name} say"
        for name in ("epoch", "granted", "report", "seen", "returned", "held", "sold"):
            if row[name] != seen[name]:
                yield f"{about} {name} {seen[name]} and {row[name]}"
        if row["seen"] != row["granted"]:
            yield f"{about} seen {row['seen']} of {row['granted']} granted"
        here = (seen["free"] + seen["reserved"] + seen["lot_lent"], seen["lot_sold"] - seen["sold_before"])
        if here != (row["held"], row["sold"]):
            yield f"{about} held and sold {here} and {(row['held'], row['sold'])}"
        over = row["held"] + row["sold"] + row["returned"] - row["granted"]
        if row["per_unit"] == 1 and row["late"] != max(0, over):
            yield f"{about} {over} more than granted, of which {row['late']} are noted"
        explained = simulation.people.done["forced"] or simulation.figures["restores"]
        if row["late"] > _found_by_scales(holder, seen["lot_id"]) and not explained:
            yield f"{about} {row['late']} sold late, and nothing was forced"
        at = (lender.name, row["lot_id"])
        lent[at] = lent.get(at, 0) + row["granted"] - row["seen"] + max(0, row["held"] - row["late"])
    for (name, lot_id), out in lent.items() if simulation.liar is None else ():
        with simulation.nodes[name].disk.read() as tx:
            there = tx.value(select(_lot.lent).where(_lot.id == lot_id))
        if there != out:
            yield f"{name} has lent {there} of {lot_id}, its leases hold {out}"


def _orders_agree(simulation: Simulation) -> Iterator[str]:
    theirs: dict[tuple[str, str], tuple[Node, Any]] = {}
    for node in simulation.nodes.values():
        with node.disk.read() as tx:
            for owner in tx.all(select(federation_order.c.enterprise_id).distinct()):
                theirs |= {
                    (order.role, order.iri): (node, order) for order in orders_of(tx, owner["enterprise_id"], limit=500)
                }
    for (role, iri), (node, order) in sorted(theirs.items(), key=lambda one: one[0]):
        other = theirs.get(("supplier" if role == "buyer" else "buyer", iri))
        if is_lie(iri):
            continue
        if other is None and role == "buyer" and _lives_here(node, order.other_iri):
            continue  # its own customers ordered that, of who has moved in since
        if other is None:
            yield f"{node.name} alone knows the order {iri} ({role})"
            continue
        if role == "supplier":
            continue
        said, heard = _said(order), _said(other[1])
        if said != heard:
            yield f"the order {iri} is {said} at {node.name} and {heard} at {other[0].name}"
        yield from _is_what_customers_want(node, order)
        if order.session_id and order.state == "Held":
            yield f"{node.name} has not told that the sale of {iri} is over"
        if any(not line.answer for line in order.lines):
            yield f"nobody has answered the order {iri} of {node.name}"


def _lives_here(node: Node, iri: str) -> bool:
    with node.disk.read() as tx:
        moved_to = authority_of(tx, iri).moved_to
    return moved_to.startswith(f"{node.base}/")


def _said(order: Any) -> Any:
    lines = [
        (line.item_iri, line.price, line.quantity, line.answer, line.coming, line.final_quantity)
        for line in order.lines
    ]
    return order.state, order.rev, order.answer, lines, statement_of(order).total


def _is_what_customers_want(node: Node, order: Any) -> Iterator[str]:
    with node.disk.read() as tx:
        if tx.first(select(federation_order.c.id).where(federation_order.c.iri == order.session_iri)) is not None:
            return  # it is passed on
        products = {line.product_id: line for line in order.lines}
        row = ordered_of(tx, order.session_id, _suppliers(tx, products))
        by_hand = {
            row["item_iri"]
            for row in tx.all(select(_cut.item_iri).where(_cut.order_id == order.id, _cut.customer_order_id.is_(None)))
        }
    wanted = {line.product_id: line.quantity for line in row}
    for product, line in products.items():
        if wanted.get(product, 0) != line.quantity:
            yield f"customers at {node.name} have {wanted.get(product, 0)} of {line.name}, told: {line.quantity}"
        elif line.coming != line.quantity and line.item_iri not in by_hand:
            yield f"customers at {node.name} have ordered {line.quantity} of {line.name}, and {line.coming} will come"


def _suppliers(tx: Transaction, products: Any) -> list[str]:
    row = supplied_product.c
    return [
        row["enterprise_id"] for row in tx.all(select(row.enterprise_id).where(row.id.in_(sorted(products))).distinct())
    ]


def _catalogues_agree(simulation: Simulation) -> Iterator[str]:
    room = MIRRORED["catalogue"]
    for one, two in simulation.world.peers:
        here, there = simulation.nodes[one], simulation.nodes[two]
        with here.disk.read() as tx:
            told = room.digests(here.federation, tx, here.peer_in(tx, there))
        for name, digest in told.items():
            with there.disk.read() as tx:
                seen = room.seen(there.federation, tx, there.peer_in(tx, here), name)
            if seen != digest:
                yield f"{there.name} does not know what {here.name} lists: {name}"

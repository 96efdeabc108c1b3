"""Conditions that must hold always, and those that must hold at rest. Each violation is a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, literal, select, union_all

from commensal.orders.tables import customer_order, order_line
from commensal.parts.checks.invariants import _grains, broken_invariants
from commensal.parts.distribution.distribution import ordered_of
from commensal.products.tables import supplied_product
from commensal.stock.tables import stock_lot, stock_movement
from commensal.storage.database import Row, Transaction
from commensal.storage.jobs.tables import job
from commensal_federation.catalogue.tables import federation_item
from commensal_federation.delivery import post
from commensal_federation.delivery.inbox.receiving import receive
from commensal_federation.delivery.outbox.failed import own_envelope
from commensal_federation.delivery.restore.restored import sent_of
from commensal_federation.delivery.sync.states import MIRRORED
from commensal_federation.delivery.tables import federation_alert, federation_inbox, federation_outbox
from commensal_federation.grants.questions import grants_between
from commensal_federation.grants.tables import federation_lease
from commensal_federation.handlers import TYPES
from commensal_federation.messages.envelope import multihash
from commensal_federation.notices import CONDITIONS
from commensal_federation.notices.tables import federation_notice
from commensal_federation.orders.questions import order_by_iri, orders_of
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
# Who still needs it asks again; and a type unknown to a peer is missed by nobody.
_LOSABLE = ("LeaseRequest", "StockLevel", "Problem", "Forecast")


# What was said to the old home before the sender has followed is said to the new one again.
_TO_THE_OLD_HOME = ("no_lease:", "no_grant:", "moved:")


_FACTS = {
    "leases": select(
        _lease.lot_iri,
        _lease.role,
        _lease.epoch,
        _lease.granted,
        _lease.seen,
        _lease.returned,
        _lease.held,
        _lease.sold,
        _lease.late,
    ).order_by(_lease.id),
    "lots": select(_lot.id, _lot.free, _lot.reserved, _lot.sold, _lot.lent).order_by(_lot.id),
    "orders": select(
        federation_order.c.iri, federation_order.c.state, federation_order.c.rev, federation_order.c.answer
    ).order_by(federation_order.c.iri),
    "lines": select(federation_order_line).order_by(federation_order_line.c.order_id, federation_order_line.c.item_iri),
    "items": select(federation_item.c.iri, federation_item.c.rev, federation_item.c.gone_at).order_by(
        federation_item.c.grant_id, federation_item.c.iri
    ),
    "cuts": select(federation_cut.c.id).order_by(federation_cut.c.id),
}


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
_MAILED_WITHIN = timedelta(minutes=5)
_SAID = select(func.count()).select_from(federation_outbox)


def at_once(node: Node) -> Iterator[str]:
    """Checks after each event, at the node where it happened. It queries the driver, since it runs so often."""
    ask = node.disk.driver.execute
    for (lot_id,) in ask(_BELOW_ZERO):
        yield f"{node.name}: {lot_id} is below zero"
    for lease_id, epoch, *counts in ask(_COUNTS):
        counts_before = node.counts.get(lease_id)
        if counts_before is not None and (
            epoch < counts_before[0] or (epoch == counts_before[0] and _fell(counts_before[1:], counts))
        ):
            yield f"{node.name}: counts of {lease_id} were {counts_before} and are {epoch, *counts}"
        node.counts[lease_id] = (epoch, *counts)


def _fell(before: Sequence[int], after: Sequence[int]) -> bool:
    return any(previous > current for previous, current in zip(before, after, strict=True))


_BELOW_ZERO = "SELECT id FROM stock_lot WHERE free < 0 OR reserved < 0 OR sold < 0 OR lent < 0"
_COUNTS = "SELECT id, epoch, granted, report, seen, returned FROM federation_lease"


def always(simulation: Simulation) -> list[str]:
    violations = [*simulation.people.too_late, *simulation.people.idle_elsewhere]
    for node in simulation.nodes.values():
        if node.up:
            with node.disk.read() as tx:
                violations += [f"{node.name}: {violation}" for violation in broken_invariants(tx)]
                violations += [f"{node.name}: {violation}" for violation in _held_by_right(node, tx)]
    return violations + list(_only_grows(simulation))


def under_way(simulation: Simulation) -> list[str]:
    """Lists what still has to happen."""
    pending = []
    for node in simulation.nodes.values():
        if not node.up:
            pending.append(f"{node.name} has no power")
            continue
        with node.disk.read() as tx:
            pending += [f"{node.name} {row['what']} {row['name']} ({row['error']})" for row in tx.all(_UNDER_WAY)]
    return pending


def count_posted(simulation: Simulation) -> list[int]:
    """Counts the messages that each instance has posted."""
    counts = []
    for node in simulation.nodes.values():
        with node.disk.read() as tx:
            counts.append(int(tx.value(_SAID)))
    return counts


def at_rest(simulation: Simulation) -> list[str]:
    violations = always(simulation)
    for node in simulation.nodes.values():
        violations += _lent_without_grant(simulation, node)
        violations += [f"{node.name}: {failure}" for failure in (*node.failures, *_ended(node, simulation))]
        violations += [*simulation.people.till.wrong(node), *mistaken(simulation, node), *_untold(node)]
    violations += [*_units_are_kept(simulation), *_goods_are_kept(simulation), *_leases_agree(simulation)]
    return [*violations, *_orders_agree(simulation), *_catalogues_agree(simulation)]


def again(simulation: Simulation) -> list[str]:
    """Delivers every message once more; the last ones also reach others, and in changed form. Nothing may change."""
    before = {node.name: _lasting(node) for node in simulation.nodes.values()}
    for node in simulation.nodes.values():
        with node.disk.read() as tx:
            sent = tx.all(select(*_out, federation_peer.c.iri).join(federation_peer).order_by(_out.epoch, _out.seq))
        last_messages = {}
        for row in sent:
            target = simulation.node_at(row["iri"].removesuffix("/.well-known/commensal"))
            if row["type"] == FORECAST.name and row["state"] == "dead":
                continue  # a type that was unknown there is taken when it comes again after an upgrade, as it should be
            if row["type"] in TYPES and TYPES[row["type"]].fades and row["state"] == "discarded":
                continue  # it expired before it came for the first time
            _receive(simulation, target, row["body"].encode())
            last_messages[row["peer_id"], row["lane"]] = target, row["body"].encode()
        for target, body in last_messages.values():
            _receive(simulation, target, _forged(body))
            for recipient in simulation.nodes.values():
                if recipient not in (target, node):
                    _receive(simulation, recipient, body)
    for payment in simulation.people.till.passed:
        if not payment.node.restores:
            payment.note()
    violations = [
        f"{node.name}: {table} has changed when messages came once more: {_difference(before[node.name][table], rows)}"
        for node in simulation.nodes.values()
        for table, rows in _lasting(node).items()
        if rows != before[node.name][table]
    ]
    return violations


def _receive(simulation: Simulation, node: Node, body: bytes) -> None:
    simulation.running.append(node)
    receive(node.federation, body)
    simulation.running.pop()


def _difference(before: list[Any], after: list[Any]) -> str:
    return str([row for row in (*before, *after) if (row in before) != (row in after)])[:300]


def _forged(body: bytes) -> bytes:
    """Returns the message as somebody without a key would continue it."""
    message = json.loads(body)
    message |= {"id": f"{message['id']}0", "seq": message["seq"] + 1, "prev": multihash(body)}
    return canonical(message)


def old_news(simulation: Simulation) -> list[str]:
    """All send again, as new messages, the first of each type that they sent. No fact may change."""
    facts_before = _facts(simulation)
    for node in simulation.nodes.values():
        with node.disk.write() as tx:
            first_of_type: dict[tuple[str, str], Any] = {}
            for row in tx.all(select(federation_outbox).where(_out.type.in_(_COUNTED)).order_by(_out.epoch, _out.seq)):
                first_of_type.setdefault((row["peer_id"], row["type"]), row)
            for (peer_id, name), row in first_of_type.items():
                peer, envelope = peer_by_id(tx, peer_id), own_envelope(row["body"])
                sent = sent_of(node.federation, peer, TYPES[name], envelope)
                post(node.federation, tx, peer_id, name, sent.body, on_behalf_of=sent.on_behalf_of)
        simulation.touched.add(node.name)
    simulation.settle(silent=True)
    facts_after = _facts(simulation)
    away = [lot for node in simulation.nodes.values() for lot in _well(node)]
    return [
        *away,
        *(
            f"old news have changed {place}: {facts_before[place]} is {facts_after[place]}"
            for place in facts_after
            if facts_before[place] != facts_after[place]
        ),
    ]


def _facts(simulation: Simulation) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for node in simulation.nodes.values():
        with node.disk.read() as tx:
            for name, query in _FACTS.items():
                facts[f"{name} of {node.name}"] = [tuple(row.values()) for row in tx.all(query)]
    return facts


def _lasting(node: Node) -> dict[str, Any]:
    """Returns all rows except when a peer was last heard of, alerts, notices, and jobs that look for gaps."""
    transient_tables = (
        "federation_peer",
        "federation_alert",
        "federation_notice",
        "federation_lane",
        "federation_notice",
        "job",
    )
    return {name: rows for name, rows in node.rows().items() if name not in transient_tables}


# --------------------------------------------------------------------------------------------------- of one instance


def _held_by_right(node: Node, tx: Transaction) -> Iterator[str]:
    """A holder has what it was granted and no more, except for what its scales found."""
    if node.restores:
        return
    for row in tx.all(_HOLDINGS):
        held_in_total = (
            row["free"] + row["reserved"] + row["lot_lent"] + row["lot_sold"] - row["sold_before"] + row["returned"]
        )
        found_by_scales = max(0, _found(tx, row["lot_id"]))  # until a later grant makes up for it
        if row["epoch"] == 1 and not row["granted"] <= held_in_total <= row["granted"] + found_by_scales:
            yield f"{row['lot_id']} has {held_in_total}, and was granted {row['granted']}"


def _found(tx: Transaction, lot_id: str) -> int:
    """Grains that scales have found, or that a loss has taken, at this place."""
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
    """Every message has arrived, and every job is done or has nothing to wait for."""
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
    """A peer whose grant was taken back gets no more units, unless another enterprise here grants it the same goods."""
    violations = []
    with node.disk.read() as tx:
        granted_to = {grant.peer_id for grant in grants_between(tx, direction="given") if grant.state == "accepted"}
        for (name, peer_id), granted_before in simulation.people.revoked.items():
            if name != node.name or simulation.figures["restores"] or peer_id in granted_to:
                continue
            lent_to = (_lease.role == "lender", _lease.peer_id == peer_id)
            now = tx.all(select(_lease.id, _lease.epoch, _lease.granted).where(*lent_to))
            violations += [
                f"{name} has lent {row['granted']} of {row['id']} to whom it has granted nothing"
                for row in now
                if row["granted"] > granted_before.get((row["id"], row["epoch"]), 0)
            ]
    return violations


def _untold(node: Node) -> Iterator[str]:
    """Every broken rule of a peer, and every order that waits for a producer, was mailed since, or will be.

    An alert that a fast clock has dated may bear a later time than its mail, by as much as that clock was wrong.
    """
    alert, notice, order, line = federation_alert.c, federation_notice.c, federation_order.c, federation_order_line.c
    of_alert = (notice.enterprise_id == "") & (notice.kind == alert.kind) & (notice.peer_id == alert.peer_id)
    of_order = (notice.kind == "order_waits") & (notice.subject_id == order.id)
    noted = (notice.waiting, notice.due_at, notice.mailed_at)
    alerts = select(alert.kind.label("about"), alert.last_at.label("since"), *noted).outerjoin(
        federation_notice, of_alert
    )
    orders = select(order.id.label("about"), literal(None).label("since"), *noted).outerjoin(
        federation_notice, of_order
    )
    unanswered = select(line.order_id).where(line.answer == "", line.quantity > 0)
    complete = (order.role == "supplier", order.state == "Complete", order.id.in_(unanswered))
    with node.disk.read() as tx:
        for row in (*tx.all(alerts.where(alert.kind.in_(CONDITIONS))), *tx.all(orders.where(*complete))):
            is_due = row["waiting"] and row["due_at"] < tx.now - _MAILED_WITHIN
            mailed_by = row["mailed_at"] and row["mailed_at"] + node.largest_skew
            is_mailed = mailed_by is not None and (row["since"] is None or mailed_by >= row["since"])
            if row["waiting"] is None or is_due or not (row["waiting"] or is_mailed):
                yield f"{node.name}: nobody was mailed about {row['about']}"


def _well(node: Node) -> Iterator[str]:
    """A peer that was just written to does not count as away."""
    row = federation_peer.c
    with node.disk.read() as tx:
        for peer in tx.all(select(row.name, row.failures).where(row.breaker != "closed")):
            yield f"{node.name}: {peer['name']} counts as away, with {peer['failures']} failures"


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
    """Yields each lease as its lender sees it, and as its holder does."""
    for lender in simulation.nodes.values():
        with lender.disk.read() as tx:
            lent_rows = tx.all(_LENT)
            iris = {row["id"]: row["iri"] for row in tx.all(_PEERS)}
        for row in lent_rows:
            holder = simulation.node_at(iris[row["peer_id"]].removesuffix("/.well-known/commensal"))
            with holder.disk.read() as tx:
                held = tx.first(_HELD, {"lot": row["lot_iri"]})
            if simulation.liar is None or holder is not simulation.liar.node:  # a liar's own figures are not true
                yield lender, holder, row, held


def _only_grows(simulation: Simulation) -> Iterator[str]:
    """The lender has granted what the holder knows of, and the holder has given back what the lender knows of."""
    if any(not node.up or node.restores for node in simulation.nodes.values()):
        return
    for lender, holder, row, held in _pairs(simulation):
        if held is None or held["epoch"] != row["epoch"]:
            continue
        if held["granted"] > row["granted"]:
            yield f"{holder.name} was granted {held['granted']} of {row['lot_iri']}, {lender.name}: {row['granted']}"
        if held["returned"] < row["returned"]:
            yield f"{lender.name} got back {row['returned']} of {row['lot_iri']}, {holder.name} {held['returned']}"


def _units_are_kept(simulation: Simulation) -> Iterator[str]:
    """Produced = free + reserved + sold, over all instances: each unit is counted where it lies. What was sold late,
    beyond any grant, does not exist.
    """
    pairs = [pair for pair in _pairs(simulation) if pair[3] is not None]

    def held_by_others(node: Node, lot_id: str) -> int:
        total = 0
        for lender, holder, row, held in pairs:
            if held is not None and (lender, row["lot_id"]) == (node, lot_id):
                lent_on = held_by_others(holder, held["lot_id"])
                total += max(0, held["free"] + held["reserved"] + lent_on - row["late"])
        return total

    for farm in simulation.people.farms if simulation.liar is None else ():
        node = simulation.nodes[farm.node]
        with node.disk.read() as tx:
            for lot_id, _ in farm.goods.values():
                lot, produced = tx.one(_LEVELS, {"lot": lot_id}), tx.value(_JOURNAL, {"lot": lot_id})
                here, away = lot["free"] + lot["reserved"] + lot["sold"], held_by_others(node, lot_id)
                if produced != here + away:
                    yield f"{node.name} produced {produced} of {lot_id}: {here} are here, and {away} elsewhere"


def _goods_are_kept(simulation: Simulation) -> Iterator[str]:
    """What was produced and found, less what is missing, lies somewhere or was handed over, whoever lends it to whom.

    Of schedules with a move; not where there may be more than was produced: after lies, restores and forced returns.
    """
    if (
        not simulation.plan.moves
        or simulation.liar is not None
        or simulation.figures["restores"]
        or simulation.people.done["forced"]
    ):
        return
    produced = present = handed_over = 0
    for node in simulation.nodes.values():
        with node.disk.read() as tx:
            produced += int(tx.value(_PRODUCED))
            present += int(tx.value(_THERE))
            handed_over += sum(_grains(line) for line in tx.execute(_HANDED_OVER).mappings())
    if produced != present + handed_over:
        yield f"{produced} were produced, {present} are there, and {handed_over} handed over"


_PRODUCED = select(_CHANGES).where(_move.kind.notin_(("leased", "lent", "taken", "released", "sold", "restocked")))
_THERE = select(func.coalesce(func.sum(_lot.free + _lot.reserved), 0))
_HANDED_OVER = (
    select(order_line.c.lot_quantity, order_line.c.quantity, order_line.c.final_quantity, order_line.c.unit_quantity)
    .join(customer_order, customer_order.c.id == order_line.c.order_id)
    .where(customer_order.c.state.in_(("Held", "Complete")), customer_order.c.fulfilment_state == "Fulfilled")
)


def _leases_agree(simulation: Simulation) -> Iterator[str]:
    lent: dict[tuple[str, str], int] = {}
    for lender, holder, row, held in _pairs(simulation):
        if held is None:
            yield f"{holder.name} knows nothing of its lease of {row['lot_iri']}"
            continue
        prefix = f"of {row['lot_iri']} {holder.name} and {lender.name} say"
        for name in ("epoch", "granted", "report", "seen", "returned", "held", "sold"):
            if row[name] != held[name]:
                yield f"{prefix} {name} {held[name]} and {row[name]}"
        if row["seen"] != row["granted"]:
            yield f"{prefix} seen {row['seen']} of {row['granted']} granted"
        sold = held["lot_sold"] - held["sold_before"]
        undone = max(0, -sold)  # sold before a forced return, and taken back since: for the lender it is sold
        holder_figures = (max(0, held["free"] + held["reserved"] + held["lot_lent"] - undone), max(0, sold))
        if holder_figures != (row["held"], row["sold"]):
            yield f"{prefix} held and sold {holder_figures} and {(row['held'], row['sold'])}"
        excess = row["held"] + row["sold"] + row["returned"] - row["granted"]
        if row["per_unit"] == 1 and row["late"] != max(0, excess):
            yield f"{prefix} {excess} more than granted, of which {row['late']} are noted"
        is_explained = simulation.people.done["forced"] or simulation.figures["restores"]
        if row["late"] > _found_by_scales(holder, held["lot_id"]) and not is_explained:
            yield f"{prefix} {row['late']} sold late, and nothing was forced"
        lot_at_lender = (lender.name, row["lot_id"])
        lent[lot_at_lender] = (
            lent.get(lot_at_lender, 0) + row["granted"] - row["seen"] + max(0, row["held"] - row["late"])
        )
    for (name, lot_id), lent_out in lent.items() if simulation.liar is None else ():
        with simulation.nodes[name].disk.read() as tx:
            lent_at_lender = tx.value(select(_lot.lent).where(_lot.id == lot_id))
        if lent_at_lender != lent_out:
            yield f"{name} has lent {lent_at_lender} of {lot_id}, its leases hold {lent_out}"


def _orders_agree(simulation: Simulation) -> Iterator[str]:
    orders_by_role: dict[tuple[str, str], tuple[Node, Any]] = {}
    for node in simulation.nodes.values():
        with node.disk.read() as tx:
            for owner in tx.all(select(federation_order.c.enterprise_id).distinct()):
                orders_by_role |= {
                    (order.role, order.iri): (node, order) for order in orders_of(tx, owner["enterprise_id"], limit=500)
                }
    for (role, iri), (node, order) in sorted(orders_by_role.items(), key=lambda item: item[0]):
        counterpart = orders_by_role.get(("supplier" if role == "buyer" else "buyer", iri))
        if is_lie(iri):
            continue
        if counterpart is None and role == "buyer" and order.other_iri.startswith(f"{node.base}/"):
            continue  # its own customers ordered that of a producer that has moved in since
        if counterpart is None:
            yield f"{node.name} alone knows the order {iri} ({role})"
            continue
        if role == "supplier":
            continue
        buyer_view, supplier_view = _said(order), _said(counterpart[1])
        if buyer_view != supplier_view:
            yield f"the order {iri} is {buyer_view} at {node.name} and {supplier_view} at {counterpart[0].name}"
        yield from _is_what_customers_want(node, order)
        if order.session_id and order.state == "Held":
            yield f"{node.name} has not told that the sale of {iri} is over"
        if any(not line.answer for line in order.lines):
            yield f"nobody has answered the order {iri} of {node.name}"


def _said(order: Any) -> Any:
    lines = [
        (line.item_iri, line.price, line.quantity, line.answer, line.coming, line.final_quantity)
        for line in order.lines
    ]
    return order.state, order.rev, order.answer, lines, statement_of(order).total


def _is_what_customers_want(node: Node, order: Any) -> Iterator[str]:
    with node.disk.read() as tx:
        passed_on = order_by_iri(tx, order.session_iri)
        if passed_on is not None:
            yield from _is_passed_back(node, order, passed_on)
            return
        products = {line.product_id: line for line in order.lines}
        row = ordered_of(tx, order.session_id, _suppliers(tx, products))
        by_hand = {
            row["item_iri"]
            for row in tx.all(select(_cut.item_iri).where(_cut.order_id == order.id, _cut.customer_order_id.is_(None)))
        }
    quantities = {line.product_id: line.quantity for line in row}
    for product, line in products.items():
        if quantities.get(product, 0) != line.asked:
            yield f"customers at {node.name} have {quantities.get(product, 0)} of {line.name}, told: {line.asked}"
        elif line.wanted is None and line.coming != line.quantity and line.item_iri not in by_hand:
            yield f"customers at {node.name} have ordered {line.quantity} of {line.name}, and {line.coming} will come"


def _is_passed_back(node: Node, order: Any, passed_on: Any) -> Iterator[str]:
    """A reseller has promised to the next hub what the producer has promised to it."""
    answered = {line.product_id: line for line in order.lines}
    for line in passed_on.lines:
        promised = answered.get(line.product_id)
        if promised is not None and line.coming != promised.coming and passed_on.state != "Cancelled":
            name = f"{line.name} to {passed_on.other_name}"
            yield f"{node.name} promised {line.coming} {name}, and gets {promised.coming}"


def _suppliers(tx: Transaction, products: Any) -> list[str]:
    row = supplied_product.c
    return [
        row["enterprise_id"] for row in tx.all(select(row.enterprise_id).where(row.id.in_(sorted(products))).distinct())
    ]


def _catalogues_agree(simulation: Simulation) -> Iterator[str]:
    room = MIRRORED["catalogue"]
    for first_name, second_name in simulation.world.peers:
        sender, recipient = simulation.nodes[first_name], simulation.nodes[second_name]
        with sender.disk.read() as tx:
            digests = room.digests(sender.federation, tx, sender.peer_in(tx, recipient))
        for name, digest in digests.items():
            with recipient.disk.read() as tx:
                digest_there = room.seen(recipient.federation, tx, recipient.peer_in(tx, sender), name)
            if digest_there != digest:
                yield f"{recipient.name} does not know what {sender.name} lists: {name}"

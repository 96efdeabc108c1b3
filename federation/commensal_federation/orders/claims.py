"""What a producer's instance says to a hub that owes less, or more, than was confirmed: by itself, or a person does.

Once an order is complete and confirmed, the hub can take nothing of it back by its own word: fewer pieces, a
cancellation, and what it says that it got are claims. A claim counts by itself where it follows from the order, and
where what the producer loses by it is within its allowance. Everything else waits for the producer's people, who
agree or object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from commensal import Conflict, Invalid, Problem, Stale, SuppliedProduct, Transaction, read_text
from commensal.products import products_by_id

from ..allowance.budget import Kind, draw
from ..authority.authority import refuse_moving
from ..messages.bodies.order_facts import BY_ITSELF
from ..messages.bodies.orders import InstanceOrder, Line
from ..messages.order_answer import MOST_WORDS, Receipt
from ..runtime import Federation
from .notices import note_claim
from .questions import order_of
from .send_answer import send_answer
from .statement import answered_statement, claim_of, received_statement, wanted_statement

_TOLERANCE = Decimal(30)  # percent that weighed pieces may weigh more or less where their producer says nothing
_AFTERWARDS = timedelta(days=60)  # of the distribution; what is said later waits for a person
_LATEST_START = timedelta(days=60)  # after the order became complete: a distribution that a hub says for later
_ROUNDING = Decimal("0.01")  # of an amount, and a minor unit a piece at most: it is rounded for each customer


def settled_from(begins_at: datetime | None, now: datetime) -> datetime:
    """From when on claims have their time, when an order becomes complete: its distribution, whenever the hub moves
    that to afterwards."""
    return now if begins_at is None else min(begins_at, now + _LATEST_START)


def send_judged(federation: Federation, tx: Transaction, order: InstanceOrder) -> InstanceOrder:
    """Answers the order as it is now, and with what is said to its claim; where that waits, people are told. Returns
    the order as it is then."""
    receipt = judged(federation, tx, order)
    answered = send_answer(federation, tx, order, receipt)
    note_claim(tx, answered)
    return answered


def judged(federation: Federation, tx: Transaction, order: InstanceOrder) -> Receipt:
    """What our producer says to what the hub claims: what was said already, else whether it counts by itself."""
    claim = claim_of(order)
    if claim is None:
        return ""
    if claim.state in ("agreed", "disputed", "taken"):
        return claim.state
    return "taken" if _counts_by_itself(federation, tx, order, claim.total) else "open"


def answer_receipt(
    federation: Federation, tx: Transaction, enterprise_id: str, order_id: str, *, objection: str, owed: int
) -> InstanceOrder:
    """Agrees to what the hub claims, or disputes it with an `objection`. Returns the order as it is now.

    `owed` is the sum that the person was shown: `Stale` for another one. Raises `NotFound`, `Invalid` for an objection
    that is too long, and `Conflict` where the hub claims nothing, for a cancelled order, or while the enterprise moves.
    """
    refuse_moving(tx, enterprise_id)
    order = order_of(tx, enterprise_id, order_id, role="supplier")
    claim = claim_of(order)
    if claim is None or order.state == "Cancelled":
        raise Conflict("no_receipt", "The hub has not said that it received anything else than what was ordered.")
    if claim.total != owed:
        raise Stale
    problems: list[Problem] = []
    objection = read_text(objection, "/objection", problems, most=MOST_WORDS)
    if problems:
        raise Invalid(problems)
    decided: Receipt = "disputed" if objection else "agreed"
    answered = send_answer(federation, tx, replace(order, objection=objection), decided)
    note_claim(tx, answered)
    return order_of(tx, enterprise_id, order_id, role="supplier")


def _counts_by_itself(federation: Federation, tx: Transaction, order: InstanceOrder, claimed: int) -> bool:
    """Whether nobody has to agree: see above. Pieces that are taken back count as lost, whatever is said to have come:
    the next word may take back the receipt alone."""
    start = order.settled_from or order.begins_at
    if start is not None and tx.now > start + _AFTERWARDS:
        return False
    if order.owed is not None and not _follows(order, products_by_id(tx, [line.product_id for line in order.lines])):
        return False
    confirmed, lost = _lost(order, min(claimed, wanted_statement(order).total))
    is_weight = any(line.received_quantity is not None for line in order.lines)
    kind: Kind = "weight" if is_weight else "receipt"
    return draw(tx, federation, order.enterprise_id, order.other_iri, kind, lost, confirmed, order.iri)


def _lost(order: InstanceOrder, claimed: int) -> tuple[int, int]:
    """What the producer's people confirmed last, in minor units, and what it loses of that by the claim, beyond what it
    has lost of it by itself already."""
    confirmed, lowest = answered_statement(order).total, None
    for fact in order.facts:
        if fact.kind == "agreed" and not fact.line and fact.amount is not None:
            if fact.reason == BY_ITSELF:
                lowest = fact.amount if lowest is None else min(lowest, fact.amount)
            else:
                confirmed, lowest = fact.amount, None
    already = 0 if lowest is None else max(0, confirmed - lowest)
    return confirmed, confirmed - claimed - already


def _follows(order: InstanceOrder, products: Mapping[str, SuppliedProduct]) -> bool:
    """Whether what the hub got is all that was confirmed, at the order's price and about its weight."""
    if not all(_line_follows(line, products[line.product_id]) for line in order.lines):
        return False
    summed = received_statement(order).total
    return order.owed is not None and abs(summed - order.owed) <= len(order.lines)


def _line_follows(line: Line, product: SuppliedProduct) -> bool:
    """Goods that their producer sells by the piece are not weighed: their pieces count."""
    if line.received != line.coming or line.received_amount is None:
        return False
    weight = sold = line.unit_quantity * line.coming
    if line.received_quantity is not None:
        if not product.weighed:
            return False
        weight, sold = line.received_quantity, line.final_quantity or sold
    tolerance = _TOLERANCE if product.weight_tolerance is None else product.weight_tolerance
    if abs(weight - sold) * 100 > sold * tolerance:
        return False
    exact = line.amount_of(weight)
    rounding = min(Decimal(line.coming), exact * _ROUNDING) + 1
    return abs(line.received_amount - exact) <= rounding

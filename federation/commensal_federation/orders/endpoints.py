"""Orders between instances over the JSON API: those of remote hubs to us, and ours to remote producers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import msgspec

from commensal import Body, Call, Page, Paging, Routes, page_of

from ..messages.bodies.orders import Cut, InstanceOrder
from ..messages.order_answer import AnswerLine
from ..runtime import federation_of
from .claims import answer_receipt
from .cutting import settle_cut
from .producer_names import with_customers
from .questions import cuts_of, order_of, orders_of
from .statement import OrderStatement, statement_of
from .supplier import answer_order

routes = Routes("federation_orders", where_off=True)
_ORDERS = "/enterprises/{enterprise}/orders"

Iri = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class LineAnswer(Body, frozen=True, kw_only=True):
    """`confirmed` pieces will be delivered; `reason` says why there are fewer than ordered; `final_quantity` is the
    weight of all of them in the line's unit."""

    confirmed: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    final_quantity: Decimal | None = None


class OrderAnswers(Body, frozen=True, kw_only=True):
    """Answers by item IRI; other lines are confirmed as ordered. `lost`: pieces not delivered are written off."""

    lines: Annotated[dict[Iri, LineAnswer], msgspec.Meta(max_length=1000)] = msgspec.field(default_factory=dict)
    lost: bool = True


class ReceiptAnswer(Body, frozen=True, kw_only=True):
    """`owed`: the sum that is answered, as the order says it, in minor units. `objection`: why it is not right; empty:
    it is."""

    owed: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    objection: Annotated[str, msgspec.Meta(max_length=500)] = ""


@routes.get(_ORDERS, scope="orders:read")
def instance_orders(call: Call, enterprise: str, query: Paging) -> Page[InstanceOrder]:
    """Lists the enterprise's orders with other instances, the newest first."""
    orders = with_customers(call.tx, orders_of(call.tx, enterprise, after=query.after, limit=query.limit))
    return page_of(orders, query.limit, lambda order: order.id)


@routes.get(f"{_ORDERS}/{{order}}", scope="orders:read")
def instance_order(call: Call, enterprise: str, order: str) -> InstanceOrder:
    """Returns one order with another instance; at the producer with the names of customers who agreed to that."""
    (found_order,) = with_customers(call.tx, [order_of(call.tx, enterprise, order, locked=False)])
    return found_order


@routes.post(f"{_ORDERS}/{{order}}/answer", scope="orders:write")
def answer_instance_order(call: Call, enterprise: str, order: str, body: OrderAnswers) -> InstanceOrder:
    """Confirms a remote hub's order, or shortens or refuses some of its lines, with a reason."""
    changes = {
        iri: AnswerLine(
            item_iri=iri,
            answer="confirmed",
            confirmed=answer.confirmed,
            reason=answer.reason,
            final_quantity=answer.final_quantity,
        )
        for iri, answer in body.lines.items()
    }
    return answer_order(federation_of(call.instance), call.tx, enterprise, order, changes, lost=body.lost)


@routes.get(f"{_ORDERS}/{{order}}/statement", scope="payments:read")
def instance_order_statement(call: Call, enterprise: str, order: str) -> OrderStatement:
    """Returns the order's statement, the same on both sides."""
    return statement_of(order_of(call.tx, enterprise, order, locked=False))


@routes.post(f"{_ORDERS}/{{order}}/receipt", scope="orders:write")
def answer_instance_receipt(call: Call, enterprise: str, order: str, body: ReceiptAnswer) -> InstanceOrder:
    """Agrees to what a remote hub says that it got and owes, or disputes it."""
    federation = federation_of(call.instance)
    return answer_receipt(federation, call.tx, enterprise, order, objection=body.objection, owed=body.owed)


@routes.get(f"{_ORDERS}/{{order}}/cuts", scope="orders:read")
def instance_order_cuts(call: Call, enterprise: str, order: str) -> Sequence[Cut]:
    """Lists the cuts to customers' orders of pieces that will not be delivered, with the refunds owed."""
    return cuts_of(call.tx, [order_of(call.tx, enterprise, order, locked=False).id])


@routes.post("/enterprises/{enterprise}/cuts/{cut}/settle", scope="orders:write", status=204)
def settle_instance_cut(call: Call, enterprise: str, cut: str) -> None:
    """Marks a cut as settled: the refund was paid, or a person has found another way."""
    settle_cut(call.tx, enterprise, cut)

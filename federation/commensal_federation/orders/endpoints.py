"""Orders between instances over the JSON API: what hubs elsewhere order of us, and what we order of producers there."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import msgspec

from commensal import Body, Call, Page, Paging, Routes, page_of

from ..messages.bodies.orders import AnswerLine, Cut, InstanceOrder
from ..runtime import federation_of
from .cutting import settle_cut
from .naming import with_customers
from .questions import cuts_of, order_of, orders_of
from .statement import Statement, statement_of
from .supplier import answer_order

routes = Routes("federation_orders", where_off=True)
_ORDERS = "/enterprises/{enterprise}/orders"

Iri = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class LineAnswer(Body, frozen=True, kw_only=True):
    """`confirmed` pieces will come, with the reason where those are fewer; `final_quantity` is what they all weigh, in
    the line's unit."""

    confirmed: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    final_quantity: Decimal | None = None


class OrderAnswers(Body, frozen=True, kw_only=True):
    """By item; lines that are not named are confirmed as they were ordered. `lost`: what does not come is not there."""

    lines: Annotated[dict[Iri, LineAnswer], msgspec.Meta(max_length=1000)] = msgspec.field(default_factory=dict)
    lost: bool = True


@routes.get(_ORDERS, scope="orders:read")
def instance_orders(call: Call, enterprise: str, query: Paging) -> Page[InstanceOrder]:
    """The enterprise's orders with other instances, the newest first."""
    found = with_customers(call.tx, orders_of(call.tx, enterprise, after=query.after, limit=query.limit))
    return page_of(found, query.limit, lambda one: one.id)


@routes.get(f"{_ORDERS}/{{order}}", scope="orders:read")
def instance_order(call: Call, enterprise: str, order: str) -> InstanceOrder:
    """One order with another instance; at the producer's, with the names of customers who agreed to that."""
    (found,) = with_customers(call.tx, [order_of(call.tx, enterprise, order)])
    return found


@routes.post(f"{_ORDERS}/{{order}}/answer", scope="orders:write")
def answer_instance_order(call: Call, enterprise: str, order: str, body: OrderAnswers) -> InstanceOrder:
    """A producer confirms an order of a hub elsewhere, or says which lines it shortens or refuses, and why."""
    changes = {
        iri: AnswerLine(
            item_iri=iri, answer="confirmed", confirmed=said.confirmed, reason=said.reason,
            final_quantity=said.final_quantity,
        )
        for iri, said in body.lines.items()
    }  # fmt: skip
    return answer_order(federation_of(call.instance), call.tx, enterprise, order, changes, lost=body.lost)


@routes.get(f"{_ORDERS}/{{order}}/statement", scope="orders:read")
def instance_order_statement(call: Call, enterprise: str, order: str) -> Statement:
    """What the order comes to: the same on both sides."""
    return statement_of(order_of(call.tx, enterprise, order))


@routes.get(f"{_ORDERS}/{{order}}/cuts", scope="orders:read")
def instance_order_cuts(call: Call, enterprise: str, order: str) -> Sequence[Cut]:
    """What was taken off customers' orders because it will not come, and what is owed back to them."""
    return cuts_of(call.tx, [order_of(call.tx, enterprise, order).id])


@routes.post("/enterprises/{enterprise}/cuts/{cut}/settle", scope="orders:write", status=204)
def settle_instance_cut(call: Call, enterprise: str, cut: str) -> None:
    """What was owed was given back, or a person has found another way."""
    settle_cut(call.tx, enterprise, cut)

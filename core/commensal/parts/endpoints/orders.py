"""Orders over the API, for the hub: it takes, changes, packs, weighs, substitutes, hands over and cancels them, and
takes cancellations back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, Page, Paging, Routes, page_of
from ...enterprises.customers import customer_by_id
from ...orders.cancel import cancel_order
from ...orders.change import change_order
from ...orders.emails import RepeatedMail
from ...orders.emails import mail_again as repeat_mail
from ...orders.fulfil import hand_order_over, order_is_ready, tell_not_collected, weigh_order
from ...orders.lock import locked_order, locked_together
from ...orders.place import place_order
from ...orders.questions import order_by_id, orders_of_session
from ...orders.sale_context import refuse_foreign_session
from ...orders.values import Identity, Order
from ...payments.begin import change_payment_method
from ...payments.methods import ChosenMethod, choose_method
from ..distribution.distribution import Parcel, ProductTotal, parcels, product_totals
from ..distribution.packing import MOST_CRATES, pack_into
from ..mail.log import SentMail, mails_of_order
from ..order_corrections.merge import merge_orders, revive_order
from ..order_corrections.returns import Returned, count_returned
from ..order_corrections.substitutes import substitute
from ..supply.corrections import Bearer, LineCorrection, correct_order
from .order_bodies import Amount, Id, NewOrder, OrderChanges, Pieces, Text, read_changes, read_wish, stop_payments

routes = Routes("orders")


class HubOrder(NewOrder, frozen=True, kw_only=True):
    """An order that the hub takes for a customer, by telephone or at the counter."""

    customer_id: Id | None = None


class Cancellation(Body, frozen=True, kw_only=True):
    """Without `restock` the shop has lost the goods: they do not go back on sale, and are owed to their suppliers."""

    restock: bool = True


class Weights(Body, frozen=True, kw_only=True):
    """By line id, in the line's unit, for all its pieces together."""

    weights: Annotated[dict[Id, Decimal], msgspec.Meta(max_length=500)]


class Crates(Body, frozen=True, kw_only=True):
    """Null: nobody has counted them."""

    crates: Annotated[int, msgspec.Meta(ge=1, le=MOST_CRATES)] | None


class ReturnedContainers(Body, frozen=True, kw_only=True):
    """`pieces` containers of a supplier with a `deposit`, in minor units."""

    supplier_id: Id
    deposit: Amount
    pieces: Pieces


class Empties(Body, frozen=True, kw_only=True):
    """By supplier and deposit, in minor units: how many came back in all; kinds that are not named stay as they are."""

    returned: Annotated[tuple[ReturnedContainers, ...], msgspec.Meta(max_length=50)]


class HandOver(Body, frozen=True, kw_only=True):
    """`at_estimate`: also an order that is not weighed yet, at what was estimated."""

    at_estimate: bool = False


class Substitution(Body, frozen=True, kw_only=True):
    line_id: Id
    item_id: Id
    quantity: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    replaced: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    price: Amount | None = None


class MailWanted(Body, frozen=True, kw_only=True):
    """Which e-mail is sent again: the confirmation, the final order, or that it is ready."""

    kind: RepeatedMail


class Merging(Body, frozen=True, kw_only=True):
    """`order` is emptied and cancelled. `vouched`: the shop has asked, and both orders are of one customer."""

    order: Id
    vouched: bool = False


class NewMethod(Body, frozen=True, kw_only=True):
    """A way to pay, "plugin:method"."""

    method: Text


class CorrectedLine(Body, frozen=True, kw_only=True):
    """`amount` is what is given back of the line's price, in minor units; `returned` are pieces that go on sale
    again."""

    amount: Amount
    returned: Pieces = 0


class Corrections(Body, frozen=True, kw_only=True):
    """What is taken back of an order that was handed over, by line id; the customer reads the `reason`."""

    lines: Annotated[dict[Id, CorrectedLine], msgspec.Meta(max_length=500)]
    reason: Text
    borne_by: Bearer = "shop"


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """Who gets what, and what each supplier brings."""

    parcels: Sequence[Parcel]
    heaps: Sequence[ProductTotal]


@routes.get("/enterprises/{enterprise}/sale-sessions/{session}/orders", scope="orders:read")
def orders(call: Call, enterprise: str, session: str, query: Paging) -> Page[Order]:
    """Placed orders of one of the shop's sessions, without their lines."""
    refuse_foreign_session(call.tx, enterprise, session)
    found_orders = orders_of_session(call.tx, enterprise, session, after=query.after, limit=query.limit)
    return page_of([_without_account(order) for order in found_orders], query.limit, lambda order: order.id)


@routes.post(
    "/enterprises/{enterprise}/sale-sessions/{session}/orders", scope="orders:write", status=201, needs_key=True
)
def take_order(call: Call, enterprise: str, session: str, body: HubOrder) -> Order:
    """Takes an order for a customer, also after the close."""
    refuse_foreign_session(call.tx, enterprise, session)
    if body.customer_id:
        customer_by_id(call.tx, enterprise, body.customer_id)
    return _without_account(
        place_order(call.tx, call.instance.hooks, session, read_wish(body), by_hub=True, customer_id=body.customer_id)
    )


@routes.get("/enterprises/{enterprise}/sale-sessions/{session}/distribution", scope="orders:read")
def distribution(call: Call, enterprise: str, session: str) -> Distribution:
    """Who gets what on distribution day, and what each supplier brings."""
    refuse_foreign_session(call.tx, enterprise, session)
    return Distribution(
        parcels=list(parcels(call.tx, enterprise, session)), heaps=product_totals(call.tx, enterprise, session)
    )


@routes.get("/enterprises/{enterprise}/orders/{order}", scope="orders:read")
def order(call: Call, enterprise: str, order: str) -> Order:
    """One of the shop's orders."""
    return _without_account(order_by_id(call.tx, order, enterprise_id=enterprise))


@routes.patch("/enterprises/{enterprise}/orders/{order}", scope="orders:write", edits=True)
def change(call: Call, enterprise: str, order: str, body: OrderChanges) -> Order:
    """Changes an order for its customer, also after the close."""
    locked = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    return _without_account(
        change_order(call.tx, call.instance.hooks, locked, by_hub=True, by=call.person_id, **read_changes(body))
    )


@routes.post("/enterprises/{enterprise}/orders/{order}/cancel", scope="orders:write", edits=True)
def cancel(call: Call, enterprise: str, order: str, body: Cancellation) -> Order:
    """Cancels an order; its goods go back on sale, or not."""
    locked = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    cancelled = cancel_order(call.tx, call.instance.hooks, locked, restock=body.restock, by_hub=True, by=call.person_id)
    return _without_account(stop_payments(call, cancelled))


@routes.post("/enterprises/{enterprise}/orders/{order}/revive", scope="orders:write", edits=True)
def revive(call: Call, enterprise: str, order: str) -> Order:
    """Takes the cancellation of an order back until its sale closes, with its prices and payments, if its goods, its
    place and what plugins gave it are still there."""
    locked = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    return _without_account(revive_order(call.tx, call.instance.hooks, locked, by=call.person_id))


@routes.post("/enterprises/{enterprise}/orders/{order}/weights", scope="orders:pack", edits=True)
def weigh(call: Call, enterprise: str, order: str, body: Weights) -> Order:
    """Writes down what the scales say; the price follows."""
    locked = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    return _without_account(weigh_order(call.tx, call.instance.hooks, locked, body.weights, by=call.person_id))


@routes.post("/enterprises/{enterprise}/orders/{order}/substitutions", scope="orders:write", edits=True)
def give_instead(call: Call, enterprise: str, order: str, body: Substitution) -> Order:
    """Gives something else for what cannot be delivered."""
    locked = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    return _without_account(
        substitute(
            call.tx,
            call.instance.hooks,
            locked,
            line_id=body.line_id,
            item_id=body.item_id,
            quantity=body.quantity,
            replaced=body.replaced,
            price=body.price,
            by=call.person_id,
        )
    )


@routes.put("/enterprises/{enterprise}/orders/{order}/crates", scope="orders:pack", edits=True)
def count_crates(call: Call, enterprise: str, order: str, body: Crates) -> Order:
    """Says into how many crates the order was packed; labels and the hand-out show them."""
    locked = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    return _without_account(pack_into(call.tx, locked, body.crates))


@routes.post("/enterprises/{enterprise}/orders/{order}/merge", scope="orders:write", edits=True)
def merge(call: Call, enterprise: str, order: str, body: Merging) -> Order:
    """Moves everything of another order of the same customer and sale into this one, and cancels the other."""
    target, other = locked_together(call.tx, order, body.order, enterprise_id=enterprise, version=call.version)
    merged = merge_orders(call.tx, call.instance.hooks, target, other, vouched=body.vouched, by=call.person_id)
    stop_payments(call, other)
    return _without_account(merged)


def _choose_method(call: Call, enterprise: str, order: str, body: NewMethod) -> ChosenMethod:
    order_by_id(call.tx, order, enterprise_id=enterprise)
    return choose_method(call.instance, order, body.method, call.language)


@routes.post(
    "/enterprises/{enterprise}/orders/{order}/payment-method", scope="orders:write", edits=True, prepare=_choose_method
)
def change_method(call: Call, enterprise: str, order: str, body: NewMethod) -> Order:
    """Changes how an order is to be paid: to any way that is offered to its customer, who gets a mail."""
    locked = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    return _without_account(
        change_payment_method(call.tx, call.instance.hooks, locked, call.prepared, by=call.person_id)
    )


@routes.post("/enterprises/{enterprise}/orders/{order}/corrections", scope="orders:write", edits=True)
def correct(call: Call, enterprise: str, order: str, body: Corrections) -> Order:
    """Corrects an order after it was handed over, by counter-entries; what was paid too much is then owed back."""
    locked = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    corrections = {id: LineCorrection(amount=line.amount, returned=line.returned) for id, line in body.lines.items()}
    return _without_account(
        correct_order(
            call.tx,
            call.instance.hooks,
            locked,
            corrections,
            reason=body.reason,
            borne_by=body.borne_by,
            by=call.person_id,
        )
    )


@routes.put("/enterprises/{enterprise}/orders/{order}/returned", scope="orders:pack", edits=True)
def count_empties(call: Call, enterprise: str, order: str, body: Empties) -> Order:
    """Says which empties came back with the order; it costs as much less. A correction is the same, with less."""
    locked = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    returned = [Returned(**msgspec.structs.asdict(kind)) for kind in body.returned]
    return _without_account(count_returned(call.tx, locked, returned, by=call.person_id))


@routes.post("/enterprises/{enterprise}/orders/{order}/ready", scope="orders:pack", edits=True)
def ready(call: Call, enterprise: str, order: str) -> Order:
    """The order is packed and waits for its customer, who gets a mail."""
    return _without_account(
        order_is_ready(call.tx, locked_order(call.tx, order, enterprise_id=enterprise, version=call.version))
    )


@routes.post("/enterprises/{enterprise}/orders/{order}/not-collected", scope="orders:pack", edits=True, status=204)
def not_collected(call: Call, enterprise: str, order: str) -> None:
    """Nobody has collected the order: its customer gets a mail that asks what shall be done with it."""
    tell_not_collected(call.tx, locked_order(call.tx, order, enterprise_id=enterprise, version=call.version))


@routes.get("/enterprises/{enterprise}/orders/{order}/mails", scope="orders:read")
def order_mails(call: Call, enterprise: str, order: str) -> Sequence[SentMail]:
    """The e-mails about an order, and what has become of each."""
    order_by_id(call.tx, order, enterprise_id=enterprise)
    return mails_of_order(call.tx, enterprise, order)


@routes.post("/enterprises/{enterprise}/orders/{order}/mails", scope="orders:write", status=204)
def mail_again(call: Call, enterprise: str, order: str, body: MailWanted) -> None:
    """Mails the customer once more, with the order as it is now."""
    repeat_mail(call.tx, locked_order(call.tx, order, enterprise_id=enterprise), body.kind)


@routes.post("/enterprises/{enterprise}/orders/{order}/hand-over", scope="orders:pack", edits=True)
def hand_over(call: Call, enterprise: str, order: str, body: HandOver) -> Order:
    """The customer has the goods. An order that is not weighed yet takes `at_estimate`."""
    locked = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    return _without_account(hand_order_over(call.tx, locked, at_estimate=body.at_estimate, by=call.person_id))


def _without_account(order: Order) -> Order:
    """Hides the account of somebody for whom the shop has ordered. Otherwise an enterprise that types an address would
    learn whether it has an account here."""
    return replace(order, person_id=None) if order.identity is Identity.BY_HUB else order

"""Orders to suppliers over the API: for the shop that sends them, and for the supplier that answers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from ...api.endpoint import Body, Call, File, Page, Paging, Routes, changes, page_of
from ...base.errors import Stale
from ...enterprises.access import sees_amounts
from ...enterprises.enterprises import enterprise_by_id
from ...orders.sale_context import refuse_foreign_session
from ...storage.database import Transaction
from ..distribution.packing import collection_places
from ..mail.log import SentMail, mails_of_purchase_order
from ..reports.formats import find_format
from ..reports.purchase_orders import print_purchase_order
from ..supply.answers import CustomerCut, LineAnswer, answer_purchase_order, cuts_of_answer
from ..supply.owed import OwedToSupplier, owed_at_session
from ..supply.passed_cut_offs import SalePart, parts_of
from ..supply.policy import ClosingPolicy, Shortage, Telling, change_closing_policy, closing_policy_of
from ..supply.purchase_orders import (
    PurchaseOrder,
    locked_orders,
    mail_order,
    purchase_order_by_id,
    purchase_orders_of,
    supplier_orders_of,
    tell_supplier,
)
from ..supply.reopening import reopen_purchase_order
from ..supply.shortfalls import answer_by_supplier
from ..supply.surplus import KeptGoods, keep_surplus, kept_of

routes = Routes("purchase_orders")

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Unset = msgspec.UnsetType


class PolicyPatch(Body, frozen=True, kw_only=True):
    telling: Telling | Unset = msgspec.UNSET
    shortage: Shortage | Unset = msgspec.UNSET
    final_mail: bool | Unset = msgspec.UNSET
    reminder: bool | Unset = msgspec.UNSET


class PurchaseOrderQuery(Paging, frozen=True, kw_only=True):
    """`session` names one sale session of the shop; without it, all of them."""

    session: Annotated[str, msgspec.Meta(max_length=64)] = ""


class ConfirmedLine(Body, frozen=True, kw_only=True):
    """`confirmed` pieces will come; `reason` says why there are fewer than ordered."""

    confirmed: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""


class SupplierAnswer(Body, frozen=True, kw_only=True):
    """`lines` by their ids; lines that are left out will come as ordered. With `lost` the other pieces are written off
    the supplier's stock; else they are on sale again."""

    lines: Annotated[dict[Id, ConfirmedLine], msgspec.Meta(max_length=1000)] = msgspec.field(default_factory=dict)
    lost: bool = True


class AnswerByShop(SupplierAnswer, frozen=True, kw_only=True):
    """`shortage` decides whose order shrinks; null: the shop's policy."""

    shortage: Shortage | None = None


class Surplus(Body, frozen=True, kw_only=True):
    """Pieces that are kept in all, by line id; lines that are left out stay as they are. With `from_stock` they are
    taken off the supplier's stock."""

    lines: Annotated[dict[Id, Annotated[int, msgspec.Meta(ge=0, le=10**9)]], msgspec.Meta(max_length=1000)]
    from_stock: bool = False


class FileQuery(Body, frozen=True, kw_only=True):
    format: Literal["csv", "xlsx", "html", "pdf"] = "pdf"


_ORDERS = "/enterprises/{enterprise}/purchase-orders"
_ORDER = f"{_ORDERS}/{{purchase_order}}"
_SUPPLIES = "/enterprises/{enterprise}/supplier-orders"
_SUPPLY = f"{_SUPPLIES}/{{purchase_order}}"


# ------------------------------------------------------------------------------------------------ the shop


@routes.get("/enterprises/{enterprise}/closing-policy", scope="sales:read")
def closing_policy(call: Call, enterprise: str) -> ClosingPolicy:
    """What happens at the cut-offs of the enterprise's sales."""
    return closing_policy_of(call.tx, enterprise)


@routes.patch("/enterprises/{enterprise}/closing-policy", scope="sales:write")
def edit_closing_policy(call: Call, enterprise: str, body: PolicyPatch) -> ClosingPolicy:
    """Changes what happens at the cut-offs of the enterprise's sales."""
    return change_closing_policy(call.tx, enterprise, **changes(body))


@routes.get("/enterprises/{enterprise}/sale-sessions/{session}/parts", scope="orders:read")
def sale_parts(call: Call, enterprise: str, session: str) -> list[SalePart]:
    """The suppliers of a session whose cut-off has passed, and whether each was told what to bring."""
    refuse_foreign_session(call.tx, enterprise, session)
    return parts_of(call.tx, enterprise, session)


@routes.post("/enterprises/{enterprise}/sale-sessions/{session}/parts/{supplier}/tell", scope="orders:write")
def tell_by_hand(call: Call, enterprise: str, session: str, supplier: str) -> PurchaseOrder | None:
    """Tells a supplier what to bring, where the shop does that by hand; null if nothing is ordered of it."""
    refuse_foreign_session(call.tx, enterprise, session)
    return tell_supplier(call.tx, call.instance.hooks, session, supplier)


@routes.get("/enterprises/{enterprise}/sale-sessions/{session}/suppliers-to-pay", scope="payments:read")
def suppliers_to_pay(call: Call, enterprise: str, session: str) -> list[OwedToSupplier]:
    """What the enterprise owes each supplier for what was delivered to one of its sessions, at purchase prices."""
    refuse_foreign_session(call.tx, enterprise, session)
    return owed_at_session(call.tx, enterprise, session)


@routes.get(_ORDERS, scope="orders:read")
def purchase_orders(call: Call, enterprise: str, query: PurchaseOrderQuery) -> Page[PurchaseOrder]:
    """The enterprise's orders to suppliers of this instance, the newest first."""
    orders = purchase_orders_of(call.tx, enterprise, session_id=query.session, after=query.after, limit=query.limit)
    return page_of(orders, query.limit, lambda order: order.id)


@routes.get(_ORDER, scope="orders:read")
def purchase_order(call: Call, enterprise: str, purchase_order: str) -> PurchaseOrder:
    """One order to a supplier."""
    return purchase_order_by_id(call.tx, purchase_order, enterprise_id=enterprise)


@routes.get(f"{_ORDER}/file", scope="orders:read")
def purchase_order_file(call: Call, enterprise: str, purchase_order: str, query: FileQuery) -> File:
    """The order as a file."""
    return _file(
        call, enterprise, purchase_order_by_id(call.tx, purchase_order, enterprise_id=enterprise), query.format
    )


@routes.get(f"{_ORDER}/mails", scope="orders:read")
def purchase_order_mails(call: Call, enterprise: str, purchase_order: str) -> Sequence[SentMail]:
    """The e-mails about an order to a supplier, and what has become of each."""
    purchase_order_by_id(call.tx, purchase_order, enterprise_id=enterprise)
    return mails_of_purchase_order(call.tx, enterprise, purchase_order)


@routes.post(f"{_ORDER}/mails", scope="orders:write", status=204)
def mail_purchase_order(call: Call, enterprise: str, purchase_order: str) -> None:
    """Mails an order to its supplier once more, as it is now."""
    mail_order(call.tx, purchase_order_by_id(call.tx, purchase_order, enterprise_id=enterprise).id)


@routes.post(f"{_ORDER}/cuts", scope="orders:write", untraced="it changes nothing")
def preview_cuts(call: Call, enterprise: str, purchase_order: str, body: AnswerByShop) -> Sequence[CustomerCut]:
    """Shows whose orders would shrink by this answer, without changing them."""
    order = purchase_order_by_id(call.tx, purchase_order, enterprise_id=enterprise)
    return cuts_of_answer(call.tx, order, _answers(body), shortage=body.shortage)


@routes.post(f"{_ORDER}/answer", scope="orders:write", edits=True)
def answer_for_supplier(call: Call, enterprise: str, purchase_order: str, body: AnswerByShop) -> PurchaseOrder:
    """Notes what a supplier has said, by telephone or on the ramp; customers' orders follow."""
    order = purchase_order_by_id(call.tx, purchase_order, enterprise_id=enterprise)
    return _answer(call, order, body, shortage=body.shortage)


@routes.get(f"{_ORDER}/surplus", scope="orders:read")
def kept_surplus(call: Call, enterprise: str, purchase_order: str) -> Sequence[KeptGoods]:
    """What came beyond an order and was kept for the enterprise's own stock."""
    return kept_of(call.tx, purchase_order_by_id(call.tx, purchase_order, enterprise_id=enterprise).id)


@routes.post(f"{_ORDER}/surplus", scope="orders:write", edits=True)
def change_surplus(call: Call, enterprise: str, purchase_order: str, body: Surplus) -> Sequence[KeptGoods]:
    """Says how many pieces beyond an order are kept for the enterprise's own stock, which it then owes the supplier."""
    order = purchase_order_by_id(call.tx, purchase_order, enterprise_id=enterprise)
    _refuse_stale(call.tx, order, call.version)
    return keep_surplus(call.tx, order.id, body.lines, from_stock=body.from_stock, by=call.person_id)


@routes.post(f"{_ORDER}/reopening", scope="orders:write", edits=True)
def reopen(call: Call, enterprise: str, purchase_order: str) -> PurchaseOrder:
    """Takes the supplier's answer back: the order is mailed as customers have ordered by now, and wants an answer."""
    order = purchase_order_by_id(call.tx, purchase_order, enterprise_id=enterprise)
    _refuse_stale(call.tx, order, call.version)
    return reopen_purchase_order(call.tx, order.id)


# ------------------------------------------------------------------------------------------------ the supplier


@routes.get(_SUPPLIES, scope="demand:read")
def supplier_orders(call: Call, enterprise: str, query: Paging) -> Page[PurchaseOrder]:
    """Orders of shops of this instance to this enterprise as their supplier, the newest first."""
    orders = supplier_orders_of(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(orders, query.limit, lambda order: order.id)


@routes.get(_SUPPLY, scope="demand:read")
def supplier_order(call: Call, enterprise: str, purchase_order: str) -> PurchaseOrder:
    """One order of a shop to this enterprise."""
    return purchase_order_by_id(call.tx, purchase_order, supplier_id=enterprise)


@routes.get(f"{_SUPPLY}/file", scope="demand:read")
def supplier_order_file(call: Call, enterprise: str, purchase_order: str, query: FileQuery) -> File:
    """The order as a file."""
    return _file(call, enterprise, purchase_order_by_id(call.tx, purchase_order, supplier_id=enterprise), query.format)


@routes.post(f"{_SUPPLY}/answer", scope="orders:write", edits=True)
def answer_as_supplier(call: Call, enterprise: str, purchase_order: str, body: SupplierAnswer) -> PurchaseOrder:
    """Confirms an order, or less of some of its lines with a reason; the shop's policy decides whose order shrinks."""
    order = purchase_order_by_id(call.tx, purchase_order, supplier_id=enterprise)
    _refuse_stale(call.tx, order, call.version)
    return answer_by_supplier(call.tx, call.instance.hooks, order.id, _answers(body), lost=body.lost, by=call.person_id)


def _answer(
    call: Call, order: PurchaseOrder, body: SupplierAnswer, *, shortage: Shortage | None = None
) -> PurchaseOrder:
    _refuse_stale(call.tx, order, call.version)
    return answer_purchase_order(
        call.tx, call.instance.hooks, order.id, _answers(body), shortage=shortage, lost=body.lost, by=call.person_id
    )


def _answers(body: SupplierAnswer) -> Mapping[str, LineAnswer]:
    return {id: LineAnswer(confirmed=line.confirmed, reason=line.reason) for id, line in body.lines.items()}


def _refuse_stale(tx: Transaction, order: PurchaseOrder, version: int) -> None:
    (locked,) = locked_orders(tx, [order.id])
    if locked.version != version:
        raise Stale


def _file(call: Call, reader_id: str, order: PurchaseOrder, format: str) -> File:
    """The order's file for members of the enterprise `reader_id`."""
    shop = enterprise_by_id(call.tx, order.enterprise_id)
    places = collection_places(call.tx, call.instance.hooks, shop.id, order.session_id, call.language)
    content = print_purchase_order(
        call.instance.store,
        shop,
        order,
        places,
        format=format,
        language=call.language,
        amounts=sees_amounts(call.tx, call.actor, reader_id),
    )
    return File(content, find_format(format).media_type, f"order-{order.number}-{order.revision}.{format}")

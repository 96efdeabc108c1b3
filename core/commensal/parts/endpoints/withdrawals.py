"""Goods that are recalled, have spoiled or cannot come, taken off all orders over the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, Routes
from ...enterprises.access import demand
from ...orders.sale_context import refuse_foreign_session
from ..supply.withdrawing import LONGEST_REASON, HeldGoods, ShortenedOrder, goods_on_orders, withdraw_goods

routes = Routes("withdrawals")

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_PATH = "/enterprises/{enterprise}/withdrawals"


class Withdrawal(Body, frozen=True, kw_only=True):
    """The products, the sessions whose orders lose them, and the reason, which customers read. With `lost` the pieces
    are written off the stock; with `dry_run` nothing changes."""

    product_ids: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=50)]
    session_ids: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=50)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_REASON)]
    lost: bool = True
    dry_run: bool = False


class GoodsQuery(Body, frozen=True, kw_only=True):
    product: Id


@routes.get("/enterprises/{enterprise}/goods-on-orders", scope="orders:read")
def goods_held(call: Call, enterprise: str, query: GoodsQuery) -> Sequence[HeldGoods]:
    """Where a product, and other sizes of its lot, stand on orders of the shop: on those still to be handed over, and
    on those that were handed over in the last 60 days."""
    return goods_on_orders(call.tx, enterprise, [query.product])


@routes.post(_PATH, scope="orders:write")
def withdraw(call: Call, enterprise: str, body: Withdrawal) -> Sequence[ShortenedOrder]:
    """Takes products off all orders of these sessions that are not handed over, and off sale; customers and suppliers
    are told. Answers with the orders that changed. Needs `catalogs:write` too."""
    demand(call.tx, call.actor, "catalogs:write", enterprise)
    for session in body.session_ids:
        refuse_foreign_session(call.tx, enterprise, session)
    with call.tx.attempt() as attempt:
        shortened = withdraw_goods(
            call.tx,
            call.instance.hooks,
            enterprise,
            body.product_ids,
            session_ids=body.session_ids,
            reason=body.reason,
            lost=body.lost,
            by=call.person_id,
        )
        if body.dry_run:
            attempt.rollback()
    return shortened
